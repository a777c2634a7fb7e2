"""A picture of a search: how the best score grew, and the scores over each setting."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from tagline.data.atomic import atomic_write
from tagline.train.search.space import Range
from tagline.train.search.study import finished

_COLUMNS = 3


def draw_search(study: optuna.Study, space: tuple[Range, ...], metric: str, path: Path) -> None:
    """Writes a PNG: the history, then a panel a setting. Pruned trials are hollow, at the last score they had."""
    from matplotlib.figure import Figure

    trials = [trial for trial in finished(study) if _score(trial) is not None]
    panels = 1 + len(space)
    rows = math.ceil(panels / _COLUMNS)
    figure = Figure(figsize=(4 * min(panels, _COLUMNS), 3 * rows), layout="constrained")
    axes = figure.subplots(rows, min(panels, _COLUMNS), squeeze=False).ravel()
    _history(axes[0], trials, metric)
    for axis, each in zip(axes[1:], space, strict=False):
        _panel(axis, trials, each, metric)
    for axis in axes[panels:]:
        axis.set_axis_off()
    with atomic_write(path, "wb") as file:
        figure.savefig(file, format="png", dpi=110)


def _score(trial: FrozenTrial) -> float | None:
    if trial.state is TrialState.COMPLETE:
        return trial.value
    return trial.intermediate_values[max(trial.intermediate_values)] if trial.intermediate_values else None


def _dots(axis: Any, places: list[Any], trials: list[FrozenTrial]) -> None:
    for complete in (True, False):
        shown = [
            (place, _score(trial))
            for place, trial in zip(places, trials, strict=True)
            if (trial.state is TrialState.COMPLETE) is complete
        ]
        if shown:
            style = {"color": "#1f5fa8"} if complete else {"facecolors": "none", "edgecolors": "#8a8a8a"}
            axis.scatter(*zip(*shown, strict=True), s=22, label="complete" if complete else "pruned", **style)


def _history(axis: Any, trials: list[FrozenTrial], metric: str) -> None:
    _dots(axis, [trial.number for trial in trials], trials)
    done = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    best, line = -math.inf, []
    for trial in done:
        best = max(best, trial.value or 0.0)
        line.append(best)
    axis.step([trial.number for trial in done], line, where="post", color="#b3541e", label="best")
    axis.set(xlabel="trial", ylabel=f"{metric} on dev", title="history")
    if trials:
        axis.legend(fontsize="small")


def _panel(axis: Any, trials: list[FrozenTrial], each: Range, metric: str) -> None:
    known = [trial for trial in trials if each.name in trial.params]
    if each.choices:
        _dots(axis, [each.choices.index(trial.params[each.name]) for trial in known], known)
        axis.set_xticks(range(len(each.choices)), list(map(str, each.choices)))
        axis.set_xlim(-0.5, len(each.choices) - 0.5)
    else:
        _dots(axis, [trial.params[each.name] for trial in known], known)
        if each.log:
            axis.set_xscale("log")
    axis.set(xlabel=each.name, ylabel=f"{metric} on dev")
