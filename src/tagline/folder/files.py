"""The files of a model folder: what they are called, and how the small ones are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tagline.errors import FolderError

MANIFEST, CONFIG, TOKENIZER = "tagline.json", "config.json", "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
WEIGHTS, GRAPH, GRAPH_WEIGHTS = "model.safetensors", "openvino_model.xml", "openvino_model.bin"
INT8_GRAPH, INT8_WEIGHTS = "openvino_int8.xml", "openvino_int8.bin"
ONNX, ONNX_INT8 = "model.onnx", "model_int8.onnx"
GAZETTEER = "gazetteer.json"
CARD = "README.md"
SMALL = (CONFIG, TOKENIZER, TOKENIZER_CONFIG, GAZETTEER)
"""What every reader of text needs beside `tagline.json` and a graph; not every folder has all of them."""


def states(files: Iterable[Path]) -> tuple[tuple[int, int, int, int], ...] | None:
    """What the file system says of files (device, number, bytes, time), the same as long as they are what they were.

    None where one of them is not there.
    """
    try:
        found = [each.stat() for each in files]
    except OSError:
        return None
    return tuple((each.st_dev, each.st_ino, each.st_size, each.st_mtime_ns) for each in found)


def fingerprint(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_text(path: Path) -> str:
    """A file's text.

    Raises:
        FolderError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FolderError(f"{path}: cannot be read ({error}). Take the folder anew from where it was made") from error


def read_json(path: Path) -> dict[str, Any]:
    """A file's JSON object.

    Raises:
        FolderError: it cannot be read, or is none.
    """
    try:
        values = json.loads(read_text(path))
    except ValueError as error:
        raise FolderError(
            f"{path}: damaged, not JSON ({error}). Take the folder anew from where it was made"
        ) from error
    if not isinstance(values, dict):
        raise FolderError(f"{path}: damaged, not a JSON object. Take the folder anew from where it was made")
    return values
