"""The layers of a model, from its input to its head."""

from __future__ import annotations

from torch import nn
from transformers import PreTrainedModel

from tagline.errors import UsageError


def stack_of(model: PreTrainedModel) -> tuple[str, nn.ModuleList] | None:
    """Name and modules of the encoder's layers, the first of its lists that stands in no other; None without one."""
    for name, module in model.named_modules():
        if isinstance(module, nn.ModuleList) and len(module):
            return name, module
    return None


def depths(model: PreTrainedModel) -> tuple[dict[str, int], int]:
    """How deep each parameter lies, and the depth of the topmost layer.

    Embeddings are 0, layers 1, 2, … N; what comes after them (a last norm, pooler, head) is N + 1. Layers that share
    their weights, as ALBERT's, are one.
    """
    found = stack_of(model)
    if found is None:
        return {name: 0 for name, _ in model.named_parameters()}, 0
    stack, layers = found
    deep: dict[str, int] = {}
    after = False
    for name, _ in model.named_parameters():
        if name.startswith(f"{stack}."):
            after = True
            deep[name] = 1 + int(name.removeprefix(f"{stack}.").partition(".")[0])
        else:
            deep[name] = len(layers) + 1 if after or _top(name, model) else 0
    return deep, len(layers)


def _top(name: str, model: PreTrainedModel) -> bool:
    """Whether a parameter lies outside the encoder; some families register the head before it."""
    inside = f"{model.base_model_prefix}."
    return model.base_model is not model and not name.startswith(inside)


def freeze(model: PreTrainedModel, layers: int, fresh: frozenset[str]) -> None:
    """Leaves the embeddings and the lowest `layers` layers as they are pretrained; 0 freezes nothing.

    Args:
        model: changed in place.
        layers: how many.
        fresh: names of the parameters that began at random; they are trained all the same.

    Raises:
        UsageError: it has not so many layers.
    """
    deep, top = depths(model)
    if layers > top:
        raise UsageError(f"--set freeze_layers={layers}; this encoder has {top} layers of its own")
    for name, parameter in model.named_parameters() if layers else ():
        if deep[name] <= layers and name not in fresh:
            parameter.requires_grad_(False)
