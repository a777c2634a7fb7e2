"""Settings of a text classifier's training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tagline.errors import UsageError
from tagline.records import Problem
from tagline.train.settings import FitSettings, at_least, one_of

POOLINGS = ("mean", "max")
_SMOOTHING = 0.1


@dataclass(frozen=True)
class TextSettings(FitSettings):
    """Settings of a training run; the defaults are what `bench/RESULTS.md` measured best on dev.

    Attributes:
        pooling: how the logits of a long text's windows become one: `mean` or `max`.
        class_weights: weights of the labels in the loss: empty for none, `balanced` (a label counts the more the rarer
            it is; as scikit-learn's, and for several labels negatives over positives), or `spam=2,ham=1`.
        focal_gamma: focal loss where above 0; 2 is usual.
        label_smoothing: share of the target that is spread over all labels; None takes 0.1 for one label a text, and
            nothing for several.
    """

    EPOCHS: ClassVar[tuple[int, int]] = (2, 5)

    learning_rate: float = 6e-5
    pooling: str = "mean"
    class_weights: str = ""
    focal_gamma: float = 0.0
    label_smoothing: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("pooling", self.pooling, POOLINGS)
        at_least("focal_gamma", self.focal_gamma, 0)
        if self.label_smoothing is not None and not 0 <= self.label_smoothing < 1:
            raise UsageError(f"--label-smoothing is {self.label_smoothing}; expected 0 up to but not 1")

    def smoothing(self, problem: Problem) -> float:
        """The label smoothing of a problem."""
        if self.label_smoothing is None:
            return _SMOOTHING if problem is Problem.SINGLE else 0.0
        return self.label_smoothing
