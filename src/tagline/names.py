"""Models by name: where the folder of a name lies."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path

from tagline import hub
from tagline.errors import FolderError

SHIPPED = ("ner-news", "ner-tweets", "sentiment")
"""Models that come with Tagline."""
PLACES = "TAGLINE_MODELS"
GROUP = "tagline.models"
"""Entry points of packages that bring models: the model's name = the package whose folder holds it."""
_CONFIG = "config.json"


def resolve(name: str | Path, language: str = "en") -> Path:
    """The folder of a model.

    Looked for in this order: a folder of that name; NAME, NAME_LANGUAGE or NAME-LANGUAGE in the folders of the
    environment variable TAGLINE_MODELS; the models that come with Tagline; packages made by `tagline models package`;
    the Hugging Face hub's cache on this machine; the hub itself, for `owner/model` or `owner/model@revision`, if the
    extra `hub` is installed and `HF_HUB_OFFLINE` does not forbid it.

    Args:
        name: a folder or a name.
        language: of models in TAGLINE_MODELS.

    Raises:
        FolderError: there is none, or the hub does not give it; the message says what was looked for.
        MissingExtraError: only the hub could have it, and the extra `hub` is not installed.
    """
    path = Path(name)
    if path.is_dir():
        return path
    text = os.fspath(name)
    if path.exists() or _is_path(text):
        kind = "is a file" if path.exists() else "does not exist"
        raise FolderError(f"{path}: {kind}; expected a model folder, as written by: tagline train … -o {path}")
    found = _in_places(text, language) or shipped().get(text) or packaged(text)
    wanted = hub.HubName.parse(text)
    if found is None and wanted is not None:
        found = hub.cached(wanted) or _from_hub(wanted)
    if found is None:
        raise FolderError(_nowhere(text, language))
    return found


def called(folder: Path) -> str:
    """What a model is called by where it lies; in the hub's cache, where commits name the folders, `owner/model`."""
    return hub.repo_of(folder) or Path(os.path.realpath(folder)).name


def shipped() -> dict[str, Path]:
    """The models that come with Tagline, by name; those of them that are there.

    A wheel has them in `tagline/shipped`, a checkout in `models` beside `src`.
    """
    package = Path(__file__).resolve().parent
    places = [package / "shipped"]
    if package.parent.name == "src":
        places.append(package.parent.parent / "models")
    return {name: place / name for place in reversed(places) for name in SHIPPED if (place / name / _CONFIG).is_file()}


def packaged(name: str) -> Path | None:
    """The folder of a model that an installed package brings."""
    for point in metadata.entry_points(group=GROUP, name=name):
        distribution = point.dist
        if distribution is not None:
            place = Path(str(distribution.locate_file(point.value.replace(".", "/")))) / name
            if (place / _CONFIG).is_file():
                return place
    return None


def all_packaged() -> dict[str, Path]:
    """The models that installed packages bring, by name."""
    names = sorted({point.name for point in metadata.entry_points(group=GROUP)})
    return {name: place for name in names if (place := packaged(name)) is not None}


def _is_path(text: str) -> bool:
    """Whether something is spelt as only a path can be."""
    return text.startswith((".", "~")) or Path(text).is_absolute() or text.count("/") > 1 or "\\" in text


def _in_places(name: str, language: str) -> Path | None:
    for place in _places():
        for each in (f"{name}_{language}", f"{name}-{language}", name):
            if (place / each).is_dir():
                return place / each
    return None


def _places() -> list[Path]:
    return [Path(each) for each in os.environ.get(PLACES, "").split(os.pathsep) if each]


def _from_hub(name: hub.HubName) -> Path | None:
    """The hub's answer; None for what is no name on it, but a slip in a path."""
    if "/" not in name.repo or Path(name.repo).parent.is_dir():
        return None
    return hub.download(name)


def _nowhere(name: str, language: str) -> str:
    there = sorted(each.name for place in _places() if place.is_dir() for each in place.iterdir() if each.is_dir())
    held = f"{PLACES} holds {', '.join(there)}" if there else f"{PLACES} names no folder with models"
    comes = ", ".join(sorted(shipped())) or "none in this installation"
    return (
        f"{name}: does not exist; expected a model folder, as written by: tagline train … -o {name}; or a name. There "
        f"is no model {name!r} ({language}): {held}; with Tagline come {comes}; no installed package brings it; the "
        f"hub's cache ({hub.cache_place()}) has none. Models on the hub are named with their owner (owner/model), or "
        "fetched by: tagline models pull NAME"
    )
