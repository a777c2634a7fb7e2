"""A linear-chain CRF over words: its log-likelihood, and the loss that trains an encoder with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tagline.data.schemes import Scheme, allowed

NAME = "crf"
"""The module's name in a model: its weights are `crf.transitions`, which plain transformers leaves aside."""
_FORBIDDEN = -1e4  # finite: minus infinity has no gradient


class Crf(nn.Module):
    """Scores of moves between neighbouring tags, learned by maximum likelihood.

    Args:
        mask: (L + 1, L + 1) moves [from, to] that the scheme allows, last row the start and last column the end.
    """

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(mask.shape))
        self.register_buffer("forbidden", torch.from_numpy(~mask), persistent=False)
        self.forbidden: torch.Tensor

    def moves(self) -> torch.Tensor:
        """(L + 1, L + 1) scores in float32, those of forbidden moves far below all others."""
        return self.transitions.float().masked_fill(self.forbidden, _FORBIDDEN)

    def learned(self) -> NDArray[np.float32]:
        """(L + 1, L + 1) scores as the decoder takes them, 0 where a move is forbidden."""
        scores = self.transitions.detach().float().masked_fill(self.forbidden, 0.0)
        return np.array(scores.cpu().numpy(), dtype=np.float32)

    def forward(
        self, emissions: torch.Tensor, tags: torch.Tensor, lengths: torch.Tensor, edges: torch.Tensor
    ) -> torch.Tensor:
        """Negative log-likelihood of each sentence.

        Args:
            emissions: (B, W, L) logits, what lies behind a sentence's end is not looked at.
            tags: (B, W) tag ids; behind the end any valid id.
            lengths: (B,) words, each at least 1.
            edges: (B, 2) whether the row begins, and whether it ends, its sentence; the moves from the start and to
                the end count only there.

        Returns:
            (B,) negative log-likelihoods, in nats.
        """
        emissions, moves = emissions.float(), self.moves()
        inner, edges = moves[:-1, :-1], edges.to(emissions.dtype)
        starts, ends = edges[:, :1] * moves[-1, :-1], edges[:, 1:] * moves[:-1, -1]
        place = torch.arange(emissions.shape[1], device=emissions.device)
        inside = place < lengths[:, None]
        total = starts + emissions[:, 0]
        for word in range(1, emissions.shape[1]):
            ahead = torch.logsumexp(total[:, :, None] + inner, dim=1) + emissions[:, word]
            total = torch.where(inside[:, word, None], ahead, total)
        whole = torch.logsumexp(total + ends, dim=1)
        said = (emissions.gather(2, tags[:, :, None])[:, :, 0] * inside).sum(1)
        moved = (inner[tags[:, :-1], tags[:, 1:]] * inside[:, 1:]).sum(1)
        last = tags.gather(1, lengths[:, None] - 1)
        edge = starts.gather(1, tags[:, :1])[:, 0] + ends.gather(1, last)[:, 0]
        return whole - said - moved - edge


@dataclass(frozen=True)
class CrfLoss:
    """The loss of a batch, called as the Trainer's `compute_loss_func`.

    Attributes:
        crf: the module, part of the model that is trained.
    """

    crf: Crf
    several: ClassVar[bool] = False

    def __call__(self, outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        """Mean negative log-likelihood of a word, a scalar.

        Args:
            outputs: the model's, with `logits` (B, T, L).
            labels: (B, T + 2): tag ids on the first sub-tokens of words, negative elsewhere, between two columns that
                say whether the row begins and whether it ends its sentence.
            num_items_in_batch: given by the Trainer, not needed: a batch is a step.
        """
        edges, tags = labels[:, [0, -1]], labels[:, 1:-1]
        emissions, tags, lengths = words_of(outputs.logits.float(), tags)
        likelihoods: torch.Tensor = self.crf(emissions, tags, lengths, edges)
        return likelihoods.sum() / lengths.sum()

    def mass(self, labels: NDArray[Any]) -> float:
        """What the loss of a batch is divided by: its words."""
        return float((labels[:, 1:-1] >= 0).sum())

    def scored(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(N, L) emissions of all words."""
        return logits[labels[:, 1:-1] >= 0]


def words_of(logits: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The words of each row, moved together.

    Args:
        logits: (B, T, L).
        labels: (B, T) tag ids on the first sub-tokens of words, negative elsewhere.

    Returns:
        (B, W, L) logits, (B, W) tag ids, 0 behind the end, and (B,) words of each row.
    """
    bears = labels >= 0
    lengths = bears.sum(1)
    places = torch.argsort((~bears).to(torch.int8), dim=1, stable=True)[:, : int(lengths.max())]
    tags = labels.gather(1, places).clamp_min(0)
    return logits.gather(1, places[:, :, None].expand(-1, -1, logits.shape[2])), tags, lengths


def add_crf(model: nn.Module, labels: tuple[str, ...], scheme: Scheme) -> Crf:
    """Gives a model a CRF of its tags; its weights are trained and saved with the model's own."""
    crf = Crf(allowed(labels, scheme))
    model.add_module(NAME, crf)
    return crf


def crf_of(model: nn.Module) -> Crf | None:
    """The CRF that a model was given, if any."""
    found = getattr(model, NAME, None)
    return found if isinstance(found, Crf) else None
