"""Models where they are run: found, opened once a process, and kept."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagline.errors import FolderError
from tagline.predict.classifier import Classifier
from tagline.predict.staged import model_facts, open_classifier, open_tagger
from tagline.predict.tagger import Tagger
from tagline.spark.meter import Meter

ARCHIVE = "archive:"
_KEPT = 4  # models that a process holds at once
_OPEN: OrderedDict[tuple[Any, ...], Tagger | Classifier] = OrderedDict()
_LOCK = threading.Lock()


@dataclass(frozen=True)
class ModelRef:
    """A model as it travels to the executors.

    Attributes:
        path: its folder on the driver, or `archive:NAME`.
        fingerprint: hash of what it is.
        tags: whether it marks entities; else it labels texts.
        options: fields of `EngineSettings`.
        files: a broadcast of its files (name to bytes), None where executors see the path or an archive.
    """

    path: str
    fingerprint: str
    tags: bool
    options: tuple[tuple[str, Any], ...] = ()
    files: Any = None


class Models:
    """The models of one pass.

    Args:
        threads: cores that the pass may use; 0 for all.
        meter: counts the models that are opened.
    """

    def __init__(self, threads: int = 0, meter: Meter | None = None) -> None:
        self.threads, self.meter = threads, meter

    def tagger(self, ref: ModelRef) -> Tagger:
        """The opened tagger."""
        found = self._opened(ref)
        assert isinstance(found, Tagger)  # the driver has looked at the task
        return found

    def classifier(self, ref: ModelRef) -> Classifier:
        """The opened classifier."""
        found = self._opened(ref)
        assert isinstance(found, Classifier)
        return found

    def _opened(self, ref: ModelRef) -> Tagger | Classifier:
        options = {"threads": self.threads, **{name: value for name, value in ref.options if value is not None}}
        key = (ref.fingerprint, tuple(sorted(options.items())))
        with _LOCK:
            if key not in _OPEN:
                while len(_OPEN) >= _KEPT:
                    _OPEN.popitem(last=False)
                path = locate(ref)
                _OPEN[key] = open_tagger(path, **options) if ref.tags else open_classifier(path, **options)
                if self.meter is not None:
                    _settle()
                    self.meter.add(**{f"load {socket.gethostname()} {os.getpid()} {ref.fingerprint[:12]}": 1})
            _OPEN.move_to_end(key)
            return _OPEN[key]


def _settle() -> None:
    """Frees a Python worker from looking through all that it has loaded, again and again, for circles to free."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def locate(ref: ModelRef) -> Path:
    """The model's folder on this machine.

    Raises:
        FolderError: it is not there, or another model is.
    """
    if ref.path.startswith(ARCHIVE):
        return archived(ref.path)
    path = Path(ref.path)
    if ref.files is not None:
        if not _same(path, ref.fingerprint):
            return _unpacked(ref)
    elif not path.is_dir():
        raise FolderError(
            f"{path}: not on the executor {socket.gethostname()}. Put the folder where all machines see it, or let it "
            'travel: setTravel("broadcast")'
        )
    return path


def archived(name: str) -> Path:
    """The folder of `archive:NAME` that Spark has unpacked (spark.archives, --archives FILE.zip#NAME)."""
    from pyspark import SparkFiles

    name = name.removeprefix(ARCHIVE)
    for place in (Path(SparkFiles.get(name)), Path(name)):  # YARN and Kubernetes unpack into the working folder
        inner = [each.parent for each in (place / "config.json", *place.glob("*/config.json")) if each.is_file()]
        if inner:
            return inner[0]
    raise FolderError(
        f"{ARCHIVE}{name}: no model folder in an archive of that name. Submit with --archives MODEL.zip#{name}, or "
        f'call before: spark.sparkContext.addArchive("MODEL.zip#{name}")'
    )


def _same(path: Path, fingerprint: str) -> bool:
    try:
        return path.is_dir() and model_facts(path).fingerprint == fingerprint
    except (FolderError, OSError):
        return False


def _unpacked(ref: ModelRef) -> Path:
    """The broadcast files on this machine's disk: written by whichever process comes first, mapped by all."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    home = Path(tempfile.gettempdir()) / f"tagline-models-{user}"
    place = home / ref.fingerprint
    if _same(place, ref.fingerprint):
        return place
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and home.stat().st_uid != os.getuid():
        raise FolderError(f"{home}: belongs to another user; remove it, or set TMPDIR on the executors")
    fresh = Path(tempfile.mkdtemp(prefix="fresh-", dir=home))
    try:
        for name, content in ref.files.value.items():
            (fresh / name).write_bytes(content)
        vars(ref.files).pop("_value", None)  # pyspark keeps what it has read; the disk has it now
        try:
            fresh.rename(place)
        except OSError:  # another process was quicker, or what lies there is damaged
            if not _same(place, ref.fingerprint):
                shutil.rmtree(place)
                fresh.rename(place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return place
