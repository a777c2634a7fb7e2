"""Settings of a token classifier's training."""

from __future__ import annotations

from dataclasses import dataclass

from tagline.data.schemes import Scheme
from tagline.train.settings import FitSettings, one_of

SUBTOKENS = ("first", "all")


@dataclass(frozen=True)
class TokenSettings(FitSettings):
    """Settings of a training run; the defaults are what `bench/RESULTS.md` measured best on dev.

    Attributes:
        scheme: scheme that the model's tags follow, whatever the file's is.
        subtokens: which sub-tokens of a word carry its tag in training, `first` or `all`.
        shapes: feed word shapes as segment ids; None does where the encoder is uncased and has segment ids.
    """

    scheme: Scheme = Scheme.IOB2
    subtokens: str = "first"
    shapes: bool | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("subtokens", self.subtokens, SUBTOKENS)
