"""The threads that compute. No thread's failure leaves a caller waiting: whatever happens, every job has an outcome."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from tagline.errors import TaglineError
from tagline.predict.apart import OpenModel
from tagline.serve.jobs import Job, Outcome, Piece, pieces_of
from tagline.serve.metrics import CLASSES, Metrics
from tagline.serve.queue import WindowQueue

_NONE = np.empty((0, 0), dtype=np.float32)
Deliver = Callable[[list[tuple[Job, Outcome]]], None]
_READ = 32  # short jobs that are read (cut into windows) at once
_SPLIT = 128  # sub-tokens below which work is not split among idle lanes
_MEMORY = 16_384  # sub-tokens after which what was measured counts a third


class Refused(Exception):
    """Too much waits.

    Attributes:
        seconds: about how long what waits will take.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"about {seconds:.1f} s of work are waiting already")
        self.seconds = seconds


@dataclass(frozen=True)
class LaneSettings:
    """How the lanes work.

    Attributes:
        count: threads that compute, as many as batches that the engine runs at once.
        budget: most sub-tokens of a batch, padding included.
        max_wait: seconds of computing before a short job, beyond which it is refused.
        max_wait_long: the same for a long one.
    """

    count: int = 2
    budget: int = 512
    max_wait: float = 0.5
    max_wait_long: float = 10.0


