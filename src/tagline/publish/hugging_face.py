"""A plain Hugging Face folder: what `AutoModelFor…Classification.from_pretrained` loads, without Tagline's files."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer

from tagline.data.atomic import atomic_folder, settle
from tagline.engines.torch import load_model
from tagline.errors import RefusedError
from tagline.folder import CARD, CONFIG, TEXT_CLASSIFICATION, TOKENIZER, TOKENIZER_CONFIG, WEIGHTS, ModelFolder
from tagline.publish.card import model_card
from tagline.publish.card_use import differences
from tagline.publish.graph import quiet

_TOKENIZERS = (TOKENIZER, TOKENIZER_CONFIG, "special_tokens_map.json", "added_tokens.json")
_TOLERANCE = 1e-5
_SAMPLE = "Maria Novak moved from Lisbon to Oslo in 1996; naïve Zürich, don't!"


@dataclass(frozen=True)
class PlainFacts:
    """What a user of the folder is told.

    Attributes:
        loader: the class of transformers that loads it.
        differences: sentences on where transformers answers otherwise than Tagline.
    """

    loader: str
    differences: list[str]


def refusals(folder: ModelFolder) -> list[str]:
    """Why transformers cannot run the model; empty where it can."""
    if folder.only_reads:
        return [
            "it is the inference form, one OpenVINO graph without the weights; export the folder that it was made from"
        ]
    if folder.word_level:
        return ["it is a BiLSTM, which transformers does not have; train one with --encoder minilm or another"]
    found = []
    if folder.mixed:
        found.append(
            "its head reads a mix of layers, which transformers does not have; train it with --set mix_layers=0"
        )
    if folder.manifest.transitions:
        found.append("its head is a CRF, which transformers does not have; train it with --head linear")
    return found


def write_hugging_face(folder: ModelFolder, target: Path, overwrite: bool = False) -> PlainFacts:
    """Writes `config.json`, `model.safetensors`, the tokenizer's files and a card, whole or not at all.

    The folder is loaded by transformers and held against the model's own answers before it gets its name.

    Args:
        folder: the model.
        target: the folder to make.
        overwrite: replace a folder that is there.

    Raises:
        RefusedError: transformers has no such head (`refusals`), or would load it otherwise; nothing is written.
        FolderError: the model is damaged.
        OutputError: the target is there already, or cannot be written.
    """
    if reasons := refusals(folder):
        raise RefusedError(f"{folder.path}: not written for transformers: {'; '.join(reasons)}")
    folder.verify((CONFIG, TOKENIZER, TOKENIZER_CONFIG, WEIGHTS))
    model = load_model(folder).eval()
    manifest = replace(folder.manifest, foreign=not folder.manifest.ours, parity=[])
    with atomic_folder(target, overwrite=overwrite) as work:
        for name in (CONFIG, WEIGHTS, *_TOKENIZERS):
            if folder.has(name):
                shutil.copyfile(folder.path / name, work / name)
        if not folder.has(WEIGHTS):  # pickles or shards of a model that was trained elsewhere
            with quiet():
                model.save_pretrained(work, max_shard_size="1000GB")
        (work / CARD).write_text(model_card(manifest, target.name, plain=True), encoding="utf-8")
        settle(work)
        loader = _check(folder, model, work)
    return PlainFacts(loader, differences(manifest))


def _check(folder: ModelFolder, model: Any, work: Path) -> str:
    """Loads what was written as any user would; the name of the class that does.

    Raises:
        RefusedError: weights are missing, or answers or sub-tokens differ.
    """
    for_texts = folder.manifest.task == TEXT_CLASSIFICATION
    kind: Any = AutoModelForSequenceClassification if for_texts else AutoModelForTokenClassification
    with quiet():
        loaded, found = kind.from_pretrained(
            work, dtype=torch.float32, local_files_only=True, trust_remote_code=False, output_loading_info=True
        )
        tokenizer = AutoTokenizer.from_pretrained(work, local_files_only=True, trust_remote_code=False)
    if missing := sorted(found["missing_keys"]):
        raise RefusedError(f"transformers misses the weights {', '.join(missing[:5])}; nothing was written")
    ids = torch.from_numpy(np.random.default_rng(1).integers(0, model.config.vocab_size, (3, 16)))
    with quiet(), torch.no_grad():
        far = float((loaded.eval()(input_ids=ids).logits - model(input_ids=ids).logits).abs().max())
    if not far <= _TOLERANCE:
        raise RefusedError(f"what transformers loads differs from the model by {far:.2g}; nothing was written")
    ours = Tokenizer.from_file(str(folder.path / TOKENIZER)).encode(_SAMPLE, add_special_tokens=False).ids
    theirs = tokenizer(_SAMPLE, add_special_tokens=False)["input_ids"]
    if ours != theirs:
        raise RefusedError(f"transformers reads {_SAMPLE!r} as {theirs}, Tagline as {ours}; nothing was written")
    return str(kind.__name__)
