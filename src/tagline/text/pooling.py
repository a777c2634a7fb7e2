"""From the logits of a text's windows to one answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagline.records import Problem

Floats = NDArray[np.float32]


def pool(windows: Sequence[Floats] | Floats, how: str = "mean") -> Floats:
    """(W, L) logits of one text's windows to (L,), by their `mean` or their `max`."""
    stacked = np.asarray(windows, dtype=np.float32)
    return np.asarray(stacked.max(axis=0) if how == "max" else stacked.mean(axis=0))


def probabilities(logits: Floats, problem: Problem) -> Floats:
    """(…, L) logits to scores of the same shape: softmax for one label, sigmoid for several, numbers as they are."""
    if problem is Problem.REGRESSION:
        return logits
    if problem is Problem.MULTI:
        return sigmoid(logits)
    return softmax(logits)


def sigmoid(logits: Floats) -> Floats:
    """Each logit for itself to (0, 1)."""
    with np.errstate(over="ignore"):  # far below 0 the exponential is infinite, and the result rightly 0
        return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float32)


def softmax(logits: Floats) -> Floats:
    """Logits to probabilities that sum to 1 along the last axis."""
    with np.errstate(over="ignore"):  # logits so far apart that their difference is infinite: the chance is rightly 0
        raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), dtype=np.float32)
