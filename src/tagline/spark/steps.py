"""The steps of the pass that need no model: text to document, sentences, words; tags to chunks."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol, TypeVar

from tagline.errors import DataError, TaglineError
from tagline.predict.staged import default_splitter, sentences_of, tagged_spans
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
class Single:
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
class Assemble(Single):
    """A text to a document."""

    cleanup: str = "disabled"
    named: str | None = None
    metadata: str | None = None

    def cell(self, row: Row, models: Models) -> Pieces | None:
        """See `Single`."""
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
class Sentences(Single):
    """A document to its sentences."""

    bounds: Bounds = field(default_factory=Bounds)

    def cell(self, row: Row, models: Models) -> Pieces | None:
        """See `Single`."""
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
class Convert(Single):
    """Tags to chunks."""

    wanted: frozenset[str] | None = None
    bare: bool = False

    def cell(self, row: Row, models: Models) -> Chunks | None:
        """See `Single`."""
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
