"""How a model comes from the driver to the executors."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from pyspark.sql import SparkSession

from tagline.errors import UsageError
from tagline.predict.staged import ModelFacts, needed_files
from tagline.spark.models import ARCHIVE, ModelRef

TRAVELS = ("auto", "path", "broadcast")
_OPTIONS = {"engine": "auto", "precision": "auto", "batch_tokens": 1024}
_SENT: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()


def refer(facts: ModelFacts, path: str, session: SparkSession | None, travel: str, options: dict[str, Any]) -> ModelRef:
    """A model as it travels.

    Args:
        facts: of the folder on the driver.
        path: as the user gave it: a folder, or `archive:NAME`.
        session: the Spark session; None where nothing travels.
        travel: `path` (all machines see the folder), `broadcast` (Spark brings its files), or `auto`: the path where an
            executor sees the same model there, else a broadcast.
        options: fields of `EngineSettings`.
    """
    if travel not in TRAVELS:
        raise UsageError(f"travel is {travel!r}; accepted are {', '.join(TRAVELS)}")
    archived = path.startswith(ARCHIVE)
    given = path if archived else str(facts.path)
    files = None
    if session is not None and not archived and travel != "path" and not _single_machine(session, travel):
        files = _broadcast(session, facts)
    given_options = {name: value for name, value in options.items() if value is not None}
    # One name for one way of running: it is the key of the cache.
    named = tuple(sorted({**_OPTIONS, **given_options}.items()))
    return ModelRef(given, facts.fingerprint, facts.tags, named, files)


def _single_machine(session: SparkSession, travel: str) -> bool:
    """Whether executors are sure to see the driver's disk, or nothing can be broadcast (Spark Connect)."""
    if "connect" in type(session).__module__:
        return True
    return travel == "auto" and str(session.sparkContext.master).partition("[")[0] == "local"


def _broadcast(session: SparkSession, facts: ModelFacts) -> Any:
    context = session.sparkContext
    sent = _SENT.setdefault(context, {})
    if facts.fingerprint not in sent:
        files = {each.name: each.read_bytes() for each in needed_files(Path(facts.path))}
        sent[facts.fingerprint] = context.broadcast(files)
    return sent[facts.fingerprint]
