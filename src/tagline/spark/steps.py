"""The steps of the pass that need no model: text to document, sentences, words; tags to chunks."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Protocol, TypeVar

from tagline.errors import DataError, TaglineError
from tagline.predict.staged import default_splitter, sentences_of, tagged_spans
from tagline.predict.tagger import SplitText
from tagline.records import Entity
from tagline.spark.cells import Chunks, Pieces, Row, Tags, Words
from tagline.spark.models import ModelRef, Models

ROW_ERRORS = (TaglineError, ValueError, TypeError, LookupError, ArithmeticError, RuntimeError)
"""What a text can cause; a lack of memory or a lost engine is not among them."""

_ESCAPED = r"(?:\\r)?\\n|\\r|\\t"  # written out as two characters
_CLEANUPS = {
    "inplace": (r"\s", " "),
    "inplace_full": (rf"\s|{_ESCAPED}", " "),
    "shrink": (r"\s+", " "),
    "shrink_full": (rf"\s+|(?:{_ESCAPED})+", " "),
    "each": (r"\s[\n\t]", " "),
    "each_full": (rf"\s(?:\n|\t|{_ESCAPED})", " "),
    "delete_full": (rf"\s+|(?:{_ESCAPED})+", ""),
}
CLEANUPS = ("disabled", *_CLEANUPS)
T = TypeVar("T")


class Step(Protocol):
    """One step: rows in, the same rows out, in their order, with a cell more.

    Attributes:
        output: the column that it makes.
        model: the model that it runs or follows, None for none.
    """

    @property
    def output(self) -> str:
        """The column that it makes."""
        ...

    @property
    def model(self) -> ModelRef | None:
        """The model that it runs or follows."""
        ...

    def run(self, rows: Iterator[Row], models: Models) -> Iterator[Row]:
        """Takes rows through; one that cannot be read is given on with its error."""
        ...


@dataclass(frozen=True)
class _Single:
    """A step that looks at one row at a time."""

    output: str
    inputs: tuple[str, ...]
    model: ModelRef | None = None

    def run(self, rows: Iterator[Row], models: Models) -> Iterator[Row]:
        """See `Step`."""
        for row in rows:
            if row.error is None:
                try:
                    cell = self.cell(row, models)
                    if cell is not None:
                        row.cells[self.output] = cell
                except ROW_ERRORS as error:
                    row.fail(error)
            yield row

    def cell(self, row: Row, models: Models) -> Any:
        """What the row gets in the step's column; None for nothing."""
        raise NotImplementedError


def find(row: Row, names: Sequence[str], kind: type[T]) -> T | None:
    """The first of these columns' cells that is of a kind."""
    for name in names:
        cell = row.cells.get(name)
        if isinstance(cell, kind):
            return cell
    return None


@dataclass(frozen=True)
class Assemble(_Single):
    """A text to a document."""

    cleanup: str = "disabled"
    named: str | None = None
    metadata: str | None = None

    def cell(self, row: Row, models: Models) -> Pieces | None:
        """See `_Single`."""
        text = row.values.get(self.inputs[0])
        if text is None:
            return None
        if self.cleanup != "disabled":
            pattern, instead = _CLEANUPS[self.cleanup]
            text = text.strip() if self.cleanup.startswith(("shrink", "delete")) else text
            text = re.sub(pattern, instead, text)
        more = dict(row.values.get(self.metadata) or {}) if self.metadata else {}
        if self.named and row.values.get(self.named) is not None:
            more["id"] = str(row.values[self.named])
        return Pieces(text, [(0, len(text))], more or None)


@dataclass(frozen=True)
class Bounds:
    """How a text is cut into sentences.

    Attributes:
        custom: strings that end a sentence.
        only: whether nothing else ends one.
        split: most characters of a sentence; 0 for no bound.
        shortest, longest: sentences of other lengths are left out.
    """

    custom: tuple[str, ...] = ()
    only: bool = False
    split: int = 0
    shortest: int = 0
    longest: int = 0

    @property
    def plain(self) -> bool:
        """Whether they say nothing of their own."""
        return self == Bounds()


