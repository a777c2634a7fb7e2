"""The one way to a model: every command and every call opens folders here."""

from __future__ import annotations

from pathlib import Path

from tagline.engines.base import EngineSettings
from tagline.folder import ModelFolder
from tagline.foreign.kept import ready


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
