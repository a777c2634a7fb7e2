"""Rows that hold a whole sentence or text: JSON objects, rows of Parquet, of `datasets` folders and of some tables.

A row is either `tokens` + `ner_tags`, or `text` + character spans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from tagline.data.alignment import CharSpan, align
from tagline.data.reading import DOCSTART, Raw, ReadOptions, SplitWords
from tagline.data.schemes import Scheme, tags_of
from tagline.errors import DataError, SchemeError, UsageError
from tagline.records import Sentence

WORD_NAMES = ("tokens", "words")
TAG_NAMES = ("ner_tags", "tags")
TEXT_NAME = "text"
DOCUMENT_NAME = "document"
SPAN_NAMES = ("entities", "spans", "labels", "label")


@dataclass(slots=True)
class SentenceRows:
    """Collects the sentences of rows.

    Attributes:
        path: the file, for messages.
        options: column names (numbers are resolved before).
        annotated: whether tags or spans are read.
        split_words: gives the words of a raw text; needed for rows of `text` + spans.
        names: class names of tags that are given as numbers.
        raw: what was found so far.
    """

    path: Path
    options: ReadOptions
    annotated: bool = True
    split_words: SplitWords | None = None
    names: Sequence[str] | None = None
    raw: Raw = field(default_factory=Raw)
    _form: str = ""

    def add(self, row: Mapping[str, Any], line: int) -> None:
        """Takes over one row; one without any word is passed over.

        Raises:
            DataError: the row is not of an accepted form, or not of the form of the rows before it.
        """
        number = row.get(DOCUMENT_NAME)
        if type(number) is int:
            self.raw.document = number
        word_key = self._find(row, self.options.word_column, (*WORD_NAMES, TEXT_NAME))
        tag_key = self._find(row, self.options.tag_column, TAG_NAMES) if self.annotated else None
        text_key, span_key = self._text_keys(row, word_key)
        tokens = word_key is not None and not isinstance(row[word_key], str)
        if word_key is not None and tokens and (tag_key is not None or (not self.annotated and text_key is None)):
            self._same_form("tokens", line)
            self._add_words(row, word_key, tag_key, line)
        elif text_key is not None and (span_key is not None or not self.annotated):
            self._same_form("text", line)
            self._add_text(row, text_key, span_key, line)
        elif not self.annotated and word_key is not None:
            raise DataError(f"{word_key!r} is {_short(row[word_key])}; expected words or a text", self.path, line)
        else:
            raise DataError(self._complaint(row), self.path, line)

    def _find(self, row: Mapping[str, Any], asked: int | str | None, accepted: Sequence[str]) -> str | None:
        if isinstance(asked, int):
            raise UsageError(f"column {asked}: {self.path} has no numbered columns; give a name, for example 'tokens'")
        return next((name for name in ((asked,) if asked else accepted) if name in row), None)

    def _text_keys(self, row: Mapping[str, Any], word_key: str | None) -> tuple[str | None, str | None]:
        """Keys of a text and its spans. Where words stand beside a text, unannotated reading takes the words."""
        text_key = word_key
        if word_key is None or not isinstance(row[word_key], str):
            beside = self.annotated or word_key is None or not _is_words(row[word_key])
            text_key = TEXT_NAME if beside and self.options.word_column is None and TEXT_NAME in row else None
        if text_key is None or not self.annotated:
            return text_key, None
        return text_key, self._find(row, self.options.tag_column, SPAN_NAMES)

    def _complaint(self, row: Mapping[str, Any]) -> str:
        keys = ", ".join(map(repr, row)) or "no keys"
        asked = [repr(each) for each in (self.options.word_column, self.options.tag_column) if each is not None]
        wanted = f" ({' and '.join(asked)} asked for)" if asked else ""
        if not self.annotated:
            return f"the row has {keys}{wanted}; expected 'tokens' or 'text'"
        spans = ", ".join(map(repr, SPAN_NAMES))
        return f"the row has {keys}{wanted}; expected 'tokens' and 'ner_tags', or 'text' and one of {spans}"

    def _same_form(self, form: str, line: int) -> None:
        if self._form and self._form != form:
            raise DataError(
                f"the row holds {form!r} but the rows before hold {self._form!r}; expected one form in one file",
                self.path,
                line,
            )
        self._form = form

    def _add_words(self, row: Mapping[str, Any], key: str, tag_key: str | None, line: int) -> None:
        words = row[key]
        if not _is_words(words):
            raise DataError(f"{key!r} is {_short(words)}; expected a list of strings", self.path, line)
        tags = [] if tag_key is None else self._tags(row[tag_key], tag_key, line)
        if tag_key is not None and len(tags) != len(words):
            counts = f"{key!r} has {len(words)} words but {tag_key!r} has {len(tags)} tags"
            raise DataError(f"{counts}; expected one tag a word", self.path, line)
        if list(words) == [DOCSTART]:
            self.raw.new_document()
        elif words:
            self.raw.add(words, tags, (line,) * len(words))

    def _tags(self, values: Any, key: str, line: int) -> list[str]:
        if not isinstance(values, (list, tuple)):
            raise DataError(f"{key!r} is {_short(values)}; expected a list with one tag a word", self.path, line)
        return [value if isinstance(value, str) and value else self._named(value, key, line) for value in values]

    def _named(self, value: Any, key: str, line: int) -> str:
        if type(value) is not int:
            raise DataError(f"{key!r} holds {_short(value)}; expected tags such as 'B-PER' or 'O'", self.path, line)
        if self.names is None:
            raise DataError(
                f"{key!r} holds the number {value} and the class names are not known; expected tags such as 'B-PER', "
                "or a dataset_info.json beside the file whose features name the classes",
                self.path,
                line,
            )
        if not 0 <= value < len(self.names):
            raise DataError(f"{key!r} holds {value}; expected 0 to {len(self.names) - 1}", self.path, line)
        return self.names[value]

    def _add_text(self, row: Mapping[str, Any], key: str, span_key: str | None, line: int) -> None:
        text = row[key]
        if not isinstance(text, str):
            raise DataError(f"{key!r} is {_short(text)}; expected a string", self.path, line)
        if self.split_words is None:
            raise DataError(
                "holds texts, and no word splitter was given; pass split_words to read_corpus, "
                "or give a file of 'tokens' and 'ner_tags'",
                self.path,
                line,
            )
        offsets = tuple((int(start), int(end)) for start, end in self.split_words(text))
        spans = [] if span_key is None else self._spans(row[span_key], span_key, text, line)
        entities, notes = align(spans, text, offsets)
        self.raw.unaligned.extend(f"{self.path}, line {line}: {note}" for note in notes)
        self.raw.scheme = self.options.scheme or Scheme.IOB2
        if not offsets:
            return
        tags: tuple[str, ...] = ()
        if self.annotated:
            try:
                tags = tuple(tags_of(entities, len(offsets), self.raw.scheme))
            except SchemeError as error:
                raise SchemeError(str(error), self.path, line) from None
        words = tuple(text[start:end] for start, end in offsets)
        self.raw.sentences.append(Sentence(words, tags, text, offsets, line, self.raw.document))
        self.raw.lines.append((line,) * len(words))

    def _spans(self, marks: Any, key: str, text: str, line: int) -> list[CharSpan]:
        if not isinstance(marks, (list, tuple)):
            raise DataError(f"{key!r} is {_short(marks)}; expected a list of spans", self.path, line)
        found = sorted((self._span(mark, key, text, line) for mark in marks), key=lambda span: (span.start, span.end))
        for before, after in pairwise(found):
            if after.start < before.end:
                both = f"{before.described(text)} and {after.described(text)}"
                raise DataError(f"spans {both} overlap; expected spans that do not", self.path, line)
        return found

    def _span(self, mark: Any, key: str, text: str, line: int) -> CharSpan:
        start = end = label = None
        if isinstance(mark, Mapping):
            start, end, label = mark.get("start"), mark.get("end"), mark.get("label")
        elif isinstance(mark, (list, tuple)) and len(mark) == 3:
            start, end, label = mark
        if type(start) is not int or type(end) is not int or not isinstance(label, str) or not label:
            wanted = '{"start": 0, "end": 4, "label": "PER"} or [0, 4, "PER"]'
            raise DataError(f"{key!r} holds {_short(mark)}; expected {wanted}", self.path, line)
        if not 0 <= start < end <= len(text):
            wanted = f"0 <= start < end <= {len(text)}, the text's length in characters"
            raise DataError(f"{key!r} holds the span {start}:{end}; expected {wanted}", self.path, line)
        return CharSpan(start, end, label)


def _is_words(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(word, str) for word in value)


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
