"""The folder of a training run under way: its settings, its checkpoints, and whether it can be resumed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers.trainer_utils import get_last_checkpoint

from tagline.data.atomic import atomic_write
from tagline.errors import OutputError, UsageError
from tagline.train.prepared import Prepared
from tagline.train.settings import FitSettings

_SETTINGS, _STATE = "settings.json", "trainer_state.json"
_NOT_OF_THE_WEIGHTS = ("threads", "calibrate")  # a run may go on with others: no step of it changes


@dataclass(frozen=True)
class Run:
    """A run that begins or goes on.

    Attributes:
        work: its folder, as an absolute path.
        checkpoint: the checkpoint to go on from, None at the beginning.
        waited: epochs without a better score on dev before that checkpoint.
        epochs: epochs done at that checkpoint, with fraction.
    """

    work: Path
    checkpoint: str | None = None
    waited: int = 0
    epochs: float = 0.0


def open_run(prepared: Prepared, settings: FitSettings, work: Path, resume: bool) -> Run:
    """Makes the work folder anew, or with `resume` finds the last whole checkpoint in it.

    Raises:
        UsageError: the folder holds a run on other data or with other settings.
        OutputError: the folder cannot be made.
    """
    return begin(settings.to_dict(), _fingerprint(prepared), work, resume)


def begin(settings: Mapping[str, Any], data: str, work: Path, resume: bool) -> Run:
    """As `open_run`, for any run that has settings and a fingerprint of what it learns from.

    Raises:
        UsageError: the folder holds a run on other data or with other settings.
        OutputError: the folder cannot be made.
    """
    work = work.absolute()  # the Trainer notes its best checkpoint by this name, and a resumed run may start elsewhere
    now = {
        "settings": {key: value for key, value in settings.items() if key not in _NOT_OF_THE_WEIGHTS},
        "data": data,
    }
    before = _before(work) if resume else None
    if before is not None:
        _compare(before, now, work)
        return _go_on(work)
    try:
        if work.is_dir():
            shutil.rmtree(work)
        work.mkdir(parents=True)
        with atomic_write(work / _SETTINGS) as file:
            file.write(json.dumps(now, indent=2) + "\n")
    except OSError as error:
        raise OutputError(f"{work}: cannot be made ({error.strerror}); give another place with -o") from error
    return Run(work)


@contextmanager
def refusable(run: Run, main: bool) -> Iterator[None]:
    """Where settings are refused, a run without a checkpoint goes, so that the mended command begins anew.

    Args:
        run: the run.
        main: whether this is the process that keeps its folder.
    """
    try:
        yield
    except UsageError:
        if main and last_checkpoint(run.work) is None:
            shutil.rmtree(run.work, ignore_errors=True)
        raise


def _before(work: Path) -> dict[str, Any] | None:
    """What the folder says of its run; None where there is none, or it was killed before it could say."""
    try:
        found = json.loads((work / _SETTINGS).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _compare(before: dict[str, Any], now: dict[str, Any], work: Path) -> None:
    again = "to begin anew type --overwrite instead of --resume"
    old, new = before.get("settings") or {}, now["settings"]
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    if names:
        changes = ", ".join(f"{name}: {old.get(name)} then, {new.get(name)} now" for name in names)
        raise UsageError(f"{work} holds a run with other settings ({changes}); resume with the same ones, or {again}")
    if before.get("data") != now["data"]:
        raise UsageError(
            f"{work} holds a run on other training or dev data; resume with the same files and teachers, or {again}"
        )


def _fingerprint(prepared: Prepared) -> str:
    """SHA-256 of all that the run learns from and is chosen by."""
    digest = hashlib.sha256(prepared.identity.encode())
    for examples in filter(None, (prepared.train, prepared.dev)):
        for facts in examples.facts():
            digest.update(facts)
    return digest.hexdigest()


def last_checkpoint(work: Path) -> Path | None:
    """The last checkpoint that was written to its end; what a kill or a full disk left behind it is removed."""
    while (found := get_last_checkpoint(str(work))) is not None:  # type: ignore[no-untyped-call]
        try:
            state_of(Path(found))
        except (OSError, ValueError):
            shutil.rmtree(found)
        else:
            return Path(found)
    return None


def state_of(checkpoint: Path) -> dict[str, Any]:
    """What the Trainer notes of itself in a checkpoint, last of all files.

    Raises:
        OSError: it did not come to that.
        ValueError: it did not come to the end of it.
    """
    state = json.loads((checkpoint / _STATE).read_bytes())
    if not isinstance(state, dict) or "epoch" not in state:
        raise ValueError("no state of a Trainer")
    return state


def _go_on(work: Path) -> Run:
    checkpoint = last_checkpoint(work)
    if checkpoint is None:
        return Run(work)
    state = state_of(checkpoint)
    stopping = state.get("stateful_callbacks", {}).get("EarlyStoppingCallback", {})
    waited = stopping.get("attributes", {}).get("early_stopping_patience_counter", 0)
    return Run(work, str(checkpoint), int(waited), float(state["epoch"]))


def first_line(error: Exception) -> str:
    """What an error of a library says, as much as fits a sentence of ours."""
    return str(error).strip().partition("\n")[0]
