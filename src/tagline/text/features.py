"""Words to windows of sub-tokens: the last step that training and inference share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagline.text.subtokens import SubTokenizer
from tagline.text.windows import plan_windows


class EncodedWindow(NamedTuple):
    """One window, ready for a batch.

    Attributes:
        ids: sub-token ids, special tokens included.
        types: segment ids.
        first: number of the first word that this window scores; the next `len(places)` words are its own.
        places: for each of its words, the position of the word's first sub-token.
        counts: for each of its words, how many sub-tokens it has.
    """

    ids: list[int]
    types: list[int]
    first: int
    places: NDArray[np.int64]
    counts: NDArray[np.int64]


class EncodedText(NamedTuple):
    """The windows of a text and how many of its words were shortened."""

    windows: list[EncodedWindow]
    shortened: int


class WindowEncoder:
    """Turns words into windows.

    Args:
        subtokens: the model's tokenizer.
        length: most sub-tokens of a window, special tokens included.
        overlap: most sub-tokens shared by neighbouring windows; by default a quarter of the room.
    """

    def __init__(self, subtokens: SubTokenizer, length: int, overlap: int | None = None) -> None:
        self.subtokens, self.length = subtokens, length
        self.room = length - subtokens.specials
        self.overlap = self.room // 4 if overlap is None else overlap
        self.subtokens.longest = min(self.subtokens.longest, max(1, self.room - self.overlap))

    def __call__(self, words: Sequence[str]) -> EncodedText:
        """Windows of one text; none for a text without words."""
        pieces = self.subtokens(words)
        counts = np.fromiter((len(each.ids) for each in pieces), dtype=np.int64, count=len(pieces))
        prefix, suffix = self.subtokens.prefix, self.subtokens.suffix
        windows = []
        for start, end, first, last in plan_windows(counts, self.room, self.overlap):
            shown = pieces[start:end]
            ids = [*prefix, *chain.from_iterable(each.ids for each in shown), *suffix]
            if self.subtokens.shapes:
                types = [0] * len(prefix)
                types.extend(chain.from_iterable(each.types for each in shown))
                types.extend([0] * len(suffix))
            else:
                types = [0] * len(ids)
            places = len(prefix) + np.cumsum(counts[start:last]) - counts[start:last]
            windows.append(EncodedWindow(ids, types, first, places[first - start :], counts[first:last]))
        return EncodedText(windows, sum(each.shortened for each in pieces))
