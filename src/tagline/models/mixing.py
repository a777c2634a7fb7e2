"""Mixing of layers: the head reads a learned average of the topmost layers instead of the last one alone.

Peters et al. 2018, Deep Contextualized Word Representations: gamma times the sum of softmax(w)_j h_j.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn
from transformers import PreTrainedModel

from tagline.errors import UsageError
from tagline.folder import CONFIG, MIXED
from tagline.models.encoders import LoadedEncoder
from tagline.models.layers import stack_of

NAME = "mix"
"""The module's name in a model: its weights are `mix.weights` and `mix.scale`."""

E = TypeVar("E", bound=LoadedEncoder)


class LayerMix(nn.Module):
    """A weighted mean of layers, times a number; at first the plain mean.

    Args:
        layers: how many are mixed.
    """

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(layers))
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, hidden: Sequence[torch.Tensor]) -> torch.Tensor:
        """The mix of the layers' outputs, all of one shape."""
        shares = (torch.softmax(self.weights, dim=0) * self.scale).to(hidden[0].dtype)
        mixed = hidden[0] * shares[0]
        for number in range(1, len(hidden)):
            mixed = mixed + hidden[number] * shares[number]
        return mixed


def with_mix(encoder: E, layers: int) -> E:
    """The encoder with the outputs of its `layers` topmost layers mixed; 0 leaves it as it is.

    Raises:
        UsageError: it has not so many layers of its own.
    """
    if not layers:
        return encoder
    found = stack_of(encoder.model)
    own = 0 if found is None else len(found[1])
    if not 2 <= layers <= own:
        expected = f"0 or 2 to {own}" if own > 1 else "0: its layers share their weights, so there are none to mix"
        raise UsageError(f"--set mix_layers={layers}; for encoder {encoder.source!r} expected {expected}")
    mix = add_mix(encoder.model, layers)
    return replace(encoder, fresh=encoder.fresh | {f"{NAME}.{name}" for name, _ in mix.named_parameters()})


def add_mix(model: PreTrainedModel, layers: int) -> LayerMix:
    """Has the last layer of a model give the mix of the last `layers` ones."""
    found = stack_of(model)
    assert found is not None
    mix = LayerMix(layers)
    model.add_module(NAME, mix)
    model.config.mix_layers = layers
    seen: list[torch.Tensor] = []

    def hook(number: int, module: nn.Module, inputs: Any, output: Any) -> Any:
        hidden = output[0] if isinstance(output, tuple) else output
        if number == 0:
            seen.clear()
        seen.append(hidden)
        if number < layers - 1:
            return None
        mixed = mix(seen)
        seen.clear()
        return (mixed, *output[1:]) if isinstance(output, tuple) else mixed

    for number, layer in enumerate(list(found[1])[-layers:]):
        layer.register_forward_hook(lambda *given, number=number: hook(number, *given))
    return mix


def mix_of(model: nn.Module) -> LayerMix | None:
    """The mix that a model was given, if any."""
    found = getattr(model, NAME, None)
    return found if isinstance(found, LayerMix) else None


def mark_mixed(model: PreTrainedModel, folder: Path) -> None:
    """Has a saved model's `config.json` name a family of Tagline's, if its layers are mixed.

    Plain transformers would load the weights, leave the mix aside in silence, and answer wrongly; so it refuses.
    """
    if mix_of(model) is None:
        return
    path = folder / CONFIG
    config = json.loads(path.read_text(encoding="utf-8"))
    config["encoder_type"], config["model_type"] = config["model_type"], MIXED
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load_mixed(kind: Any, folder: Path, config: dict[str, Any]) -> PreTrainedModel:
    """The model of a folder that `mark_mixed` has marked.

    Args:
        kind: transformers' class for the task.
        folder: the model folder.
        config: its `config.json`.

    Raises:
        OSError: the weights of the mix are missing.
    """
    from safetensors import safe_open
    from transformers import AutoConfig

    from tagline.folder import WEIGHTS

    known = {name: value for name, value in config.items() if name not in ("model_type", "encoder_type")}
    described = AutoConfig.for_model(config["encoder_type"], **known)
    model: PreTrainedModel = kind.from_pretrained(folder, config=described, dtype=torch.float32, local_files_only=True)
    mix = add_mix(model, int(config["mix_layers"]))
    with safe_open(folder / WEIGHTS, "pt") as weights:
        if not {f"{NAME}.{name}" for name in mix.state_dict()} <= set(weights.keys()):
            raise OSError(f"{WEIGHTS} lacks the weights of the mix")
        mix.load_state_dict({name: weights.get_tensor(f"{NAME}.{name}") for name in mix.state_dict()})
    return model