class Lanes:
    """Reads, computes and answers jobs.

    There is no timer: a lane that is free takes what waits. Of two lanes one reads (cuts texts into windows) and both
    compute; texts of long jobs are read on a thread of their own, so that short ones need not wait for that.

    Args:
        settings: how they work.
        metrics: what is counted.
        deliver: is given jobs with their outcomes, each job once; called on a lane, must not block.
        failed: is called with an error that is a mistake of the server itself; the lanes are dead then.
        noted: is called with the error of a job that failed in the computing.
    """

    def __init__(
        self,
        settings: LaneSettings,
        metrics: Metrics,
        deliver: Deliver,
        failed: Callable[[BaseException], None],
        noted: Callable[[Exception], None],
    ) -> None:
        self._settings, self._metrics = settings, metrics
        self._deliver, self._failed, self._noted = deliver, failed, noted
        lock = threading.RLock()
        self._change = threading.Condition(lock)  # lanes wait for it
        self._more_to_read = threading.Condition(lock)  # the reader waits for it
        self._inbox: deque[Job] = deque()
        self._long_inbox: deque[Job] = deque()
        self._queue = WindowQueue()
        self._jobs: set[Job] = set()
        self._pending = dict.fromkeys(CLASSES, 0.0)
        self._elapsed, self._computed = 0.02, 512.0  # a guess until something was measured
        self._idle = 0
        self._stopping = False
        self._since: dict[str, float] = {}  # when each busy thread began what it is at
        self.error: BaseException | None = None
        works = [(f"lane {number}", self._lane) for number in range(settings.count)] + [("reader", self._reader)]
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
        job.long = job.estimate > self._settings.budget
        with self._change:
            if self.error is not None or self._stopping:
                raise Refused(1.0)
            self._check(job)
            job.pending = job.estimate
            self._count(job, job.pending, 1)
            self._jobs.add(job)
            if job.long:
                self._long_inbox.append(job)
                self._more_to_read.notify()
            else:
                self._inbox.append(job)
                self._change.notify()

    def cancel(self, job: Job) -> None:
        """Nobody waits for the job any longer: what is not computed yet is dropped."""
        with self._change:
            if not job.done:
                self._metrics.add("tagline_dropped_total")
                self._leave(job)

    def busy_for(self) -> float:
        """Seconds that the longest step at hand has taken so far."""
        now = time.monotonic()
        return max((now - since for since in list(self._since.values())), default=0.0)

    def _check(self, job: Job) -> None:
        mine, other = CLASSES[job.long], CLASSES[not job.long]
        if self._pending[mine] <= self._settings.budget * self._settings.count:
            return  # what waits goes with the next batches, however slow they seemed so far
        share = 1.0 if not self._pending[other] else 3.0 if job.long else 1.5
        wait = self._pending[mine] * share * self._elapsed / self._computed / self._settings.count
        if wait > (self._settings.max_wait_long if job.long else self._settings.max_wait):
            self._metrics.add("tagline_refused_total", mine)
            raise Refused(wait)

    def _count(self, job: Job, tokens: float, requests: int = 0) -> None:
        kind = CLASSES[job.long]
        self._pending[kind] += tokens
        self._metrics.put("tagline_queue_tokens", kind, value=max(0.0, self._pending[kind]))
        if requests:
            self._metrics.add("tagline_queue_requests", kind, by=requests)

    def _leave(self, job: Job) -> None:
        """The job is over; under the lock."""
        job.done = True
        self._jobs.discard(job)
        self._count(job, -job.pending, -1)
        job.pending = 0
        job.logits = []

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
            self._read([job])

    def _lane(self, name: str) -> None:
        while True:
            self._since.pop(name, None)
            with self._change:
                self._idle += 1
                self._change.wait_for(self._has_work)
                self._idle -= 1
                if not (self._inbox or self._queue):
                    if self._jobs and not self.error:  # another lane may still find that something must be done again
                        self._change.wait(0.05)
                        continue
                    return
                jobs = [self._inbox.popleft() for _ in range(min(len(self._inbox), _READ))]
                self._since[name] = started = time.monotonic()
            if jobs:
                self._read(jobs)
            with self._change:
                pieces = self._queue.take(self._budget())
                if self._inbox or self._queue:
                    self._change.notify()
            if pieces:
                self._compute(pieces)
                with self._change:
                    self._measure(time.monotonic() - started, sum(piece.length for piece in pieces))

    def _has_work(self) -> bool:
        return bool(self._inbox or self._queue or self._stopping)

    def _budget(self) -> int:
        """Sub-tokens to take: what waits is shared with lanes that are idle."""
        budget = self._settings.budget
        waiting = sum(self._pending.values())
        return min(budget, max(_SPLIT, math.ceil(waiting / (self._idle + 1)))) if self._idle else budget

    def _read(self, jobs: list[Job]) -> None:
        """Cuts texts into windows, those of jobs with the same settings together."""
        groups: dict[object, list[Job]] = {}
        for job in jobs:
            if not job.done:
                groups.setdefault((job.model, job.settings), []).append(job)
        for group in groups.values():
            self._read_alike(group)

    def _read_alike(self, jobs: list[Job]) -> None:
        try:
            texts = iter(jobs[0].model.encode([each for job in jobs for each in job.inputs], jobs[0].settings))
        except Exception as error:  # noqa: BLE001 (is the outcome of the job)
            self._one_by_one(jobs, self._read_alike, error)
            return
        empty = []
        for job in jobs:
            job.texts = [next(texts) for _ in job.inputs]
            job.logits = [[_NONE] * len(text.windows) for text in job.texts]
            pieces = pieces_of(job)
            job.missing = job.windows = len(pieces)
            job.tokens = sum(piece.length for piece in pieces)
            with self._change:
                self._enter(job, pieces)
            if not pieces:
                empty.append(job)
        if empty:
            self._answer(empty)

    def _enter(self, job: Job, pieces: list[Piece]) -> None:
        """What was guessed of a job is replaced by what is known; its windows begin to wait."""
        if job.done:
            return
        self._count(job, -job.pending, -1)
        job.long, job.pending = job.tokens > self._settings.budget, job.tokens
        self._count(job, job.pending, 1)
        self._queue.add(pieces)
        self._change.notify()

    def _compute(self, pieces: list[Piece]) -> None:
        model, name = pieces[0].job.model, pieces[0].job.name
        started = time.monotonic()
        self._waited(pieces, started)
        try:
            found = model.run([piece.window for piece in pieces])
        except Exception as error:  # noqa: BLE001 (is the outcome of the job)
            self._compute_apart(pieces, error)
            return
        taken, tokens = time.monotonic() - started, sum(piece.length for piece in pieces)
        ready = []
        with self._change:
            for piece, logits in zip(pieces, found, strict=True):
                job = piece.job
                if job.done:
                    continue
                job.logits[piece.text][piece.number] = logits
                job.missing -= 1
                job.pending -= piece.length
                self._count(job, -piece.length)
                if not job.missing:
                    ready.append(job)
        self._metrics.add("tagline_batches_total", name)
        self._metrics.add("tagline_windows_total", name, by=len(pieces))
        self._metrics.add("tagline_tokens_total", name, by=tokens)
        self._metrics.observe("tagline_batch_windows", name, value=len(pieces))
        self._metrics.observe("tagline_batch_seconds", name, value=taken)
        if ready:
            self._answer(ready)

    def _waited(self, pieces: Iterable[Piece], now: float) -> None:
        for job in dict.fromkeys(piece.job for piece in pieces):
            if job.missing == job.windows:
                self._metrics.observe("tagline_queue_seconds", CLASSES[job.long], value=now - job.arrived)

    def _measure(self, seconds: float, tokens: int) -> None:
        """What a lane took for so many sub-tokens, reading and answering included."""
        fade = math.exp(-tokens / _MEMORY)
        self._elapsed, self._computed = self._elapsed * fade + seconds, self._computed * fade + tokens

    def _compute_apart(self, pieces: list[Piece], error: Exception) -> None:
        """A batch failed: each job for itself, so that it fails for whom it must."""
        jobs = {piece.job for piece in pieces}
        if len(jobs) == 1:
            self._over([(jobs.pop(), Outcome(error=error))])
            return
        for job in jobs:
            self._compute([piece for piece in pieces if piece.job is job])

    def _answer(self, jobs: list[Job]) -> None:
        """Makes the answers of jobs, those of the same settings together."""
        groups: dict[object, list[Job]] = {}
        for job in jobs:
            groups.setdefault((job.model, job.settings), []).append(job)
        for group in groups.values():
            self._answer_alike(group)

    def _answer_alike(self, jobs: list[Job]) -> None:
        texts = [text for job in jobs for text in job.texts]
        logits = [each for job in jobs for each in job.logits]
        try:
            if len(texts) != len(logits):  # one was cancelled meanwhile
                raise RuntimeError("logits are gone")
            answers = iter(jobs[0].model.answers(texts, logits, jobs[0].settings))
            outcomes = [(job, Outcome(job.finish([next(answers) for _ in job.inputs]))) for job in jobs]
        except Exception as error:  # noqa: BLE001 (is the outcome of the job)
            self._one_by_one(jobs, self._answer_alike, error)
            return
        for job in jobs:
            self._metrics.add("tagline_texts_total", job.name, by=len(job.inputs))
        self._over(outcomes)

    def _one_by_one(self, jobs: list[Job], work: Callable[[list[Job]], None], error: Exception) -> None:
        if len(jobs) == 1:
            self._over([(jobs[0], Outcome(error=error))])
            return
        for job in jobs:
            work([job])

    def _over(self, outcomes: list[tuple[Job, Outcome]]) -> None:
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


def most_lanes(models: Iterable[OpenModel], threads: int) -> int:
    """How many batches are run at once: one a processor thread, but engines that use all for one batch run one."""
    return 1 if any(model.engine == "torch" for model in models) else max(1, threads)
