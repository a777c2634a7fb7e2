"""Precision, recall and F1 of one class and the averages over classes, whatever the items are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


@dataclass(frozen=True, slots=True)
class Score:
    """How well one class, or an average over classes, was found. Fractions in [0, 1]; 0 where nothing was to divide.

    Attributes:
        precision: share of the predicted items that are right.
        recall: share of the gold items that were found.
        f1: harmonic mean of the two (of an average: the average of the classes' F1).
        support: gold items.
        correct: predicted items that are right.
        predicted: predicted items.
    """

    precision: float
    recall: float
    f1: float
    support: int
    correct: int
    predicted: int

    @classmethod
    def of(cls, correct: int, predicted: int, support: int) -> Score:
        """The score of these counts."""
        return cls(
            correct / predicted if predicted else 0.0,
            correct / support if support else 0.0,
            2 * correct / (predicted + support) if predicted + support else 0.0,
            support,
            correct,
            predicted,
        )

    def to_dict(self) -> dict[str, Any]:
        """`precision`, `recall`, `f1` and `support`, ready for JSON."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1, "support": self.support}


class Averages(NamedTuple):
    """Scores over all classes: from the summed counts, with equal weights, and weighted by support."""

    micro: Score
    macro: Score
    weighted: Score


def average(scores: Mapping[str, Score]) -> Averages:
    """Micro, macro and weighted average of scores by class; all 0 where there is no class."""
    rows = list(scores.values())
    correct, predicted = sum(each.correct for each in rows), sum(each.predicted for each in rows)
    micro = Score.of(correct, predicted, sum(each.support for each in rows))
    # Without any gold item the weights are void, and all figures are 0 whatever they are.
    weights = [each.support for each in rows] if micro.support else None
    return Averages(micro, _mean(rows, micro), _mean(rows, micro, weights))


def _mean(rows: Sequence[Score], total: Score, weights: Sequence[int] | None = None) -> Score:
    if not rows:
        return total

    def mean(figures: list[float]) -> float:
        # As scikit-learn does it, so that not even the last digit of a sum (and so the rounding) differs.
        return float(np.average(figures, weights=weights))

    return Score(
        mean([each.precision for each in rows]),
        mean([each.recall for each in rows]),
        mean([each.f1 for each in rows]),
        total.support,
        total.correct,
        total.predicted,
    )
