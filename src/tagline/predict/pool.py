"""Windows that wait to be computed, handed out in batches of like length."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Pool(Generic[T]):
    """A pool of items of known length; a batch is the item that has waited longest and those nearest to it in length.

    So nothing waits for ever, and little of a batch is padding.

    Args:
        budget: most units of a batch, padding included; a single longer item is a batch of its own.

    Attributes:
        units: what the items hold together.
    """

    def __init__(self, budget: int) -> None:
        self.budget, self.units = budget, 0
        self._items: dict[int, T] = {}  # by serial number
        self._sorted: list[tuple[int, int]] = []  # (length, serial number)
        self._queue: deque[tuple[int, int]] = deque()  # the same as they came; some are taken already
        self._serial = 0

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: T, length: int) -> None:
        """Takes an item in."""
        key = (length, self._serial)
        self._items[self._serial] = item
        self._serial += 1
        self.units += length
        self._queue.append(key)
        insort(self._sorted, key)

    def take(self) -> list[T]:
        """Takes the next batch out, shortest item first.

        Raises:
            IndexError: the pool is empty.
        """
        while (oldest := self._queue.popleft())[1] not in self._items:
            pass
        first = bisect_left(self._sorted, oldest)
        last = first + 1
        longest = oldest[0]
        while (grown := self._grown(first, last, longest)) is not None:
            first, last = grown
            longest = self._sorted[last - 1][0]
        keys = self._sorted[first:last]
        del self._sorted[first:last]
        self.units -= sum(length for length, _ in keys)
        return [self._items.pop(serial) for _, serial in keys]

    def _grown(self, first: int, last: int, longest: int) -> tuple[int, int] | None:
        """The batch with one neighbour more, the one that costs less padding; None if neither fits."""
        rows = last - first
        shorter = longest - self._sorted[first - 1][0] if first and (rows + 1) * longest <= self.budget else None
        longer = None
        if last < len(self._sorted) and (rows + 1) * self._sorted[last][0] <= self.budget:
            longer = rows * (self._sorted[last][0] - longest)
        if longer is not None and (shorter is None or longer <= shorter):
            return first, last + 1
        return None if shorter is None else (first - 1, last)
