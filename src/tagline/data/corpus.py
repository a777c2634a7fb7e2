"""Annotated corpora: one function that reads every format, and what it gives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tagline.data.arrow import is_saved, read_parquet, read_saved
from tagline.data.conll import read_conll
from tagline.data.jsonl import read_jsonl
from tagline.data.reading import Raw, ReadOptions, SplitWords, decode, read_bytes
from tagline.data.schemes import OUTSIDE, Scheme, convert, split_tag
from tagline.data.sentence_rows import SentenceRows
from tagline.data.tables import has_header, read_table
from tagline.data.tagging import count_violations, scheme_of
from tagline.errors import DataError, SchemeError, UsageError
from tagline.records import Sentence

__all__ = ["FORMATS", "Corpus", "ReadOptions", "SplitWords", "format_of", "read_corpus"]

FORMATS = ("conll", "jsonl", "csv", "tsv", "parquet", "datasets")


@dataclass(frozen=True, slots=True)
class Corpus:
    """An annotated file, read.

    Attributes:
        sentences: with tags of `scheme`; without tags where the file was read unannotated.
        scheme: tag scheme of the sentences.
        bare: whether tags are labels without prefixes (then the scheme is IO).
        path: the file or folder.
        format: one of `FORMATS`.
        fingerprint: SHA-256 of the bytes read, in hexadecimal.
        violations: how many moves between tags the scheme does not allow.
        first_violation: the first of them with its place, or "".
        columns: columns of a CoNLL file, else 0.
        unaligned: character spans that do not fall on word borders, each with its place and what became of it.
    """

    sentences: tuple[Sentence, ...]
    scheme: Scheme
    bare: bool
    path: str
    format: str
    fingerprint: str
    violations: int
    first_violation: str
    columns: int
    unaligned: tuple[str, ...]

    def tags(self, scheme: Scheme) -> Iterator[tuple[str, ...]]:
        """Every sentence's tags in another scheme, always with prefixes; illegal moves are repaired.

        Raises:
            SchemeError: scheme IO, and entities of one label that touch (it would merge them).
        """
        done: dict[tuple[str, ...], tuple[str, ...]] = {}
        for sentence in self.sentences:
            tags = done.get(sentence.tags)
            if tags is None:
                try:
                    tags = tuple(convert(sentence.tags, self.scheme, scheme, self.bare))
                except SchemeError as error:
                    raise SchemeError(str(error), self.path, sentence.line) from None
                done[sentence.tags] = tags
            yield tags

    @property
    def labels(self) -> list[str]:
        """Entity labels that occur, sorted."""
        kinds = {tag for sentence in self.sentences for tag in sentence.tags if tag != OUTSIDE}
        return sorted({split_tag(tag, self.scheme, self.bare)[1] for tag in kinds})


def read_corpus(
    path: str | Path,
    options: ReadOptions | None = None,
    split_words: SplitWords | None = None,
    annotated: bool = True,
) -> Corpus:
    """Reads an annotated corpus.

    CoNLL (any number of columns), JSONL and Parquet (`tokens` + `ner_tags`, or `text` + character spans), CSV and TSV
    with a header (one word a row, or one sentence a row with JSON lists), folders of Hugging Face `datasets`.

    Args:
        path: a file, or a folder that `datasets` wrote with `save_to_disk`.
        options: columns, scheme, strictness; None: the defaults.
        split_words: gives the (start, end) of each word of a text, in order; needed for `text` + spans.
        annotated: whether tags are read; without them CoNLL needs only one column.

    Raises:
        DataError: the file is missing, empty, binary, not UTF-8, or a line is not as expected.
        SchemeError: the tags belong to no scheme, not to the one given, or (strict) break it.
        UsageError: an unknown format, column or split.
        MissingExtraError: Parquet or a `datasets` folder without pyarrow.
    """
    reader = SentenceRows(Path(path), options or ReadOptions(), annotated, split_words)
    raw, form, fingerprint = read_raw(reader)
    return _finished(raw, reader, form, fingerprint)


def read_raw(reader: SentenceRows) -> tuple[Raw, str, str]:
    """What a reader finds in its file before the tags are understood, the file's format and its fingerprint.

    Raises:
        As `read_corpus`.
    """
    path, options = reader.path, reader.options
    if options.format is not None and options.format not in FORMATS:
        raise UsageError(f"format {options.format!r} is not known; accepted are {', '.join(FORMATS)}")
    if path.is_dir() and (is_saved(path) or options.format == "datasets"):
        if options.format not in (None, "datasets"):
            raise UsageError(f"{path} is a folder of datasets, not {options.format}; leave the format out")
        if not is_saved(path):
            raise DataError("has neither state.json nor dataset_dict.json; expected a folder of save_to_disk", path)
        raw, fingerprint = read_saved(path, reader)
        return raw, "datasets", fingerprint
    data = read_bytes(path)
    form = options.format or format_of(path, data)
    return _read_file(form, data, reader), form, hashlib.sha256(data).hexdigest()


def format_of(path: Path, data: bytes) -> str:
    """Format of a file by its name and its first bytes: one of `FORMATS`.

    A name decides for .jsonl, .ndjson, .csv and .parquet; a .tsv without a known header is CoNLL; every other name
    leaves it to the content.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet" or data[:4] == b"PAR1":
        return "parquet"
    if suffix in (".jsonl", ".ndjson", ".json"):
        return "jsonl"
    if suffix == ".csv":
        return "csv"
    if suffix in (".conll", ".bio", ".iob", ".iob2"):
        return "conll"
    first = data.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").split(b"\n", 1)[0]
    if suffix == ".tsv" and has_header(first.decode("utf-8", "replace")):
        return "tsv"
    if first.startswith(b"{"):
        try:
            return "jsonl" if isinstance(json.loads(first), dict) else "conll"
        except (ValueError, RecursionError):
            return "conll"
    return "conll"


def _read_file(form: str, data: bytes, reader: SentenceRows) -> Raw:
    path, options = reader.path, reader.options
    if form == "datasets":
        raise DataError("is a file; expected a folder that `datasets` wrote with save_to_disk", path)
    if options.split is not None:
        raise UsageError(f"split {options.split!r}: {path} is a file; only folders of datasets have splits")
    if form == "parquet":
        return read_parquet(data, path, reader)
    text = decode(data, path)
    readers: dict[str, Callable[[], Raw]] = {
        "conll": lambda: read_conll(text, path, options, reader.annotated),
        "jsonl": lambda: read_jsonl(text, path, reader),
        "csv": lambda: read_table(text, path, False, reader),
        "tsv": lambda: read_table(text, path, True, reader),
    }
    return readers[form]()


def _finished(raw: Raw, reader: SentenceRows, form: str, fingerprint: str) -> Corpus:
    path, options = reader.path, reader.options
    if not raw.sentences:
        raise DataError("holds no words; expected at least one sentence", path)
    if reader.annotated:
        scheme, bare = scheme_of(raw, options, path)
        count, first = count_violations(raw, scheme, bare, options.strict, path)
    else:
        scheme, bare, count, first = options.scheme or Scheme.IOB2, False, 0, ""
    return Corpus(
        sentences=tuple(raw.sentences),
        scheme=scheme,
        bare=bare,
        path=str(path),
        format=form,
        fingerprint=fingerprint,
        violations=count,
        first_violation=first,
        columns=raw.columns,
        unaligned=tuple(raw.unaligned),
    )
