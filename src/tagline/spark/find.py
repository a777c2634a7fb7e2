"""Models by name."""

from __future__ import annotations

from tagline.names import resolve
from tagline.spark.models import ARCHIVE


def find(name: str, language: str = "en") -> str:
    """Where a model lies: the folder that `tagline.names.resolve` finds, or `archive:NAME`, which executors unpack.

    Raises:
        FolderError: there is none.
        MissingExtraError: only the hub could have it, and the extra `hub` is not installed.
    """
    return name if name.startswith(ARCHIVE) else str(resolve(name, language))
