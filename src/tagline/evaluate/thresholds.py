"""From which probability on a label is given: one threshold a label, chosen where F1 is highest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.errors import UsageError

DEFAULT = 0.5


def tune_thresholds(gold: NDArray[np.bool_], probabilities: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The threshold of each label that gives the highest F1 where `probability >= threshold` gives the label.

    Candidates lie half way between neighbouring distinct probabilities, and half way between 0 and the lowest one
    (which gives the label to every text). Among equals the one nearest 0.5 is taken (the higher of two equally near).
    Compare in float64: a threshold rounded to fewer digits may fall on the other side of a probability.

    Args:
        gold: (N, L) whether text n has label l.
        probabilities: (N, L) in [0, 1].

    Returns:
        (L,) thresholds in [0, 1]; 0.5 for a label that no text has.

    Raises:
        UsageError: the shapes differ, or a probability is not in [0, 1].
    """
    if gold.ndim != 2 or gold.shape != probabilities.shape:
        raise UsageError(
            f"thresholds need gold and probabilities of one shape (texts, labels), got {gold.shape} and "
            f"{probabilities.shape}"
        )
    # Written so that NaN fails as well.
    if not np.all((probabilities >= 0) & (probabilities <= 1)):
        raise UsageError("thresholds need probabilities between 0 and 1; some are not (give sigmoids, not logits)")
    columns = zip(gold.T, probabilities.T, strict=True)
    return np.array([_best(has, np.asarray(column, np.float64)) for has, column in columns], np.float64)


def macro_f1(gold: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> float:
    """Mean over all L labels of their F1; a label that neither side has counts as 0. 0 without labels.

    Args:
        gold: (N, L) whether text n has label l.
        predicted: (N, L) whether it was given.
    """
    right = np.count_nonzero(gold & predicted, axis=0)
    sizes = np.count_nonzero(gold, axis=0) + np.count_nonzero(predicted, axis=0)
    return float(np.mean(2 * right / np.maximum(sizes, 1))) if sizes.size else 0.0


def _best(gold: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> float:
    """The threshold of one label; gold and probabilities are (N,)."""
    positives = np.count_nonzero(gold)
    if not positives:
        return DEFAULT
    order = np.argsort(-probabilities)
    falling = probabilities[order]
    below = np.append(falling[1:], 0.0)
    cuts = np.flatnonzero(np.append(falling[1:] < falling[:-1], True))  # the label goes to the texts up to a cut
    right = np.cumsum(gold[order])[cuts]
    f1 = 2 * right / (cuts + 1 + positives)
    upper, lower = falling[cuts], below[cuts]
    middle = lower + (upper - lower) / 2
    # Between two neighbouring floats there is nothing: the middle would fall on one of them.
    thresholds = np.where((middle > lower) | (upper == lower), middle, upper)
    best = thresholds[f1 == f1.max()]
    return float(best[np.argmin(np.abs(best - DEFAULT))])
