"""The model folder as a typed contract: what is in it, how it is read, checked and sealed.

A folder is a Hugging Face folder (`config.json`, `model.safetensors`, `tokenizer.json`, `tokenizer_config.json`,
`README.md`) with the OpenVINO graph that inference runs (`openvino_model.xml`, `openvino_model.bin`) and
`tagline.json`, which says how text becomes words and windows, how emissions become labels, what the model was trained
on and what every file's SHA-256 is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagline.errors import FolderError
from tagline.folder.config import (
    MIXED,
    WORD_LEVEL,
    check_task,
    check_transitions,
    labels_of,
    longest,
    plain_manifest,
    positions,
)
from tagline.folder.files import (
    CARD,
    CONFIG,
    GAZETTEER,
    GRAPH,
    GRAPH_WEIGHTS,
    INT8_GRAPH,
    INT8_WEIGHTS,
    MANIFEST,
    ONNX,
    ONNX_INT8,
    SMALL,
    TOKENIZER,
    TOKENIZER_CONFIG,
    WEIGHTS,
    fingerprint,
    read_json,
    read_text,
    states,
)
from tagline.folder.manifest import FORMAT, TEXT_CLASSIFICATION, TOKEN_CLASSIFICATION, Manifest, seal, verify
from tagline.names import resolve
from tagline.text.gazetteer import Gazetteer

__all__ = [
    "CARD",
    "CONFIG",
    "FORMAT",
    "GAZETTEER",
    "GRAPH",
    "GRAPH_WEIGHTS",
    "INT8_GRAPH",
    "INT8_WEIGHTS",
    "MANIFEST",
    "MIXED",
    "ONNX",
    "ONNX_INT8",
    "SMALL",
    "TEXT_CLASSIFICATION",
    "TOKENIZER",
    "TOKENIZER_CONFIG",
    "TOKEN_CLASSIFICATION",
    "WEIGHTS",
    "WORD_LEVEL",
    "Manifest",
    "ModelFolder",
    "fingerprint",
    "longest",
    "positions",
    "seal",
    "states",
]


@dataclass(frozen=True)
class ModelFolder:
    """An opened model folder.

    Attributes:
        path: the folder.
        manifest: `tagline.json`, or defaults for a plain Hugging Face folder.
        config: `config.json`.
        labels: labels by id.
    """

    path: Path
    manifest: Manifest
    config: dict[str, Any]
    labels: tuple[str, ...]

    @classmethod
    def open(cls, path: str | Path) -> ModelFolder:
        """Opens a folder and checks its small files; weights are checked by `verify`.

        Args:
            path: the folder, or the name of a model; see `tagline.names.resolve`.

        Raises:
            FolderError: nothing is there, or it is no model folder, or a file is missing or damaged.
            MissingExtraError: only the hub could have it, and the extra `hub` is not installed.
        """
        path = resolve(path)
        for name in (CONFIG, TOKENIZER):
            if not (path / name).is_file():
                raise FolderError(f"{path}: no model folder ({name} is missing). Give one that tagline train wrote")
        if not (path / MANIFEST).is_file():
            return cls.plain(path)
        manifest = Manifest.from_json(read_text(path / MANIFEST), path / MANIFEST)
        verify(path, manifest, (CONFIG, TOKENIZER, GAZETTEER))
        for name in (GRAPH, GRAPH_WEIGHTS):  # else another engine would be taken in silence
            if name in manifest.files and not (path / name).is_file():
                raise FolderError(f"{path}: {name} is missing. Take the folder anew from where it was made")
        config = read_json(path / CONFIG)
        check_task(manifest, config, path)
        labels = labels_of(config, path)
        check_transitions(manifest, len(labels) + 1, path)
        return cls(path, manifest, config, labels)

    @classmethod
    def plain(cls, path: Path) -> ModelFolder:
        """Opens a folder without `tagline.json`, as transformers saves it.

        Raises:
            FolderError: `config.json` is missing or damaged, or is that of a model for something else.
        """
        config = read_json(path / CONFIG)
        return cls(path, plain_manifest(config, path), config, labels_of(config, path))

    @property
    def has_graph(self) -> bool:
        """Whether the OpenVINO graph is there."""
        return self.has(GRAPH, GRAPH_WEIGHTS)

    @property
    def only_reads(self) -> bool:
        """Whether this is the inference form: one graph with rounded weights that reads text, and nothing else."""
        return self.has(INT8_GRAPH, INT8_WEIGHTS) and not self.has_graph and not self.has(WEIGHTS)

    def refuse_if_only_reads(self, what: str) -> None:
        """Raises FolderError for an inference form.

        Args:
            what: what is to be done that needs the weights, as a noun phrase.
        """
        if self.only_reads:
            raise FolderError(
                f"{self.path}: holds the inference form only (one OpenVINO graph with weights in int8), which reads "
                f"text; {what} needs the folder that it was exported from, or train it again"
            )

    def gazetteer(self) -> Gazetteer | None:
        """The names that the model is shown, if any.

        Raises:
            FolderError: they cannot be read.
        """
        return Gazetteer.load(self.path / GAZETTEER) if self.manifest.gazetteer else None

    @property
    def word_level(self) -> bool:
        """Whether every word is one sub-token (a BiLSTM)."""
        return self.config.get("model_type") == WORD_LEVEL

    @property
    def mixed(self) -> bool:
        """Whether the head reads a mix of layers, which transformers does not know of."""
        return self.config.get("model_type") == MIXED

    def has(self, *names: str) -> bool:
        """Whether these files are there."""
        return all((self.path / name).is_file() for name in names)

    def tokenizer_config(self) -> dict[str, Any]:
        """`tokenizer_config.json`; empty where there is none.

        Raises:
            FolderError: it is damaged.
        """
        path = self.path / TOKENIZER_CONFIG
        return read_json(path) if path.is_file() else {}

    def verify(self, names: Iterable[str]) -> None:
        """Compares files with their SHA-256 in the manifest.

        Raises:
            FolderError: a file is missing or not as it was written.
        """
        verify(self.path, self.manifest, names)
