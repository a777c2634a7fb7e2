"""What made a model, and the manifest that says so."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tagline import __version__
from tagline.data.corpus import Corpus
from tagline.folder import Manifest
from tagline.train.fit import Fitted

_PACKAGES = ("torch", "transformers", "tokenizers", "openvino", "numpy")


def manifest_of(fitted: Fitted, corpora: dict[str, Corpus]) -> Manifest:
    """The manifest of a trained model, before its scores and files are known.

    Args:
        fitted: what training gave.
        corpora: by role (`train`, `dev`, `test`), for the fingerprints.
    """
    prepared = fitted.prepared
    return Manifest(
        scheme=prepared.scheme,
        words=prepared.rules,
        window=prepared.windows.length,
        overlap=prepared.windows.overlap,
        shapes=prepared.encoder.shapes,
        training=provenance(fitted, corpora),
        version=__version__,
    )


def provenance(fitted: Fitted, corpora: dict[str, Corpus]) -> dict[str, Any]:
    """Settings, data fingerprints, scores on the way, versions."""
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
        "versions": {"python": platform.python_version(), "tagline": __version__, **_versions()},
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
