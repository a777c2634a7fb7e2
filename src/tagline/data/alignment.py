"""Character spans brought to words."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from tagline.records import Span


class CharSpan(NamedTuple):
    """A labelled stretch of text, in characters, half-open."""

    start: int
    end: int
    label: str

    def described(self, text: str) -> str:
        """For messages: the characters, the place and the label."""
        shown = text[self.start : self.end]
        shown = shown if len(shown) <= 40 else shown[:37] + "..."
        return f"{shown!r} ({self.start}:{self.end}, {self.label})"


def align(spans: Sequence[CharSpan], text: str, offsets: Sequence[tuple[int, int]]) -> tuple[list[Span], list[str]]:
    """Spans of words for spans of characters; words are never cut.

    A span that does not fall on word borders takes every word that it touches and no entity before it has taken.

    Args:
        spans: in order, not overlapping.
        text: the text, for the notes.
        offsets: (start, end) of each word, in order.

    Returns:
        The entities, and a note for every span that did not fall on word borders.
    """
    starts, ends = [start for start, _ in offsets], [end for _, end in offsets]
    entities: list[Span] = []
    notes: list[str] = []
    free = 0
    for span in spans:
        touched = bisect_right(ends, span.start)
        first, last = max(touched, free), bisect_left(starts, span.end)
        if first >= last:
            why = "touches no word" if touched >= last else "lies in a word of the entity before it"
            notes.append(f"{span.described(text)} {why}; left out")
            continue
        entities.append(Span(span.label, first, last))
        free = last
        start, end = starts[first], ends[last - 1]
        if (start, end) != (span.start, span.end):
            notes.append(f"{span.described(text)} does not fall on word borders; read as {text[start:end]!r}")
    return entities, notes
