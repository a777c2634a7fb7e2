"""The Hugging Face hub: models in its cache on this machine, and fetched from it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tagline.errors import FolderError, MissingExtraError

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?P<repo>{_PART}(?:/{_PART})?)(?:@(?P<revision>[^@\s]+))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_MAIN = "main"
_COMMITS = "snapshots"  # folder of a model in the cache that holds its commits
_MANIFEST = "tagline.json"
_WEIGHTS = (
    ("openvino_model.xml", "openvino_model.bin"),
    ("openvino_int8.xml", "openvino_int8.bin"),
    ("model.safetensors",),
    ("pytorch_model.bin",),
)
_VOCABULARIES = (
    "tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model", "spm.model",
)  # fmt: skip
_LOST = ("ConnectError", "ConnectTimeout", "ReadTimeout", "ReadError", "RemoteProtocolError")
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
# What reading text never needs: weights for other libraries, and logs.
_UNREAD = ("*.h5", "*.msgpack", "*.ot", "*.tflite", "*.mlmodel", "*.pb", "*/*", ".gitattributes")


@dataclass(frozen=True)
class HubName:
    """A model on the hub.

    Attributes:
        repo: `owner/model`; the oldest models have no owner.
        revision: a branch, a tag or a commit.
    """

    repo: str
    revision: str = _MAIN

    @classmethod
    def parse(cls, text: str) -> HubName | None:
        """The model of `owner/model` or `owner/model@revision`; None where the text is no such name."""
        found = _NAME.fullmatch(text)
        if found is None or ".." in text or "--" in found["repo"]:
            return None
        return cls(found["repo"], found["revision"] or _MAIN)

    def __str__(self) -> str:
        return self.repo if self.revision == _MAIN else f"{self.repo}@{self.revision}"


@dataclass(frozen=True)
class Cached:
    """A model in the cache.

    Attributes:
        repo: its name.
        revisions: branches and tags that were fetched, with the commit that each means here.
        commits: folder of each commit whose files are all there.
    """

    repo: str
    revisions: dict[str, str]
    commits: dict[str, Path]


def cache_place() -> Path:
    """Where the hub's library keeps what it fetches: HF_HUB_CACHE, else `hub` in HF_HOME, else in the user's cache."""
    if chosen := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(chosen).expanduser()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("HF_HOME") or caches / "huggingface").expanduser() / "hub"


def cached(name: HubName) -> Path | None:
    """The folder of a model in the cache, if all that reading text needs is there; nothing is asked of the hub."""
    found = _cached(_place_of(name.repo), name.repo)
    commit = name.revision if _COMMIT.fullmatch(name.revision) else found.revisions.get(name.revision, "")
    return found.commits.get(commit)


def all_cached() -> list[Cached]:
    """The token- and sequence-classification models in the cache, by name."""
    places = sorted(cache_place().glob("models--*")) if cache_place().is_dir() else []
    every = [_cached(place, _repo_at(place)) for place in places]
    return [each for each in every if any(_classifies(folder) for folder in each.commits.values())]


def in_cache(folder: Path) -> bool:
    """Whether a folder is a commit in the cache, which belongs to the hub's library and must stay as it was fetched."""
    place = Path(os.path.realpath(folder))
    return repo_of(folder) is not None and Path(os.path.realpath(cache_place())) in place.parents


def repo_of(folder: Path) -> str | None:
    """`owner/model` of a folder that lies as commits lie in a cache of the hub's library, wherever that is."""
    place = Path(os.path.realpath(folder))
    return _repo_at(place.parent.parent) if place.parent.name == _COMMITS else None


def download(name: HubName) -> Path:
    """Fetches a model into the cache and gives its folder, whose name is the commit.

    A broken connection is taken up where it broke; files that are there already are not fetched again.

    Raises:
        FolderError: the hub has no such model, or does not give it, or cannot be reached, or may not be asked.
        MissingExtraError: the extra `hub` is not installed.
    """
    library = needed(f"the hub model {str(name)!r}")
    try:
        info = library.HfApi().model_info(name.repo, revision=name.revision)
        files = [each.rfilename for each in info.siblings or ()]
        folder = Path(library.snapshot_download(name.repo, revision=name.revision, ignore_patterns=_unread(files)))
    except _failures() as error:
        raise FolderError(f"{name}: no such folder, and the hub does not give it ({reason(error)})") from error
    return folder


def upload(folder: Path, name: HubName, private: bool, message: str) -> tuple[str, str]:
    """Puts a model's folder on the hub, as one commit; what is there already is not sent again.

    The token is that of the hub's library (`hf auth login`, or HF_TOKEN).

    Returns:
        The commit's address and its name.

    Raises:
        FolderError: the hub does not take it, or cannot be reached, or may not be asked.
        MissingExtraError: the extra `hub` is not installed.
    """
    library = needed(f"pushing to the hub model {str(name)!r}")
    try:
        api = library.HfApi()
        api.create_repo(name.repo, private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=name.repo,
            folder_path=folder,
            revision=name.revision,
            commit_message=message,
            ignore_patterns=["runs/*"],
        )
    except _failures() as error:
        raise FolderError(f"{name}: the hub does not take the model ({reason(error)})") from error
    return str(done.commit_url), str(done.oid)


def needed(purpose: str) -> Any:
    """The hub's library.

    Raises:
        MissingExtraError: the extra `hub` is not installed.
    """
    if find_spec("huggingface_hub") is None:
        raise MissingExtraError(purpose, "hub")
    import huggingface_hub

    return huggingface_hub


def reason(error: BaseException) -> str:
    """An error of the hub's library in one line."""
    from huggingface_hub.errors import (
        GatedRepoError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, OfflineModeIsEnabled) or "HF_HUB_OFFLINE" in str(error):
        return "HF_HUB_OFFLINE forbids to ask it"
    if isinstance(error, GatedRepoError):
        return "its owner must let you in: ask on the model's page, then type: hf auth login"
    if isinstance(error, RepositoryNotFoundError):
        return "it has no such model, or it is private; then type: hf auth login"
    if isinstance(error, RevisionNotFoundError):
        return "the model has no such branch, tag or commit"
    if isinstance(error, LocalEntryNotFoundError):
        return "it cannot be reached"
    lines = str(error).strip().splitlines() or [repr(error)]
    lost = isinstance(error, ConnectionError | TimeoutError) or type(error).__name__ in _LOST
    return f"it cannot be reached: {lines[0]}" if lost else lines[0]


def _failures() -> tuple[type[BaseException], ...]:
    """What the hub's library raises; its HTTP library has a tree of its own."""
    from huggingface_hub.errors import HfHubHTTPError

    return (*HfHubHTTPError.__bases__, OSError, ValueError)


def _place_of(repo: str) -> Path:
    return cache_place() / f"models--{repo.replace('/', '--')}"


def _repo_at(place: Path) -> str:
    return place.name.removeprefix("models--").replace("--", "/")


def _cached(place: Path, repo: str) -> Cached:
    refs = place / "refs"
    revisions = {
        each.relative_to(refs).as_posix(): each.read_text(encoding="utf-8").strip()
        for each in sorted(refs.rglob("*"))
        if each.is_file()
    }
    commits = {each.name: each for each in sorted((place / _COMMITS).glob("*")) if _complete(each)}
    return Cached(repo, revisions, commits)


def _complete(folder: Path) -> bool:
    """Whether nothing is missing: a download may have broken off, or another program fetched only what it needed."""
    config = _json(folder / "config.json")
    if config is None:
        return False
    if (folder / _MANIFEST).is_file():
        manifest = _json(folder / _MANIFEST) or {}
        names = manifest.get("files") or {}
        return all((folder / name).is_file() for name in names)
    if any(all((folder / name).is_file() for name in names) for names in _WEIGHTS):
        return any((folder / name).is_file() for name in _VOCABULARIES)
    indexes = [found for name in _INDEXES if (found := _json(folder / name)) is not None]
    parts = [set((index.get("weight_map") or {"": ""}).values()) for index in indexes]
    return any(all((folder / name).is_file() for name in each) for each in parts)


def _classifies(folder: Path) -> bool:
    config = _json(folder / "config.json") or {}
    return any("Classification" in str(each) for each in config.get("architectures") or ())


def _json(path: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def _unread(files: list[str]) -> list[str]:
    """What is left on the hub: of a model of Tagline only what its manifest does not name."""
    if _MANIFEST in files:
        return ["*/*", ".gitattributes"]
    twice = ["*.bin"] if any(each.endswith(".safetensors") for each in files) else []
    return [*_UNREAD, *twice]
