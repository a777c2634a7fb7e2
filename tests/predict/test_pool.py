"""Windows that wait: each is given out once, soon, within the budget, beside its like."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tagline.predict.pool import Pool

lengths = st.lists(st.integers(1, 60), max_size=60)


@given(lengths, st.integers(1, 100), st.integers(1, 12))
def test_each_item_comes_once_within_the_budget_the_oldest_first(given_: list[int], budget: int, ahead: int) -> None:
    pool: Pool[int] = Pool(budget)
    waiting: list[int] = []
    coming = list(enumerate(given_))
    came: list[int] = []
    while coming or waiting:
        for number, length in coming[:ahead]:
            pool.add(number, length)
            waiting.append(number)
        del coming[:ahead]
        batch = pool.take()
        assert waiting[0] in batch
        sizes = [given_[number] for number in batch]
        assert sizes == sorted(sizes)
        assert len(batch) == 1 or len(batch) * sizes[-1] <= budget
        # No item that waits lies between those of the batch in length.
        left = [number for number in waiting if number not in batch]
        assert not any(sizes[0] < given_[number] < sizes[-1] for number in left)
        came += batch
        waiting = left
        assert len(pool) == len(waiting)
        assert pool.units == sum(given_[number] for number in waiting)
    assert sorted(came) == list(range(len(given_)))


@given(st.lists(st.integers(1, 20), min_size=1, max_size=80))
def test_a_batch_has_room_for_none_of_its_neighbours(given_: list[int]) -> None:
    pool: Pool[int] = Pool(64)
    for number, length in enumerate(given_):
        pool.add(number, length)
    left = set(range(len(given_)))
    while pool:
        batch = pool.take()
        left -= set(batch)
        sizes = [given_[number] for number in batch]
        if (len(batch) + 1) * sizes[-1] <= 64:
            assert not any(given_[number] <= sizes[-1] for number in left)
        longer = [given_[number] for number in left if given_[number] > sizes[-1]]
        if longer:
            assert (len(batch) + 1) * min(longer) > 64
