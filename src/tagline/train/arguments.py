"""The Trainer's arguments that all trainings share: an item is a batch, the best epoch on held-out data is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import torch
from transformers import TrainingArguments

from tagline.machine import processor_has_bf16


class Pace(Protocol):
    """What the arguments are made of; the settings of every kind of training have it."""

    @property
    def learning_rate(self) -> float:
        """Peak rate."""

    @property
    def weight_decay(self) -> float:
        """Decoupled weight decay."""

    @property
    def warmup(self) -> float:
        """Share of the steps over which the rate rises."""

    @property
    def precision(self) -> str:
        """`auto`, `bf16` or `f32`."""

    @property
    def seed(self) -> int:
        """Of all that is random."""


def training_arguments(pace: Pace, work: Path, epochs: int, metric: str | None, **more: Any) -> TrainingArguments:
    """Arguments of a training in the folder `work`.

    Args:
        pace: the settings of the training.
        work: folder of checkpoints.
        epochs: passes over the data.
        metric: the best epoch by this is kept; lower is better of a `loss`. None: there is nothing to judge on.
        more: further arguments of the Trainer.

    Raises:
        ValueError, TypeError: an argument in `more` that the Trainer does not take.
    """
    return TrainingArguments(
        output_dir=str(work),
        num_train_epochs=epochs,
        per_device_train_batch_size=1,  # an item is a whole batch
        per_device_eval_batch_size=1,
        train_sampling_strategy="sequential",
        learning_rate=pace.learning_rate,
        weight_decay=pace.weight_decay,
        warmup_steps=pace.warmup,
        bf16=pace.precision == "bf16" or (pace.precision == "auto" and has_bf16()),
        use_cpu=not torch.cuda.is_available(),
        eval_strategy="epoch" if metric else "no",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=metric is not None,
        metric_for_best_model=metric,
        greater_is_better=None if metric is None else metric != "loss",
        report_to="none",  # trackers are added with folders of their own
        disable_tqdm=True,
        seed=pace.seed,
        data_seed=pace.seed,
        dataloader_pin_memory=torch.cuda.is_available(),
        remove_unused_columns=False,
        label_names=["labels"],
        **more,
    )


def has_bf16() -> bool:
    """Whether bf16 is fast here: a GPU or a processor with instructions for it."""
    return bool(torch.cuda.is_bf16_supported()) if torch.cuda.is_available() else processor_has_bf16()
