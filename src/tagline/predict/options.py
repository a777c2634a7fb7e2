"""What the pipelines of all tasks check alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tagline.errors import FolderError, UsageError
from tagline.folder import ModelFolder


def check_task(folder: ModelFolder, task: str) -> None:
    """Raises `FolderError` unless the folder's model was made for the task."""
    if folder.manifest.task != task:
        raise FolderError(f"{folder.path}: a model for {folder.manifest.task}; expected one for {task}")


def refuse_unknown(given: Iterable[str], accepted: Sequence[str], where: str) -> None:
    """Raises `UsageError` if options were given that are not among the accepted ones."""
    strange = sorted(set(given) - set(accepted))
    if strange:
        raise UsageError(f"{where} got unknown options {', '.join(strange)}; accepted are {', '.join(accepted)}")