@dataclass(frozen=True)
class Sentences(_Single):
    """A document to its sentences."""

    bounds: Bounds = field(default_factory=Bounds)

    def cell(self, row: Row, models: Models) -> Pieces | None:
        """See `_Single`."""
        document = find(row, self.inputs, Pieces)
        if document is None:
            return None
        splitter = default_splitter() if self.model is None else models.tagger(self.model).splitter
        found: list[tuple[int, int]] = []
        for start, end in document.spans:
            for first, last in self._cut(document.text, start, end):
                parts = [(first, last)] if self.bounds.only else sentences_of(document.text[first:last], splitter)
                shift = 0 if self.bounds.only else first
                found += ((shift + begin, shift + stop) for begin, stop in parts)
        return Pieces(document.text, self._sized(found), document.more)

    def _cut(self, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The stretches between custom bounds, without whitespace around them."""
        if not self.bounds.custom:
            yield start, end
            return
        pattern = "|".join(map(re.escape, sorted(self.bounds.custom, key=len, reverse=True)))
        at = start
        for match in [*re.compile(pattern).finditer(text, start, end), None]:
            # A mark such as ";" stays with its sentence, a line break does not.
            stop = end if match is None else match.end()
            inner = text[at:stop]
            if stripped := inner.strip():
                first = at + inner.index(stripped)
                yield first, first + len(stripped)
            at = stop

    def _sized(self, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
        bounds = self.bounds
        if bounds.split:
            spans = [
                (at, min(at + bounds.split, end)) for start, end in spans for at in range(start, end, bounds.split)
            ]
        longest = bounds.longest or max((end - start for start, end in spans), default=0)
        return [(start, end) for start, end in spans if bounds.shortest <= end - start <= longest]


@dataclass(frozen=True)
class Rules:
    """How words are split where the model is not to decide.

    Attributes:
        pattern: regular expression of a word; empty takes Tagline's own rules.
        split: characters, or a regular expression of them, that divide a word and are dropped.
        exceptions: words that stay whole.
        cased: whether exceptions are compared with their case.
        shortest, longest: words of other lengths are left out; 0 for no upper bound.
    """

    pattern: str = ""
    split: str = ""
    exceptions: tuple[str, ...] = ()
    cased: bool = True
    shortest: int = 0
    longest: int = 0

    @property
    def plain(self) -> bool:
        """Whether they say nothing of their own."""
        return self == Rules()

    def __call__(self, text: str) -> list[tuple[int, int]]:
        """(start, end) of each word."""
        offsets = (
            [match.span() for match in re.finditer(self.pattern, text)] if self.pattern else default_splitter()(text)
        )
        if self.split:
            parts = [(start, re.split(f"({self.split})", text[start:end])) for start, end in offsets]
            offsets = [span for start, pieces in parts for span in _spans(start, pieces)]
        if self.exceptions:
            offsets = self._joined(text, offsets)
        longest = self.longest or len(text)
        return [(start, end) for start, end in offsets if start < end and self.shortest <= end - start <= longest]

    def _joined(self, text: str, offsets: list[tuple[int, int]]) -> list[tuple[int, int]]:
        pattern = "|".join(map(re.escape, sorted(self.exceptions, key=len, reverse=True)))
        kept = re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", 0 if self.cased else re.IGNORECASE)
        whole = [match.span() for match in kept.finditer(text)]
        ends = [end for _, end in whole]
        rest = []
        for start, end in offsets:
            place = bisect_right(ends, start)
            if place == len(whole) or whole[place][0] >= end:
                rest.append((start, end))
        return sorted(rest + whole)


def _spans(start: int, pieces: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Places of every other piece: `re.split` with a group gives word, divider, word, …"""
    for number, piece in enumerate(pieces):
        if number % 2 == 0 and piece:
            yield start, start + len(piece)
        start += len(piece)


@dataclass(frozen=True)
class Tokens(_Single):
    """Sentences to words; by the rules of the model that reads them, unless rules were given."""

    rules: Rules = field(default_factory=Rules)

    def cell(self, row: Row, models: Models) -> Words | None:
        """See `_Single`."""
        pieces = find(row, self.inputs, Pieces)
        if pieces is None:
            return None
        if self.model is not None and self.rules.plain:
            tagger = models.tagger(self.model)
            if pieces.whole or not pieces.spans:
                split = tagger.split(pieces.text)
                return Words(split, [0] * len(split.words), ready=True)
            return replace(words_of(pieces, tagger.splitter(pieces.text), tagger.splitter), ready=True)
        return words_of(pieces, self.rules(pieces.text), self.rules)


def words_of(pieces: Pieces, offsets: Sequence[tuple[int, int]], splitter: Any) -> Words:
    """The words of the pieces; where a word reaches over a border, each piece is split for itself.

    Args:
        pieces: document or sentences.
        offsets: (start, end) of the words of the whole text.
        splitter: gives (start, end) of the words of a text.
    """
    text = pieces.text
    if pieces.whole:
        kept, owners = list(offsets), [0] * len(offsets)
    else:
        starts = [start for start, _ in pieces.spans]
        kept, owners = [], []
        for start, end in offsets:
            place = bisect_right(starts, start) - 1
            after = starts[place + 1] if place + 1 < len(starts) else len(text) + 1
            inside = place >= 0 and start < pieces.spans[place][1]
            if (inside and end > pieces.spans[place][1]) or end > after:
                return _split_alone(pieces, splitter)
            if inside:
                kept.append((start, end))
                owners.append(place)
    return Words(split_text(text, kept, owners), owners)


def _split_alone(pieces: Pieces, splitter: Any) -> Words:
    kept: list[tuple[int, int]] = []
    owners: list[int] = []
    for number, (start, end) in enumerate(pieces.spans):
        found = [(start + first, start + last) for first, last in splitter(pieces.text[start:end])]
        kept += found
        owners += [number] * len(found)
    return Words(split_text(pieces.text, kept, owners), owners)


def split_text(text: str, offsets: Sequence[tuple[int, int]], owners: Sequence[int]) -> SplitText:
    """Words of a text that is read sentence by sentence."""
    starts = [place + 1 for place, (left, right) in enumerate(pairwise(owners)) if left != right]
    return SplitText(text, offsets, [text[start:end] for start, end in offsets], starts)


@dataclass(frozen=True)
class Convert(_Single):
    """Tags to chunks."""

    wanted: frozenset[str] | None = None
    bare: bool = False

    def cell(self, row: Row, models: Models) -> Chunks | None:
        """See `_Single`."""
        tags = find(row, self.inputs, Tags)
        if tags is None:
            return None
        entities = tags.entities
        if entities is None:
            entities = self._entities(tags, find(row, self.inputs, Pieces))
        kept = [each for each in entities if self.wanted is None or each.label in self.wanted]
        return Chunks(kept, owners_of(kept, tags.words))

    def _entities(self, tags: Tags, document: Pieces | None) -> list[Entity]:
        """Entities of tags that another pass has written; none reaches over a sentence."""
        words, found = tags.words, []
        text = words.split.text if document is None else document.text
        borders = [0, *(at for at in range(1, len(words.owners)) if words.owners[at] != words.owners[at - 1])]
        for first, last in pairwise([*borders, len(tags.tags)]):
            for label, start, end in tagged_spans(tags.tags[first:last], self.bare):
                begin, stop = words.split.offsets[first + start][0], words.split.offsets[first + end - 1][1]
                if stop > len(text):
                    raise DataError(f"a tag stands at {stop - 1}, but the document has {len(text)} characters")
                scores = [1.0] if tags.scores is None else tags.scores[first + start : first + end]
                found.append(Entity(label, sum(scores) / len(scores), begin, stop, text[begin:stop]))
        return found


def owners_of(entities: Sequence[Entity], words: Words) -> list[int]:
    """The number of the sentence that each entity begins in."""
    if not words.owners or words.owners[-1] == 0:
        return [0] * len(entities)
    starts = [start for start, _ in words.split.offsets]
    return [words.owners[bisect_right(starts, each.start) - 1] for each in entities]
