"""One layer of a BERT encoder over a flat batch as a single node of the graph, forwards and backwards.

Residuals, layer norms, softmax and the gradients that leave the layer are in float32 (or float64), matrix products in
the type of the autocast. Compared with the modules under autocast: queries, keys and values are one product, every
number is cast once, dropout masks cost a tenth, and padding costs next to nothing outside the attention.

Letters: N rows, which are the sub-tokens and little of the padding, H width, F inner width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from tagline.train.fast.attention import Layout, attend, attend_backward
from tagline.train.fast.masks import Masks

aten: Any = torch.ops.aten

PARAMETERS = (
    "attention.self.query.weight", "attention.self.query.bias", "attention.self.key.weight",
    "attention.self.key.bias", "attention.self.value.weight", "attention.self.value.bias",
    "attention.output.dense.weight", "attention.output.dense.bias", "attention.output.LayerNorm.weight",
    "attention.output.LayerNorm.bias", "intermediate.dense.weight", "intermediate.dense.bias", "output.dense.weight",
    "output.dense.bias", "output.LayerNorm.weight", "output.LayerNorm.bias",
)  # fmt: skip
"""Parameters of a layer of transformers' BERT, in the order in which `FlatLayer` takes them."""


@dataclass(frozen=True)
class LayerPlan:
    """What a layer is told beside numbers that are learned.

    Attributes:
        layout: of the batch.
        masks: draws the dropout.
        attention_rate: dropout of the attention's probabilities, in [0, 1).
        rates: dropout after the attention and after the inner layer, in [0, 1).
        eps: of the two layer norms.
        dtype: of the matrix products.
    """

    layout: Layout
    masks: Masks
    attention_rate: float
    rates: tuple[float, float]
    eps: tuple[float, float]
    dtype: torch.dtype


class FlatLayer(torch.autograd.Function):
    """`FlatLayer.apply(plan, hidden, *parameters)` is the layer's output, (N, H)."""

    @staticmethod
    def forward(ctx: Any, plan: LayerPlan, hidden: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        """(N, H) to (N, H)."""
        query, query_bias, key, key_bias, value, value_bias = parameters[:6]
        out, out_bias, gain, shift, inner, inner_bias, outer, outer_bias, last_gain, last_shift = parameters[6:]
        dtype, layout, width = plan.dtype, plan.layout, list(hidden.shape[-1:])
        shape = (layout.windows, layout.heads, layout.width, layout.width)
        drops = (
            plan.masks.draw(shape, plan.attention_rate, hidden.dtype),
            plan.masks.draw(tuple(hidden.shape), plan.rates[0], hidden.dtype),
            plan.masks.draw(tuple(hidden.shape), plan.rates[1], hidden.dtype),
        )
        with torch.autocast("cpu", enabled=False):
            qkv_weight = torch.cat([each.to(dtype) for each in (query, key, value)])
            qkv_bias = torch.cat([query_bias, key_bias, value_bias]).to(dtype)
            weights = (qkv_weight, out.to(dtype), inner.to(dtype), outer.to(dtype))
            entered = hidden.to(dtype)
            qkv = torch.addmm(qkv_bias, entered, qkv_weight.t())
            context, attention = attend(qkv, drops[0], layout)
            first = _residual(hidden, torch.addmm(out_bias.to(dtype), context, weights[1].t()), drops[1])
            middle, mean, spread = torch.native_layer_norm(first, width, gain, shift, plan.eps[0])
            half = middle.to(dtype)
            raised = torch.addmm(inner_bias.to(dtype), half, weights[2].t())
            bent = functional.gelu(raised)
            second = _residual(middle, torch.addmm(outer_bias.to(dtype), bent, weights[3].t()), drops[2])
            result, last_mean, last_spread = torch.native_layer_norm(second, width, last_gain, last_shift, plan.eps[1])
        ctx.plan = plan
        ctx.save_for_backward(
            *weights, *drops, *attention, entered, context, first, mean, spread, half, raised, bent, second, last_mean,
            last_spread, gain, shift, last_gain, last_shift,
        )  # fmt: skip
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Gradients of `hidden` and of the parameters."""
        plan: LayerPlan = ctx.plan
        saved = ctx.saved_tensors
        qkv_weight, out, inner, outer, *drops = saved[:7]
        attention = saved[7:10]
        entered, context, first, mean, spread, half, raised, bent, second, last_mean, last_spread = saved[10:21]
        gain, shift, last_gain, last_shift = saved[21:]
        kind = gain.dtype
        wanted = any(ctx.needs_input_grad[2:])  # a frozen layer only hands gradients on
        with torch.autocast("cpu", enabled=False):
            back, of_last_gain, of_last_shift = _norm_backward(
                gradients[0], second, (last_mean, last_spread), (last_gain, last_shift), wanted
            )
            entering = _through(back, drops[2], plan.dtype)
            of_outer, of_outer_bias = _of_linear(entering, bent, kind, wanted)
            entering = aten.gelu_backward(entering @ outer, raised)
            of_inner, of_inner_bias = _of_linear(entering, half, kind, wanted)
            back, of_gain, of_shift = _norm_backward(
                back.add_(entering @ inner), first, (mean, spread), (gain, shift), wanted
            )
            entering = _through(back, drops[1], plan.dtype)
            of_out, of_out_bias = _of_linear(entering, context, kind, wanted)
            entering = attend_backward(entering @ out, attention, drops[0], plan.layout)
            of_qkv, of_qkv_bias = _of_linear(entering, entered, kind, wanted)
            back = back.add_(entering @ qkv_weight)
        if of_qkv is None or of_qkv_bias is None:
            return (None, back, *[None] * len(PARAMETERS))
        three = zip(of_qkv.chunk(3), of_qkv_bias.chunk(3), strict=True)
        return (
            None, back, *(each for pair in three for each in pair), of_out, of_out_bias, of_gain, of_shift, of_inner,
            of_inner_bias, of_outer, of_outer_bias, of_last_gain, of_last_shift,
        )  # fmt: skip


def _residual(before: torch.Tensor, added: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """before + dropout(added)."""
    return before + added if mask is None else torch.addcmul(before, added.to(before.dtype), mask)


def _through(gradient: torch.Tensor, mask: torch.Tensor | None, dtype: torch.dtype) -> torch.Tensor:
    """The gradient before dropout, in the type of the products."""
    return (gradient if mask is None else gradient * mask).to(dtype)


def _of_linear(
    gradient: torch.Tensor, entered: torch.Tensor, kind: torch.dtype, wanted: bool
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Gradients of a linear layer's weight and bias, if they are wanted; both are summed in float32, then rounded."""
    return ((gradient.t() @ entered).to(kind), gradient.sum(0).to(kind)) if wanted else (None, None)


def _norm_backward(
    gradient: torch.Tensor,
    entered: torch.Tensor,
    moments: tuple[torch.Tensor, torch.Tensor],
    affine: tuple[torch.Tensor, torch.Tensor],
    wanted: bool,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of a layer norm's input and, if they are wanted, of gain and shift."""
    width = list(entered.shape[-1:])
    found: tuple[torch.Tensor, torch.Tensor, torch.Tensor] = aten.native_layer_norm_backward(
        gradient.contiguous(), entered, width, *moments, *affine, [True, wanted, wanted]
    )
    return found
