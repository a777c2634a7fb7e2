"""What made a model, and the manifest that says so."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tagline import __version__
from tagline.data.corpus import Corpus
from tagline.data.texts.corpus import TextCorpus
from tagline.folder import TEXT_CLASSIFICATION, Manifest
from tagline.train.fit import Fitted
from tagline.train.texts.prepare import PreparedTexts
from tagline.train.tokens.prepare import PreparedTokens

_PACKAGES = ("torch", "transformers", "tokenizers", "openvino", "numpy")


def manifest_of_tokens(fitted: Fitted[PreparedTokens], corpora: dict[str, Corpus]) -> Manifest:
    """The manifest of a trained tagger, before its scores and files are known.

    Args:
        fitted: what training gave.
        corpora: by role (`train`, `dev`, `test`), for the fingerprints.
    """
    prepared = fitted.prepared
    data = {
        role: {
            **_file(corpus.path, corpus.fingerprint),
            "sentences": len(corpus.sentences),
            "scheme": corpus.scheme.value,
            "illegal_moves": corpus.violations,
        }
        for role, corpus in corpora.items()
    }
    more: dict[str, Any] = {"unknown_tags": prepared.unknown, "shortened_words": prepared.train.shortened}
    if prepared.vectors:
        more["vectors"] = prepared.vectors
    if prepared.names is not None:
        more["names"] = prepared.names.facts
    return Manifest(
        scheme=prepared.scheme,
        words=prepared.rules,
        window=prepared.windows.length,
        overlap=prepared.windows.overlap,
        shapes=prepared.encoder.shapes,
        gazetteer=prepared.names is not None,
        characters=prepared.encoder.subtokens.characters,
        context=prepared.windows.context,
        transitions=prepared.transitions(fitted.model),
        calibration=_calibration(fitted),
        training={**_provenance(fitted, data), **more},
        version=__version__,
    )


def manifest_of_texts(
    fitted: Fitted[PreparedTexts], corpora: dict[str, TextCorpus], split: dict[str, Any] | None = None
) -> Manifest:
    """The manifest of a trained classifier, before its scores, thresholds and files are known.

    Args:
        fitted: what training gave.
        corpora: by role (`train`, `dev`, `test`), for the fingerprints.
        split: how one file was made into them.
    """
    prepared = fitted.prepared
    data = {
        role: {**_file(corpus.path, corpus.fingerprint), "texts": len(corpus.texts)} for role, corpus in corpora.items()
    }
    more = {"unknown_labels": prepared.unknown, "empty_texts": prepared.empty, "cut_pairs": prepared.train.shortened}
    return Manifest(
        task=TEXT_CLASSIFICATION,
        problem=prepared.problem,
        paired=prepared.paired,
        pooling=prepared.pooling,
        window=prepared.sequences.length,
        overlap=prepared.sequences.overlap,
        calibration=_calibration(fitted),
        training={**_provenance(fitted, data), **more, **({"split": split} if split else {})},
        version=__version__,
    )


def _provenance(fitted: Fitted[Any], data: dict[str, Any]) -> dict[str, Any]:
    """Settings, data fingerprints, scores on the way, versions."""
    metric = fitted.prepared.metric
    scores = [entry[f"eval_{metric}"] for entry in fitted.history if f"eval_{metric}" in entry]
    return {
        "settings": fitted.settings.to_dict(),
        "encoder": {"name": fitted.settings.encoder, "family": fitted.model.config.model_type},
        "data": data,
        "dev_metric": metric,
        "dev_score_by_epoch": scores,
        "epochs": fitted.epochs,
        "versions": {"python": platform.python_version(), "tagline": __version__, **_versions()},
    }


def _calibration(fitted: Fitted[Any]) -> dict[str, float]:
    return {} if fitted.calibration is None else asdict(fitted.calibration)


def _file(path: str, digest: str) -> dict[str, str]:
    return {"file": Path(path).name, "sha256": digest}


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
