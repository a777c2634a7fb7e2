"""What the stages hand to one another within the pass: plain objects, one a row and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.errors import DataError
from tagline.predict.tagger import SplitText
from tagline.records import Entity, Label

Floats = NDArray[np.float32]


@dataclass(slots=True)
class Pieces:
    """A document, or its sentences.

    Attributes:
        text: the whole text.
        spans: (first character, character after the last) of each piece.
        more: metadata that the row brought along, None for none.
    """

    text: str
    spans: Sequence[tuple[int, int]]
    more: Mapping[str, str] | None = None

    @property
    def whole(self) -> bool:
        """Whether the one piece is the text."""
        return len(self.spans) == 1 and tuple(self.spans[0]) == (0, len(self.text))


@dataclass(slots=True)
class Words:
    """Words with the number of the sentence that each stands in.

    Attributes:
        split: the words in their text.
        owners: the number of the sentence of each.
        ready: whether the model that reads them has split them itself.
    """

    split: SplitText
    owners: Sequence[int]
    ready: bool = False


@dataclass(slots=True)
class Tags:
    """A tag for each word.

    Attributes:
        words: the words.
        tags: their tags.
        scores: the probability of each word's tag; None where it is not known.
        matrix: (W, L) probabilities of all tags, or None.
        labels: the L tags.
        entities: what the model found, or None where only the tags are known.
    """

    words: Words
    tags: Sequence[str]
    scores: Sequence[float] | None = None
    matrix: Floats | None = None
    labels: tuple[str, ...] = ()
    entities: Sequence[Entity] | None = None


@dataclass(slots=True)
class Chunks:
    """Entities with the number of the sentence that each stands in."""

    entities: Sequence[Entity]
    owners: Sequence[int]


@dataclass(frozen=True, slots=True)
class Category:
    """A label of a piece of text, with the scores of all labels."""

    begin: int
    end: int
    owner: int
    result: str
    scores: tuple[Label, ...]


@dataclass(slots=True)
class Categories:
    """Labels of the pieces of a text."""

    items: Sequence[Category]


Cell = Pieces | Words | Tags | Chunks | Categories


@dataclass(slots=True)
class Row:
    """A row on its way through the stages.

    Attributes:
        values: what came in, by input column.
        cells: what stages made of it, by their output columns; a missing one is empty (a null text, a row in error).
        error: why the row cannot be read.
    """

    values: dict[str, Any]
    cells: dict[str, Any] = field(default_factory=dict)
    error: str | None = None

    def fail(self, error: Exception) -> None:
        """Notes why the row cannot be read and takes back what was made of it."""
        self.error = str(error).strip() or repr(error)
        self.cells.clear()


def cell_of(annotations: Sequence[Mapping[str, Any]] | None) -> Cell | None:
    """The cell of a column of annotations that another pass, or Spark NLP itself, has written.

    Raises:
        DataError: offsets and results do not fit one another.
    """
    if not annotations:
        return None
    kind = annotations[0]["annotatorType"]
    spans = [(int(each["begin"]), int(each["end"]) + 1) for each in annotations]
    results = [str(each["result"]) for each in annotations]
    details = [dict(each["metadata"] or {}) for each in annotations]
    owners = [int(each.get("sentence") or 0) for each in details]
    if kind == "document":
        return Pieces(_text(spans, results), spans)
    if kind == "token":
        return Words(SplitText(_text(spans, results), spans, results), owners)
    if kind == "named_entity":
        words = [each.get("word", "") for each in details]
        found = [each.get(tag) for each, tag in zip(details, results, strict=True)]
        scores = None if None in found else [float(str(score)) for score in found]
        return Tags(Words(SplitText(_text(spans, words), spans, words), owners), results, scores)
    raise DataError(f"got annotations of the kind {kind!r}; expected document, token or named_entity")


def _text(spans: Sequence[tuple[int, int]], results: Sequence[str]) -> str:
    """The text that the pieces stand in, with spaces where nothing is known of it."""
    parts: list[str] = []
    at = 0
    for (start, end), result in zip(spans, results, strict=True):
        if end - start != len(result) or start < at:
            raise DataError(
                f"the annotation {result[:40]!r} says that it stands at {start} to {end - 1}, which does not fit its "
                f"{len(result)} characters or the annotation before it; expected offsets in code points, in order"
            )
        parts += (" " * (start - at), result)
        at = end
    return "".join(parts)
