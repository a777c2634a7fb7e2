"""Near duplicates in linear time: candidates by MinHash and locality-sensitive hashing, then their true Jaccard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagline.data.audit.shingles import HASHES, Shingles
from tagline.errors import UsageError

THRESHOLD = 0.8  # Jaccard similarity of 4-character shingles
LOWEST = 0.4  # below, nearly all texts of one language are candidates
_MISSED = 0.001  # share of the pairs at the threshold that may never become candidates, about
_NEIGHBOURS = 16  # of each text in a bucket, by length: more make a corpus of templates take quadratic time
_CHUNK = 8192  # pairs estimated at a time
_SLACK = 0.2  # how far the estimate of a true pair may lie below: four standard deviations at 100 hashes


class NearPair(NamedTuple):
    """Two texts that are nearly the same.

    Attributes:
        first: place of the earlier text.
        second: place of the later text.
        similarity: their Jaccard similarity.
    """

    first: int
    second: int
    similarity: float


def find_near(texts: Sequence[str], groups: Sequence[int], threshold: float = THRESHOLD) -> list[NearPair]:
    """For every text and every group, one earlier text of that group which is nearly the same, where there is one.

    The time is in proportion to the number of characters. A pair at the threshold is missed once in a thousand times,
    and a closer one less often; nothing is reported that is less similar. In a bucket of more than 17 texts each is
    compared with those nearest to it in length.

    Args:
        texts: in their normal form and all different.
        groups: of every text a number from 0, never falling (the file it stands in).
        threshold: least Jaccard similarity of the 4-character shingles, from 0.4 to 1.

    Returns:
        Pairs in the order of their later texts, then groups.

    Raises:
        UsageError: a threshold out of range.
    """
    if not LOWEST <= threshold <= 1:
        raise UsageError(f"--near is {threshold:g}; expected a Jaccard similarity from {LOWEST:g} to 1")
    if len(texts) < 2:
        return []
    return _Search(texts, groups, threshold).run()


def rows_of(threshold: float) -> int:
    """Hashes of a band: as many as let no more than one pair in a thousand at the threshold escape."""
    fitting = [rows for rows in range(1, HASHES + 1) if (1 - threshold**rows) ** (HASHES // rows) <= _MISSED]
    return min(max(fitting, default=1), 10)


class _Search:
    def __init__(self, texts: Sequence[str], groups: Sequence[int], threshold: float) -> None:
        self._threshold = threshold
        self._shingles = Shingles(texts)
        self._signatures = self._shingles.signatures()
        self._groups = np.asarray(groups, dtype=np.int64)
        self._lengths = np.array([len(text) for text in texts])
        self._sets: dict[int, frozenset[int]] = {}
        # whether a partner in each group is known
        self._settled = np.zeros((len(texts), int(self._groups.max()) + 1), dtype=np.bool_)

    def run(self) -> list[NearPair]:
        found: list[NearPair] = []
        rows = rows_of(self._threshold)
        for band in range(HASHES // rows):
            buckets = _band_keys(self._signatures[:, band * rows : (band + 1) * rows])
            order = np.lexsort((self._lengths, buckets))
            buckets = buckets[order]
            for step in range(1, _NEIGHBOURS + 1):
                together = np.flatnonzero(buckets[step:] == buckets[:-step])
                if not len(together):
                    break
                found += self._judge(order[together], order[together + step])
        return sorted(found, key=lambda pair: (pair.second, self._groups[pair.first]))

    def _judge(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> list[NearPair]:
        first, second = np.minimum(left, right), np.maximum(left, right)
        open_ = ~self._settled[second, self._groups[first]]
        first, second = first[open_], second[open_]
        likely = self._agreement(first, second) >= self._threshold - _SLACK
        found = []
        for one, other in zip(first[likely].tolist(), second[likely].tolist(), strict=True):
            group = self._groups[one]
            if not self._settled[other, group]:
                similarity = self._jaccard(one, other)
                if similarity >= self._threshold:
                    self._settled[other, group] = True
                    found.append(NearPair(one, other, similarity))
        return found

    def _agreement(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Shares of equal hashes, which estimate the similarities."""
        found = np.empty(len(first))
        for start in range(0, len(first), _CHUNK):
            part = slice(start, start + _CHUNK)
            found[part] = (self._signatures[first[part]] == self._signatures[second[part]]).mean(axis=1)
        return found

    def _jaccard(self, one: int, other: int) -> float:
        first, second = self._set(one), self._set(other)
        both = len(first & second)
        return both / (len(first) + len(second) - both)

    def _set(self, text: int) -> frozenset[int]:
        if text not in self._sets:
            self._sets[text] = self._shingles.of(text)
        return self._sets[text]


def _band_keys(rows: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """One number for the values of a band; two bands that differ get one number once in 2⁶⁴ times."""
    keys = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T:
        keys = (keys ^ column) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys
