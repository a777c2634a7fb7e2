"""The study: a journal of trials in a folder, which several processes write to and a later run goes on with."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from tagline.data.atomic import atomic_write
from tagline.errors import OutputError, UsageError

JOURNAL, SEARCH = "journal.log", "search.json"
DONE = (TrialState.COMPLETE, TrialState.PRUNED)
_NAME = "tagline"
_FREE_TRIALS, _FREE_EPOCHS = 4, 1  # trials, and epochs of each, that are never pruned


def open_folder(folder: Path, facts: dict[str, Any], resume: bool, overwrite: bool) -> None:
    """Makes the folder of a search, or sees whether the one there is of the same search.

    Args:
        folder: the folder.
        facts: what makes the search: settings, ranges, data.
        resume: go on with the search that lies there.
        overwrite: begin anew.

    Raises:
        OutputError: there is something that may not be replaced, or nothing can be written.
        UsageError: the search there is another one.
    """
    there = folder / SEARCH
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; expected the name of a folder to make")
    if folder.is_dir() and any(folder.iterdir()):
        if not there.is_file():
            raise OutputError(
                f"{folder} is a folder that holds no search, and only searches are replaced; name another"
            )
        if resume:
            before = json.loads(there.read_text(encoding="utf-8"))
            changed = [name for name in facts if before.get(name) != json.loads(json.dumps(facts[name]))]
            if changed:
                raise UsageError(
                    f"{folder} holds a search with other {' and '.join(changed)}; resume with the same ones, or begin "
                    "anew with --overwrite"
                )
            return
        if not overwrite:
            raise OutputError(f"{folder} holds a search; type --resume to go on, or --overwrite to begin anew")
        shutil.rmtree(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(there) as file:
            file.write(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); give another place with -o") from error


def digest(*parts: object) -> str:
    """A short name of data."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def open_study(folder: Path, seed: int, process: int = 0, begun: int | None = None) -> optuna.Study:
    """The study of a folder, with a sampler that no other process and no earlier run of the search draws like.

    Args:
        folder: of the search.
        seed: of the search.
        process: number of the process among those that run trials.
        begun: trials that there were when the run began; None counts those there are.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = JournalStorage(JournalFileBackend(str(folder / JOURNAL)))
    study = optuna.create_study(storage=storage, study_name=_NAME, direction="maximize", load_if_exists=True)
    begun = len(study.get_trials(deepcopy=False)) if begun is None else begun
    drawn = int(np.random.SeedSequence((seed, process, begun)).generate_state(1)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        # Trials of other processes count as bad until they have ended, so that all do not search in one place.
        sampler = optuna.samplers.TPESampler(seed=drawn, constant_liar=True)
    pruner = optuna.pruners.MedianPruner(_FREE_TRIALS, _FREE_EPOCHS)
    return optuna.load_study(storage=storage, study_name=_NAME, sampler=sampler, pruner=pruner)


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that came to their end, or were pruned."""
    return study.get_trials(deepcopy=False, states=DONE)


def restart_broken(study: optuna.Study) -> int:
    """Marks trials that a killed process left running, and has their settings drawn again; how many there were."""
    broken = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    for trial in broken:
        give_up(study, trial.number)
    return len(broken)


def give_up(study: optuna.Study, number: int) -> None:
    """Ends a trial that was broken off, and has its settings drawn again."""
    study.tell(number, state=TrialState.FAIL)
    study.enqueue_trial(study.trials[number].params)


@dataclass(frozen=True)
class Best:
    """What a search has found.

    Attributes:
        number: of the trial.
        score: its best score on dev.
        params: its settings among those that were searched.
    """

    number: int
    score: float
    params: dict[str, Any]


def best(study: optuna.Study) -> Best | None:
    """The best trial that came to its end; None where there is none."""
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not done:
        return None
    top = max(done, key=lambda trial: (trial.value or 0.0, -trial.number))
    return Best(top.number, float(top.value or 0.0), dict(top.params))
