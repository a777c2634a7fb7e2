"""What of a model is trained, and how it drops out: changes that come before the first step."""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedModel

from tagline.models.encoders import LoadedEncoder
from tagline.models.layers import freeze
from tagline.models.lora import add_lora
from tagline.train.settings import FitSettings


def adapt(encoder: LoadedEncoder, settings: FitSettings) -> None:
    """Sets dropout, freezes what shall stay, adds LoRA; before anything takes hold of the model's layers.

    Raises:
        UsageError: the encoder has not so many layers, or none that LoRA can change.
        MissingExtraError: LoRA is asked for and peft is not installed.
    """
    model = encoder.model
    _set_dropout(model, settings.dropout)
    if settings.freeze_embeddings:
        model.get_input_embeddings().weight.requires_grad_(False)
    freeze(model, settings.freeze_layers, encoder.fresh)
    if settings.lora:
        add_lora(model, settings.lora, settings.lora_scale, encoder.fresh)


def _set_dropout(model: PreTrainedModel, dropout: float | None) -> None:
    if dropout is None:
        return
    module: Any
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
        elif isinstance(getattr(module, "attention_dropout", None), float):
            module.attention_dropout = dropout  # families that give the rate to the attention's kernel
