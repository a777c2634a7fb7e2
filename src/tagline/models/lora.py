"""LoRA by `peft`: low-rank changes of the layers' matrices are trained, and added to them before the model is written.

Hu et al. 2022, LoRA: Low-Rank Adaptation of Large Language Models.
"""

from __future__ import annotations

import importlib.util

import torch
from torch import nn
from transformers import PreTrainedModel

from tagline.errors import MissingExtraError, UsageError
from tagline.models.layers import depths, stack_of


def add_lora(model: PreTrainedModel, rank: int, scale: float, fresh: frozenset[str]) -> None:
    """Gives every matrix of the encoder's layers a low-rank change, and freezes the layers and embeddings themselves.

    What is frozen already stays as it is. What is fresh (head, word shapes) or comes after the layers is trained as
    ever.

    Args:
        model: changed in place; at first it answers as before.
        rank: of the changes.
        scale: what they are multiplied with.
        fresh: names of the parameters that began at random.

    Raises:
        MissingExtraError: peft is not installed.
        UsageError: the layers hold no matrices that peft can change, or all of them are frozen.
    """
    if importlib.util.find_spec("peft") is None:
        raise MissingExtraError("LoRA", "train")
    from peft import LoraConfig, inject_adapter_in_model

    found = stack_of(model)
    stack = "" if found is None else found[0]
    targets = [
        name
        for name, module in model.named_modules()
        if found is not None
        and name.startswith(f"{stack}.")
        and type(module) is nn.Linear
        and module.weight.requires_grad
    ]
    if not targets:
        raise UsageError(
            f"--set lora={rank}: the layers of {model.config.model_type} hold no matrices of their own, or all are "
            "frozen"
        )
    deep, top = depths(model)
    kept = [
        parameter
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and (deep[name] > top or name in fresh)
    ]
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=scale * rank, target_modules=targets), model)  # type: ignore[arg-type]
    for parameter in kept:  # peft freezes all that it does not change
        parameter.requires_grad_(True)


def merge_lora(model: nn.Module) -> None:
    """Adds the changes to the matrices and leaves nothing else of LoRA; a model without it stays as it is."""
    if importlib.util.find_spec("peft") is None:
        return
    from peft.tuners.lora import LoraLayer

    for name, module in list(model.named_modules()):
        if isinstance(module, LoraLayer):
            with torch.no_grad():
                module.merge()
            owner, _, last = name.rpartition(".")
            setattr(model.get_submodule(owner), last, module.get_base_layer())
    for attribute in ("peft_config", "_hf_peft_config_loaded"):
        model.__dict__.pop(attribute, None)
