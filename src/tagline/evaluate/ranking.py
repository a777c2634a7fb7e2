"""How well scores sort the texts that have a label before those that lack it: ROC-AUC and average precision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Ranking(NamedTuple):
    """Two figures on one order of the texts, in [0, 1]; None where they are undefined.

    Attributes:
        roc_auc: probability that a text with the label scores higher than one without, ties counted half; None
            unless there are texts of both sorts.
        average_precision: mean precision over the recall steps, not interpolated; None where no text has the label.
    """

    roc_auc: float | None
    average_precision: float | None


@dataclass(frozen=True)
class Rankings:
    """What the scores of all classes are worth.

    Attributes:
        roc_auc: with two classes of a single-label problem that of the second; else the mean over the classes that
            have one (one class against the rest). None where no class has one.
        average_precision: mean over the classes that have one.
        classes: one ranking a class.
        micro: all (text, label) pairs sorted together, for several labels; None for a single one.
    """

    roc_auc: float | None
    average_precision: float | None
    classes: dict[str, Ranking]
    micro: Ranking | None = None

    @property
    def left_out(self) -> list[str]:
        """Classes that some mean leaves out: gold lacks them, or every text has them, or they have no scores."""
        return [label for label, each in self.classes.items() if each.roc_auc is None]

    def to_dict(self) -> dict[str, Any]:
        """`roc_auc` and `average_precision`, `micro` where there is one, and `left_out`, ready for JSON."""
        micro = {} if self.micro is None else {"micro": self.micro._asdict()}
        means = {"roc_auc": self.roc_auc, "average_precision": self.average_precision}
        return {**means, **micro, "left_out": self.left_out}


def rank(gold: NDArray[np.bool_], scores: NDArray[np.floating[Any]]) -> Ranking:
    """ROC-AUC and average precision of finite scores; equal scores stand at one place.

    Args:
        gold: (N,) whether the text has the label.
        scores: (N,) any finite numbers, higher where the label is likelier.
    """
    positives = int(np.count_nonzero(gold))
    negatives = len(gold) - positives
    if not positives:
        return Ranking(None, None)
    order = np.argsort(-scores)
    falling = scores[order]
    last = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))  # of each run of equal scores
    right = np.cumsum(gold[order])[last]
    wrong = last + 1 - right
    gained = np.diff(right, prepend=0)
    precision = float(np.sum(gained * (right / (right + wrong))) / positives)
    if not negatives:
        return Ranking(None, precision)
    # Whole numbers, so exact: each negative beats no positive, equals half of its own run, is beaten by those before.
    doubled = int(np.sum(np.diff(wrong, prepend=0) * (2 * right - gained)))
    return Ranking(doubled / (2 * positives * negatives), precision)


def rank_all(rankings: Mapping[str, Ranking], positive: str | None = None, micro: Ranking | None = None) -> Rankings:
    """The means over classes, each over those where it is defined.

    Args:
        rankings: one a class.
        positive: the class whose ROC-AUC stands for all, in a problem of two classes.
        micro: the ranking of all (text, label) pairs together.
    """
    auc = _mean(each.roc_auc for each in rankings.values()) if positive is None else rankings[positive].roc_auc
    return Rankings(auc, _mean(each.average_precision for each in rankings.values()), dict(rankings), micro)


def _mean(figures: Iterable[float | None]) -> float | None:
    known = [each for each in figures if each is not None]
    return float(np.mean(known)) if known else None
