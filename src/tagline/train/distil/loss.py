"""The loss of distillation (Hinton, Vinyals, Dean 2015, Distilling the Knowledge in a Neural Network).

With weight w and temperature T, over N taught words or texts of which n bear a label:
    ((1 - w) n · gold loss + w T² Σ KL(teachers at T || student at T)) / N
Teachers at T are their mean chances to the power 1/T, normalised: of one linear teacher the softmax of its logits / T.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from tagline.records import Problem
from tagline.train.distil.targets import Targets
from tagline.train.prepared import Loss


@dataclass(frozen=True)
class DistilLoss:
    """The loss of a batch, called as the Trainer's `compute_loss_func`.

    The first column of the labels holds the numbers of the windows, as `TaughtExamples` puts them there; where nothing
    is learned (dev), labels are those of the gold loss alone.

    Attributes:
        gold: the loss of labels.
        targets: what the teachers said.
        problem: how scores are read; words bear one label each.
        labelled: windows that bear labels; those after them bear none.
        weight: share of the teachers in the loss, in [0, 1].
        temperature: above 0; 1 takes the teachers' chances as they are.
    """

    gold: Loss
    targets: Targets
    problem: Problem
    labelled: int
    weight: float
    temperature: float

    def __call__(self, outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        """The loss, a scalar.

        Args:
            outputs: the model's, with `logits` (B, T, L) or (B, L).
            labels: (B, 1 + …): window numbers, then what the gold loss takes.
            num_items_in_batch: given by the Trainer, not needed: a batch is a step.
        """
        if not torch.is_grad_enabled():
            return self.gold(outputs, labels)
        windows, truth = split_labels(labels)
        where = self.targets.where(windows.tolist())
        logits = outputs.logits.float()
        told = self.targets.of(where.rows).to(logits.device)
        apart = divergence(logits[where.index], told, self.temperature, self.problem)
        total = self.weight * apart.sum()
        known = windows < self.labelled
        count = self.targets.count(windows[known].tolist())
        if count and self.weight < 1:
            gold = self.gold(SimpleNamespace(logits=outputs.logits[known]), truth[known])
            total = total + (1 - self.weight) * count * gold
        return total / max(1, len(where.rows))

    @property
    def several(self) -> bool:
        """Whether each label stands for itself."""
        return self.problem is Problem.MULTI

    def scored(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(N, L) logits of the words or texts that are taught."""
        return logits[self.targets.where(split_labels(labels)[0].tolist()).index]

    def mass(self, labels: NDArray[Any]) -> float:
        """What the loss of a batch is divided by: its taught words or texts."""
        return float(self.targets.count(labels[:, 0].astype(np.int64).tolist()))


def split_labels(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(B,) window numbers, and the labels beside them: (B,) where there is one a window."""
    rest = labels[:, 1:]
    return labels[:, 0].long(), rest[:, 0] if rest.shape[1] == 1 else rest


def divergence(logits: torch.Tensor, told: torch.Tensor, temperature: float, problem: Problem) -> torch.Tensor:
    """KL(teachers || student) times T², in nats; of several labels the mean over them; of numbers the squared error.

    Args:
        logits: (N, L) the student's.
        told: (N, L) scores as `Targets.scores` holds them.
        temperature: T.
        problem: how both are read.

    Returns:
        (N,) divergences.
    """
    if problem is Problem.REGRESSION:
        return (logits - told).square().mean(-1)
    logits, told = logits / temperature, told / temperature
    if problem is Problem.MULTI:
        yes = torch.sigmoid(told)
        on = yes * (functional.logsigmoid(told) - functional.logsigmoid(logits))
        off = (1 - yes) * (functional.logsigmoid(-told) - functional.logsigmoid(-logits))
        return (on + off).mean(-1) * temperature**2
    teacher = functional.log_softmax(told, -1)
    student = functional.log_softmax(logits, -1)
    return (teacher.exp() * (teacher - student)).sum(-1) * temperature**2
