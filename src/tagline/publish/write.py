"""Writes the model folder, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from transformers import PreTrainedModel

from tagline.data.atomic import atomic_folder, settle
from tagline.folder import CARD, Manifest, ModelFolder, seal
from tagline.models.mixing import mark_mixed
from tagline.publish.card import model_card
from tagline.publish.graph import write_graph

Judge = Callable[[Path], dict[str, Any]]


class Parts(NamedTuple):
    """What a folder is made of.

    Attributes:
        model: the trained module, in float32, on the CPU.
        tokenizer: its Hugging Face tokenizer.
        logs: folder of TensorBoard logs, kept as `runs`, or None.
        files: texts of further files, by name.
    """

    model: PreTrainedModel
    tokenizer: Any
    logs: Path | None = None
    files: Mapping[str, str] = MappingProxyType({})


def write_model(
    parts: Parts, manifest: Manifest, target: Path, judge: Judge | None = None, overwrite: bool = False
) -> ModelFolder:
    """Writes a trained model.

    Args:
        parts: model, tokenizer, logs.
        manifest: what `tagline.json` will say beside metrics and fingerprints.
        target: the folder to make.
        judge: is called with the unfinished folder and gives what the manifest learns (`metrics`, `thresholds`), so
            that the scores are those of the engine that users run.
        overwrite: replace a folder that is there.

    Raises:
        OutputError: the target is there already, or cannot be written.
    """
    with atomic_folder(target, overwrite=overwrite) as folder:
        parts.model.save_pretrained(folder)
        mark_mixed(parts.model, folder)
        parts.tokenizer.save_pretrained(folder)
        write_graph(parts.model, folder)
        for name, text in parts.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        if parts.logs is not None and parts.logs.is_dir():
            shutil.copytree(parts.logs, folder / "runs")
        seal(folder, manifest)
        if judge is not None:
            manifest = replace(manifest, **judge(folder))
            seal(folder, manifest)
        (folder / CARD).write_text(model_card(manifest, target.name), encoding="utf-8")
        settle(folder)
    return ModelFolder.open(target)
