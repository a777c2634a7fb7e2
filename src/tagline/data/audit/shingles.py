"""Texts as sets of character shingles, and their MinHash signatures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Words64 = NDArray[np.uint64]
SIZE = 4  # characters of a shingle
HASHES = 100  # of a signature: 20 bands of 5 for a threshold of 0.8
_CHUNK = 1 << 16  # shingles hashed at a time, so that they stay in the processor's cache
_FILLER = "\U0010ffff"  # fills up short texts; no character
_BASE = np.uint64(0x100000001B3)


class Shingles:
    """The distinct 4-character shingles of each text, as 64-bit hashes; a shorter text is one shingle.

    Args:
        texts: in their normal form.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        filled = [text.ljust(SIZE, _FILLER) for text in texts]
        self._lengths = np.array([len(text) - SIZE + 1 for text in filled], dtype=np.int64)
        self._starts = np.concatenate(([0], np.cumsum(self._lengths)))
        self._hashes = _hashes(filled)

    def of(self, text: int) -> frozenset[int]:
        """The shingles of a text, by its place."""
        return frozenset(self._hashes[self._starts[text] : self._starts[text + 1]].tolist())

    def signatures(self) -> NDArray[np.uint32]:
        """(texts, HASHES) smallest values of the shingles under so many hash functions, the same every time."""
        random = np.random.default_rng(20_260)
        factors = random.integers(0, 1 << 32, size=HASHES, dtype=np.uint32) | np.uint32(1)
        offsets = random.integers(0, 1 << 32, size=HASHES, dtype=np.uint32)
        found = np.empty((len(self._lengths), HASHES), dtype=np.uint32)
        for first, last in self._chunks():
            begin = self._starts[first]
            values = (self._hashes[begin : self._starts[last]] >> np.uint64(32)).astype(np.uint32)
            segments = self._starts[first:last] - begin
            for number in range(HASHES):
                found[first:last, number] = np.minimum.reduceat(values * factors[number] + offsets[number], segments)
        return found

    def _chunks(self) -> list[tuple[int, int]]:
        """Texts in runs of about `_CHUNK` shingles."""
        cuts = np.searchsorted(self._starts, np.arange(0, self._starts[-1], _CHUNK), side="left")
        edges = np.unique(np.concatenate((cuts, [len(self._lengths)])))
        return [(int(first), int(last)) for first, last in pairwise(edges)]


def _hashes(texts: Sequence[str]) -> Words64:
    """Hashes of all shingles, text after text; each text has at least one."""
    if not texts:
        return np.empty(0, dtype=np.uint64)
    codes = "".join(texts).encode("utf-32-le", "surrogatepass")
    whole = np.frombuffer(codes, dtype=np.uint32).astype(np.uint64)
    rolled = np.zeros(len(whole) - SIZE + 1, dtype=np.uint64)
    for place in range(SIZE):
        rolled = (rolled * _BASE + whole[place : place + len(rolled)]) * _BASE
    inside = np.ones(len(whole), dtype=np.bool_)  # shingles that reach into the next text are none
    ends = np.cumsum([len(text) for text in texts])
    for back in range(1, SIZE):
        inside[ends - back] = False
    return _mix(rolled[inside[: len(rolled)]])


def _mix(values: Words64) -> Words64:
    """SplitMix64's finish: every bit of the input moves every bit of the output."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
