"""`tagline tune`: the search for the settings that score best on dev."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from tagline.cli import options as shared
from tagline.cli.training import check_extra, settings_of
from tagline.errors import Interrupted, MissingExtraError, UsageError

if TYPE_CHECKING:
    import optuna

    from tagline.data.corpus import Corpus
    from tagline.data.texts.corpus import TextCorpus
    from tagline.train.search.trials import Search
    from tagline.train.settings import FitSettings

S = TypeVar("S", bound="FitSettings")

_BEST, _PICTURE = "best.json", "search.png"


@dataclass(frozen=True)
class Searching:
    """Options of the search itself."""

    ranges: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            help="What is searched: learning_rate=1e-5:3e-4:log, epochs=3:8, head=linear,crf. Default: what usually "
            "matters.",
            show_default=False,
        ),
    ] = None
    trials: Annotated[int, typer.Option(help="Trials in all, those of a resumed search included.")] = 20
    jobs: Annotated[int, typer.Option(help="Trials at a time, each on cores of its own.")] = 1
    timeout: Annotated[float | None, typer.Option(help="Seconds after which no trial begins.", show_default=False)] = (
        None
    )

    def check(self) -> None:
        """Finds out before any work whether it can be done.

        Raises:
            MissingExtraError: what searches is not installed.
            UsageError: a number out of range.
        """
        import importlib.util

        from tagline.machine import cores

        check_extra()
        if any(importlib.util.find_spec(name) is None for name in ("optuna", "matplotlib")):
            raise MissingExtraError("the search for settings", "tune")
        if self.trials < 1:
            raise UsageError(f"--trials is {self.trials}; expected at least 1")
        most = cores()
        if not 1 <= self.jobs <= most:
            accepted = f"1 to {most}, the cores there are" if most > 1 else "1, as there is one core"
            raise UsageError(f"--jobs is {self.jobs}; expected {accepted}")
        if self.timeout is not None and not self.timeout > 0:
            raise UsageError(f"--timeout is {self.timeout}; expected seconds, more than 0")

    def check_threads(self, threads: int) -> None:
        """Raises UsageError where trials at a time, each with so many threads, have not enough cores."""
        from tagline.machine import cores

        if self.jobs > 1 and threads > (share := cores() // self.jobs):
            raise UsageError(
                f"--threads is {threads} with --jobs {self.jobs}; expected at most {share} for each of them, as there "
                f"are {cores()} cores. Leave --threads away, and they share the cores"
            )

    def deadline(self) -> float | None:
        """When no trial begins any more, for a search that begins now."""
        return None if self.timeout is None else time.time() + self.timeout


@dataclass(frozen=True)
class Trial:
    """What all trials have in common: the task, and settings that are not searched."""

    task: shared.Task = None
    encoder: shared.Encoder = None
    settings: shared.Set = None
    seed: Annotated[int | None, typer.Option(help="Seed of the search and of every trial.", show_default=False)] = None
    threads: shared.Threads = 0

    def of(self, kind: type[S]) -> S:
        """Settings that a task begins with.

        Raises:
            UsageError: a setting that this task does not have, or a value that it does not take.
        """
        given = {"encoder": self.named, "seed": self.seed, "threads": self.threads or None}
        return settings_of(kind, given, self.settings or [])

    @property
    def named(self) -> str:
        """The encoder's name."""
        return self.encoder or "minilm"


@dataclass(frozen=True)
class Place:
    """Options of what the search finds in its folder, and how it tells of the end."""

    resume: Annotated[bool, typer.Option("--resume", help="Go on with the search in the folder.")] = False
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the search in the folder.")] = False
    json_out: Annotated[bool, typer.Option("--json", help="Print the best settings as one JSON object.")] = False


_SEARCHING, _TRIAL, _PLACE = Searching(), Trial(), Place()


def tune(
    train_file: Annotated[Path, typer.Argument(metavar="TRAIN", help="Annotated training data.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the search.", show_default=False)],
    dev: Annotated[Path | None, typer.Option(help="Annotated data that trials are scored on.")] = None,
    searching: Searching = _SEARCHING,
    trial: Trial = _TRIAL,
    place: Place = _PLACE,
    form: shared.Format = None,
    columns: shared.WordReading = shared.UNTOLD_WORDS,
    texts: shared.TextReading = shared.UNTOLD,
) -> None:
    """Search for the settings that score best on dev, by Optuna (extra: tune)."""
    searching.check()
    chosen = shared.task(trial.task, texts.given(), train_file)
    files = {"train": train_file, **({"dev": dev} if dev is not None else {})}
    base: FitSettings
    corpora: dict[str, Corpus] | dict[str, TextCorpus]
    if chosen == "token-classification":
        from tagline.cli.train_tokens import read_tagged
        from tagline.train.tokens.settings import settings_for

        if dev is None:
            raise UsageError("--dev is missing; trials are scored on annotated data that they do not learn from")
        token_settings = trial.of(settings_for(trial.named))
        reading = columns.options(form)
        base, corpora = token_settings, read_tagged(files, reading, token_settings)
    else:
        from tagline.cli.train_texts import read_labelled
        from tagline.train.texts.settings import TextSettings

        text_settings = trial.of(TextSettings)
        base, corpora = text_settings, read_labelled(files, texts.options(form), text_settings, None)[0]
    searching.check_threads(base.threads)
    _check_apart(searching.ranges or [], trial)
    search = _search(corpora, base, output, searching.ranges or [], (place.resume, place.overwrite))
    found = _run(search, searching.trials, searching.deadline(), searching.jobs)
    if place.json_out:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        command = f"tagline train {train_file} --settings {output / _BEST} …"
        shared.say(f"settings: {output / _BEST}\npicture: {output / _PICTURE}\nnext: {command}")


