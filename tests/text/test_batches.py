"""Batches under a budget, and their padding."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagline.text.batches import pad, plan_batches

LENGTHS = st.lists(st.integers(1, 60), max_size=60)


@given(LENGTHS, st.integers(1, 200))
def test_each_window_once_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = plan_batches(lengths, budget)
    assert sorted(row for rows in batches for row in rows) == list(range(len(lengths)))
    for rows in batches:
        assert rows
        assert len(rows) == 1 or len(rows) * max(lengths[row] for row in rows) <= budget
    for rows, after in pairwise(batches):
        longest = max(lengths[row] for row in rows)
        assert min(lengths[row] for row in rows) >= max(lengths[row] for row in after)
        assert (len(rows) + 1) * longest > budget  # one more would not have gone in


@given(st.lists(st.lists(st.integers(2, 99), min_size=1, max_size=9), min_size=1, max_size=9), st.integers(0, 12))
def test_pad_fills_up_behind_each_window(ids: list[list[int]], least: int) -> None:
    types = [[token % 7 for token in row] for row in ids]
    batch = pad(ids, types, 1, least)
    arrays = pad([np.array(row) for row in ids], [np.array(row) for row in types], 1, least)
    assert all(np.array_equal(one, other) for one, other in zip(batch, arrays, strict=True))
    shape = (len(ids), max(least, *map(len, ids)))
    for array in batch:
        assert array.shape == shape
        assert array.dtype == np.int64
        assert array.flags.c_contiguous
    for row, each in enumerate(ids):
        rest = [0] * (shape[1] - len(each))
        assert batch.input_ids[row].tolist() == each + [1] * len(rest)
        assert batch.attention_mask[row].tolist() == [1] * len(each) + rest
        assert batch.token_type_ids[row].tolist() == types[row] + rest
