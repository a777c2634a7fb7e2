"""Overlapping windows over words, cut at word borders, each word owned by the window that shows most around it."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Window(NamedTuple):
    """Words `start:end` are shown, words `first:last` are scored here. Over a text the owned ranges tile the words."""

    start: int
    end: int
    first: int
    last: int


def plan_windows(counts: NDArray[np.int64], room: int, overlap: int) -> list[Window]:
    """Cuts a text into windows.

    Each window takes as many words as fit. The next one begins at the earliest word that leaves at most `overlap`
    sub-tokens in common and shows a further word. A word in an overlap belongs to the window where the smaller of its
    left and right context, in sub-tokens, is larger; the text's own ends count as unlimited context.

    Args:
        counts: (W,) sub-tokens of each word, each at least 1 and at most `room`.
        room: sub-tokens that fit into a window beside the special tokens.
        overlap: most sub-tokens shared by neighbours, less than `room`.

    Returns:
        Windows in order; none for a text without words.

    Raises:
        ValueError: a word does not fit, or overlap is not in [0, room).
    """
    if not 0 <= overlap < room:
        raise ValueError(f"overlap is {overlap}; expected 0 to {room - 1}, less than the window's room of {room}")
    words = len(counts)
    if words == 0:
        return []
    ends = np.concatenate(([0], np.cumsum(counts)))
    if ends[-1] <= room:
        return [Window(0, words, 0, words)]
    if counts.max() > room:
        raise ValueError(f"a word has {int(counts.max())} sub-tokens; a window has room for {room}")
    borders = []
    start = 0
    while True:
        end = int(np.searchsorted(ends, ends[start] + room, side="right")) - 1
        borders.append((start, end))
        if end == words:
            break
        # At most `overlap` in common, and room left for the word that did not fit.
        shared = max(ends[end] - overlap, ends[end + 1] - room)
        start = int(np.searchsorted(ends, shared, side="left"))
    owned = [0]
    for (_, end), (start, _) in pairwise(borders):
        # In the overlap the left window's context shrinks to its end while the right one's grows from its start.
        before = ends[start:end] - ends[start]
        after = ends[end] - ends[start + 1 : end + 1]
        owned.append(start + int(np.searchsorted(before - after, 0, side="right")))
    owned.append(words)
    return [Window(*border, owned[n], owned[n + 1]) for n, border in enumerate(borders)]
