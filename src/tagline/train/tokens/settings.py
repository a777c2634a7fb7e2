"""Settings of a token classifier's training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from tagline.data.schemes import Scheme
from tagline.errors import UsageError
from tagline.train.settings import BILSTM, BILSTM_NOTEBOOK, FitSettings, one_of, set_at_least

SUBTOKENS = ("first", "all")
HEADS = ("linear", "crf")
MOST_CHARACTERS = 40


@dataclass(frozen=True)
class TokenSettings(FitSettings):
    """Settings of a training run; the defaults are what `bench/RESULTS.md` measured best on dev.

    Attributes:
        scheme: scheme that the model's tags follow, whatever the file's is.
        subtokens: which sub-tokens of a word carry its tag in training, `first` or `all`.
        head: `linear`, each word for itself, or `crf`, which learns moves between the tags of neighbouring words too.
        shapes: feed word shapes as segment ids; None does where the encoder is uncased and has segment ids.
        train_names: show by segment ids where a name of the training data stands; while training, each fifth of the
            data is shown the names of the other four. None does where word shapes are fed to a pretrained encoder and
            the other four find at least a third of the words of a fifth's names.
        gazetteer: file of names that are shown as well, a kind, a tab and a name on each line.
        context: most sub-tokens of a document's neighbouring sentences that a window shows on either side, read and
            not scored; 0: none, 64 is usual. The training data must mark documents. Running costs as much more.
    """

    scheme: Scheme = Scheme.IOB2
    subtokens: str = "first"
    head: str = "linear"
    shapes: bool | None = None
    train_names: bool | None = None
    gazetteer: str | None = None
    context: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        set_at_least("context", self.context, 0)
        one_of("subtokens", self.subtokens, SUBTOKENS)
        one_of("head", self.head, HEADS)
        if self.head != "crf":
            return
        if self.subtokens == "all":
            raise UsageError("--head crf has one tag a word; leave --set subtokens=all away")
        for name in ("class_weights", "focal_gamma", "label_smoothing"):
            if value := getattr(self, name):
                option = f"--{name.replace('_', '-')} is {value!r}"
                raise UsageError(f"{option}, but a CRF scores whole sentences; leave it away or type --head linear")


@dataclass(frozen=True)
class BiLstmSettings(TokenSettings):
    """Settings of a BiLSTM, the encoder that begins without pretraining.

    Attributes:
        vectors: file of word vectors that the words begin with; None: they begin at random.
        vocabulary: words of that file that the model knows beside those of the training data, from its beginning on.
        embedding: numbers of a word vector where no file gives it.
        hidden: numbers of one direction's state.
        layers: BiLSTM layers.
        dense: numbers of a dense layer before the head; 0: none.
        lowercase: whether words are looked up in lower case.
        characters: how many characters of a word are read, of a longer one those of its beginning and end; 0: none.
        filters: numbers that are made of a word's characters.
        word_dropout: a word that occurs n times in the training data is shown as unknown with probability
            word_dropout / (word_dropout + n) while training; 0: never.
    """

    EPOCHS: ClassVar[tuple[int, int]] = (15, 30)

    encoder: str = BILSTM
    head: str = "crf"
    learning_rate: float = 3e-3
    head_learning_rate: float = 5e-3
    weight_decay: float = 0.01
    dropout: float | None = 0.3
    freeze_embeddings: bool = False
    precision: str = "f32"
    vectors: str | None = None
    vocabulary: int = 100_000
    embedding: int = 100
    hidden: int = 128
    layers: int = 2
    dense: int = 0
    lowercase: bool = True
    characters: int = 0
    filters: int = 64
    word_dropout: float = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("vocabulary", "embedding", "hidden", "layers", "filters"):
            set_at_least(name, getattr(self, name), 1)
        for name in ("freeze_layers", "mix_layers", "lora"):
            if value := getattr(self, name):
                raise UsageError(f"--set {name}={value} is for pretrained encoders, not for a BiLSTM; leave it away")
        for name in ("dense", "word_dropout"):
            set_at_least(name, getattr(self, name), 0)
        if not 0 <= self.characters <= MOST_CHARACTERS:
            raise UsageError(f"--characters is {self.characters}; expected 0 to {MOST_CHARACTERS}")

    def sized(self, tokens: int, shown: float = 1.0) -> Self:
        """The settings with batches and epochs fixed; unasked, batches are as large in words as without characters."""
        step = 1 + self.characters
        if self.batch_tokens or step == 1:
            return super().sized(tokens, shown)
        sized = super().sized(tokens // step, shown)
        return replace(sized, batch_tokens=sized.batch_tokens * step)


@dataclass(frozen=True)
class NotebookSettings(BiLstmSettings):
    """The BiLSTM-CRF of many a notebook: two layers of 2 × 50, a dense layer of 25, a CRF."""

    encoder: str = BILSTM_NOTEBOOK
    hidden: int = 50
    dense: int = 25
    shapes: bool | None = False


def settings_for(encoder: str) -> type[TokenSettings]:
    """The settings that go with an encoder: `bilstm`, `bilstm-notebook`, or any pretrained one."""
    kinds = (BiLstmSettings, NotebookSettings)
    return {kind.encoder: kind for kind in kinds}.get(encoder, TokenSettings)
