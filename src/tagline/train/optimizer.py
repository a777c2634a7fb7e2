"""The Trainer's optimiser over parameter groups of our own: encoder by depth, fresh parts, with and without decay."""

from __future__ import annotations

from typing import Any

import torch
from transformers import Trainer, TrainingArguments

from tagline.errors import UsageError
from tagline.models.encoders import LoadedEncoder
from tagline.models.layers import depths
from tagline.train.runs import first_line
from tagline.train.settings import FitSettings


def make_optimizer(
    encoder: LoadedEncoder, arguments: TrainingArguments, settings: FitSettings
) -> torch.optim.Optimizer:
    """The Trainer's optimiser of that name over our groups.

    Raises:
        UsageError: there is none of that name, or it cannot be used here.
    """
    kind: type[torch.optim.Optimizer]
    try:
        kind, options = Trainer.get_optimizer_cls_and_kwargs(arguments, encoder.model)
    except (ValueError, ImportError) as error:
        raise UsageError(f"optimizer={settings.optimizer} cannot be used here: {first_line(error)}") from error
    options = {key: value for key, value in options.items() if key != "lr"}
    return kind(parameter_groups(encoder, settings), **options)


def parameter_groups(encoder: LoadedEncoder, settings: FitSettings) -> list[dict[str, Any]]:
    """Parameters with their peak rate and weight decay.

    Fresh parts learn at the head's rate. The others learn at the encoder's, times `layer_decay` for every layer that
    they lie below the topmost one (Howard and Ruder 2018, Universal Language Model Fine-tuning, there called
    discriminative fine-tuning; embeddings count as a layer). Matrices decay, all else does not.
    """
    deep, top = depths(encoder.model)
    groups: dict[tuple[float, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in encoder.model.named_parameters():
        if parameter.requires_grad:
            below = settings.layer_decay ** max(0, top - deep[name])
            rate = settings.head_learning_rate if name in encoder.fresh else settings.learning_rate * below
            groups.setdefault((rate, parameter.ndim > 1), []).append(parameter)
    return [
        {"params": parameters, "lr": rate, "weight_decay": settings.weight_decay if decays else 0.0}
        for (rate, decays), parameters in groups.items()
    ]
