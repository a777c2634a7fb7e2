"""Puts the flat layers in the place of a BERT encoder's own while it is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.activations import GELUActivation
from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions

from tagline.models.mixing import LayerMix, mix_of
from tagline.train.fast.attention import Layout
from tagline.train.fast.layer import PARAMETERS, FlatLayer, LayerPlan
from tagline.train.fast.masks import Masks, masked_dropout

FAMILIES = ("bert", "roberta", "xlm-roberta", "camembert", "electra")
"""Families whose layers are BERT's, by the names of their parameters and by what they compute."""
_STEP = 32


@contextmanager
def fast(model: PreTrainedModel, wanted: bool = True) -> Iterator[bool]:
    """Trains the model by the flat layers where it can be, and with cheap dropout, while the context lasts.

    Weights, results and, but for rounding, gradients stay those of the model's own modules; evaluation goes through
    them. On a GPU nothing changes: its own kernels are better.

    Args:
        model: any; only encoders of `FAMILIES` with the exact GELU get flat layers.
        wanted: false changes nothing.

    Yields:
        Whether the flat layers are in use.
    """
    if not wanted or torch.cuda.is_available():
        yield False
        return
    encoder = flat_encoder(model)
    with masked_dropout(model):
        if encoder is None:
            yield False
            return
        own = encoder.forward
        encoder.forward = _flat_forward(encoder, own, mix_of(model))
        try:
            yield True
        finally:
            del encoder.forward  # the class's own comes to light again


def flat_encoder(model: PreTrainedModel) -> nn.Module | None:
    """The stack of layers, where all of them are what `FlatLayer` computes."""
    encoder = getattr(model.base_model, "encoder", None)
    layers = getattr(encoder, "layer", None)
    config = model.config
    if config.model_type not in FAMILIES or config.is_decoder or not isinstance(layers, nn.ModuleList):
        return None
    return encoder if all(_fits(layer) for layer in layers) else None


def _fits(layer: Any) -> bool:
    names = {name for name, _ in layer.named_parameters()}
    return names == set(PARAMETERS) and isinstance(layer.intermediate.intermediate_act_fn, (nn.GELU, GELUActivation))


def _flat_forward(encoder: Any, own: Callable[..., Any], mix: LayerMix | None) -> Callable[..., Any]:
    def forward(hidden_states: torch.Tensor, attention_mask: torch.Tensor | None = None, **others: Any) -> Any:
        known = attention_mask is None or (attention_mask.dtype == torch.bool and attention_mask.ndim == 4)
        if not encoder.training or not known or hidden_states.device.type != "cpu":
            return own(hidden_states, attention_mask=attention_mask, **others)
        last = _run(encoder, hidden_states, attention_mask, mix)
        return BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=last)

    return forward


def _run(encoder: Any, hidden: torch.Tensor, mask: torch.Tensor | None, mix: LayerMix | None) -> torch.Tensor:
    """The layers, and their mix where there is one, (B, T, H) to (B, T, H); what stands on padding means nothing."""
    windows, width, size = hidden.shape
    first = encoder.layer[0].attention.self
    real = None if mask is None else mask[:, 0, 0]
    layout = Layout.of(real, windows, width, first.num_attention_heads, _STEP)
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else hidden.dtype
    masks = Masks()
    flat = layout.flat(hidden.reshape(windows * width, size))
    outputs = []
    for layer in encoder.layer:
        attention, after, last = layer.attention.self, layer.attention.output, layer.output
        plan = LayerPlan(
            layout, masks, attention.dropout.p, (after.dropout.p, last.dropout.p),
            (after.LayerNorm.eps, last.LayerNorm.eps), dtype,
        )  # fmt: skip
        flat = FlatLayer.apply(plan, flat, *(layer.get_parameter(name) for name in PARAMETERS))  # type: ignore[no-untyped-call]
        outputs.append(flat)
    if mix is not None:
        flat = mix(outputs[-len(mix.weights) :])
    return _Padded.apply(layout, flat).view(windows, width, size)  # type: ignore[no-untyped-call, no-any-return]


class _Padded(torch.autograd.Function):
    """(N, H) to (B T, H)."""

    @staticmethod
    def forward(ctx: Any, layout: Layout, flat: torch.Tensor) -> torch.Tensor:
        ctx.layout = layout
        return layout.padded(flat) if layout.rows is not None else flat.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[None, torch.Tensor]:
        return None, ctx.layout.flat(gradients[0])
