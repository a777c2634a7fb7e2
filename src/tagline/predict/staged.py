"""The parts of the road one by one, for pipelines whose stages are words, tags and labels (`tagline.spark`)."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.data.schemes import Scheme, detect, spans
from tagline.engines import EngineSettings
from tagline.errors import SchemeError
from tagline.folder import GRAPH, GRAPH_WEIGHTS, MANIFEST, TOKEN_CLASSIFICATION, TOKENIZER, fingerprint
from tagline.predict.classifier import Classifier
from tagline.predict.opening import open_model
from tagline.predict.tagger import Tagger
from tagline.records import Problem, Span
from tagline.text.sentences import sentence_starts
from tagline.text.words import WordSplitter

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model folder before it is run.

    Attributes:
        path: the folder, absolute.
        tags: whether it marks entities; else it labels texts.
        family: `model_type` of its `config.json`.
        labels: labels (of a tagger: tags) by id.
        problem: of texts: what is asked.
        paired: of texts: whether it reads pairs; None where that is not known.
        fingerprint: hash of all that decides about its answers, the same wherever a copy of the folder lies.
    """

    path: Path
    tags: bool
    family: str
    labels: tuple[str, ...]
    problem: Problem
    paired: bool | None
    fingerprint: str


def model_facts(path: str | Path) -> ModelFacts:
    """Reads a folder without opening an engine.

    Raises:
        FolderError: no model folder, or a damaged one.
    """
    folder = open_model(path)
    manifest = folder.manifest
    digest = hashlib.sha256()
    for name in (MANIFEST, "config.json", TOKENIZER, "tokenizer_config.json"):
        if (folder.path / name).is_file():
            digest.update(f"{name} {fingerprint(folder.path / name)}\n".encode())
    if not manifest.files:  # no manifest names the weights, so their sizes stand for them
        for each in sorted(folder.path.iterdir()):
            if each.is_file() and not each.name.startswith("."):
                digest.update(f"{each.name} {each.stat().st_size}\n".encode())
    tags = manifest.task == TOKEN_CLASSIFICATION
    family = str(folder.config.get("model_type", ""))
    place = folder.path.absolute()
    return ModelFacts(place, tags, family, folder.labels, manifest.problem, manifest.paired, digest.hexdigest()[:32])


def needed_files(path: Path) -> list[Path]:
    """The files of a folder that reading texts needs: with the OpenVINO graph the weights of PyTorch stay behind."""
    folder = open_model(path)
    left = {"model.safetensors", "model.onnx", "model_int8.onnx"} if folder.has(GRAPH, GRAPH_WEIGHTS) else set()
    return [
        each
        for each in sorted(folder.path.iterdir())
        if each.is_file() and each.name[0] != "." and each.name not in left
    ]


def open_tagger(path: str | Path, **options: Any) -> Tagger:
    """Opens a tagger; `options` are fields of `EngineSettings`."""
    return Tagger.open(path, EngineSettings(**options))


def open_classifier(path: str | Path, **options: Any) -> Classifier:
    """Opens a classifier; `options` are fields of `EngineSettings`."""
    return Classifier.open(path, EngineSettings(**options))


def redecided(classifier: Classifier, problem: Problem | None, threshold: float | None) -> Classifier:
    """The same model with another question asked of its logits, or one threshold for all labels."""
    if problem is None and threshold is None:
        return classifier
    other = copy.copy(classifier)
    other.problem = problem or classifier.problem
    if threshold is not None:
        other.thresholds = np.full(len(classifier.labels), threshold)
    return other


@cache
def default_splitter() -> WordSplitter:
    """Words where no model says how to split."""
    return WordSplitter()


def sentences_of(text: str, splitter: WordSplitter | None = None) -> list[tuple[int, int]]:
    """(first character, character after the last) of each sentence; none for a text without words."""
    offsets = (splitter or default_splitter())(text)
    starts = sentence_starts(text, offsets, [text[start:end] for start, end in offsets])
    borders = [0, *starts, len(offsets)]
    return [(offsets[first][0], offsets[last - 1][1]) for first, last in pairwise(borders) if first < last]


def tagged_spans(tags: Sequence[str], bare: bool = False) -> list[Span]:
    """Entities of tags whose model is not at hand; the scheme is found from the tags themselves.

    Args:
        tags: one tag a word.
        bare: the tags are labels without prefixes.
    """
    if not bare:
        with suppress(SchemeError):  # of no scheme: read as plain labels below
            scheme, bare = detect([tags])
            return spans(tags, scheme, bare)
    return spans(tags, Scheme.IO, True)
