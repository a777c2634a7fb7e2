"""What a Trainer tells while it works, and how it is stopped without losing work."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from tagline.train.processes import Processes


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """Where a training run stands.

    Attributes:
        step: optimiser steps done.
        steps: optimiser steps in all.
        epoch: epochs done, with fraction.
        loss: last logged training loss, or None.
        score: last score on dev, or None.
        best: best score on dev so far, or None.
        evaluated: whether this event follows an evaluation.
        metric: name of the score; of all of them only `loss` is better where it is lower.
    """

    step: int
    steps: int
    epoch: float
    loss: float | None
    score: float | None
    best: float | None
    evaluated: bool
    metric: str = "f1"


class Progress(TrainerCallback):
    """Reports every step and every evaluation to a function."""

    def __init__(self, report: Callable[[ProgressEvent], None] | None, metric: str = "f1") -> None:
        self.report, self.metric = report, metric
        self.loss: float | None = None
        self.score: float | None = None
        self.best: float | None = None

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any) -> None:
        """Keeps the last loss."""
        logs = others.get("logs") or {}
        if "loss" in logs:
            self.loss = float(logs["loss"])

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any) -> None:
        """Reports the step."""
        self._tell(state, False)

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any) -> None:
        """Reports the dev score."""
        metrics = others.get("metrics") or {}
        if f"eval_{self.metric}" in metrics:
            self.score = float(metrics[f"eval_{self.metric}"])
            known = [self.score if each is None else each for each in (self.best, state.best_metric)]
            choose = min if self.metric == "loss" else max
            self.best = choose(self.score, *known)  # the state knows the best of a run that was resumed
            self._tell(state, True)

    def _tell(self, state: TrainerState, evaluated: bool) -> None:
        if self.report is not None and state.is_world_process_zero:
            self.report(
                ProgressEvent(
                    state.global_step,
                    state.max_steps,
                    float(state.epoch or 0),
                    self.loss,
                    self.score,
                    self.best,
                    evaluated,
                    self.metric,
                )
            )


class SaveWithin(TrainerCallback):
    """Checkpoints within an epoch, every `steps` steps; 0 makes none."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any) -> None:
        """Asks the Trainer for a checkpoint."""
        if self.steps and state.global_step % self.steps == 0 and _within(state):
            control.should_save = True


class StopOnInterrupt(TrainerCallback):
    """Ctrl-C and SIGTERM end training after the step at hand, with a checkpoint; a second one ends it at once."""

    def __init__(self, processes: Processes | None = None) -> None:
        self.stopped = False
        self.processes = processes or Processes()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Catches the signals while training; outside the main thread, where that is impossible, does nothing."""
        before: dict[int, Any] = {}
        try:
            for number in (int(signal.SIGINT), int(signal.SIGTERM)):
                before[number] = signal.signal(number, self._note)
        except ValueError:
            before.clear()
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = True

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any) -> None:
        """Asks the Trainer for a checkpoint and the end."""
        self.stopped = self.processes.any(self.stopped)  # a signal reaches one process a step before another
        if self.stopped:
            control.should_save = control.should_save or _within(state)
            control.should_training_stop = True

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any
    ) -> None:
        """The Trainer takes the stop for the end of an epoch; a score in the middle of one would count as the best."""
        if self.stopped and _within(state):
            control.should_evaluate = control.should_save = False


def _within(state: TrainerState) -> bool:
    """Whether the last step did not end an epoch: there a checkpoint is made anyway, after the evaluation."""
    return not float(state.epoch or 0).is_integer()
