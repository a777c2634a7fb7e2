"""From emissions to tags: the best sequence that the scheme allows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagline.data.schemes import Scheme, allowed
from tagline.text.chains import best_paths, marginals, moves_of, softmax

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Transitions = Sequence[Sequence[float]] | NDArray[np.floating]


class Decoder:
    """Viterbi decoding constrained by a tag scheme, over many sentences at once.

    Args:
        labels: the model's tags, L of them.
        scheme: their scheme.
        bare: whether they are labels without prefixes.
        constrained: False takes the best tag of each word for itself (argmax of the probabilities).
        transitions: (L + 1, L + 1) scores of moves [from, to] that a CRF has learned, last row the start and last
            column the end of a sentence; moves that the scheme forbids stay forbidden. None or empty: no CRF.

    Raises:
        ValueError: the transitions have another shape.
    """

    def __init__(
        self,
        labels: Sequence[str],
        scheme: Scheme,
        bare: bool = False,
        constrained: bool = True,
        transitions: Transitions | None = None,
    ) -> None:
        self.labels = tuple(labels)
        self.constrained = constrained
        self.scheme, self.bare = scheme, bare
        self.allowed = allowed(labels, scheme, bare)
        self.learned = transitions is not None and len(transitions) > 0
        scores = np.asarray(transitions, dtype=np.float64) if self.learned else None
        if scores is not None and scores.shape != self.allowed.shape:
            raise ValueError(f"transitions have shape {scores.shape}; expected {self.allowed.shape}")
        self.moves = moves_of(self.allowed, scores)

    def __call__(self, emissions: Floats, lengths: Sequence[int]) -> tuple[Ints, Floats]:
        """Decodes sentences that lie one after the other.

        Args:
            emissions: (W, L) logits of all words.
            lengths: words of each sentence; they sum to W.

        Returns:
            (W,) tag numbers and (W, L) probabilities: the softmax of the emissions, of a CRF the marginals.
        """
        if self.learned:
            scores = marginals(emissions, lengths, self.moves)
            if self.constrained:
                return best_paths(emissions, lengths, self.moves), scores
            return np.asarray(scores.argmax(axis=1), dtype=np.int64), scores
        best = emissions.argmax(axis=1) if len(emissions) else np.zeros(0, dtype=np.int64)
        if self.constrained and len(emissions):
            self._repair(best, emissions, np.asarray(lengths, dtype=np.int64))
        return best, softmax(emissions)

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
        again = np.zeros(len(full), dtype=np.bool_)
        again[sentence[broken]] = True
        rows = again[sentence]
        if rows.any():
            best[rows] = best_paths(emissions[rows], full[again], self.moves)


def viterbi(emissions: Floats, mask: NDArray[np.bool_]) -> Ints:
    """Best tag sequence of one sentence.

    Args:
        emissions: (W, L) with W ≥ 1.
        mask: (L + 1, L + 1) allowed moves, last row the start and last column the end, as `schemes.allowed` gives.

    Returns:
        (W,) tag numbers of the allowed sequence with the largest sum; the argmax where no sequence is allowed.
    """
    return best_paths(emissions, [len(emissions)], moves_of(mask))
