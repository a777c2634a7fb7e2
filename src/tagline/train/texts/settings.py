"""Settings of a text classifier's training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tagline.errors import UsageError
from tagline.records import Problem
from tagline.train.settings import BILSTM, BILSTM_NOTEBOOK, FitSettings, one_of

POOLINGS = ("mean", "max")
_SMOOTHING = 0.1


@dataclass(frozen=True)
class TextSettings(FitSettings):
    """Settings of a training run; the defaults are what `bench/RESULTS.md` measured best on dev.

    Attributes:
        pooling: how the logits of a long text's windows become one: `mean` or `max`.
        label_smoothing: share of the target that is spread over all labels; None takes 0.1 for one label a text, and
            nothing for several.
    """

    EPOCHS: ClassVar[tuple[int, int]] = (2, 5)

    learning_rate: float = 6e-5
    pooling: str = "mean"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.encoder in (BILSTM, BILSTM_NOTEBOOK):
            raise UsageError(
                f"--encoder {self.encoder} is for token classification, and the training data holds texts with labels; "
                "leave it away, or give a pretrained encoder"
            )
        one_of("pooling", self.pooling, POOLINGS)

    def smoothing(self, problem: Problem) -> float:
        """The label smoothing of a problem."""
        if self.label_smoothing is None:
            return _SMOOTHING if problem is Problem.SINGLE else 0.0
        return self.label_smoothing
