"""R-Drop: what dropout shows of a batch twice shall be read alike.

Liang et al. 2021, R-Drop: Regularized Dropout for Neural Networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch.nn import functional

from tagline.train.prepared import Loss

LABELS, SHARE = "labels", "share"


def doubled(inputs: dict[str, Any]) -> dict[str, Any]:
    """A batch with its windows twice, one lot upon the other, so that each meets two dropouts; labels only once."""
    return {name: each if name == LABELS else torch.cat((each, each)) for name, each in inputs.items()}


@dataclass(frozen=True)
class RDrop:
    """The loss of a batch that was read twice, called as the Trainer's `compute_loss_func`.

    The mean of both passes' losses and `alpha` / 2 times the mean over scored rows of (KL(p || q) + KL(q || p)) / 2,
    where p and q are what the passes say. This is half of the paper's, so that rates stay those of plain training.

    Attributes:
        loss: of one pass.
        alpha: the paper's weight; 1 to 5 is usual.
    """

    loss: Loss
    alpha: float

    def __call__(self, outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        """The loss, a scalar; the plain one where the batch was read once (evaluation).

        Args:
            outputs: the model's, with logits of 2 B windows (see `doubled`), or of B.
            labels: of B windows.
            num_items_in_batch: given by the Trainer, not needed.
        """
        if len(outputs.logits) == len(labels):
            return self.loss(outputs, labels)
        passes = outputs.logits.float().chunk(2)
        plain = sum(self.loss(SimpleNamespace(logits=each), labels) for each in passes) / 2
        one, other = (self.loss.scored(each, labels) for each in passes)
        apart = divergence(one, other, self.loss.several)
        return plain + self.alpha / 2 * apart


def divergence(one: torch.Tensor, other: torch.Tensor, several: bool = False) -> torch.Tensor:
    """Mean over rows of (KL(p || q) + KL(q || p)) / 2, in nats: half the sum of (p - q) (log p - log q).

    Args:
        one: (N, L) logits of p.
        other: (N, L) logits of q.
        several: each label is a decision of its own; then the mean over labels, too.
    """
    if several:
        return ((torch.sigmoid(one) - torch.sigmoid(other)) * (one - other)).mean() / 2
    said, told = functional.log_softmax(one, -1), functional.log_softmax(other, -1)
    return ((said.exp() - told.exp()) * (said - told)).sum(-1).mean() / 2
