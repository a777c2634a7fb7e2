"""The threads that compute. No thread's failure leaves a caller waiting: whatever happens, every job has an outcome."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable

from tagline.errors import TaglineError
from tagline.predict.apart import Logits
from tagline.serve.jobs import Job, Outcome, Piece
from tagline.serve.load import Load, LoadSettings, Refused
from tagline.serve.metrics import Metrics
from tagline.serve.queue import WindowQueue
from tagline.serve.work import Work

Deliver = Callable[[list[tuple[Job, Outcome]]], None]
_READ = 16  # short jobs that are read (cut into windows) at once


class Lanes:
    """Reads, computes and answers jobs.

    There is no timer: when the engine is free it gets what waits. There is one lane more than batches that the engine
    computes at once: while these wait for the engine, it reads what comes and answers what is computed. Texts of long
    jobs are read on a thread of their own, so that short ones need not wait for that.

    Args:
        settings: what may wait, and what is computed at once.
        metrics: what is counted.
        deliver: is given jobs with their outcomes, each job once; called on a lane, must not block.
        failed: is called with an error that is a mistake of the server itself; the lanes are dead then.
        noted: is called with the error of a job that failed in the computing.

    Attributes:
        load: how much waits.
        error: why the lanes are dead.
    """

    def __init__(
        self,
        settings: LoadSettings,
        metrics: Metrics,
        deliver: Deliver,
        failed: Callable[[BaseException], None],
        noted: Callable[[Exception], None],
    ) -> None:
        self._slots, self._metrics = settings.slots, metrics
        self._deliver, self._failed, self._noted = deliver, failed, noted
        self.load = Load(settings, metrics)
        self._work = Work(self, metrics)
        lock = threading.RLock()
        self._change = threading.Condition(lock)  # lanes wait for it
        self._more_to_read = threading.Condition(lock)  # the reader waits for it
        self._inbox: deque[Job] = deque()
        self._long_inbox: deque[Job] = deque()
        self._queue = WindowQueue()
        self._computing = 0
        self._jobs: set[Job] = set()
        self._stopping = False
        self._since: dict[str, float] = {}  # when each busy thread began what it is at
        self.error: BaseException | None = None
        works = [(f"lane {number}", self._lane) for number in range(settings.slots + 1)] + [("reader", self._reader)]
        self._threads = [threading.Thread(target=self._run, args=each, name=each[0], daemon=True) for each in works]

    def start(self) -> None:
        """Starts the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends the threads once everything that was submitted has its outcome."""
        with self._change:
            self._stopping = True
            self._change.notify_all()
            self._more_to_read.notify_all()
        for thread in self._threads:
            thread.join()

    def submit(self, job: Job) -> None:
        """Takes a job in.

        Raises:
            Refused: too much waits already.
        """
        job.long = self.load.is_long(job.estimate)
        with self._change:
            if self.error is not None or self._stopping:
                raise Refused(1.0)
            self.load.admit(job.long)
            job.pending = job.estimate
            self.load.add(job.long, job.pending, 1)
            self._jobs.add(job)
            if job.long:
                self._long_inbox.append(job)
                self._more_to_read.notify()
            else:
                self._inbox.append(job)
                self._change.notify()

    def cancel(self, job: Job) -> None:
        """Nobody waits for the job any longer: what is not computed yet is dropped."""
        if job.done:
            return
        with self._change:
            if not job.done:
                self._metrics.add("tagline_dropped_total")
                self._leave(job)

    def busy_for(self) -> float:
        """Seconds that the longest step at hand has taken so far."""
        now = time.monotonic()
        return max((now - since for since in list(self._since.values())), default=0.0)

    def _leave(self, job: Job) -> None:
        """The job is over; under the lock."""
        job.done = True
        self._jobs.discard(job)
        self.load.add(job.long, -job.pending, -1)
        job.pending = 0
        job.logits = []
        if self._stopping and not self._jobs:
            self._change.notify_all()  # lanes that stay for what others may still bring

    def _run(self, name: str, work: Callable[[str], None]) -> None:
        try:
            work(name)
        except BaseException as error:  # noqa: BLE001 (callers must not wait for a thread that is gone)
            with self._change:
                self.error = error
                jobs = list(self._jobs)
                for job in jobs:
                    self._leave(job)
                self._stopping = True
                self._change.notify_all()
                self._more_to_read.notify_all()
            self._deliver([(job, Outcome(error=RuntimeError("the server failed"))) for job in jobs])
            self._failed(error)

    def _reader(self, name: str) -> None:
        """Reads long jobs."""
        while True:
            self._since.pop(name, None)
            with self._change:
                self._more_to_read.wait_for(lambda: self._long_inbox or self._stopping)
                if not self._long_inbox:
                    return
                job = self._long_inbox.popleft()
                self._since[name] = time.monotonic()
            self._work.read([job])
            with self._change:
                self._change.notify()

    def _lane(self, name: str) -> None:
        while True:
            with self._change:
                step = self._next(name)
                if self._inbox or (self._queue and self._computing < self._slots):
                    self._change.notify()  # there is something for another lane as well
            if step is None:
                return
            jobs, pieces = step
            self._work.read(jobs)
            if pieces:
                self._compute(pieces)

    def _next(self, name: str) -> tuple[list[Job], list[Piece]] | None:
        """Jobs to read or windows to compute, whatever comes first; waits for either. None when all is over."""
        self._since.pop(name, None)
        while True:
            free, jobs, pieces = self._slots - self._computing, [], []
            # What has come is read first, so that it may go with the next batch, unless that is full already.
            if self._inbox and not (free and self._queue.tokens >= self.load.batch):
                jobs = [self._inbox.popleft() for _ in range(min(len(self._inbox), _READ))]
            elif free and (pieces := self._queue.take(min(self.load.batch, -(-self._queue.tokens // free)))):
                self._computing += 1
            if jobs or pieces:
                self._since[name] = time.monotonic()
                return jobs, pieces
            if self._stopping and (self.error or not self._jobs):
                return None
            if not self._inbox:
                self._change.wait()

    def _compute(self, pieces: list[Piece]) -> None:
        started = time.monotonic()
        ready = self._work.compute(pieces)
        with self._change:
            self._computing -= 1
            self.load.measured(time.monotonic() - started, sum(piece.length for piece in pieces))
            self._change.notify()
        self._work.answer(ready)

    def enter(self, job: Job, pieces: list[Piece]) -> None:
        """What was guessed of a job is replaced by what is known; its windows begin to wait."""
        with self._change:
            if job.done:
                return
            self.load.add(job.long, -job.pending, -1)
            job.long, job.pending = self.load.is_long(job.tokens), job.tokens
            self.load.add(job.long, job.pending, 1)
            self._queue.add(pieces)

    def place(self, pieces: list[Piece], found: list[Logits]) -> list[Job]:
        """Windows were computed; gives the jobs that have all of theirs."""
        ready = []
        with self._change:
            for piece, logits in zip(pieces, found, strict=True):
                job = piece.job
                if job.done:
                    continue
                job.logits[piece.text][piece.number] = logits
                job.missing -= 1
                job.pending -= piece.length
                self.load.add(job.long, -piece.length)
                if not job.missing:
                    ready.append(job)
        return ready

    def over(self, outcomes: list[tuple[Job, Outcome]]) -> None:
        """The one place where jobs get their outcome."""
        with self._change:
            told = [(job, outcome) for job, outcome in outcomes if not job.done]
            for job, _ in told:
                self._leave(job)
        for job, outcome in told:
            if outcome.error is not None and not isinstance(outcome.error, TaglineError):
                self._metrics.add("tagline_failed_total", job.name)
                with contextlib.suppress(Exception):
                    self._noted(outcome.error)
        self._deliver(told)
