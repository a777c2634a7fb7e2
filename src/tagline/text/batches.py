"""Batches of windows of like length under a budget of sub-tokens."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tagline.records import Batch

Row = Sequence[int] | NDArray[np.int64]


class Shown(Protocol):
    """A window: its sub-token ids and its segment ids, special tokens included."""

    @property
    def ids(self) -> Row:
        """(T,) sub-token ids."""
        ...

    @property
    def types(self) -> Row:
        """(T,) segment ids."""
        ...


def plan_batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Groups windows so that rows times longest row stays within the budget.

    Args:
        lengths: sub-tokens of each window, special tokens included.
        budget: most sub-tokens of a batch, padding included; a single longer window is a batch of its own.

    Returns:
        Indices into `lengths`, longest first; each index once.
    """
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    batches: list[list[int]] = []
    rows: list[int] = []
    for place in order:
        if rows and (len(rows) + 1) * lengths[rows[0]] > budget:
            batches.append(rows)
            rows = []
        rows.append(place)
    if rows:
        batches.append(rows)
    return batches


def pad(ids: Sequence[Row], types: Sequence[Row], pad_id: int, least: int = 0) -> Batch:
    """Stacks windows into arrays, padded at the end to the longest, or to `least` where that is longer."""
    lengths = np.array(list(map(len, ids)), dtype=np.int64)
    length, total = max(least, int(lengths.max())), int(lengths.sum())
    shown = np.arange(length) < lengths[:, None]
    input_ids = np.full(shown.shape, pad_id, dtype=np.int64)
    segments = np.zeros(shown.shape, dtype=np.int64)
    input_ids[shown] = _joined(ids, total)
    segments[shown] = _joined(types, total)
    return Batch(input_ids, shown.astype(np.int64), segments)


def _joined(rows: Sequence[Row], total: int) -> NDArray[np.int64]:
    if isinstance(rows[0], np.ndarray):
        return np.concatenate(rows)
    return np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=total)
