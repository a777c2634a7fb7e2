"""Models by name."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from tagline.errors import FolderError, MissingExtraError
from tagline.spark.models import ARCHIVE

PLACES = "TAGLINE_MODELS"


def find(name: str, language: str = "en") -> str:
    """Where a model lies.

    A folder; a folder NAME, NAME_LANGUAGE or NAME-LANGUAGE in one of the folders of the environment variable
    TAGLINE_MODELS; a Hugging Face hub name with its owner (`owner/model`); or `archive:NAME`.

    Raises:
        FolderError: there is none.
        MissingExtraError: a hub name is given without huggingface_hub.
    """
    if name.startswith(ARCHIVE) or Path(name).is_dir():
        return name
    places = [Path(each) for each in os.environ.get(PLACES, "").split(os.pathsep) if each]
    for place in places:
        for each in (f"{name}_{language}", f"{name}-{language}", name):
            if (place / each).is_dir():
                return str(place / each)
    if name.count("/") == 1 and not name.startswith((".", "/")):
        return _from_hub(name)
    there = sorted(each.name for place in places if place.is_dir() for each in place.iterdir() if each.is_dir())
    known = f"{PLACES} holds {', '.join(there)}" if there else f"{PLACES} names no folder with models"
    raise FolderError(
        f"no model {name!r} ({language}): it is no folder, and {known}. Give the path of a folder, or the name of a "
        "model on the Hugging Face hub with its owner (owner/model)"
    )


def _from_hub(name: str) -> str:
    if find_spec("huggingface_hub") is None:
        raise MissingExtraError(f"the hub model {name!r}", "train")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return str(snapshot_download(name, ignore_patterns=["*.h5", "*.msgpack", "*.ot", "*.tflite"]))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise FolderError(f"{name!r}: no such folder, and the hub does not give it ({first})") from error
