"""Batches of windows of like length under a budget of sub-tokens."""

from __future__ import annotations

from collections.abc import Sequence
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
    rows, length = len(ids), max(least, *map(len, ids))
    input_ids = np.full((rows, length), pad_id, dtype=np.int64)
    mask, segments = np.zeros((rows, length), dtype=np.int64), np.zeros((rows, length), dtype=np.int64)
    for row, (each, kinds) in enumerate(zip(ids, types, strict=True)):
        input_ids[row, : len(each)] = each
        segments[row, : len(each)] = kinds
        mask[row, : len(each)] = 1
    return Batch(input_ids, mask, segments)
