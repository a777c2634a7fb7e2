"""Tiny random encoders of every family, as `transformers` saves them, with tokenizers trained on text of our own."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

TEXT = """
Maria Novak moved from Lisbon to Oslo in 1996, and her brother Peter stayed behind with Kestrel Mining Inc.
The U.S.-led talks in Geneva ended on 1996-08-30 without a word from the foreign ministers of Chad and Peru.
Rivertown beat Northgate 6-4 after extra time; Okafor scored twice, Lindqvist once, and nobody else came near.
"We don't know what they're planning," said O'Brien of AT&T, whose shares fell by 10,000 points in an hour.
@ana_k have you seen #sunrise over the Danube? wow!!! http://example.org/pics?id=7 :) see you at the Old Mill Cafe
El presidente Gómez viajó a Málaga; allí habló con los vecinos y con la señora Ibáñez sobre el agua.
Zürich, Kraków and São Paulo send their e-mail to info@example.com; Germany's answer came too late for them.
The weather office in Reykjavik expects snow, rain, sunshine, hail, storms and all of it before Wednesday noon.
北京 and 東京 are capitals. Москва и Київ тоже. Αθήνα. สวัสดี नमस्ते مرحبا שלום.
"""
LABELS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
POSITIONS = 64
_SIZE: dict[str, Any] = {"vocab_size": 0, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
_WIDE: dict[str, Any] = {**_SIZE, "intermediate_size": 64}


@dataclass(frozen=True)
class Family:
    """One kind of encoder.

    Attributes:
        name: as the tests show it.
        model_type: as `config.json` names it.
        shapes: whether word shapes are fed by default: uncased, with segment ids.
        segments: whether it has segment ids.
        longest: most sub-tokens that it takes.
    """

    name: str
    model_type: str
    shapes: bool = False
    segments: bool = True
    longest: int = POSITIONS


FAMILIES = {
    family.name: family
    for family in (
        Family("bert-uncased", "bert", shapes=True),
        Family("bert-cased", "bert"),
        Family("roberta", "roberta", segments=False),
        Family("xlm-roberta", "xlm-roberta", segments=False),
        Family("distilbert", "distilbert", segments=False),
        Family("albert", "albert", shapes=True),
        Family("electra", "electra", shapes=True),
        Family("deberta", "deberta", segments=False),
        Family("deberta-v2", "deberta-v2", segments=False),
        Family("modernbert", "modernbert", segments=False),
    )
}

MORE = {family.name: family for family in (Family("camembert", "camembert"), Family("mpnet", "mpnet", segments=False))}
"""Families that are read and not trained in the tests."""


def _lines() -> list[str]:
    return [line for line in TEXT.splitlines() if line]


def _wordpiece(lowercase: bool) -> dict[str, int]:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator(_lines(), trainer)
    return dict(tokenizer.get_vocab())


def _bytes(specials: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_lines(), trainer)
    return tokenizer


def _merges(tokenizer: Tokenizer) -> tuple[dict[str, int], list[tuple[str, str]]]:
    state = json.loads(tokenizer.to_str())["model"]
    return state["vocab"], [tuple(pair) for pair in state["merges"]]


def _unigram(specials: list[str], lowercase: bool = False) -> list[tuple[str, float]]:
    tokenizer = Tokenizer(models.Unigram())
    steps = [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()] if lowercase else []
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    unknown = next(name for name in specials if "unk" in name.lower())
    trainer = trainers.UnigramTrainer(vocab_size=400, special_tokens=specials, unk_token=unknown, show_progress=False)
    tokenizer.train_from_iterator(_lines(), trainer)
    return [(piece, score) for piece, score in json.loads(tokenizer.to_str())["model"]["vocab"]]


def _transformers() -> Any:
    """Late, and untyped: its signatures are not those that its own folders hold."""
    return importlib.import_module("transformers")


def tokenizer_of(name: str) -> Any:
    """A family's tokenizer, as its class of `transformers` makes it."""
    hf = _transformers()
    if name in ("bert-uncased", "bert-cased", "electra", "distilbert"):
        kind = hf.DistilBertTokenizer if name == "distilbert" else hf.BertTokenizer
        cased = name == "bert-cased"
        return kind(vocab=_wordpiece(not cased), do_lower_case=not cased, model_max_length=POSITIONS)
    if name == "roberta":
        vocab, merges = _merges(_bytes(["<s>", "<pad>", "</s>", "<unk>", "<mask>"]))
        return hf.RobertaTokenizer(vocab=vocab, merges=merges, model_max_length=POSITIONS)
    if name == "deberta":
        vocab, merges = _merges(_bytes(["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]))
        return hf.DebertaTokenizer(vocab=vocab, merges=merges, model_max_length=POSITIONS)
    if name == "xlm-roberta":
        return hf.XLMRobertaTokenizer(vocab=_unigram(["<s>", "<pad>", "</s>", "<unk>", "<mask>"]))
    if name == "albert":
        return hf.AlbertTokenizer(vocab=_unigram(["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"], lowercase=True))
    if name == "camembert":
        specials = ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>", "<mask>"]
        return hf.CamembertTokenizer(vocab=_unigram(specials), model_max_length=POSITIONS)
    if name == "mpnet":
        specials = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
        pieces = [piece for piece in _wordpiece(True) if not piece.startswith("[")]
        vocab = {piece: number for number, piece in enumerate([*specials, *sorted(pieces)])}
        return hf.MPNetTokenizer(vocab=vocab, unk_token="[UNK]", model_max_length=POSITIONS)
    if name == "deberta-v2":
        return hf.DebertaV2Tokenizer(vocab=_unigram(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    return _modernbert()


def _modernbert() -> Any:
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    tokenizer = _bytes([*names.values(), "[MASK]"])
    frame = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair=None, special_tokens=frame)
    return _transformers().PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, mask_token="[MASK]", model_max_length=POSITIONS, **names
    )


def config_of(name: str, tokenizer: Any) -> Any:
    """A family's configuration: hidden size 32, two layers, 64 positions."""
    hf = _transformers()
    shared = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    wide = {**_WIDE, **shared, "max_position_embeddings": POSITIONS}
    disentangled = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 0}
    makers: dict[str, Callable[[], Any]] = {
        "bert": lambda: hf.BertConfig(**wide),
        # Positions begin after the padding id.
        "roberta": lambda: hf.RobertaConfig(**{**wide, "max_position_embeddings": POSITIONS + 2}, type_vocab_size=1),
        "xlm-roberta": lambda: hf.XLMRobertaConfig(
            **{**wide, "max_position_embeddings": POSITIONS + 2}, type_vocab_size=1
        ),
        "camembert": lambda: hf.CamembertConfig(
            **{**wide, "max_position_embeddings": POSITIONS + 2}, type_vocab_size=1
        ),
        "mpnet": lambda: hf.MPNetConfig(**{**wide, "max_position_embeddings": POSITIONS + 2}),
        "distilbert": lambda: hf.DistilBertConfig(
            **shared, dim=32, hidden_dim=64, n_layers=2, n_heads=4, max_position_embeddings=POSITIONS
        ),
        "albert": lambda: hf.AlbertConfig(**wide, embedding_size=16),
        "electra": lambda: hf.ElectraConfig(**wide, embedding_size=16),
        "deberta": lambda: hf.DebertaConfig(**wide, **disentangled, position_biased_input=False),
        "deberta-v2": lambda: hf.DebertaV2Config(
            **wide, **disentangled, position_biased_input=False, position_buckets=16, share_att_key=True,
            norm_rel_ebd="layer_norm",
        ),
        "modernbert": lambda: hf.ModernBertConfig(
            **wide, local_attention=16, global_attn_every_n_layers=2, cls_token_id=tokenizer.cls_token_id,
            sep_token_id=tokenizer.sep_token_id, bos_token_id=None, eos_token_id=None,
        ),
    }  # fmt: skip
    return makers[{**FAMILIES, **MORE}[name].model_type]()


def make_encoder(name: str, folder: Path) -> Path:
    """Saves a random encoder (a base model, without a head) and its tokenizer."""
    import torch

    tokenizer = tokenizer_of(name)
    torch.manual_seed(7)
    model = _transformers().AutoModel.from_config(config_of(name, tokenizer))
    with torch.no_grad():  # the small weights that models begin with would hide differences
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(10)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


@cache
def _made(name: str, base: Path) -> Path:
    return make_encoder(name, base / name)


Encoders = Callable[[str], Path]


@pytest.fixture(scope="session")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Encoders:
    """The folder of a family's encoder, made once a session."""
    base = tmp_path_factory.getbasetemp() / "encoders"
    return lambda name: _made(name, base)


def sentences() -> list[list[str]]:
    """Words of our text, as a person splits them."""
    return [re.findall(r"\w+|[^\w\s]+", line) for line in _lines()]
