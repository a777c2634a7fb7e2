"""Annotated texts between two formats: characters and words side by side, and the list of what a target cannot hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tagline.data.alignment import CharSpan
from tagline.data.schemes import Scheme

KINDS = {
    "columns": "annotation beside entities",
    "comments": "comment lines",
    "discontinuous": "entities in several pieces",
    "empty": "texts or words without a character",
    "names": "names of documents",
    "overlapping": "entities that overlap another one",
    "spacing": "texts whose white space is not one space between words",
    "tags": "tag sequences that break their scheme",
    "texts": "line ends within a text",
    "unaligned": "entities that do not fall on word borders",
    "unannotated": "texts that nobody has annotated",
    "words": "borders of words",
}
"""What may be lost on the way, by the name that reports use."""


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that the target cannot hold.

    Attributes:
        kind: one of `KINDS`.
        path: the file that it comes from.
        line: its 1-based line, row or task there; 0 where it is about the whole file.
        detail: what it is and what became of it.
        count: how many there are, where one entry stands for many.
    """

    kind: str
    path: str
    line: int
    detail: str
    count: int = 1

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}: {self.detail}" if self.line else f"{self.path}: {self.detail}"


@dataclass(slots=True)
class Losses:
    """All that is lost in a conversion, in the order it was met."""

    found: list[Loss] = field(default_factory=list)

    def add(self, kind: str, item: Item, detail: str) -> None:
        """Notes one thing of a text."""
        self.found.append(Loss(kind, item.path, item.line, detail))

    def whole(self, kind: str, path: str, count: int, detail: str) -> None:
        """Notes what is true of a whole file; nothing where the count is 0."""
        if count:
            self.found.append(Loss(kind, path, 0, detail, count))

    def counts(self) -> dict[str, int]:
        """How many of each kind, in the order of `KINDS`."""
        sums = dict.fromkeys(KINDS, 0)
        for each in self.found:
            sums[each.kind] += each.count
        return {kind: count for kind, count in sums.items() if count}


@dataclass(frozen=True, slots=True)
class Item:
    """One annotated text: a sentence, a tweet, a document.

    Attributes:
        text: the characters; of a source of words these joined by one space, unless it says how they stand.
        spans: entities in characters, by start, the longer first; they may overlap.
        words: (start, end) of each word where the source has words.
        tags: one a word in the source's scheme, where it has tags.
        line: 1-based line, row or task in the source.
        document: running number of the document.
        path: the file it comes from.
        name: the document's name, where it has one.
        scores: probability of each span, of predictions only.
    """

    text: str
    spans: tuple[CharSpan, ...]
    words: tuple[tuple[int, int], ...] | None
    tags: tuple[str, ...] = ()
    line: int = 0
    document: int = 0
    path: str = ""
    name: str = ""
    scores: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Items:
    """A source, read.

    Attributes:
        items: its texts.
        scheme: scheme of their tags, None where the source has spans.
        bare: whether the tags are labels without prefixes.
        format: the source's format.
        path: the source.
        losses: what reading could not take over.
    """

    items: list[Item]
    scheme: Scheme | None
    bare: bool
    format: str
    path: str
    losses: Losses

    @property
    def of_words(self) -> bool:
        """Whether every text has its words."""
        return all(item.words is not None for item in self.items)

    @property
    def labels(self) -> list[str]:
        """Entity labels, sorted."""
        return sorted({span.label for item in self.items for span in item.spans})


def ordered(spans: Sequence[CharSpan]) -> tuple[CharSpan, ...]:
    """Spans by start, the longer first, each once."""
    return tuple(sorted(dict.fromkeys(spans), key=lambda span: (span.start, -span.end, span.label)))


def renumbered(items: Sequence[Item], keys: Sequence[object]) -> list[Item]:
    """The items with documents counted from 0; a new one begins wherever the key changes."""
    from dataclasses import replace

    made: list[Item] = []
    number = 0
    for place, item in enumerate(items):
        number += place > 0 and keys[place] != keys[place - 1]
        made.append(item if item.document == number else replace(item, document=number))
    return made
