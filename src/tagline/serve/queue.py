"""What waits for an engine, and what is taken next. No thread, no clock, no timer: plain rules, called under a lock.

Windows wait in flows, one for each model and each class, short or long. The flow that has had least for its weight
goes next, so that neither class, and no model, starves another; when only one waits, it has everything.

- Short: the oldest window goes first, in the company of those nearest to it in length.
- Long (a job of more sub-tokens than a batch holds): jobs take turns, a batch's worth each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from tagline.predict.apart import OpenModel
from tagline.serve.jobs import Piece

SHORT_WEIGHT, LONG_WEIGHT = 2.0, 1.0
_LOOK = 512  # oldest windows among which company is looked for


class Flow(Protocol):
    """Windows of one model and one class."""

    weight: float
    clock: float
    """Sub-tokens computed, by weight."""

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
        self.clock = 0.0
        self._pieces: list[Piece] = []

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def add(self, pieces: Iterable[Piece]) -> None:
        """Takes the windows of one job in."""
        self._pieces.extend(pieces)

    def take(self, budget: int) -> list[Piece]:
        """The oldest window and those nearest in length, as many as rows times longest leave room for."""
        waiting = [piece for piece in self._pieces if not piece.job.done]
        near = sorted(range(min(len(waiting), _LOOK)), key=lambda place: waiting[place].length)
        if not near:
            self._pieces = []
            return []
        first = last = near.index(0)
        while last - first + 1 < len(near):
            below = waiting[near[first - 1]].length if first else None
            above = waiting[near[last + 1]].length if last + 1 < len(near) else None
            oldest = waiting[0].length
            up = below is None or (above is not None and above - oldest <= oldest - below)
            longest = waiting[near[last + 1 if up else last]].length
            if (last - first + 2) * longest > budget:
                break
            first, last = (first, last + 1) if up else (first - 1, last)
        chosen = set(near[first : last + 1])
        self._pieces = [piece for place, piece in enumerate(waiting) if place not in chosen]
        return [waiting[place] for place in sorted(chosen)]


class LongFlow:
    """Long jobs in turn."""

    weight = LONG_WEIGHT

    def __init__(self) -> None:
        self.clock = 0.0
        self._jobs: deque[deque[Piece]] = deque()

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def add(self, pieces: Iterable[Piece]) -> None:
        """Takes the windows of one job in."""
        if waiting := deque(pieces):
            self._jobs.append(waiting)

    def take(self, budget: int) -> list[Piece]:
        """A batch's worth of the job whose turn it is; the job goes to the end of the row."""
        while self._jobs:
            job = self._jobs.popleft()
            if job[0].job.done:
                continue
            longest = job[0].length  # they are sorted, the longest first
            taken = [job.popleft() for _ in range(min(len(job), max(1, budget // longest)))]
            if job:
                self._jobs.append(job)
            return taken
        return []


class WindowQueue:
    """All flows."""

    def __init__(self) -> None:
        self._flows: dict[tuple[OpenModel, bool], ShortFlow | LongFlow] = {}
        self._clock = 0.0

    def __bool__(self) -> bool:
        return bool(self._flows)

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
