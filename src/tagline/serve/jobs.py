"""A request on its way through the computing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tagline.predict.apart import Logits, OpenModel, Settings


class Outcome(NamedTuple):
    """What became of a job: the body of its answer, or why there is none.

    Attributes:
        body: JSON.
        error: `UsageError` for what the caller did wrong, anything else is ours.
    """

    body: bytes = b""
    error: Exception | None = None


@dataclass(eq=False, slots=True)
class Job:
    """A request that waits for its answer.

    Attributes:
        name: the model's name, for metrics.
        model: computes it.
        inputs: its texts.
        settings: how they are cut and answered.
        finish: makes the body of the answers; called on a computing thread.
        estimate: about how many sub-tokens there are, told before any text was read.
        arrived: when, by `time.monotonic`.
        long: whether it is computed in slices between others.
        texts: the texts with their windows, once they were read.
        logits: for each text those of its windows.
        missing: windows that have no logits yet.
        tokens: sub-tokens, special ones included, once the texts were read.
        windows: how many windows there are.
        pending: sub-tokens of it that are counted as waiting.
        done: nobody waits for it any longer: answered, failed, or given up.
    """

    name: str
    model: OpenModel
    inputs: list[Any]
    settings: Settings
    finish: Callable[[list[Any]], bytes]
    estimate: int
    arrived: float = field(default_factory=time.monotonic)
    long: bool = False
    texts: list[Any] = field(default_factory=list)
    logits: list[list[Logits]] = field(default_factory=list)
    missing: int = 0
    tokens: int = 0
    windows: int = 0
    pending: int = 0
    done: bool = False
    waiter: Any = None


class Piece(NamedTuple):
    """One window that waits.

    Attributes:
        job: whose it is.
        text: number of its text.
        number: its number among the text's windows.
        window: what is computed.
        length: its sub-tokens.
    """

    job: Job
    text: int
    number: int
    window: Any
    length: int


def pieces_of(job: Job) -> list[Piece]:
    """The windows of a job whose texts were read, those of like length side by side."""
    pieces = [
        Piece(job, number, place, window, len(window.ids))
        for number, text in enumerate(job.texts)
        for place, window in enumerate(text.windows)
    ]
    return sorted(pieces, key=lambda piece: -piece.length)
