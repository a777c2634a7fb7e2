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


@given(lengths, st.integers(1, 100))
def test_when_nothing_more_comes_the_longest_go_first(given_: list[int], budget: int) -> None:
    pool: Pool[int] = Pool(budget)
    for number, length in enumerate(given_):
        pool.add(number, length)
    came: list[int] = []
    while pool:
        batch = [given_[number] for number in pool.take(closing=True)]
        assert len(batch) == 1 or len(batch) * batch[-1] <= budget
        came += batch[::-1]
    assert came == sorted(given_, reverse=True)


def test_it_can_be_filled_again_after_it_was_emptied_from_its_end() -> None:
    pool: Pool[str] = Pool(10)
    for name, length in (("a", 3), ("b", 9), ("c", 3)):
        pool.add(name, length)
    assert [pool.take(closing=True), pool.take(closing=True)] == [["b"], ["a", "c"]]
    pool.add("d", 4)
    pool.add("e", 4)
    assert pool.take() == ["d", "e"]
    assert not pool
    assert not pool._queue  # nothing is remembered of what was taken


@given(st.lists(st.integers(1, 20), min_size=1, max_size=80), st.integers(8, 400), st.booleans())
def test_a_batch_has_room_for_none_of_its_neighbours(given_: list[int], budget: int, closing: bool) -> None:
    """… unless more than a tenth of it would be padding, and it is no small one."""
    pool: Pool[int] = Pool(budget)
    for number, length in enumerate(given_):
        pool.add(number, length)
    left = set(range(len(given_)))

    def fits(sizes: list[int]) -> bool:
        whole = len(sizes) * max(sizes)
        return whole <= budget and (whole <= budget / 8 or sum(sizes) >= 0.9 * whole)

    while pool:
        batch = pool.take(closing)
        left -= set(batch)
        sizes = [given_[number] for number in batch]
        assert len(sizes) == 1 or fits(sizes)
        shorter = [given_[number] for number in left if given_[number] <= sizes[-1]]
        longer = [given_[number] for number in left if given_[number] > sizes[-1]]
        tried = []
        if shorter:
            tried.append([*sizes, max(shorter)])
        if longer:
            tried.append([*sizes, min(longer)])
        assert not any(map(fits, tried))
