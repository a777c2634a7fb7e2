"""From characters to words and tags, with a note for everything that does not fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tagline.data.alignment import CharSpan, align
from tagline.data.convert.items import Item, Items, Losses
from tagline.data.reading import SplitWords
from tagline.data.schemes import Scheme, convert, tags_of, violations
from tagline.errors import SchemeError, UsageError
from tagline.records import Sentence, Span

_WORD = re.compile(r"[^ \t\r\n]+")
Offsets = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Words:
    """How texts become words.

    Attributes:
        split: gives the words of a text that has none.
        scheme: scheme to write; None keeps the source's, or IOB2 where it has spans.
    """

    split: SplitWords | None
    scheme: Scheme | None = None


def worded(source: Items, words: Words, losses: Losses) -> Iterator[tuple[Item, Offsets]]:
    """Every text with its words; texts without a word are noted and left out.

    Raises:
        UsageError: texts without words, and nothing to split them with.
    """
    for item in source.items:
        offsets = item.words
        if offsets is None:
            if words.split is None:
                raise UsageError(f"{source.path} holds texts without words; give split_words")
            offsets = tuple((int(start), int(end)) for start, end in words.split(item.text))
        if offsets:
            yield item, offsets
        else:
            losses.add("empty", item, "the text has no words; left out")


def split_at_blanks(text: str) -> list[tuple[int, int]]:
    """Words as blanks part them: what a corpus of words becomes when its text is split again."""
    return [match.span() for match in _WORD.finditer(text)]


def sentences(source: Items, words: Words, losses: Losses, spacing: bool = True) -> Iterator[Sentence]:
    """Every text as words with tags; with `spacing` notes white space that is not one space between words.

    Raises:
        SchemeError: scheme IO, and entities of one label that touch.
        UsageError: as `worded`.
    """
    for item, offsets in worded(source, words, losses):
        try:
            tags = _tags(item, offsets, source, words, losses)
        except SchemeError as error:
            raise SchemeError(str(error), item.path, item.line) from None
        texts = tuple(item.text[start:end] for start, end in offsets)
        if spacing and item.text != " ".join(texts):
            losses.add("spacing", item, "the words are kept, the white space between them is not")
        yield Sentence(texts, tags, item.text, offsets, item.line, item.document)


def _tags(item: Item, offsets: Offsets, source: Items, words: Words, losses: Losses) -> tuple[str, ...]:
    if source.scheme is None or not item.tags:
        return tuple(tags_of(entities(item, offsets, losses), len(offsets), words.scheme or Scheme.IOB2))
    if words.scheme is None or (words.scheme is source.scheme and not source.bare):
        return item.tags
    note_broken(item, source, losses)
    return tuple(convert(item.tags, source.scheme, words.scheme, source.bare))


def entities(item: Item, offsets: Offsets, losses: Losses) -> list[Span]:
    """A text's spans brought to its words."""
    found, notes = align(apart(item, losses), item.text, offsets)
    for note in notes:
        losses.add("unaligned", item, note)
    return found


def note_broken(item: Item, source: Items, losses: Losses) -> None:
    """Notes a tag sequence that is read as conlleval reads it, and so does not come back as it was."""
    bad = violations(item.tags, source.scheme, source.bare) if source.scheme is not None else []
    if bad and source.scheme is not None:
        at = bad[0]
        shown = f"tag {item.tags[at]!r} of word {at + 1}" if at < len(item.tags) else f"the end after {item.tags[-1]!r}"
        losses.add("tags", item, f"{shown} breaks scheme {source.scheme.value}; read as conlleval reads it")


def apart(item: Item, losses: Losses) -> list[CharSpan]:
    """Spans that do not overlap: the one that begins first stays, of two that begin together the longer."""
    kept: list[CharSpan] = []
    for span in item.spans:
        if kept and span.start < kept[-1].end:
            both = f"{span.described(item.text)} overlaps {kept[-1].described(item.text)}"
            losses.add("overlapping", item, f"{both}; left out")
            continue
        kept.append(span)
    return kept


def nonempty(source: Items, losses: Losses) -> Items:
    """Without spans that have no character (of words without any), which are noted."""
    items = []
    for item in source.items:
        for span in item.spans:
            if span.start == span.end:
                losses.add("empty", item, f"{span.described(item.text)} has no character; left out")
        if any(span.start == span.end for span in item.spans):
            item = replace(item, spans=tuple(span for span in item.spans if span.start < span.end))
        items.append(item)
    return replace(source, items=items)
