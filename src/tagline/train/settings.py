"""Everything that decides how a model comes out, in one record that is saved with it."""

from __future__ import annotations

import importlib.util
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self

from tagline.errors import MissingExtraError, UsageError

PRECISIONS = ("auto", "bf16", "f32")
UNKNOWN = ("error", "miss")
TRACKERS = ("tensorboard", "mlflow", "both", "none")
BILSTM, BILSTM_NOTEBOOK = "bilstm", "bilstm-notebook"
"""Encoders that begin without pretraining; for token classification alone."""
_STEPS = 2000
_FEWEST_STEPS, _SMALLEST_BATCH, _LARGEST_BATCH = 200, 256, 640  # steps of an epoch, sub-tokens of a step


@dataclass(frozen=True)
class FitSettings:
    """What every training run is asked for, whatever the task.

    Attributes:
        encoder: `minilm`, a folder or a hub name.
        epochs: passes over the training data; 0 takes as many as make about 2,000 steps, within
            `EPOCHS`.
        batch_tokens: sub-tokens of an optimiser step; 0 takes 640, or for small corpora so many that an epoch has 200
            steps, at least 256.
        learning_rate: peak rate of the encoder.
        head_learning_rate: peak rate of the head and of all else that begins at random.
        weight_decay: decoupled weight decay of weight matrices; 0.01 is usual and gave no sure gain here.
        warmup: share of the steps over which the rate rises.
        scheduler: name of a Trainer schedule (`linear`, `cosine`, …).
        optimizer: name of a Trainer optimiser (`adamw_torch_fused`, `adafactor`, …).
        layer_decay: what the encoder's rate is multiplied with from each layer to the one below it, embeddings last; 1
            gives all layers one rate, 0.9 is usual.
        ema: averaging of the weights: share of the running average that a step leaves, less in the first steps; the
            average is scored on dev and kept. 0 keeps the weights themselves, 0.99 or 0.999 is usual.
        rdrop: R-Drop: weight of how much two passes with other dropout differ; 0 makes one pass, 1 to 5 is usual. A
            step costs twice as much.
        freeze_layers: how many of the lowest layers stay as they are pretrained, and the embeddings with them; 0: none.
        mix_layers: the head reads a learned mix of so many topmost layers; 0 reads the last one. transformers alone
            cannot load such a model.
        lora: LoRA: rank of the changes of the layers' matrices that are trained instead of these; 0 trains the layers,
            8 is usual. They are added to the matrices in the end. Trained through transformers' modules.
        lora_scale: what the changes are multiplied with (the paper's alpha / rank).
        class_weights: weights of the labels in the loss: empty for none, `balanced` (a label counts the more the rarer
            it is), or `spam=2,ham=1`, `PER=2,O=0.5`.
        focal_gamma: focal loss where above 0; 2 is usual.
        label_smoothing: share of the target that is spread over all labels; None takes the task's own.
        dropout: dropout of the encoder and before the head; None keeps the encoder's own.
        freeze_embeddings: leave the word embeddings as pretrained.
        window: most sub-tokens of a window; None takes 256 or what the encoder bears.
        overlap: most sub-tokens that neighbouring windows share; None takes a share of the window.
        patience: epochs without a better score on dev before training ends; 0 never ends early.
        unknown_tags: what a label in dev or test that train lacks is: an `error`, or a counted `miss`.
        checkpoint_steps: steps between checkpoints within an epoch; 0 saves at the end of each epoch only.
        calibrate: fit the temperature of the scores on dev after training.
        fast: on a processor, compute layers like BERT's without padding and draw dropout masks cheaply; the result is
            the same but for rounding and for which numbers are dropped.
        distil_weight: with teachers, their share in the loss, in [0, 1]; the gold labels have the rest.
        distil_temperature: with teachers, what both sides' logits are divided by before they are compared.
        precision: `auto` trains in bf16 where the processor or GPU has it.
        threads: processor threads; 0 takes the cores that the process may use.
        seed: of shuffling, the head and dropout.
    """

    EPOCHS: ClassVar[tuple[int, int]] = (4, 6)  # fewest and most that are taken unasked

    encoder: str = "minilm"
    epochs: int = 0
    batch_tokens: int = 0
    learning_rate: float = 2e-4
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.0
    warmup: float = 0.1
    scheduler: str = "linear"
    optimizer: str = "adamw_torch_fused"
    layer_decay: float = 1.0
    ema: float = 0.0
    rdrop: float = 0.0
    freeze_layers: int = 0
    mix_layers: int = 0
    lora: int = 0
    lora_scale: float = 2.0
    class_weights: str = ""
    focal_gamma: float = 0.0
    label_smoothing: float | None = None
    dropout: float | None = None
    freeze_embeddings: bool = True
    window: int | None = None
    overlap: int | None = None
    patience: int = 0
    unknown_tags: str = "error"
    checkpoint_steps: int = 0
    calibrate: bool = True
    fast: bool = True
    distil_weight: float = 0.5
    distil_temperature: float = 2.0
    precision: str = "auto"
    threads: int = 0
    seed: int = 13

    def __post_init__(self) -> None:
        one_of("precision", self.precision, PRECISIONS)
        one_of("unknown-tags", self.unknown_tags, UNKNOWN)
        for name in ("learning_rate", "epochs", "batch_tokens", "patience", "threads", "focal_gamma"):
            at_least(name, getattr(self, name), 0)
        for name in (
            "head_learning_rate", "weight_decay", "checkpoint_steps", "freeze_layers", "mix_layers", "lora",
            "lora_scale", "rdrop",
        ):  # fmt: skip
            set_at_least(name, getattr(self, name), 0)
        check_seed(self.seed)
        if not 0 <= self.warmup < 1:
            raise UsageError(f"--set warmup={self.warmup}; expected a share of the steps, 0 up to but not 1")
        for name in ("dropout", "ema", "label_smoothing"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                raise UsageError(f"--set {name}={value}; expected 0 up to but not 1")
        if not 0 < self.layer_decay <= 1:
            raise UsageError(f"--set layer_decay={self.layer_decay}; expected a factor above 0, at most 1")
        if not 0 <= self.distil_weight <= 1:
            raise UsageError(f"--set distil_weight={self.distil_weight}; expected a share, 0 to 1")
        if not self.distil_temperature > 0:
            raise UsageError(f"--set distil_temperature={self.distil_temperature}; expected more than 0")
        if self.window is not None:
            set_at_least("window", self.window, 8)

    def sized(self, tokens: int, shown: float = 1.0) -> Self:
        """The settings with batches and epochs fixed for a corpus.

        Args:
            tokens: its sub-tokens.
            shown: sub-tokens that windows show for each of them: above 1 where they show context too. Batches that
                are not asked for grow with it, so that a step learns from as many sentences.
        """
        unasked = min(_LARGEST_BATCH, max(_SMALLEST_BATCH, tokens // _FEWEST_STEPS))
        batch = self.batch_tokens or round(unasked * shown)
        steps = max(1, round(tokens * shown / batch))
        epochs = self.epochs or min(self.EPOCHS[1], max(self.EPOCHS[0], round(_STEPS / steps)))
        return replace(self, batch_tokens=batch, epochs=epochs)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {name: getattr(value, "value", value) for name, value in asdict(self).items()}


def one_of(name: str, value: str, accepted: tuple[str, ...]) -> None:
    """Raises `UsageError` unless the value is accepted."""
    if value not in accepted:
        raise UsageError(f"--{name} is {value!r}; accepted are {', '.join(accepted)}")


def at_least(name: str, value: float, least: float) -> None:
    """Raises `UsageError` unless the value is large enough."""
    if not value >= least:
        raise UsageError(f"--{name.replace('_', '-')} is {value}; expected at least {least}")


def set_at_least(name: str, value: float, least: float) -> None:
    """As `at_least`, for a setting that has no option of its own."""
    if not value >= least:
        raise UsageError(f"--set {name}={value}; expected at least {least}")


def check_seed(seed: int) -> None:
    """Raises `UsageError` for a seed that the libraries would not take."""
    if not 0 <= seed < 2**32:
        raise UsageError(f"--seed is {seed}; expected 0 to {2**32 - 1}")


def check_tracker(tracker: str) -> None:
    """Raises `UsageError` for a tracker that there is not, and `MissingExtraError` for one that is not installed."""
    one_of("tracker", tracker, TRACKERS)
    if tracker in ("mlflow", "both") and importlib.util.find_spec("mlflow") is None:
        raise MissingExtraError(f"--tracker {tracker}", "mlflow")
