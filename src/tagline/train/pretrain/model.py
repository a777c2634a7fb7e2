"""The masked language model before training: from scratch, or an encoder, on its own tokenizer or on a new one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from tokenizers import pre_tokenizers
from transformers import BertConfig, BertForMaskedLM, PreTrainedModel, RobertaConfig, RobertaForMaskedLM

from tagline.text.subtokens import SubTokenizer
from tagline.train.pretrain.settings import PretrainSettings

_ROLES = ("pad", "unk", "cls", "sep", "mask")
_ROBERTA_PAD = 1  # its positions are counted from there


@dataclass(frozen=True)
class Moved:
    """What became of the pieces when an encoder took a new vocabulary.

    Attributes:
        kept: pieces that both vocabularies know (and special tokens); they keep their vectors.
        spelled: pieces that begin at the mean of the old pieces that spell them.
        unknown: pieces that no old piece spells; they begin at the mean of all.
    """

    kept: int
    spelled: int
    unknown: int

    def to_dict(self) -> dict[str, int]:
        """JSON-ready form."""
        return asdict(self)


def new_model(tokenizer: Any, settings: PretrainSettings) -> PreTrainedModel:
    """A model with random weights: RoBERTa for byte-level BPE, BERT for all else.

    Its word embeddings are also the weights of its last layer. An uncased one has segments, so that a tagger can put
    word shapes there.
    """
    state = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["type"]
    roberta = state == "BPE" and tokenizer.pad_token_id == _ROBERTA_PAD
    shape: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": settings.width,
        "num_hidden_layers": settings.layers,
        "num_attention_heads": settings.heads,
        "intermediate_size": 4 * settings.width,
        "pad_token_id": tokenizer.pad_token_id,
    }
    torch.manual_seed(settings.seed)
    if not roberta:
        return BertForMaskedLM(BertConfig(max_position_embeddings=settings.window, **shape))
    segments = 2 if SubTokenizer(tokenizer.backend_tokenizer).lowercases else 1
    return RobertaForMaskedLM(
        RobertaConfig(
            max_position_embeddings=settings.window + _ROBERTA_PAD + 1,
            type_vocab_size=segments,
            bos_token_id=tokenizer.cls_token_id,
            eos_token_id=tokenizer.sep_token_id,
            **shape,
        )
    )


def take_vocabulary(masked_model: PreTrainedModel, old: Any, new: Any) -> Moved:
    """Gives an encoder the vocabulary of another tokenizer.

    A piece that both know keeps its vector, any other begins at the mean of the old pieces that spell it, found
    greedily from the left; special tokens keep theirs by their role. The bias of the last layer moves likewise.

    Args:
        masked_model: is changed.
        old: its fast tokenizer.
        new: the tokenizer to come.
    """
    model: Any = masked_model  # untyped
    rows, moved = _rows(old, new)
    embedding: Any = model.get_input_embeddings()
    head: Any = model.get_output_embeddings()
    vectors = embedding.weight.detach().clone()
    untied = None if head is None or head.weight is embedding.weight else head.weight.detach().clone()
    bias = None if head is None or head.bias is None else head.bias.detach().clone()
    model.resize_token_embeddings(len(new), mean_resizing=False)
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    known = list(old.get_vocab().values())
    with torch.no_grad():
        embedding.weight.copy_(_means(vectors, rows, known))
        if untied is not None:
            head.weight.copy_(_means(untied, rows, known))
        if bias is not None:
            head.bias.copy_(_means(bias, rows, known))
    for name in ("pad", "bos", "eos", "cls", "sep"):
        role = f"{name}_token_id"
        if getattr(model.config, role, None) is not None:
            setattr(model.config, role, getattr(new, role))
    return moved


def _means(values: torch.Tensor, rows: Sequence[Sequence[int]], known: Sequence[int]) -> torch.Tensor:
    """The mean of the chosen rows for each new one; of all known ones where none is chosen."""
    rest = values[list(known)].mean(0)
    return torch.stack([values[list(each)].mean(0) if each else rest for each in rows])


def _rows(old: Any, new: Any) -> tuple[list[list[int]], Moved]:
    """For each new id the old ids whose mean it begins at."""
    spellings = {form: number for token, number in old.get_vocab().items() if (form := _form(token, old)) is not None}
    longest = max((len(text) for text, _ in spellings), default=0)
    normalizer = old.backend_tokenizer.normalizer
    roles = {getattr(new, f"{role}_token_id"): getattr(old, f"{role}_token_id") for role in _ROLES}
    rows: list[list[int]] = []
    kept = spelled = 0
    for number in range(len(new)):
        if roles.get(number) is not None:
            rows.append([roles[number]])
            kept += 1
            continue
        form = _form(new.convert_ids_to_tokens(number), new)
        if form in spellings:
            rows.append([spellings[form]])
            kept += 1
            continue
        rows.append(_spelled(form, spellings, longest, normalizer))
        spelled += bool(rows[-1])
    return rows, Moved(kept, spelled, len(rows) - kept - spelled)


def _spelled(
    form: tuple[str, bool] | None, spellings: dict[tuple[str, bool], int], longest: int, normalizer: Any
) -> list[int]:
    if form is None:
        return []
    text, inside = form
    text = text if normalizer is None else normalizer.normalize_str(text).strip(" \u2581")
    found: list[int] = []
    at = 0
    while at < len(text):
        for end in range(min(len(text), at + longest), at, -1):
            part, within = text[at:end], inside or at > 0
            number = spellings.get((part, within), spellings.get((part, not within)))
            if number is not None:
                found.append(number)
                at = end
                break
        else:
            at += 1  # a character that the old vocabulary lacks
    return found


def _form(token: str, tokenizer: Any) -> tuple[str, bool] | None:
    """A piece as text, and whether it stands within a word; None for special tokens and parts of characters."""
    if token in tokenizer.all_special_tokens:
        return None
    kind = type(tokenizer.backend_tokenizer.model).__name__
    if kind == "WordPiece":
        return (token.removeprefix("##"), token.startswith("##"))
    if token.startswith("\u2581"):
        return (token[1:], False) if len(token) > 1 else None
    if not _byte_level(tokenizer):
        return (token, True)
    try:
        text = bytes(_BYTES[each] for each in token).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        return None
    bare = text.removeprefix(" ")
    return (bare, bare == text) if bare else None


def _byte_level(tokenizer: Any) -> bool:
    return '"ByteLevel"' in tokenizer.backend_tokenizer.to_str()


def _byte_table() -> dict[str, int]:
    """The byte that each character of byte-level BPE stands for (Radford et al. 2019): printable ones themselves."""
    alphabet = set(pre_tokenizers.ByteLevel.alphabet())
    plain = {chr(byte): byte for byte in range(256) if chr(byte) in alphabet}
    others = [byte for byte in range(256) if byte not in plain.values()]
    return plain | {chr(256 + place): byte for place, byte in enumerate(others)}


_BYTES = _byte_table()
