"""Annotated corpora written to files, each whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tagline.data.atomic import atomic_write
from tagline.data.conll import Kind, is_docstart, layout_of, scan, split_lines
from tagline.data.corpus import Corpus, ReadOptions, format_of, read_corpus
from tagline.data.reading import DOCSTART, SplitWords, decode, read_bytes
from tagline.data.schemes import OUTSIDE, Scheme, spans
from tagline.data.sentence_rows import DOCUMENT_NAME
from tagline.errors import OutputError, UsageError
from tagline.records import Sentence

WRITABLE = ("conll", "jsonl", "jsonl-spans")
_BOM = "\ufeff"


def write_corpus(path: str | Path, corpus: Corpus, scheme: Scheme | None = None, form: str | None = None) -> None:
    """Writes a corpus.

    Args:
        path: the file.
        corpus: what to write.
        scheme: tag scheme to write; None: the tags as they are.
        form: `conll` (word and tag; a tab between them if a word is empty or has a space in it, else a space),
            `jsonl` (`tokens` and `ner_tags`) or `jsonl-spans` (`text` and `entities` in characters; the scheme does
            not matter). None: `jsonl` for a name in .jsonl or .ndjson, else `conll`.

    Raises:
        OutputError: the file cannot be written, or a word cannot stand in CoNLL (a line end or tab in it).
        SchemeError: the scheme cannot hold the entities.
        UsageError: an unknown format.
    """
    if form is None:
        form = "jsonl" if Path(path).suffix.lower() in (".jsonl", ".ndjson") else "conll"
    if form not in WRITABLE:
        raise UsageError(f"format {form!r} cannot be written; accepted are {', '.join(WRITABLE)}")
    tags = (sentence.tags for sentence in corpus.sentences) if scheme is None else corpus.tags(scheme)
    if form == "conll":
        rows = ((sentence, [row] if row else []) for sentence, row in zip(corpus.sentences, tags, strict=True))
        write_conll(path, rows, _separator(corpus))
        return
    with atomic_write(path) as file:
        lines = _token_rows(corpus, tags) if form == "jsonl" else _span_rows(corpus)
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def write_conll(
    path: str | Path, sentences: Iterable[tuple[Sentence, Sequence[Sequence[str]]]], separator: str = " "
) -> None:
    """Writes words and any number of further columns; of several documents each begins with a `-DOCSTART-` line.

    Args:
        path: the file.
        sentences: each with its further columns, one cell a word in each of them.
        separator: a space or a tab.

    Raises:
        OutputError: the file cannot be written, or a cell would be read back as something else.
        ValueError: a column that is not as long as its sentence.
    """
    rows = list(sentences)
    several = len({sentence.document for sentence, _ in rows}) > 1
    document: int | None = None
    with atomic_write(path) as file:
        for sentence, columns in rows:
            if document is None and sentence.words[0].startswith(_BOM):
                file.write("\n")  # at the very beginning the word's first character would be taken for a mark
            if several and document != sentence.document:  # the first too: who reads line by line knows of no others
                file.write(separator.join([DOCSTART, *(OUTSIDE for _ in columns)]) + "\n\n")
            document = sentence.document
            for cells in zip(sentence.words, *columns, strict=True):
                file.write(_line(cells, separator, sentence, path) + "\n")
            file.write("\n")


def copy_with_column(
    source: str | Path,
    target: str | Path,
    tags: Iterable[Sequence[str]],
    options: ReadOptions | None = None,
    split_words: SplitWords | None = None,
) -> None:
    """Copies a corpus as CoNLL with one more column, for example the predicted tags.

    Of CoNLL input all is kept as it is: columns, blank lines, comments, line ends; `-DOCSTART-` lines get the cell O.
    Other formats become words, gold tags, and the new column.

    Args:
        source: the corpus.
        target: the file to write.
        tags: for every sentence, in order, one cell a word.
        options: how the source is read.
        split_words: words of a text, for `text` + spans.

    Raises:
        DataError: the source cannot be read.
        OutputError: the target cannot be written.
        ValueError: `tags` has another number of sentences or words than the source.
    """
    options, source = options or ReadOptions(), Path(source)
    if not source.is_dir():
        data = read_bytes(source)
        if (options.format or format_of(source, data)) == "conll":
            text = decode(data, source)
            with atomic_write(target) as file:
                file.write(_BOM if data.startswith(_BOM.encode()) else "")
                file.writelines(_with_column(text, source, tags))
            return
    corpus = read_corpus(source, options, split_words)
    rows = ((each, (each.tags, row)) for each, row in zip(corpus.sentences, tags, strict=True))
    write_conll(target, rows, _separator(corpus))


def _with_column(text: str, path: Path, tags: Iterable[Sequence[str]]) -> Iterator[str]:
    lines = split_lines(text)
    layout = layout_of(lines, path)
    sentences = iter(tags)
    row: Iterator[str] | None = None
    wrong = ValueError(f"the new column does not have as many sentences and words as {path}")
    ends = text.split("\n")
    for number, (kind, _) in enumerate(scan(lines, layout, path)):
        line = lines[number]
        end = ("\r" if ends[number].endswith("\r") else "") + ("\n" if number + 1 < len(ends) else "")
        if kind is Kind.WORD:
            row = iter(next(sentences, ())) if row is None else row
            cell = next(row, None)
            if cell is None:
                raise wrong
            yield line + layout.separator + cell + end
            continue
        if row is not None and next(row, None) is not None:
            raise wrong
        row = None
        yield line + layout.separator + OUTSIDE + end if kind is Kind.DOCSTART else line + end
    if (row is not None and next(row, None) is not None) or next(sentences, None) is not None:
        raise wrong


def _separator(corpus: Corpus) -> str:
    cells = (cell for sentence in corpus.sentences for cell in (*sentence.words, *sentence.tags))
    return "\t" if any(not cell or " " in cell for cell in cells) else " "


def _line(cells: Sequence[str], separator: str, sentence: Sentence, path: str | Path) -> str:
    line = separator.join(cells)
    broken = line.count(separator) != len(cells) - 1 or "\n" in line or (separator == " " and "\t" in line)
    if len(cells) == 1 or separator == " ":
        broken = broken or "" in cells or any(" " in cell for cell in cells)
    if broken or line.endswith("\r") or is_docstart(line) or not line.strip(" \t\r"):
        raise OutputError(
            f"{path} cannot be written: word {cells[0]!r} of the sentence at line {sentence.line} of its source cannot "
            "stand in a CoNLL file (a line end, a separator, nothing but blanks, or -DOCSTART-); choose JSONL"
        )
    return line


def _token_rows(corpus: Corpus, tags: Iterable[Sequence[str]]) -> Iterator[dict[str, object]]:
    documents = _marks_documents(corpus)
    for sentence, row in zip(corpus.sentences, tags, strict=True):
        words: dict[str, object] = {"tokens": sentence.words}
        tagged = {**words, "ner_tags": row} if row else words
        yield {**tagged, DOCUMENT_NAME: sentence.document} if documents else tagged


def _span_rows(corpus: Corpus) -> Iterator[dict[str, object]]:
    documents = _marks_documents(corpus)
    for sentence in corpus.sentences:
        entities = [
            {"start": sentence.offsets[start][0], "end": sentence.offsets[end - 1][1], "label": label}
            for label, start, end in spans(sentence.tags, corpus.scheme, corpus.bare)
        ]
        row: dict[str, object] = {"text": sentence.text, "entities": entities}
        yield {**row, DOCUMENT_NAME: sentence.document} if documents else row


def _marks_documents(corpus: Corpus) -> bool:
    """Whether every row names its document, the first one too: a row read by itself would belong to none."""
    return any(sentence.document for sentence in corpus.sentences)
