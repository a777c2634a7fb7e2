"""What `tagline train` does whatever the task: places, settings, the fit, the model folder."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from tagline.cli import options as shared
from tagline.errors import Interrupted, MissingExtraError, OutputError, TaglineError, UsageError

if TYPE_CHECKING:
    from tagline.folder import Manifest
    from tagline.train.distil.taught import Taught
    from tagline.train.fit import Fitted
    from tagline.train.prepared import Prepared
    from tagline.train.settings import FitSettings

_FIRST_SPEAKS = 10.0  # seconds that the other processes leave the first one to say a mistake
_NEEDED = ("torch", "transformers", "accelerate", "safetensors", "tensorboard")

S = TypeVar("S", bound="FitSettings")
P = TypeVar("P", bound="Prepared")
T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Options of what a training finds in its place and leaves there, as they were typed."""

    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the model folder.")] = False
    json_out: Annotated[bool, typer.Option("--json", help="Print the scores as one JSON object.")] = False

    def folders(self, output: Path, first: bool = True) -> tuple[Path, Path]:
        """The model folder and, beside it, that of the run. Whether they can be made is found out before any work.

        Args:
            output: as it was asked for.
            first: whether this is the first process of the run; the others look at nothing, for the first has begun.

        Raises:
            OutputError: something is there that may not be replaced, or nothing can be made there.
        """
        if output.name in ("", ".."):
            output = output.resolve()
        work = output.with_name(output.name + ".training")
        if first:
            _check_places(output, work, self.resume, self.overwrite)
        return output, work


@dataclass(frozen=True)
class Run:
    """A training as it was asked for.

    Attributes:
        files: annotated files by role (`train`, `dev`, `test`).
        output: the model folder to make.
        work: the folder of the run, beside it.
        place: whether to go on from the last checkpoint, and to replace what is there.
        tracker: where the log of the training goes.
    """

    files: dict[str, Path]
    output: Path
    work: Path
    place: Place
    tracker: str = "tensorboard"


def learn(
    prepared: P,
    settings: FitSettings,
    run: Run,
    manifest: Callable[[Fitted[P]], Manifest],
    judge: Callable[[Path], dict[str, Any]],
    taught: Taught[P] | None = None,
) -> dict[str, Any]:
    """Fits, judges through the engine that users will run, writes the folder; gives the metrics.

    With `taught`, the material is learned with what its teachers say of it.

    Of several processes the first one writes and judges; the others have nothing to give.
    """
    from tagline.cli.progress import training
    from tagline.publish.write import Parts, write_model
    from tagline.train.fit import Fitted, fit
    from tagline.train.processes import Processes

    if settings.lora and settings.fast:
        shared.say(f"LoRA of rank {settings.lora}: trained through transformers' modules; the flat layers have none")
    with training() as report:
        if taught is None:
            fitted = fit(prepared, settings, run.work, run.place.resume, report, run.tracker)
        else:
            with_teachers = fit(taught, settings, run.work, run.place.resume, report, run.tracker)
            fitted = Fitted(**{**vars(with_teachers), "prepared": prepared})
    if not Processes.here().main:
        return {}
    if fitted.calibration is not None:
        shared.say(f"scores calibrated on dev: {fitted.calibration}")
    parts = Parts(fitted.model, prepared.encoder.tokenizer, fitted.logs, prepared.files)
    folder = write_model(parts, manifest(fitted), run.output, judge, run.place.overwrite)
    shutil.rmtree(run.work, ignore_errors=True)
    return folder.manifest.metrics


def _check_places(output: Path, work: Path, resume: bool, overwrite: bool) -> None:
    import shlex

    from tagline.data.atomic import is_mount

    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is a file; expected the name of a folder to make")
    if output.is_dir() and is_mount(output):
        inside = shlex.quote(str(output / "model"))
        raise OutputError(
            f"{output} is a mount point, which cannot be replaced whole; name a folder inside it: -o {inside}"
        )
    if output.is_dir() and any(output.iterdir()):
        if not (output / "config.json").is_file():
            raise OutputError(f"{output} is a folder that holds no model, and only models are replaced; name another")
        if not overwrite:
            raise OutputError(f"{output} is there already; type --overwrite to replace it, or another name with -o")
    if work.exists() and not resume and not overwrite:
        raise OutputError(f"{work} holds an unfinished run; type --resume to go on, or --overwrite to begin anew")
    if resume and not work.exists():
        shared.say(f"nothing to resume in {work}; training begins at the beginning")
    place = output.absolute().parent
    while not place.exists():
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        reason = "may not be written to" if place.is_dir() else "is a file"
        raise OutputError(f"{output} cannot be made: {place} {reason}; give another place with -o")


