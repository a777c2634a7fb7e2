"""Trials: each a training on train, scored on dev after every epoch; in this process, or in several beside it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any, cast

import optuna
from optuna.trial import TrialState

from tagline.data.corpus import Corpus
from tagline.data.texts.corpus import TextCorpus
from tagline.errors import Interrupted, TaglineError, UsageError
from tagline.train.callbacks import ProgressEvent, StopOnInterrupt
from tagline.train.fit import fit
from tagline.train.search.space import Range
from tagline.train.search.study import finished, give_up, open_study, restart_broken
from tagline.train.settings import FitSettings
from tagline.train.texts.prepare import PreparedTexts, prepare_texts
from tagline.train.texts.settings import TextSettings
from tagline.train.tokens.prepare import PreparedTokens, prepare_tokens
from tagline.train.tokens.settings import TokenSettings

_POLL = 0.3  # seconds


@dataclass(frozen=True)
class Search:
    """A search.

    Attributes:
        folder: of the study.
        base: settings that are not searched.
        space: ranges of those that are.
        train: annotated training data.
        dev: annotated data that trials are scored on.
        trials: how many there shall be in all.
        deadline: time (`time.time`) after which no trial begins, or None.
    """

    folder: Path
    base: FitSettings
    space: tuple[Range, ...]
    train: Corpus | TextCorpus
    dev: Corpus | TextCorpus
    trials: int
    deadline: float | None = None


Tell = Callable[[optuna.Study], None]
"""Is called when trials may have ended."""


def run_search(search: Search, jobs: int, tell: Tell) -> optuna.Study:
    """Runs trials until there are enough, or time is up.

    Args:
        search: what is searched.
        jobs: trials at a time; several run as processes, each on cores of its own.
        tell: is called when trials may have ended.

    Raises:
        Interrupted: Ctrl-C or SIGTERM, or a process broke down; trials that were under way are repeated when the
            search goes on.
    """
    study = open_study(search.folder, search.base.seed)
    restart_broken(study)
    if jobs == 1:
        work(search, study, contextlib.nullcontext(), lambda: tell(study))
        return study
    context = get_context("spawn")
    lock = context.Lock()
    begun = len(study.get_trials(deepcopy=False))
    workers = [
        context.Process(target=_process, args=(search, lock, cores, number, begun))
        for number, cores in enumerate(_places(jobs))
    ]
    stop = StopOnInterrupt()
    with stop.listening():
        with _deaf_to_interrupts():
            for worker in workers:
                worker.start()
        try:
            while not stop.stopped and any(worker.is_alive() for worker in workers):
                time.sleep(_POLL)
                tell(study)
        finally:
            for worker in workers:
                if worker.is_alive():
                    worker.terminate()
            for worker in workers:
                worker.join()
            restart_broken(study)
            tell(study)
    if stop.stopped:
        raise Interrupted("stopped")
    failed = [worker.exitcode for worker in workers if worker.exitcode]
    if failed:
        raise Interrupted(f"a process of the search ended with {failed[0]}")
    return study


def _places(jobs: int) -> list[set[int]]:
    """Cores of each process; empty where they cannot be told."""
    if not hasattr(os, "sched_getaffinity"):
        return [set()] * jobs
    usable = sorted(os.sched_getaffinity(0))
    return [set(usable[number::jobs]) for number in range(jobs)]


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes started here hear no Ctrl-C, from their first moment on: it is for this one, which ends them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _process(search: Search, lock: Any, cores: set[int], number: int, begun: int) -> None:
    if cores:
        os.sched_setaffinity(0, cores)
        search = replace(search, base=replace(search.base, threads=search.base.threads or len(cores)))
    parent = parent_process()

    def alive() -> None:
        if parent is not None and not parent.is_alive():
            signal.raise_signal(signal.SIGTERM)

    try:
        work(search, open_study(search.folder, search.base.seed, number, begun), lock, alive)
    except (Interrupted, KeyboardInterrupt):
        return
    except TaglineError as error:
        sys.exit(str(error))  # what it says is for the user, where it came from is not


def work(search: Search, study: optuna.Study, lock: Any, after: Callable[[], None]) -> None:
    """Takes one trial after the other.

    Args:
        search: what is searched.
        study: the study, opened by this process.
        lock: is held while it is seen whether another trial is wanted.
        after: is called after every epoch and every trial.
    """
    while search.deadline is None or time.time() < search.deadline:
        with lock:
            running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
            if len(finished(study)) + len(running) >= search.trials:
                return
            trial = study.ask()
            chosen = {each.name: each.draw(trial) for each in search.space}
        _try(search, study, trial, chosen, after)
        after()


def _try(
    search: Search, study: optuna.Study, trial: optuna.Trial, chosen: dict[str, Any], after: Callable[[], None]
) -> None:
    """One training; what it scored is told to the study."""
    place = search.folder / f"trial-{trial.number}"

    def report(event: ProgressEvent) -> None:
        if event.evaluated and event.score is not None:
            after()
            trial.report(event.score, round(event.epoch))
            if event.step < event.steps and trial.should_prune():
                raise optuna.TrialPruned

    try:
        settings = replace(search.base, **chosen, calibrate=False)
        score = score_of(search.train, search.dev, settings, place, report)
        study.tell(trial, score)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except UsageError as error:  # it has diverged, or the settings do not go together: they are bad ones
        trial.set_user_attr("error", str(error))
        study.tell(trial, state=TrialState.PRUNED)
    except Interrupted as error:
        give_up(study, trial.number)
        raise Interrupted("stopped") from error  # what it says of a checkpoint does not hold: the folder goes
    except BaseException:
        give_up(study, trial.number)
        raise
    finally:
        shutil.rmtree(place, ignore_errors=True)


def score_of(
    train: Corpus | TextCorpus,
    dev: Corpus | TextCorpus,
    settings: FitSettings,
    place: Path,
    report: Callable[[ProgressEvent], None] | None = None,
) -> float:
    """The best score on dev of a training."""
    prepared: PreparedTexts | PreparedTokens
    if isinstance(settings, TextSettings):
        prepared = prepare_texts(cast(TextCorpus, train), cast(TextCorpus, dev), settings)
    else:
        prepared = prepare_tokens(cast(Corpus, train), cast(Corpus, dev), cast(TokenSettings, settings))
    score = fit(prepared, settings, place, report=report, tracker="none").dev_score
    assert score is not None
    return score
