"""CoNLL, JSONL, CSV, TSV, Parquet, `datasets` folders: read by the readers of corpora, spans left as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tagline.data.alignment import CharSpan
from tagline.data.conll import Kind, layout_of, scan, split_lines
from tagline.data.convert.items import Item, Items, Losses, ordered, renumbered
from tagline.data.corpus import read_raw
from tagline.data.reading import Raw, ReadOptions, decode, read_bytes
from tagline.data.schemes import Scheme, spans
from tagline.data.sentence_rows import DOCUMENT_NAME, SentenceRows
from tagline.data.tagging import count_violations, scheme_of
from tagline.errors import DataError
from tagline.records import Sentence


@dataclass(slots=True)
class KeptRows(SentenceRows):
    """Rows whose character spans are kept, overlaps and all, instead of being brought to words.

    Attributes:
        items: the texts with their spans.
    """

    items: list[Item] = field(default_factory=list)

    def _add_text(self, row: Mapping[str, Any], key: str, span_key: str | None, line: int) -> None:
        text = row[key]
        if not isinstance(text, str):
            raise DataError(f"{key!r} is {type(text).__name__}; expected a string", self.path, line)
        marks = [] if span_key is None else row[span_key]
        if not isinstance(marks, list | tuple):
            raise DataError(f"{key!r} has no list of spans; expected one", self.path, line)
        found = ordered([self._span(mark, str(span_key), text, line) for mark in marks])
        self.items.append(Item(text, found, None, (), line, self.raw.document, str(self.path)))


def read(path: Path, options: ReadOptions, annotated: bool) -> Items:
    """Reads one of the formats that `read_corpus` reads.

    Raises:
        As `read_corpus`; spans may overlap and need no words.
    """
    reader = KeptRows(path, options, annotated)
    raw, form, _ = read_raw(reader)
    losses = Losses()
    if reader.items:
        items = renumbered(reader.items, [item.document for item in reader.items])
        return Items(items, None, False, form, str(path), losses)
    if not raw.sentences:
        raise DataError("holds no words and no texts; expected at least one sentence", path)
    scheme, bare = Scheme.IOB2, False
    if annotated:
        scheme, bare = scheme_of(raw, options, path)
        count_violations(raw, scheme, bare, options.strict, path)  # raises where it must be strict
    if form == "conll":
        _beside(path, raw, 2 if annotated else 1, losses)
    items = [_item(sentence, scheme, bare, str(path)) for sentence in raw.sentences]
    items = renumbered(items, [item.document for item in items])
    return Items(items, scheme if annotated else None, bare, form, str(path), losses)


def _item(sentence: Sentence, scheme: Scheme, bare: bool, path: str) -> Item:
    return Item(
        text=sentence.text,
        spans=char_spans(sentence, scheme, bare),
        words=sentence.offsets,
        tags=sentence.tags,
        line=sentence.line,
        document=sentence.document,
        path=path,
    )


def char_spans(sentence: Sentence, scheme: Scheme, bare: bool) -> tuple[CharSpan, ...]:
    """Entities of tagged words, in characters."""
    found = spans(sentence.tags, scheme, bare) if sentence.tags else []
    return tuple(
        CharSpan(sentence.offsets[start][0], sentence.offsets[end - 1][1], label) for label, start, end in found
    )


def _beside(path: Path, raw: Raw, used: int, losses: Losses) -> None:
    """Notes the further columns and the comments of a CoNLL file, which only another CoNLL file can hold."""
    lines = split_lines(decode(read_bytes(path), path))
    kinds = Counter(kind for kind, _ in scan(lines, layout_of(lines, path), path))
    more = raw.columns - used
    if more > 0:
        what = f"{more} further column{'s' if more > 1 else ''} of {kinds[Kind.WORD]:,} words"
        losses.whole("columns", str(path), more * kinds[Kind.WORD], f"{what}; kept from CoNLL to CoNLL only")
    comments = kinds[Kind.COMMENT]
    losses.whole("comments", str(path), comments, f"{comments:,} comment lines; kept from CoNLL to CoNLL only")


def as_words(made: Sequence[Sentence]) -> list[dict[str, Any]]:
    """Rows of `tokens` and `ner_tags`, and `document` where there are several."""
    documents = any(each.document for each in made)
    return [
        {
            "tokens": list(each.words),
            "ner_tags": list(each.tags),
            **({DOCUMENT_NAME: each.document} if documents else {}),
        }
        for each in made
    ]


def as_spans(source: Items) -> list[dict[str, Any]]:
    """Rows of `text` and `entities`, and `document` where there are several."""
    documents = any(item.document for item in source.items)
    return [
        {
            "text": item.text,
            "entities": [{"start": span.start, "end": span.end, "label": span.label} for span in item.spans],
            **({DOCUMENT_NAME: item.document} if documents else {}),
        }
        for item in source.items
    ]