@contextmanager
def one_voice() -> Iterator[bool]:
    """Has only the first of several processes print; the others but for a crash. Gives whether this is the first.

    A mistake is met by all of them, and torchrun ends all when one has ended. So the others leave the first time to say
    it; what they alone met (a file that their machine lacks), they say afterwards.
    """
    from tagline.train.processes import Processes

    if Processes.here().main:
        yield True
        return
    silence = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (it lasts as long as the process)
    sys.stdout = sys.stderr = silence
    sys.excepthook = lambda *error: traceback.print_exception(*error, file=sys.__stderr__)
    try:
        yield False
    except Interrupted:
        raise
    except TaglineError:
        time.sleep(_FIRST_SPEAKS)
        sys.stderr = sys.__stderr__
        raise


def kept(folder: Path, work: Callable[[], T]) -> T:
    """Does the work; where it breaks off, says how to go on."""
    try:
        return work()
    except (Interrupted, OutputError, KeyboardInterrupt) as error:
        why = "stopped" if isinstance(error, KeyboardInterrupt) else str(error).removesuffix(".")
        kind = OutputError if isinstance(error, OutputError) else Interrupted
        raise kind(why + (f". To go on type: {shared.resuming()}" if folder.is_dir() else "")) from error


def check_extra() -> None:
    """Raises `MissingExtraError` unless training is installed."""
    import importlib.util

    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise MissingExtraError("training", "train")


def settings_of(kind: type[S], given: dict[str, Any], pairs: Iterable[str], file: Path | None = None) -> S:
    """Settings from options (None: not given), from `--set NAME=VALUE` and, where both are silent, from a file.

    Raises:
        UsageError: a setting that this task does not have, or a value that it does not take.
    """
    known = {each.name: each for each in fields(kind)}  # without EPOCHS, which belongs to the class
    chosen: dict[str, Any] = {}
    for name, value in (read_settings(file) if file is not None else {}).items():
        if name not in known:
            raise UsageError(f"{file}: {name!r} is no setting here; accepted are {', '.join(sorted(known))}")
        wanted = str(known[name].type)
        chosen[name] = shared.scheme(str(value)) if name == "scheme" else _checked(f"{file}: {name}", value, wanted)
    asked = {name: value for name, value in given.items() if value is not None}
    strange = [name for name in asked if name not in known]
    if strange:
        raise UsageError(f"--{strange[0].replace('_', '-')} is not for this task; leave it away")
    chosen |= asked
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.replace("-", "_")
        if not equals or name not in known:
            raise UsageError(f"--set got {pair!r}; expected NAME=VALUE with one of {', '.join(sorted(known))}")
        chosen[name] = shared.scheme(text) if name == "scheme" else _value(name, text, str(known[name].type))
    return kind(**chosen)


def read_settings(file: Path) -> dict[str, Any]:
    """Settings by name from a file in JSON or TOML: at the top, or below `settings`, as `tagline tune` writes them.

    Raises:
        UsageError: it cannot be read, or holds no table of settings.
    """
    import tomllib

    try:
        text = file.read_text(encoding="utf-8")
        found = tomllib.loads(text) if file.suffix.lower() == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"--settings {file}: cannot be read ({why}); expected JSON or TOML with settings by name, such as the "
            "best.json of tagline tune"
        ) from error
    table = found.get("settings", found) if isinstance(found, dict) else found
    if not isinstance(table, dict):
        raise UsageError(f"--settings {file}: holds a {type(table).__name__}; expected settings by name")
    return table


def _value(name: str, text: str, wanted: str) -> Any:
    try:
        value = json.loads(text.lower() if text in ("True", "False", "None") else text)
    except ValueError:
        value = text
    return _checked(f"--set {name}", value, wanted, text)


def _checked(place: str, value: Any, wanted: str, said: str | None = None) -> Any:
    if not isinstance(value, _accepted(wanted)) or (isinstance(value, bool) and "bool" not in wanted):
        raise UsageError(f"{place}: got {value if said is None else said!r}; expected {wanted}")
    return value


def _accepted(annotation: str) -> tuple[type, ...]:
    kinds: dict[str, tuple[type, ...]] = {
        "int": (int,), "float": (int, float), "str": (str,), "bool": (bool,), "None": (type(None),),
    }  # fmt: skip
    return tuple(kind for name in annotation.split(" | ") for kind in kinds[name])
