"""From emissions to tags: the best sequence that the scheme allows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagline.data.schemes import Scheme, allowed

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class Decoder:
    """Viterbi decoding constrained by a tag scheme, over many sentences at once.

    Args:
        labels: the model's tags, L of them.
        scheme: their scheme.
        bare: whether they are labels without prefixes.
        constrained: False takes the best tag of each word for itself (argmax).
    """

    def __init__(self, labels: Sequence[str], scheme: Scheme, bare: bool = False, constrained: bool = True) -> None:
        self.labels = tuple(labels)
        self.constrained = constrained
        self.scheme = scheme
        self.allowed = allowed(labels, scheme, bare)

    def __call__(self, emissions: Floats, lengths: Sequence[int]) -> tuple[Ints, Floats]:
        """Decodes sentences that lie one after the other.

        Args:
            emissions: (W, L) logits of all words.
            lengths: words of each sentence; they sum to W.

        Returns:
            (W,) tag numbers and (W, L) probabilities (softmax of the emissions).
        """
        best = emissions.argmax(axis=1) if len(emissions) else np.zeros(0, dtype=np.int64)
        scores = _softmax(emissions)
        if self.constrained and len(emissions):
            self._repair(best, emissions, np.asarray(lengths, dtype=np.int64))
        return best, scores

    def _repair(self, best: Ints, emissions: Floats, lengths: Ints) -> None:
        """Decodes anew, in place, the sentences whose argmax breaks the scheme; a legal argmax is already optimal."""
        outer = len(self.labels)
        full = lengths[lengths > 0]
        stops = np.cumsum(full)
        starts = stops - full
        before, after = np.empty_like(best), np.empty_like(best)
        before[1:], after[:-1] = best[:-1], best[1:]
        before[starts], after[stops - 1] = outer, outer
        broken = ~(self.allowed[before, best] & self.allowed[best, after])
        sentence = np.repeat(np.arange(len(full)), full)
        for number in np.unique(sentence[broken]):
            rows = slice(int(starts[number]), int(stops[number]))
            best[rows] = viterbi(emissions[rows], self.allowed)


def viterbi(emissions: Floats, mask: NDArray[np.bool_]) -> Ints:
    """Best tag sequence of one sentence.

    Args:
        emissions: (W, L) with W ≥ 1.
        mask: (L + 1, L + 1) allowed moves, last row the start and last column the end, as `schemes.allowed` gives.

    Returns:
        (W,) tag numbers of the allowed sequence with the largest sum; the argmax where no sequence is allowed.
    """
    words, labels = emissions.shape
    penalty = np.where(mask, 0.0, -np.inf).astype(np.float64)
    moves = penalty[:labels, :labels]
    total = emissions[0].astype(np.float64) + penalty[labels, :labels]
    back = np.empty((words, labels), dtype=np.int64)
    for word in range(1, words):
        paths = total[:, None] + moves
        back[word] = paths.argmax(axis=0)
        total = paths[back[word], np.arange(labels)] + emissions[word]
    total = total + penalty[:labels, labels]
    if not np.isfinite(total).any():
        return np.asarray(emissions.argmax(axis=1), dtype=np.int64)
    path = np.empty(words, dtype=np.int64)
    path[-1] = total.argmax()
    for word in range(words - 1, 0, -1):
        path[word - 1] = back[word, path[word]]
    return path


def _softmax(emissions: Floats) -> Floats:
    if not len(emissions):
        return emissions
    shifted = np.exp(emissions - emissions.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)
