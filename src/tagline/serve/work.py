"""What is done with jobs: they are read, computed and answered, and one that fails harms none of its mates."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np

from tagline.predict.apart import Logits
from tagline.serve.jobs import Job, Outcome, Piece, pieces_of
from tagline.serve.metrics import CLASSES, Metrics

_NONE = np.empty((0, 0), dtype=np.float32)


class Office(Protocol):
    """Keeps the jobs; all of it may be called by several threads."""

    def enter(self, job: Job, pieces: list[Piece]) -> None:
        """The job was read: its windows begin to wait."""
        ...

    def place(self, pieces: list[Piece], found: list[Logits]) -> list[Job]:
        """Windows were computed; gives the jobs that have all of theirs."""
        ...

    def over(self, outcomes: list[tuple[Job, Outcome]]) -> None:
        """Jobs have their outcome."""
        ...


class Work:
    """Reads, computes and answers; called by several threads at once.

    Args:
        office: keeps the jobs.
        metrics: what is counted.
    """

    def __init__(self, office: Office, metrics: Metrics) -> None:
        self._office, self._metrics = office, metrics

    def read(self, jobs: Iterable[Job]) -> None:
        """Cuts texts into windows, those of jobs with the same settings together."""
        for group in _alike(job for job in jobs if not job.done):
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
            self._office.enter(job, pieces)
            if not pieces:
                empty.append(job)
        self.answer(empty)

    def compute(self, pieces: list[Piece]) -> list[Job]:
        """Runs windows as one batch; gives the jobs that can be answered now.

        If the batch fails, each job is computed for itself, so that it fails for whom it must.
        """
        model, name = pieces[0].job.model, pieces[0].job.name
        started = time.monotonic()
        self._waited(pieces, started)
        try:
            found = model.run([piece.window for piece in pieces])
        except Exception as error:  # noqa: BLE001 (is the outcome of the job)
            jobs = list(dict.fromkeys(piece.job for piece in pieces))
            if len(jobs) > 1:
                return [each for job in jobs for each in self.compute([piece for piece in pieces if piece.job is job])]
            self._office.over([(jobs[0], Outcome(error=error))])
            return []
        taken = time.monotonic() - started
        ready = self._office.place(pieces, found)
        self._metrics.batch(name, len(pieces), sum(piece.length for piece in pieces), taken)
        return ready

    def _waited(self, pieces: Iterable[Piece], now: float) -> None:
        for job in dict.fromkeys(piece.job for piece in pieces):
            if job.missing == job.windows:
                self._metrics.observe("tagline_queue_seconds", CLASSES[job.long], value=now - job.arrived)

    def answer(self, jobs: list[Job]) -> None:
        """Makes the answers of jobs, those of the same settings together."""
        for group in _alike(jobs):
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
        self._office.over(outcomes)

    def _one_by_one(self, jobs: list[Job], work: Callable[[list[Job]], None], error: Exception) -> None:
        if len(jobs) == 1:
            self._office.over([(jobs[0], Outcome(error=error))])
            return
        for job in jobs:
            work([job])


def _alike(jobs: Iterable[Job]) -> list[list[Job]]:
    """Jobs by model and settings."""
    groups: dict[object, list[Job]] = {}
    for job in jobs:
        groups.setdefault((job.model, job.settings), []).append(job)
    return list(groups.values())
