"""What the judging of texts is given: checked, and with labels turned to numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.errors import UsageError
from tagline.evaluate.ranking import Ranking

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Classes:
    """The labels of the model, and behind them those that only gold has: C in all.

    Attributes:
        known: the model's labels, in its order.
        unseen: labels that only gold has, in alphabetical order, and how many texts bear each.
        index: place of each label.
    """

    known: Sequence[str]
    unseen: dict[str, int]
    index: dict[str, int]

    @classmethod
    def of(cls, gold: Counter[str], predicted: Set[str], labels: Sequence[str]) -> Classes:
        """The classes of labels that gold (with the number of texts) and prediction have.

        Raises:
            UsageError: a predicted label is none of `labels`.
        """
        known = set(labels)
        strange = sorted(predicted - known)
        if strange:
            raise UsageError(
                f"the prediction has the label {strange[0]!r}, which is none of the {len(known)} labels that can be "
                f"predicted: {shorten(labels)}"
            )
        unseen = {label: gold[label] for label in sorted(gold.keys() - known)}
        return cls(labels, unseen, {label: place for place, label in enumerate((*labels, *unseen))})

    @property
    def names(self) -> list[str]:
        """All C labels."""
        return list(self.index)

    def numbers(self, labels: Sequence[str]) -> NDArray[np.int64]:
        """(N,) places of the labels."""
        return np.fromiter(map(self.index.__getitem__, labels), np.int64, len(labels))

    def matrix(self, sets: Sequence[Collection[str]]) -> Bools:
        """(N, C) whether text n bears class c."""
        result = np.zeros((len(sets), len(self.index)), bool)
        rows = np.repeat(np.arange(len(sets)), np.fromiter(map(len, sets), np.int64, len(sets)))
        result[rows, np.fromiter(map(self.index.__getitem__, chain.from_iterable(sets)), np.int64, len(rows))] = True
        return result

    def with_unseen(self, rankings: Mapping[str, Ranking]) -> dict[str, Ranking]:
        """Rankings of the model's labels, and behind them none for those that it has no scores of."""
        return {**rankings, **dict.fromkeys(self.unseen, Ranking(None, None))}


def check_inputs(gold: int, predicted: int, labels: Sequence[str], scores: NDArray[np.floating[Any]] | None) -> None:
    """Raises `UsageError` unless there are as many predictions and scores as gold texts, and labels of their own."""
    check_lengths(gold, predicted)
    repeated = sorted(label for label, often in Counter(labels).items() if often > 1)
    if not labels or repeated:
        said = f"{repeated[0]!r} stands there twice" if repeated else "there are none"
        raise UsageError(f"each label that can be predicted must be named once, but {said}")
    if scores is None:
        return
    if scores.shape != (gold, len(labels)):
        raise UsageError(
            f"the scores have the shape {scores.shape}; expected ({gold}, {len(labels)}): one row a text, "
            "one column a label"
        )
    check_finite(scores, "scores")


def check_lengths(gold: int, predicted: int) -> None:
    """Raises `UsageError` unless there are as many predictions as gold texts."""
    if gold != predicted:
        raise UsageError(
            f"gold has {gold} texts but the prediction has {predicted}; give one prediction for each gold text, "
            "in the same order"
        )


def check_finite(figures: NDArray[np.floating[Any]], name: str) -> None:
    """Raises `UsageError` if NaN or infinity is among the figures, whose first axis is the texts."""
    finite = np.isfinite(figures)
    if not finite.all():
        place = np.argwhere(~finite)[0]
        raise UsageError(f"the {name} of text {place[0] + 1} hold {figures[tuple(place)]}; expected finite numbers")


def check_sets(gold: Sequence[Collection[str]], predicted: Sequence[Collection[str]]) -> None:
    """Raises `UsageError` where a string stands for a collection of labels: its letters would be taken for labels."""
    for name, side in (("gold", gold), ("predicted", predicted)):
        for number, labels in enumerate(side, 1):
            if isinstance(labels, str):
                raise UsageError(f"the {name} labels of text {number} are a string, {labels!r}; give a list of labels")


def shorten(names: Sequence[str], most: int = 10) -> str:
    """The names with commas between them; of many the first, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
