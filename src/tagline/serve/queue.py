"""What waits for an engine, and what is taken next. No thread, no clock, no timer: plain rules, called under a lock.

Windows wait in flows, one for each model and each class, short or long. The flow that has had least for its weight
goes next, so that neither class, and no model, starves another; when only one waits, it has everything.

- Short: the oldest window goes first, in the company of those nearest to it in length, and of like length only: what is
  computed for padding would cost more than a batch of their own.
- Long (a job of more sub-tokens than a batch holds): jobs take turns, a batch's worth each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from tagline.predict.apart import OpenModel
from tagline.serve.jobs import Piece

SHORT_WEIGHT, LONG_WEIGHT = 2.0, 1.0
_LOOK = 256  # oldest windows among which company is looked for
_LIKE = 8  # sub-tokens by which company may differ from the oldest, or a quarter of its length


class Flow(Protocol):
    """Windows of one model and one class."""

    weight: float
    clock: float
    """Sub-tokens computed, by weight."""
    tokens: int
    """Sub-tokens that wait."""

    def add(self, pieces: Iterable[Piece]) -> None:
        """Takes the windows of one job in."""
        ...

    def take(self, budget: int) -> list[Piece]:
        """The next batch; windows of jobs that nobody waits for are dropped. Empty when nothing waits."""
        ...

    def __bool__(self) -> bool: ...


class ShortFlow:
    """Windows in the order of their arrival."""

    weight = SHORT_WEIGHT

    def __init__(self) -> None:
        self.clock, self.tokens = 0.0, 0
        self._pieces: list[Piece] = []

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def add(self, pieces: Iterable[Piece]) -> None:
        """Takes the windows of one job in."""
        taken = list(pieces)
        self._pieces += taken
        self.tokens += _tokens(taken)

    def take(self, budget: int) -> list[Piece]:
        """The oldest window and those nearest in length, as many as rows times longest leave room for."""
        waiting = [piece for piece in self._pieces if not piece.job.done]
        if not waiting:
            self._pieces, self.tokens = [], 0
            return []
        chosen = _company([piece.length for piece in waiting[:_LOOK]], budget)
        taken = [waiting[place] for place in sorted(chosen)]
        self._pieces = [piece for place, piece in enumerate(waiting) if place not in chosen]
        self.tokens = _tokens(self._pieces)
        return taken


def _company(lengths: list[int], budget: int) -> set[int]:
    """Places of the first and of those that go with it."""
    oldest = lengths[0]
    most = max(_LIKE, oldest // 4)
    near = sorted(
        (place for place, length in enumerate(lengths) if abs(length - oldest) <= most), key=lengths.__getitem__
    )
    first = last = near.index(0)
    while last - first + 1 < len(near):
        below = oldest - lengths[near[first - 1]] if first else None
        above = lengths[near[last + 1]] - oldest if last + 1 < len(near) else None
        up = below is None or (above is not None and above <= below)
        longest = lengths[near[last + 1 if up else last]]
        if (last - first + 2) * longest > budget:
            break
        first, last = (first, last + 1) if up else (first - 1, last)
    return set(near[first : last + 1])


def _tokens(pieces: Iterable[Piece]) -> int:
    return sum(piece.length for piece in pieces)


class LongFlow:
    """Long jobs in turn."""

    weight = LONG_WEIGHT

    def __init__(self) -> None:
        self.clock, self.tokens = 0.0, 0
        self._jobs: deque[deque[Piece]] = deque()

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def add(self, pieces: Iterable[Piece]) -> None:
        """Takes the windows of one job in."""
        if waiting := deque(pieces):
            self._jobs.append(waiting)
            self.tokens += _tokens(waiting)

    def take(self, budget: int) -> list[Piece]:
        """A batch's worth of the job whose turn it is; the job goes to the end of the row."""
        while self._jobs:
            job = self._jobs.popleft()
            if job[0].job.done:
                self.tokens -= _tokens(job)
                continue
            longest = job[0].length  # they are sorted, the longest first
            taken = [job.popleft() for _ in range(min(len(job), max(1, budget // longest)))]
            if job:
                self._jobs.append(job)
            self.tokens -= _tokens(taken)
            return taken
        return []


class WindowQueue:
    """All flows."""

    def __init__(self) -> None:
        self._flows: dict[tuple[OpenModel, bool], ShortFlow | LongFlow] = {}
        self._clock = 0.0

    def __bool__(self) -> bool:
        return bool(self._flows)

    @property
    def tokens(self) -> int:
        """Sub-tokens that wait, those of jobs that were given up perhaps included."""
        return sum(flow.tokens for flow in self._flows.values())

    def add(self, pieces: list[Piece]) -> None:
        """Takes the windows of one job in."""
        if not pieces:
            return
        job = pieces[0].job
        key = (job.model, job.long)
        if key not in self._flows:
            flow = LongFlow() if job.long else ShortFlow()
            flow.clock = self._clock  # who was away has not saved anything up
            self._flows[key] = flow
        self._flows[key].add(pieces)

    def take(self, budget: int) -> list[Piece]:
        """The next batch, all of one model; empty when nothing waits."""
        while self._flows:
            key, flow = min(self._flows.items(), key=lambda item: item[1].clock)
            taken = flow.take(budget)
            self._clock = flow.clock
            flow.clock += sum(piece.length for piece in taken) / flow.weight
            if not flow:
                del self._flows[key]
            if taken:
                return taken
        return []
