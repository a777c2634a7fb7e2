"""Averaging of weights: beside the weights that are trained, their running average, which is scored and kept.

Polyak and Juditsky 1992, Acceleration of Stochastic Approximation by Averaging, with exponential weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

TRAINED = "trained.safetensors"
"""In a checkpoint: the weights that training goes on from; its `model.safetensors` holds their average."""


class Averaging(TrainerCallback):
    """Keeps the running average of all weights that are trained.

    After step t the average a becomes d a + (1 - d) w of the weights w, with d = min(decay, (1 + t) / (10 + t)): the
    beginning is soon forgotten, so that short trainings gain too.

    Args:
        model: the model that is trained; its parameters are looked at once, at the beginning.
        decay: share of the average that a step leaves, in (0, 1).
        checkpoint: folder of the checkpoint that the run goes on from, None at the beginning.
    """

    def __init__(self, model: nn.Module, decay: float, checkpoint: str | None = None) -> None:
        self.decay, self.checkpoint = decay, checkpoint
        self._trained = {name: each for name, each in model.named_parameters() if each.requires_grad}
        self._average: dict[str, torch.Tensor] = {}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any
    ) -> None:
        """Begins with the weights as they are; those of a checkpoint are the average, the trained ones lie beside."""
        self._average = {name: each.detach().clone() for name, each in self._trained.items()}
        if self.checkpoint is not None:
            with torch.no_grad():
                for name, weights in load_file(Path(self.checkpoint) / TRAINED).items():
                    self._trained[name].copy_(weights)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any) -> None:
        """Takes the weights of a step in."""
        left = min(self.decay, (1 + state.global_step) / (10 + state.global_step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self._average.values()), list(self._trained.values()), 1 - left)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Has the model hold the average while the context lasts."""
        kept = self._put(self._average)
        try:
            yield
        finally:
            self._put(kept)

    def keep(self) -> None:
        """Leaves the average in the model for good."""
        self._put(self._average)

    def save(self, folder: Path) -> None:
        """Writes the weights that training goes on from into a checkpoint."""
        save_file({name: each.detach().contiguous() for name, each in self._trained.items()}, folder / TRAINED)

    def _put(self, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Gives the model these weights; gives back what it held. Nothing is copied."""
        before = {}
        for name, each in weights.items():
            parameter = self._trained[name]
            before[name], parameter.data = parameter.data, each
        return before
