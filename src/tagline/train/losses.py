"""Losses of classification: cross-entropy with class weights, label smoothing and focal weighting."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from numpy.typing import NDArray
from torch.nn import functional

from tagline.records import Problem


@dataclass(frozen=True)
class LabelLoss:
    """The loss of a batch, called as the Trainer's `compute_loss_func`.

    One label: cross-entropy. Several: binary cross-entropy over all labels. A number: mean squared error.

    Attributes:
        problem: which of these.
        weights: (L,) weight of each label, as torch's `weight`; for several labels that of its positive examples, as
            torch's `pos_weight`.
        gamma: focal loss: what is sure already counts (1 - p) ** gamma (Lin et al. 2017, Focal Loss for Dense Object
            Detection); 0 is plain cross-entropy.
        smoothing: share of the target that is spread evenly over the labels, in [0, 1).
    """

    problem: Problem
    weights: torch.Tensor | None = None
    gamma: float = 0.0
    smoothing: float = 0.0

    def __call__(self, outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        """The loss, a scalar.

        Args:
            outputs: the model's, with `logits` (B, L).
            labels: (B,) ids, or (B, L) zeros and ones, or (B,) numbers.
            num_items_in_batch: given by the Trainer, not needed: a batch is a step.
        """
        logits = outputs.logits.float()
        weights = None if self.weights is None else self.weights.to(logits.device)
        if self.problem is Problem.REGRESSION:
            return functional.mse_loss(logits.squeeze(-1), labels.float())
        if self.problem is Problem.MULTI:
            return self._several(logits, labels.float(), weights)
        return self._one(logits, labels, weights)

    @property
    def several(self) -> bool:
        """Whether each label stands for itself."""
        return self.problem is Problem.MULTI

    def scored(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(B, L) logits: every text is scored."""
        return logits

    def mass(self, labels: NDArray[Any]) -> float:
        """What the loss of a batch is divided by: its rows, or the weights of their labels."""
        if self.problem in (Problem.MULTI, Problem.REGRESSION) or self.weights is None:
            return float(len(labels))
        return float(self.weights[torch.from_numpy(labels)].sum())

    def _one(self, logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
        each = functional.cross_entropy(logits, labels, weights, reduction="none", label_smoothing=self.smoothing)
        if self.gamma:
            others = logits.scatter(-1, labels[:, None], -torch.inf).logsumexp(-1)
            each = each * _power(others - logits.logsumexp(-1), self.gamma)
        if weights is None:
            return each.mean()
        return each.sum() / weights[labels].sum().clamp_min(1e-12)  # nothing but labels of weight 0 teaches nothing

    def _several(self, logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
        targets = labels * (1 - self.smoothing) + self.smoothing / 2
        each = functional.binary_cross_entropy_with_logits(logits, targets, pos_weight=weights, reduction="none")
        if self.gamma:
            each = each * _power(functional.logsigmoid((1 - 2 * labels) * logits), self.gamma)
        return each.mean()


@dataclass(frozen=True)
class TagLoss:
    """The loss of words that each bear one tag, called as the Trainer's `compute_loss_func`.

    Attributes:
        word: the loss of the words that bear a tag, with weights, smoothing and focal weighting.
    """

    word: LabelLoss = field(default_factory=lambda: LabelLoss(Problem.SINGLE))
    several: ClassVar[bool] = False

    def __call__(self, outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        """The loss, a scalar.

        Args:
            outputs: the model's, with `logits` (B, T, L).
            labels: (B, T) tag ids, negative where none is scored.
            num_items_in_batch: given by the Trainer, not needed: a batch is a step.
        """
        bears = labels >= 0
        if not bears.any():  # teaches nothing
            return torch.mul(outputs.logits.float().sum(), 0.0)
        return self.word(SimpleNamespace(logits=outputs.logits[bears]), labels[bears])

    def mass(self, labels: NDArray[Any]) -> float:
        """What the loss of a batch is divided by: its words, or the weights of their tags."""
        return self.word.mass(labels[labels >= 0])

    def scored(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(N, L) logits of the words that bear a tag."""
        return logits[labels >= 0]


def _power(log: torch.Tensor, gamma: float) -> torch.Tensor:
    """(1 - p) ** gamma from log(1 - p): at p = 1 the power itself has no gradient where gamma is below 1."""
    return (gamma * log).exp()
