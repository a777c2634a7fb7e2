"""Progress: a bar on a terminal, plain lines elsewhere; always on standard error."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tagline.train.callbacks import ProgressEvent

_LINE_SECONDS = 10.0
_NAMES = {"f1": "F1", "macro_f1": "macro F1", "spearman": "Spearman"}


@contextmanager
def counting(title: str, total: float | None, unit: str, start: float = 0) -> Iterator[Callable[[float], None]]:
    """Shows how far work has come; gives a function that is called with what was done since the last call."""
    if not sys.stderr.isatty():
        yield _Lines(title, total, unit, start)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total)
        progress.advance(task, start)
        yield lambda done: progress.advance(task, done)


class _Lines:
    """One line every few seconds; nothing for work that is over before."""

    def __init__(self, title: str, total: float | None, unit: str, done: float) -> None:
        self.title, self.total, self.unit, self.done = title, total, unit, done
        self._last = time.monotonic()

    def __call__(self, done: float) -> None:
        self.done += done
        now = time.monotonic()
        if now - self._last >= _LINE_SECONDS:
            self._last = now
            share = f" of {self.total:,.0f}" if self.total else ""
            sys.stderr.write(f"{self.title}: {self.done:,.0f}{share} {self.unit}\n")
            sys.stderr.flush()


@contextmanager
def training() -> Iterator[Callable[[ProgressEvent], None]]:
    """Shows a training run: steps, loss, and the score on dev beside them."""
    if not sys.stderr.isatty():
        yield _TrainingLines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns: tuple[Any, ...] = (
        TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("training", total=None, state="")

        def show(event: ProgressEvent) -> None:
            progress.update(task, completed=event.step, total=event.steps, state=_state(event))
            if event.evaluated:
                console.print(_epoch(event), highlight=False)

        yield show


class _TrainingLines:
    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, event: ProgressEvent) -> None:
        now = time.monotonic()
        if event.evaluated:
            sys.stderr.write(_epoch(event) + "\n")
        elif now - self._last >= _LINE_SECONDS:
            self._last = now
            state = _state(event)  # nothing before the first loss
            sys.stderr.write(f"training: step {event.step} of {event.steps}{state and f', {state}'}\n")
        sys.stderr.flush()


def _state(event: ProgressEvent) -> str:
    parts = [] if event.loss is None else [f"loss {event.loss:.3f}"]
    if event.score is not None:
        parts.append(f"{_score(event)} (best {_figure(event, event.best or 0)})")
    return ", ".join(parts)


def _epoch(event: ProgressEvent) -> str:
    score, best = event.score or 0, event.best or 0
    line = f"epoch {event.epoch:.0f}: {_score(event)}"
    reached = score <= best if event.metric == "loss" else score >= best
    return line + (" (best so far)" if reached else f" (best {_figure(event, best)})")


def _score(event: ProgressEvent) -> str:
    """The last score by name: of a language model its loss on text that was held out."""
    score = event.score or 0
    if event.metric == "loss":
        return f"held-out loss {_figure(event, score)}, perplexity {math.exp(min(score, 700)):,.2f}"
    return f"dev {_NAMES[event.metric]} {_figure(event, score)}"


def _figure(event: ProgressEvent, score: float) -> str:
    return f"{score:.4f}" if event.metric == "loss" else f"{100 * score:.2f}"
