"""How much each label counts in a loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from tagline.errors import UsageError
from tagline.records import Problem

_MOST_NAMED = 30  # labels in a message


def class_weights(
    given: str,
    labels: Sequence[str],
    counts: Sequence[int],
    texts: int,
    problem: Problem,
    types: Mapping[str, str] | None = None,
) -> torch.Tensor | None:
    """Weights by label.

    Args:
        given: empty, `balanced`, or `label=weight,…`; labels that are not named weigh 1.
        labels: the model's labels.
        counts: how often each comes in train.
        texts: how many texts, or words, train has.
        problem: several labels weigh their positive examples.
        types: type of each label; a weight told for a type is that of all its labels, unless they have their own.

    Raises:
        UsageError: an unknown label, one that is named twice, no number, nothing but zeros, or weights in a regression.
    """
    if not given:
        return None
    if problem is Problem.REGRESSION:
        raise UsageError(f"--class-weights is {given!r}, but numbers have no classes; leave it away")
    if given == "balanced":
        often = np.maximum(np.asarray(counts, dtype=np.float64), 1)
        weights = texts / (len(labels) * often) if problem is Problem.SINGLE else (texts - often) / often
        weights[np.asarray(counts) == 0] = 1.0  # a tag that may come, but does not
        return torch.tensor(weights, dtype=torch.float32)
    chosen: dict[str, float] = {}
    types = types or {}
    known = dict.fromkeys((*types.values(), *labels))
    for part in given.split(","):
        label, equals, text = part.rpartition("=")
        weight = _number(text)
        if not equals or label.strip() not in known or label.strip() in chosen or weight is None:
            raise UsageError(
                f"--class-weights has {part!r}; expected 'balanced' or LABEL=WEIGHT,… with labels "
                f"{_named(list(known))}, each once, and weights of 0 or more"
            )
        chosen[label.strip()] = weight
    by_label = [chosen.get(label, chosen.get(types.get(label, label), 1.0)) for label in labels]
    if not any(by_label):
        raise UsageError(f"--class-weights is {given!r}; expected a weight above 0 for one label at least")
    return torch.tensor(by_label, dtype=torch.float32)


def _named(labels: list[str]) -> str:
    more = len(labels) - _MOST_NAMED
    return ", ".join(labels[:_MOST_NAMED]) + (f" and {more:,} others" if more > 0 else "")


def _number(text: str) -> Any:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
