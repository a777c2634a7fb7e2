"""Whether a score of 0.9 is right nine times in ten: reliability bins and the expected calibration error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagline.errors import UsageError

Scores = Sequence[float] | NDArray[np.floating[Any]]
Marks = Sequence[bool] | NDArray[np.bool_]


class Bin(NamedTuple):
    """Answers whose scores lie in (low, high]; the first bin also holds 0.

    Attributes:
        low: lower bound, not included.
        high: upper bound, included.
        answers: how many answers are in the bin.
        score: their mean score; 0 where there is none.
        accuracy: share of them that is right; 0 where there is none.
    """

    low: float
    high: float
    answers: int
    score: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """How far scores can be taken at their word.

    Attributes:
        error: expected calibration error: mean distance of score and accuracy over the answers, by bins.
        bins: all bins in order, the empty ones too.
        score: mean score of all answers.
        accuracy: share of all answers that is right.
        count: answers.
    """

    error: float
    bins: tuple[Bin, ...]
    score: float
    accuracy: float
    count: int

    @classmethod
    def of(cls, scores: Scores, correct: Marks, bins: int = 15) -> Calibration:
        """The calibration of N answers; arguments and errors as in `reliability`."""
        parts = tuple(reliability(scores, correct, bins))
        count = sum(each.answers for each in parts)
        whole = max(count, 1)
        return cls(
            _error(parts),
            parts,
            sum(each.answers * each.score for each in parts) / whole,
            sum(each.answers * each.accuracy for each in parts) / whole,
            count,
        )

    def to_dict(self) -> dict[str, Any]:
        """The figures, ready for JSON; empty bins are left out."""
        return {
            "expected_calibration_error": self.error,
            "mean_score": self.score,
            "accuracy": self.accuracy,
            "answers": self.count,
            "bins": [each._asdict() for each in self.bins if each.answers],
        }


def expected_calibration_error(scores: Scores, correct: Marks, bins: int = 15) -> float:
    """Mean over the answers of |accuracy − mean score| of their bin, in [0, 1]; 0 without answers.

    Arguments and errors as in `reliability`.
    """
    return _error(reliability(scores, correct, bins))


def reliability(scores: Scores, correct: Marks, bins: int = 15) -> list[Bin]:
    """Answers gathered in bins of equal width over [0, 1].

    Args:
        scores: (N,) the probability given to each answer.
        correct: (N,) whether the answer is right.
        bins: how many.

    Raises:
        UsageError: the lengths differ, a score is not in [0, 1], or `bins` is below 1.
    """
    values, right = np.asarray(scores, np.float64), np.asarray(correct, np.float64)
    if values.shape != right.shape or values.ndim != 1:
        raise UsageError(f"calibration needs one score an answer, got shapes {values.shape} and {right.shape}")
    if bins < 1:
        raise UsageError(f"calibration needs at least 1 bin, got {bins}")
    inside = (values >= 0) & (values <= 1 + 1e-6)  # sums of float32 probabilities reach a little over 1
    if not inside.all():
        raise UsageError(f"calibration needs scores between 0 and 1, got {values[~inside][0]}")
    edges = np.linspace(0, 1, bins + 1)
    # Left: a score that is an edge belongs to the bin below it, as (low, high] says.
    places = np.clip(np.searchsorted(edges, values, side="left") - 1, 0, bins - 1)
    counts = np.bincount(places, minlength=bins)
    sums, hits = np.bincount(places, values, bins), np.bincount(places, right, bins)
    whole = np.maximum(counts, 1)
    rows = zip(edges[:-1], edges[1:], counts, sums / whole, hits / whole, strict=True)
    return [Bin(float(low), float(high), int(n), float(score), float(share)) for low, high, n, score, share in rows]


def _error(bins: Sequence[Bin]) -> float:
    total = sum(each.answers for each in bins)
    return sum(each.answers * abs(each.accuracy - each.score) for each in bins) / total if total else 0.0
