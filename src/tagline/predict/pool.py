"""Windows that wait to be computed, handed out in batches of like length."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")
_FILLED = 0.9  # share of a batch that is no padding, at least
_SMALL = 8  # … but a batch of less than an eighth of the budget takes what there is


class Pool(Generic[T]):
    """A pool of items of known length; a batch is the item that has waited longest and those nearest to it in length.

    So nothing waits for ever, and little of a batch is padding: where only items of other lengths are left, a batch
    stays smaller than its budget.

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

    def take(self, closing: bool = False) -> list[T]:
        """Takes the next batch out, shortest item first.

        Args:
            closing: nothing will be added before all is taken: then a batch is the longest items, since what waited
                longest would leave the others apart.

        Raises:
            IndexError: the pool is empty.
        """
        first = len(self._sorted) - 1 if closing else self._oldest()
        last = first + 1
        longest = held = self._sorted[first][0]
        while (grown := self._grown(first, last, longest, held)) is not None:
            first, last, longest, held = grown
        keys = self._sorted[first:last]
        del self._sorted[first:last]
        self.units -= held
        taken = [self._items.pop(serial) for _, serial in keys]
        if not self._items:
            self._queue.clear()
        return taken

    def _oldest(self) -> int:
        """The place of the item that has waited longest."""
        while (oldest := self._queue.popleft())[1] not in self._items:
            pass
        return bisect_left(self._sorted, oldest)

    def _grown(self, first: int, last: int, longest: int, held: int) -> tuple[int, int, int, int] | None:
        """The batch with one neighbour more, the one that costs less padding; None if neither fits."""
        rows = last - first + 1
        found, least = None, -1
        if first:
            shorter = self._sorted[first - 1][0]
            if self._fits(rows, longest, held + shorter):
                found, least = (first - 1, last, longest, held + shorter), longest - shorter
        if last < len(self._sorted):
            longer = self._sorted[last][0]
            costs = (rows - 1) * (longer - longest)
            if (found is None or costs <= least) and self._fits(rows, longer, held + longer):
                found = first, last + 1, longer, held + longer
        return found

    def _fits(self, rows: int, longest: int, held: int) -> bool:
        whole = rows * longest
        return whole <= self.budget and (whole * _SMALL <= self.budget or held >= _FILLED * whole)
