"""The cache of converted models, keyed by what the files of a folder hold."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tagline.data.atomic import atomic_folder, atomic_write
from tagline.engines.base import EngineSettings
from tagline.errors import FolderError, OutputError
from tagline.folder import CONFIG, MANIFEST, TOKENIZER, ModelFolder, fingerprint
from tagline.machine import cache_folder
from tagline.names import called, resolve

CONVERSION = 1
"""Raised when folders are converted otherwise, so that older ones are not taken."""
_READ = (".json", ".txt", ".model", ".safetensors", ".bin")
_UNREAD = ("training_args.bin", "optimizer.bin", "trainer_state.json", "README.txt")


def ready(model: str | Path, settings: EngineSettings | None = None) -> ModelFolder:
    """Opens a model folder; one that Tagline did not make is converted first, unless it can be run as it lies.

    Converting needs torch and transformers; what was converted is found again by the content of its files, wherever
    they lie, and then needs neither.

    Args:
        model: a folder of Tagline or of transformers, or the name of one.
        settings: how it will be run; with `engine="torch"`, say, no graph is needed.

    Raises:
        FolderError: no model folder, or one that cannot be converted.
        MissingExtraError: it must be converted, and torch or transformers is not installed.
        OutputError: the cache cannot be written.
    """
    path = resolve(model)
    if not _must_convert(path, settings or EngineSettings()):
        return ModelFolder.open(path)
    base = cache_folder() / "foreign"
    key = _key(path, base)
    kept = _kept(base, key)
    return kept if kept is not None else _convert(path, base, key)


def _must_convert(path: Path, settings: EngineSettings) -> bool:
    if not (path / CONFIG).is_file() or (path / MANIFEST).is_file():
        return False
    if not (path / TOKENIZER).is_file():
        return True
    if settings.engine in ("torch", "onnx") or settings.device == "cuda" or settings.precision == "int8":
        return False
    return not ModelFolder.open(path).has_graph


def _convert(path: Path, base: Path, key: str) -> ModelFolder:
    from tagline.foreign.convert import convert

    place = base / f"{_name(path)}-{key}"
    try:
        with _locked(base, key):
            kept = _kept(base, key)  # another process may have been quicker
            if kept is not None:
                return kept
            with atomic_folder(place, overwrite=True) as work:
                convert(path, work)
    except OutputError as error:
        raise OutputError(
            f"{path}: a model of transformers is converted when it is first read, and {error} (name another folder in "
            "the environment variable TAGLINE_CACHE)"
        ) from error
    return ModelFolder.open(place)


def _kept(base: Path, key: str) -> ModelFolder | None:
    """What was converted before; None where there is none, or a damaged one."""
    for place in sorted(base.glob(f"[!.]*-{key}")):
        try:
            return ModelFolder.open(place)
        except FolderError:
            continue
    return None


def _name(path: Path) -> str:
    return re.sub(r"[^\w.-]+", "-", called(path)).strip(".-")[:60] or "model"


def _key(path: Path, base: Path) -> str:
    """Digest of the names and contents of the files that a conversion reads.

    Reading gigabytes anew at every start would be slow, so the digests are remembered with what the file system says of
    each file; its time of change cannot be set by hand.
    """
    files = sorted(each for each in path.iterdir() if each.suffix in _READ and each.is_file())
    files = [each for each in files if each.name not in _UNREAD and not each.name.startswith(".")]
    if any(each.suffix == ".safetensors" for each in files):  # transformers takes these before pickles
        files = [each for each in files if each.suffix != ".bin"]
    note = base / "known" / (hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:32] + ".json")
    seen = {each.name: _state(each) for each in files}
    with suppress(OSError, ValueError, KeyError, AttributeError):  # no note, or a damaged one: the files are read
        remembered: dict[str, Any] = json.loads(note.read_text(encoding="utf-8"))
        if remembered.get("files") == seen and remembered.get("conversion") == CONVERSION:
            return str(remembered["key"])
    digest = hashlib.sha256(f"conversion {CONVERSION}\n".encode())
    for each in files:
        digest.update(f"{each.name} {fingerprint(each)}\n".encode())
    key = digest.hexdigest()[:20]
    with suppress(OSError, OutputError):  # nothing is lost but time
        note.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(note) as file:
            json.dump({"folder": str(path), "conversion": CONVERSION, "files": seen, "key": key}, file)
    return key


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


@contextmanager
def _locked(base: Path, key: str) -> Iterator[None]:
    """Keeps others from converting the same; where the system has no such locks, the last to finish wins."""
    try:
        base.mkdir(parents=True, exist_ok=True)
        with (base / f".{key}.lock").open("w") as file:
            with suppress(ImportError, OSError):  # OSError: some network file systems
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OutputError:
        raise
    except OSError as error:
        if error.filename is None or not Path(os.fsdecode(error.filename)).is_relative_to(base):
            raise
        raise OutputError(f"{base} cannot be written: {error.strerror}") from error
