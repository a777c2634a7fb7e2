"""A folder of transformers as a folder of Tagline: tokenizer.json, weights, graph, manifest."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from tagline import __version__
from tagline.engines.base import EngineSettings
from tagline.engines.opening import open_engine
from tagline.errors import FolderError, MissingExtraError
from tagline.folder import (
    CONFIG,
    GRAPH,
    GRAPH_WEIGHTS,
    TEXT_CLASSIFICATION,
    TOKENIZER,
    TOKENIZER_CONFIG,
    WEIGHTS,
    ModelFolder,
    longest,
    seal,
)  # fmt: skip
from tagline.records import Batch
from tagline.text.batches import pad
from tagline.text.specials import frame_of, pad_id

_SAMPLES = (
    "Maria Novak moved from Lisbon to Oslo in 1996.",
    "naïve Zürich, don't!",
    "Москва 北京 e-mail: info@example.com :)",
    "a",
)
_TOLERANCE = 1e-3
"""Of the largest logit: what the arithmetic of two engines in float32 may differ by."""


def convert(source: Path, target: Path) -> None:
    """Fills an empty folder with what inference needs of `source`.

    The tokenizer is the one that `transformers.AutoTokenizer` makes, and the graph is held against PyTorch; where it
    cannot be made or says something else, the folder stays without it, PyTorch runs the model, and a warning says so.

    Raises:
        FolderError: no token- or sequence-classification model, or one that transformers cannot load.
        MissingExtraError: torch or transformers is not installed.
    """
    given = ModelFolder.plain(source)
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        purpose = f"{source}: a model that Tagline did not train is converted when it is first read, which"
        raise MissingExtraError(purpose, "train") from error
    tokenizer = _tokenizer(source)
    _write_tokenizer(tokenizer, source, target)
    window = longest(given.config, {"model_max_length": tokenizer.model_max_length})
    overlap = window // (8 if given.manifest.task == TEXT_CLASSIFICATION else 4)
    manifest = replace(given.manifest, window=window, overlap=overlap, foreign=True, version=__version__)
    model = _weights(given, target)
    shutil.copy(source / CONFIG, target / CONFIG)
    seal(target, manifest)
    made = ModelFolder.open(target)
    try:
        reason = _graph(model, made, _framed(tokenizer, made))
    except FolderError as error:
        raise FolderError(f"{source}: {error}") from error
    if reason:
        for name in (GRAPH, GRAPH_WEIGHTS):
            (target / name).unlink(missing_ok=True)
        warnings.warn(f"{source}: {reason}; PyTorch runs it, which is slower", stacklevel=2)
    seal(target, manifest)


def _tokenizer(source: Path) -> Any:
    from transformers import AutoTokenizer

    from tagline.publish.graph import quiet

    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True, trust_remote_code=False)
    except Exception as error:
        first = (str(error).strip() or repr(error)).splitlines()[0]
        raise FolderError(f"{source}: its tokenizer cannot be loaded by transformers ({first})") from error
    if not getattr(tokenizer, "is_fast", False):
        raise FolderError(f"{source}: it has no fast tokenizer ({type(tokenizer).__name__}), which Tagline needs")
    if set(tokenizer.get_vocab().values()) <= set(tokenizer.all_special_ids):  # what is made up where there is no file
        raise FolderError(f"{source}: it has no vocabulary; expected tokenizer.json or the files of its family")
    return tokenizer


def _write_tokenizer(tokenizer: Any, source: Path, target: Path) -> None:
    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    backend.no_padding()
    backend.no_truncation()
    backend.save(str(target / TOKENIZER))
    if (source / TOKENIZER_CONFIG).is_file():
        shutil.copy(source / TOKENIZER_CONFIG, target / TOKENIZER_CONFIG)
        return
    names = {name: str(getattr(tokenizer, name)) for name in ("unk_token", "pad_token") if getattr(tokenizer, name)}
    text = json.dumps({**names, "model_max_length": int(tokenizer.model_max_length)}, ensure_ascii=False)
    (target / TOKENIZER_CONFIG).write_text(text + "\n", encoding="utf-8")


def _weights(given: ModelFolder, target: Path) -> Any:
    """The model, in float32; its weights are written into the folder, or linked where they lie in one file."""
    from tagline.engines.torch import load_model
    from tagline.publish.amend import link
    from tagline.publish.graph import quiet

    model = load_model(given).eval()
    if (given.path / WEIGHTS).is_file():
        link(given.path / WEIGHTS, target / WEIGHTS)
    else:
        with quiet():
            model.save_pretrained(target, max_shard_size="1000GB")
    return model


def _framed(tokenizer: Any, folder: ModelFolder) -> list[list[int]]:
    """The samples' sub-tokens as Tagline frames them; refused where transformers does so otherwise."""
    from tagline.publish.graph import quiet

    backend = Tokenizer.from_file(str(folder.path / TOKENIZER))
    before, after = frame_of(backend).parts
    room = folder.manifest.window - len(before) - len(after)
    rows = []
    for text in _SAMPLES:
        with quiet():
            theirs = list(tokenizer(text, truncation=True, max_length=folder.manifest.window)["input_ids"])
        ours = [*before, *backend.encode(text, add_special_tokens=False).ids[:room], *after]
        if ours != theirs:
            raise FolderError(
                f"its tokenizer frames texts in a way that Tagline does not know: {text!r} is {theirs} and was read as "
                f"{ours}"
            )
        rows.append(ours)
    return rows


def _graph(model: Any, folder: ModelFolder, rows: list[list[int]]) -> str:
    """Writes the graph; why it cannot be had, else nothing."""
    from tagline.publish.graph import write_graph

    try:
        write_graph(model, folder.path)
    except Exception as error:  # noqa: BLE001 (tracing fails in as many ways as there are families)
        first = (str(error).strip() or repr(error)).splitlines()[0]
        return f"OpenVINO cannot follow a model of family {folder.config.get('model_type')!r} ({first[:200]})"
    padding = pad_id(Tokenizer.from_file(str(folder.path / TOKENIZER)))
    return _differs(model, folder, [pad(rows, [[0] * len(row) for row in rows], padding), *_single(rows)])


def _single(rows: Sequence[list[int]]) -> list[Batch]:
    return [pad([row], [[0] * len(row)], 0) for row in rows]


def _differs(model: Any, folder: ModelFolder, batches: list[Batch]) -> str:
    """How far the graph is from PyTorch, where that is too far."""
    import torch

    from tagline.publish.graph import input_names, quiet

    by_token = folder.manifest.task != TEXT_CLASSIFICATION
    try:
        found = list(open_engine(folder, EngineSettings("openvino", "f32", "cpu", cache=False)).run(batches))
    except RuntimeError as error:
        return f"OpenVINO cannot run its graph ({str(error).strip().splitlines()[0][:200]})"
    for batch, ours in zip(batches, found, strict=True):
        inputs = {name: torch.from_numpy(getattr(batch, name)) for name in input_names(model)}
        with quiet(), torch.no_grad():
            theirs = model(**inputs).logits.numpy()
        shown = batch.attention_mask == 1 if by_token else slice(None)
        if ours.shape != theirs.shape:
            return f"its graph gives {ours.shape} logits and PyTorch {theirs.shape}"
        far = float(np.abs(ours[shown] - theirs[shown]).max())
        if not far <= _TOLERANCE * max(1.0, float(np.abs(theirs[shown]).max())):
            return f"its graph differs from PyTorch by {far:.2g}"
    return ""
