"""The step from sentences to words."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from tagline.predict.staged import default_splitter
from tagline.predict.tagger import SplitText
from tagline.spark.cells import Pieces, Row, Words
from tagline.spark.models import Models
from tagline.spark.steps import Single, find


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
class Tokens(Single):
    """Sentences to words; by the rules of the model that reads them, unless rules were given."""

    rules: Rules = field(default_factory=Rules)

    def cell(self, row: Row, models: Models) -> Words | None:
        """See `Single`."""
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
