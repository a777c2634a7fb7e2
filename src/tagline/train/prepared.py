"""What the fit takes: any task's model with its windows, its loss and its score on dev."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from tagline.models.encoders import LoadedEncoder
from tagline.train.dataset import EpochBatches, Examples


class Loss(Protocol):
    """The loss of a batch, as the Trainer's `compute_loss_func`."""

    @property
    def several(self) -> bool:
        """Whether each label stands for itself: sigmoid, not softmax."""
        ...

    def __call__(self, outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        """From the model's outputs and the labels to a scalar."""
        ...

    def mass(self, labels: NDArray[Any]) -> float:
        """What the loss of a batch with these labels is divided by."""
        ...

    def scored(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(N, L) logits of the words or texts that are scored."""
        ...


class Chain(NamedTuple):
    """Sentences that a CRF reads.

    Attributes:
        lengths: words of each sentence.
        moves: (L + 1, L + 1) scores as `chains.moves_of` gives them.
    """

    lengths: list[int]
    moves: NDArray[np.float64]


class Evidence(NamedTuple):
    """What the model said of dev and what is true.

    Attributes:
        logits: (N, L), a row a scored word or a text.
        gold: (N,) label ids, or (N, L) zeros and ones where each label stands for itself.
        chain: of a CRF, the sentences that the rows make; gold ids are negative where the model lacks the label.
    """

    logits: NDArray[np.float32]
    gold: NDArray[np.int64]
    chain: Chain | None = None


class DevScore(Protocol):
    """The Trainer's `compute_metrics`, called batch by batch.

    Attributes:
        batches: dev in a fixed order.
    """

    batches: EpochBatches

    def __call__(self, prediction: Any, compute_result: bool = True) -> dict[str, float]:
        """Takes the logits of one batch; with `compute_result` closes the pass and gives the scores."""
        ...

    def evidence(self) -> Evidence | None:
        """Closes a pass: its logits with the gold labels that the model knows; None for numbers."""
        ...


class Prepared(Protocol):
    """A task ready to be learned."""

    @property
    def encoder(self) -> LoadedEncoder:
        """The model with its fresh head."""
        ...

    @property
    def pad(self) -> int:
        """Id of the padding token."""
        ...

    @property
    def train(self) -> Examples:
        """Labelled windows."""
        ...

    @property
    def dev(self) -> Examples | None:
        """Labelled windows."""
        ...

    @property
    def metric(self) -> str:
        """Name of the score that the best epoch is chosen by; higher is better."""
        ...

    @property
    def loss(self) -> Loss:
        """The loss."""
        ...

    @property
    def identity(self) -> str:
        """What else decides the run, beside settings and windows."""
        ...

    @property
    def files(self) -> dict[str, str]:
        """Texts of files that the model folder holds beside those of every model, by name."""
        ...

    def scorer(self) -> DevScore | None:
        """Scores dev while training; None without dev."""
        ...

    def finish(self, model: PreTrainedModel) -> None:
        """A last change of the trained weights."""
        ...
