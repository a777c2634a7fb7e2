"""The Trainer of a masked language model: logits only where something is to be told, and an exact held-out loss."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader
from transformers.trainer_utils import EvalLoopOutput

from tagline.train.dataset import IGNORED, check_finite
from tagline.train.trainer import SharedTrainer


class MaskedTrainer(SharedTrainer):
    """Learns to tell masked sub-tokens. An item is a whole batch, as `MaskedBatches` gives it."""

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The mean cross-entropy of the sub-tokens that are to be told."""
        loss = masked_losses(model, self.accelerator.unwrap_model(model), dict(inputs)).mean()
        return (loss, None) if return_outputs else loss

    def evaluation_loop(self, dataloader: DataLoader[Any], *arguments: Any, **options: Any) -> EvalLoopOutput:
        """The loss over all held-out sub-tokens, each counting the same, and its perplexity."""
        model: Any = self.model
        model.eval()
        total, count = 0.0, 0
        for batch in dataloader:
            inputs: Any = self._prepare_inputs(batch)
            with torch.no_grad(), self.compute_loss_context_manager():
                losses = masked_losses(model, self.accelerator.unwrap_model(model), inputs)
            total, count = total + float(losses.double().sum()), count + len(losses)
        loss = total / max(1, count)
        check_finite(math.isfinite(loss))
        prefix = options.get("metric_key_prefix", "eval")
        metrics = {f"{prefix}_loss": loss, f"{prefix}_perplexity": perplexity(loss)}
        return EvalLoopOutput(predictions=None, label_ids=None, metrics=metrics, num_samples=count)  # type: ignore[arg-type]


def masked_losses(model: nn.Module, inner: Any, inputs: dict[str, Any]) -> torch.Tensor:
    """The loss of each sub-token that is to be told: what the model's own head says, computed nowhere else.

    With a vocabulary of tens of thousands the head costs as much as the layers; six of seven places need none.

    Args:
        model: is called; perhaps a wrapper.
        inner: the masked language model itself.
        inputs: `input_ids`, `attention_mask` and `labels`, (B, T) each, -100 where nothing is to be told.

    Returns:
        (N,) losses in float32.
    """
    labels = inputs["labels"]
    told = labels != IGNORED
    given = {name: value for name, value in inputs.items() if name != "labels"}
    if "token_type_ids" in inspect.signature(inner.forward).parameters:
        given["token_type_ids"] = torch.zeros_like(inputs["input_ids"])
    with _only(inner.base_model, told):
        logits = model(**given).logits
    return nn.functional.cross_entropy(logits.flatten(0, 1).float(), labels[told], reduction="none")


@contextmanager
def _only(encoder: nn.Module, told: torch.Tensor) -> Iterator[None]:
    """The encoder gives (1, N, H) for the places that are told, instead of (B, T, H)."""

    def chosen(module: nn.Module, inputs: Any, output: Any) -> Any:
        output["last_hidden_state"] = output["last_hidden_state"][told].unsqueeze(0)
        return output

    hook = encoder.register_forward_hook(chosen)
    try:
        yield
    finally:
        hook.remove()


def perplexity(loss: float) -> float:
    """The exponential of a mean loss in nats, bounded where it would overflow."""
    return math.exp(min(loss, 700.0))