def _check_apart(ranges: list[str], trial: Trial) -> None:
    """Raises UsageError where a setting is both searched and fixed."""
    fixed = {each.partition("=")[0].strip().replace("-", "_") for each in trial.settings or []}
    fixed |= {"seed"} if trial.seed is not None else set()
    for each in ranges:
        name = each.partition("=")[0].strip()
        if name.replace("-", "_") in fixed:
            raise UsageError(f"--range {each} searches what is fixed by --set or --seed; leave one of the two away")


def _search(corpora: Any, base: FitSettings, output: Path, ranges: list[str], again: tuple[bool, bool]) -> Search:
    """The search, its folder made or found."""
    from tagline.train.search.space import parse_ranges
    from tagline.train.search.study import digest, open_folder
    from tagline.train.search.trials import Search

    if "dev" not in corpora:
        raise UsageError("the training data is too small to split a dev part off; give one with --dev")
    space = parse_ranges(ranges, base)
    sides = [digest(getattr(corpora[role], "sentences", None) or corpora[role].texts) for role in ("train", "dev")]
    fixed = {name: value for name, value in base.to_dict().items() if name != "threads"}
    facts = {"settings": fixed, "ranges": [str(each) for each in space], "data": sides}
    open_folder(output, facts, *again)
    shared.say(f"searched on dev: {', '.join(facts['ranges'])}")
    return Search(output, base, space, corpora["train"], corpora["dev"], 0)


def _run(search: Search, trials: int, deadline: float | None, jobs: int) -> dict[str, Any]:
    """Searches; whatever ends it, what was found by then is written."""
    from dataclasses import replace

    from tagline.train.search.study import finished
    from tagline.train.search.trials import run_search

    search = replace(search, trials=trials, deadline=deadline)
    teller = _Teller(search)
    try:
        study = run_search(search, jobs, teller)
    except (Interrupted, KeyboardInterrupt) as error:
        why = str(error).removesuffix(".") or "stopped"
        raise Interrupted(f"{why}; {teller.kept()}. To go on type: {shared.resuming()}") from error
    teller(study)
    if (done := len(finished(study))) < trials:
        shared.say(f"time is up after {done} of {trials} trials; to go on type: {shared.resuming()}")
    if teller.found is None:
        raise UsageError(
            "no trial came to its end with a score; the messages of the trials say why. Narrow --range, or give more "
            "--trials or --timeout"
        )
    return teller.found


class _Teller:
    """Says what trials gave, and keeps the best settings and the picture on disk as they come."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.found: dict[str, Any] | None = None
        self._told: set[int] | None = None

    def kept(self) -> str:
        """What there is of the search."""
        return f"{len(self._told or ())} trials are kept in {self.search.folder}"

    def __call__(self, study: optuna.Study) -> None:
        """Tells of the trials that have ended since the last call."""
        from tagline.train.search.study import best, finished

        done = finished(study)
        if self._told is None:  # of a search that goes on
            self._told = (
                {trial.number for trial in done} if done and self.search.folder.joinpath(_BEST).exists() else set()
            )
            if self._told:
                shared.say(f"{len(self._told)} trials are there already")
        fresh = [trial for trial in done if trial.number not in self._told]
        top = best(study)
        for trial in fresh:
            self._told.add(trial.number)
            shared.say(self._line(trial, len(self._told), top))
        if top is not None and (fresh or self.found is None):
            self._write(study, top)

    def _line(self, trial: Any, count: int, top: Any) -> str:
        chosen = " ".join(f"{name}={_shown(value)}" for name, value in trial.params.items())
        error = trial.user_attrs.get("error")
        said = f"failed ({error})" if error else "pruned"
        if trial.state.name == "COMPLETE":
            said = f"{trial.value:.4f}"
        record = "" if top is None else f", best {top.score:.4f} (trial {top.number})"
        return f"trial {trial.number} [{count}/{self.search.trials}]: {said}{record}; {chosen}"

    def _write(self, study: optuna.Study, top: Any) -> None:
        from tagline.data.atomic import atomic_write
        from tagline.train.search.picture import draw_search
        from tagline.train.search.study import finished
        from tagline.train.texts.settings import TextSettings

        base = self.search.base
        plain = type(base)().to_dict()
        given = {name: value for name, value in base.to_dict().items() if value != plain[name] and name != "threads"}
        self.found = {
            "settings": {"encoder": base.encoder, **given, **top.params},
            "score": top.score,
            "trial": top.number,
            "trials": len(finished(study)),
        }
        with atomic_write(self.search.folder / _BEST) as file:
            file.write(json.dumps(self.found, indent=2, ensure_ascii=False) + "\n")
        metric = "score" if isinstance(base, TextSettings) else "F1"
        draw_search(study, self.search.space, metric, self.search.folder / _PICTURE)


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
