"""The one way to a model: every command and every call opens folders here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tagline.engines.base import EngineSettings
from tagline.errors import FolderError
from tagline.folder import ModelFolder, states
from tagline.foreign.kept import ready
from tagline.names import resolve

T = TypeVar("T")

_TRIES = 10


def open_model(model: str | Path, settings: EngineSettings | None = None) -> ModelFolder:
    """Opens the folder of a model, made by Tagline or by transformers; see `tagline.foreign.kept.ready`.

    Args:
        model: a model folder, or the name of a model; see `tagline.names.resolve`.
        settings: how it will be run.

    Raises:
        FolderError: no model folder, a damaged one, or one that cannot be converted.
        MissingExtraError: it is read for the first time, and torch or transformers is not installed.
        OutputError: it is read for the first time, and the user's cache cannot be written.
    """
    return ready(model, settings)


def open_whole(model: str | Path, settings: EngineSettings, make: Callable[[ModelFolder], T]) -> T:
    """What is made of a model folder, all of it from one model, even where it is replaced meanwhile.

    A folder is read in several steps, and what trains or exports replaces it in one. Whoever was in the midst of
    reading would have the vocabulary of one model with the weights of another; so what was read is read anew.

    Args:
        model: as in `open_model`.
        settings: how it will be run.
        make: reads all that is needed of the opened folder, the engine's graph included.

    Raises:
        FolderError: as `open_model` and `make` raise it, or the folder does not come to rest.
    """
    path = resolve(model)
    for _ in range(_TRIES):
        before = _seen(path)
        try:
            made = make(ready(path, settings))
        except FolderError:
            if _seen(path) == before:
                raise
            continue
        if _seen(path) == before:
            return made
    raise FolderError(f"{path}: replaced {_TRIES} times while it was read; wait until nothing writes there any longer")


def _seen(path: Path) -> Any:
    """Which folder lies there, and what the file system says of its files (a folder's number may be one of before)."""
    try:
        files = sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
        there = path.stat()
        return there.st_ino, there.st_ctime_ns, [each.name for each in files], states(files)
    except OSError:
        return None
