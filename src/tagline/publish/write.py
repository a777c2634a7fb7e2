"""Writes the model folder, whole or not at all."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import tagline
from tagline.data.atomic import atomic_folder
from tagline.data.corpus import Corpus
from tagline.folder import CARD, ModelFolder, Manifest, seal
from tagline.publish.card import model_card
from tagline.publish.graph import write_graph
from tagline.train.fit import Fitted

_PACKAGES = ("tagline", "torch", "transformers", "tokenizers", "openvino", "numpy")
Judge = Callable[[Path], dict[str, Any]]


def write_model(
    fitted: Fitted, target: Path, corpora: dict[str, Corpus], judge: Judge | None = None, overwrite: bool = False
) -> ModelFolder:
    """Writes a trained model.

    Args:
        fitted: what training gave.
        target: the folder to make.
        corpora: by role (`train`, `dev`, `test`), for the fingerprints.
        judge: is called with the unfinished folder and gives the metrics that are kept in it, so that the scores are
            those of the engine that users run.
        overwrite: replace a folder that is there.

    Raises:
        OutputError: the target is there already, or cannot be written.
    """
    prepared = fitted.prepared
    with atomic_folder(target, overwrite=overwrite) as folder:
        fitted.model.save_pretrained(folder)
        tokenizer = prepared.encoder.tokenizer
        tokenizer.model_max_length = prepared.encoder.longest
        tokenizer.save_pretrained(folder)
        write_graph(fitted.model, folder)
        manifest = Manifest(
            scheme=prepared.scheme,
            words=prepared.rules,
            window=prepared.windows.length,
            overlap=prepared.windows.overlap,
            shapes=prepared.encoder.shapes,
            training=provenance(fitted, corpora),
            version=tagline.__version__,
        )
        seal(folder, manifest)
        if judge is not None:
            manifest = Manifest(**{**manifest.__dict__, "metrics": judge(folder)})
            seal(folder, manifest)
        (folder / CARD).write_text(model_card(manifest, target.name), encoding="utf-8")
        _sync(folder)
    return ModelFolder.open(target)


def provenance(fitted: Fitted, corpora: dict[str, Corpus]) -> dict[str, Any]:
    """What made the model: settings, data fingerprints, scores on the way, versions."""
    return {
        "settings": fitted.settings.to_dict(),
        "encoder": {"name": fitted.settings.encoder, "family": fitted.model.config.model_type},
        "data": {
            role: {
                "file": Path(corpus.path).name,
                "sha256": corpus.fingerprint,
                "sentences": len(corpus.sentences),
                "scheme": corpus.scheme.value,
                "illegal_moves": corpus.violations,
            }
            for role, corpus in corpora.items()
        },
        "unknown_tags": fitted.prepared.unknown,
        "shortened_words": fitted.prepared.train.shortened,
        "dev_f1_by_epoch": [entry["eval_f1"] for entry in fitted.history if "eval_f1" in entry],
        "epochs": fitted.epochs,
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = tagline.__version__ if name == "tagline" else "not installed"
    return found


def _sync(folder: Path) -> None:
    """Brings the files to the disk before the folder gets its name."""
    for path in folder.iterdir():
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
