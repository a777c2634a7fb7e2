"""The segment embedding, enlarged: a row for each word shape, and all of them once more for each kind of name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import nn
from transformers import PreTrainedModel

from tagline.errors import EncoderError
from tagline.text.shapes import TYPES, segment_ids

if TYPE_CHECKING:
    from tagline.models.encoders import TokenEncoder

_NAME = "token_type_embeddings"


def segments(model: PreTrainedModel) -> nn.Embedding | None:
    """The segment embedding of a model that has one of more than one row."""
    for path, module in model.named_modules():
        if path.endswith(_NAME) and isinstance(module, nn.Embedding) and module.num_embeddings > 1:
            return module
    return None


def segment_weights(model: PreTrainedModel) -> set[str]:
    """Names of the parameters of the segment embedding."""
    return {name for name, _ in model.named_parameters() if _NAME in name}


def add_shapes(model: PreTrainedModel) -> None:
    """Enlarges the segment embedding to one row a shape id.

    New rows begin as the row of segment 0 with a little noise, so that the encoder at first reads as it did.
    """
    rows = segments(model)
    assert rows is not None
    old = rows.weight.data
    grown = nn.Embedding(TYPES, old.shape[1]).weight.data
    _put(model, grown.normal_(0.0, 0.02 * float(old[0].std())).add_(old[0]))


def with_kinds(encoder: TokenEncoder, kinds: int) -> TokenEncoder:
    """The encoder with a segment embedding that has all rows once more for each kind of name, beginning alike.

    Args:
        encoder: an encoder whose word shapes have been added, if it is to have any; it is changed.
        kinds: how many kinds of names there are.

    Raises:
        EncoderError: it has no segment ids.
    """
    rows = segments(encoder.model)
    if rows is None:
        raise EncoderError(
            f"encoder {encoder.source!r} has no segment ids, which names are shown by; leave --set "
            "train_names=true and --gazetteer away"
        )
    _put(encoder.model, rows.weight.data[: segment_ids(encoder.shapes)].repeat(1 + kinds, 1))
    return replace(encoder, fresh=encoder.fresh | segment_weights(encoder.model))


def _put(model: PreTrainedModel, weight: torch.Tensor) -> None:
    for path, module in list(model.named_modules()):
        if path.endswith(_NAME) and isinstance(module, nn.Embedding):
            grown = nn.Embedding(weight.shape[0], weight.shape[1], _weight=weight.clone())
            model.set_submodule(path, grown)
    model.config.type_vocab_size = len(weight)
