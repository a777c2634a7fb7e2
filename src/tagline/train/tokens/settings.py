"""Settings of a token classifier's training."""

from __future__ import annotations

from dataclasses import dataclass

from tagline.data.schemes import Scheme
from tagline.errors import UsageError
from tagline.train.settings import FitSettings, one_of

SUBTOKENS = ("first", "all")
HEADS = ("linear", "crf")


@dataclass(frozen=True)
class TokenSettings(FitSettings):
    """Settings of a training run; the defaults are what `bench/RESULTS.md` measured best on dev.

    Attributes:
        scheme: scheme that the model's tags follow, whatever the file's is.
        subtokens: which sub-tokens of a word carry its tag in training, `first` or `all`.
        head: `linear`, each word for itself, or `crf`, which learns moves between the tags of neighbouring words too.
        shapes: feed word shapes as segment ids; None does where the encoder is uncased and has segment ids.
    """

    scheme: Scheme = Scheme.IOB2
    subtokens: str = "first"
    head: str = "linear"
    shapes: bool | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("subtokens", self.subtokens, SUBTOKENS)
        one_of("head", self.head, HEADS)
        if self.head == "crf" and self.subtokens == "all":
            raise UsageError("--head crf has one tag a word; leave --set subtokens=all away")
