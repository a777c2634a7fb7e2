"""A folder that is a Hugging Face Space: the model, the app, and what runs it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from tagline import __version__
from tagline.data.atomic import atomic_folder
from tagline.errors import FolderError
from tagline.folder import (
    CARD,
    GRAPH,
    GRAPH_WEIGHTS,
    INT8_GRAPH,
    INT8_WEIGHTS,
    MANIFEST,
    SMALL,
    TEXT_CLASSIFICATION,
    ModelFolder,
)
from tagline.names import called

PACKAGE = Path(__file__).resolve().parent.parent
NEEDED = {"numpy": "2.0", "tokenizers": "0.21", "openvino": "2025.0", "streamlit": "1.67", "st-annotated-text": "4.0"}
"""What the app imports, with the oldest version that will do (a test holds them against pyproject.toml)."""
UNUSED = (
    "cli", "train", "models", "publish", "report", "scikit", "serve", "spark", "shipped", "spacy_components.py",
    "__main__.py", "__pycache__",
)  # fmt: skip
"""Parts of Tagline that reading text does without."""
LARGE = 5_000_000  # bytes from which on a file goes by Git LFS; the hub takes none above 10 MB otherwise


def write_space(folder: ModelFolder, target: Path, examples: Path | None = None, overwrite: bool = False) -> None:
    """Writes a Space that shows a model, ready to push, whole or not at all.

    The Space runs the OpenVINO graph; weights of other engines stay behind.

    Args:
        folder: the model.
        target: the folder to make.
        examples: texts to click, as `tagline app --examples` takes them.
        overwrite: replace a folder that is there; its `.git` is kept.

    Raises:
        FolderError: the model has no graph, or a file is not as it was written.
        OutputError: the target is there already, or cannot be written.
    """
    if not folder.has_graph and not folder.only_reads:
        raise FolderError(
            f"{folder.path}: has no OpenVINO graph, which the Space runs. Type: tagline export {folder.path} "
            "--to openvino --sample FILE"
        )
    graph = (INT8_GRAPH, INT8_WEIGHTS) if folder.only_reads else (GRAPH, GRAPH_WEIGHTS)
    folder.verify((*graph, *SMALL))
    with atomic_folder(target, overwrite=overwrite) as place:
        shutil.copytree(PACKAGE, place / "tagline", ignore=_unused)
        (place / "model").mkdir()
        for name in (*SMALL, MANIFEST, *graph, CARD):
            if folder.has(name):
                shutil.copyfile(folder.path / name, place / "model" / name)
        if examples is not None:
            shutil.copyfile(examples, place / "examples.txt")
        for name, text in _texts(folder):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text, encoding="utf-8")
        (place / ".gitattributes").write_text(_attributes(place), encoding="utf-8")
        if (target / ".git").exists():
            _keep(target / ".git", place / ".git")


def _unused(folder: str, names: list[str]) -> set[str]:
    if Path(folder) == PACKAGE:
        return set(UNUSED) & set(names)
    return {name for name in names if name == "__pycache__"}


def _texts(folder: ModelFolder) -> Iterator[tuple[str, str]]:
    """Every file that is text of our own, with its place in the Space."""
    name = called(folder.path)
    classifies = folder.manifest.task == TEXT_CLASSIFICATION
    about = "Labels texts" if classifies else "Marks entities in texts"
    filled = {
        "@NAME@": json.dumps(name, ensure_ascii=False)[1:-1],
        "@TITLE@": json.dumps(name, ensure_ascii=False),  # a string of JSON is one of YAML
        "@HEADING@": name,
        "@SHORT@": about,
        "@ABOUT@": f"{about}: {', '.join(folder.labels if classifies else _types(folder))}.",
        "@VERSION@": __version__,
        "@PYTHON@": f"{sys.version_info.major}.{sys.version_info.minor}",
    }
    for asset, place in (
        ("app.py", "app.py"), ("Dockerfile", "Dockerfile"), ("README.md", "README.md"),
        ("sync.yml", ".github/workflows/sync.yml"),
    ):  # fmt: skip
        text = files("tagline.publish").joinpath("assets", "space", f"{asset}.txt").read_text(encoding="utf-8")
        for sign, value in filled.items():
            text = text.replace(sign, value)
        yield place, text
    yield ".streamlit/config.toml", (PACKAGE / "app" / "config.toml").read_text(encoding="utf-8")
    yield "requirements.txt", "".join(f"{_pinned(package)}\n" for package in NEEDED)
    yield ".gitignore", "__pycache__/\n"
    yield ".dockerignore", ".git\n.github\n__pycache__\n"


def _types(folder: ModelFolder) -> list[str]:
    """Entity types: the labels without the scheme's prefixes."""
    if folder.manifest.bare:
        return sorted(set(folder.labels) - {"O"})
    return sorted({label.partition("-")[2] for label in folder.labels if "-" in label})


def _pinned(package: str) -> str:
    """A line of requirements.txt: the version that is installed here, else the oldest that will do."""
    try:
        return f"{package}=={version(package)}"
    except PackageNotFoundError:
        return f"{package}>={NEEDED[package]}"


def _attributes(place: Path) -> str:
    """`.gitattributes`: large files go by Git LFS."""
    names = {"model/*.bin"} | {
        str(path.relative_to(place)) for path in (place / "model").iterdir() if path.stat().st_size > LARGE
    }
    return "".join(f"{name} filter=lfs diff=lfs merge=lfs -text\n" for name in sorted(names))


def _keep(old: Path, new: Path) -> None:
    if old.is_dir():
        shutil.copytree(old, new, symlinks=True)
    else:  # a worktree's or submodule's
        shutil.copyfile(old, new)
