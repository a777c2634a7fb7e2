"""Everything that decides how a masked language model comes out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tagline.errors import UsageError
from tagline.models.encoders import MINILM
from tagline.train.settings import PRECISIONS, at_least, check_seed, one_of

KEEP, BPE, WORDPIECE = "keep", "bpe", "wordpiece"
TOKENIZERS = (BPE, WORDPIECE, KEEP)
_FEWEST_PIECES = {BPE: 300, WORDPIECE: 100}  # byte-level BPE begins with 256 bytes and five special tokens
_VOCABULARY = 16_000
_SIZE = {"layers": 4, "width": 256, "heads": 4}
_RATES = {True: 5e-4, False: 2e-4}  # from scratch, and onward from an encoder that knows something already
_ONLY_SCRATCH = ("layers", "width", "heads")
_ONLY_NEW = ("vocabulary", "lowercase")


@dataclass(frozen=True)
class PretrainSettings:
    """How a masked language model is trained.

    Attributes:
        encoder: what training goes on from: `minilm`, a folder or a hub name; from scratch only its tokenizer is
            taken, and only with `tokenizer="keep"`. None takes `minilm` where one is needed.
        from_scratch: begin with random weights: a BERT for word pieces, a RoBERTa for byte-level BPE.
        tokenizer: `bpe`, `wordpiece` or `keep`; None trains word pieces from scratch and keeps an encoder's own.
        vocabulary: most pieces of a new tokenizer, special tokens included; 0 takes 16,000.
        lowercase: whether a new tokenizer lower-cases; accents are kept.
        layers: layers of a model from scratch; 0 takes 4.
        width: its hidden size; the feed-forward layers are four times as wide. 0 takes 256.
        heads: its attention heads; 0 takes 4.
        window: sub-tokens of a block of text, special tokens included; of a model from scratch the longest that it
            will ever read.
        held_out: share of the different lines that is never learned, whose loss is reported and chooses the best epoch.
        masked: share of the sub-tokens that are to be told.
        epochs: passes over the text.
        batch_tokens: sub-tokens of an optimiser step.
        learning_rate: peak rate; 0 takes 5e-4 from scratch and 2e-4 onward.
        warmup: share of the steps over which the rate rises; then it falls to 0 in a line.
        weight_decay: decoupled weight decay of matrices.
        checkpoint_steps: steps between checkpoints within an epoch; 0 saves at the end of each epoch only.
        precision: `auto`, `bf16` or `f32`; `auto` trains in bf16 where the processor or GPU has it.
        fast: on a processor, compute layers like BERT's without padding and draw dropout masks cheaply.
        threads: processor threads; 0 takes the cores that the process may use.
        seed: of weights, masks, order, dropout and the held-out lines.
    """

    encoder: str | None = None
    from_scratch: bool = False
    tokenizer: str | None = None
    vocabulary: int = 0
    lowercase: bool = False
    layers: int = 0
    width: int = 0
    heads: int = 0
    window: int = 128
    held_out: float = 0.05
    masked: float = 0.15
    epochs: int = 10
    batch_tokens: int = 4096
    learning_rate: float = 0.0
    warmup: float = 0.1
    weight_decay: float = 0.01
    checkpoint_steps: int = 1000
    precision: str = "auto"
    fast: bool = True
    threads: int = 0
    seed: int = 13

    def __post_init__(self) -> None:
        if self.tokenizer is None:
            object.__setattr__(self, "tokenizer", WORDPIECE if self.from_scratch else KEEP)
        self._in_range()
        self._fit_together()
        for name, value in (*_SIZE.items(), ("vocabulary", _VOCABULARY), ("learning_rate", _RATES[self.from_scratch])):
            if not getattr(self, name):
                object.__setattr__(self, name, value)
        if self.width % self.heads:
            raise UsageError(f"--width is {self.width}; expected a multiple of --heads, which is {self.heads}")
        if self.encoder is None and not (self.from_scratch and self.new_tokenizer):
            object.__setattr__(self, "encoder", MINILM)

    @property
    def new_tokenizer(self) -> bool:
        """Whether a tokenizer is trained."""
        return self.tokenizer != KEEP

    def _in_range(self) -> None:
        one_of("tokenizer", str(self.tokenizer), TOKENIZERS)
        one_of("precision", self.precision, PRECISIONS)
        for name in ("vocabulary", "layers", "width", "heads", "learning_rate", "threads", "checkpoint_steps"):
            at_least(name, getattr(self, name), 0)
        for name, least in (("epochs", 1), ("batch_tokens", 1), ("window", 8), ("weight_decay", 0)):
            at_least(name, getattr(self, name), least)
        for name, low in (("held_out", self.held_out >= 0), ("warmup", self.warmup >= 0), ("masked", self.masked > 0)):
            if not (low and getattr(self, name) < 1):
                wanted = "above 0 and below 1" if name == "masked" else "0 up to but not 1"
                raise UsageError(f"--{name.replace('_', '-')} is {getattr(self, name)}; expected a share, {wanted}")
        check_seed(self.seed)

    def _fit_together(self) -> None:
        """Options that would be heard by nobody are mistakes."""
        if self.from_scratch and self.encoder is not None and self.new_tokenizer:
            raise UsageError(
                f"--from-scratch takes nothing of --encoder {self.encoder}; leave one of the two away, or type "
                "--tokenizer keep to take the encoder's tokenizer"
            )
        for names, heard, cure in (
            (_ONLY_SCRATCH, self.from_scratch, "--from-scratch"),
            (_ONLY_NEW, self.new_tokenizer, "--tokenizer bpe or --tokenizer wordpiece"),
        ):
            given = [name for name in names if getattr(self, name)]
            if given and not heard:
                raise UsageError(f"--{given[0]} is for {cure}; add that, or leave --{given[0]} away")
        least = _FEWEST_PIECES.get(str(self.tokenizer), 0)
        if 0 < self.vocabulary < least:
            raise UsageError(f"--vocabulary is {self.vocabulary}; expected at least {least} for {self.tokenizer}")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)
