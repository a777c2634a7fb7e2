"""DataFrames and SQL straight to what `tagline predict` says: entities, or labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame, SparkSession, functions

from tagline.errors import UsageError
from tagline.predict.staged import ModelFacts
from tagline.records import Problem
from tagline.spark.find import find
from tagline.spark.meter import meter_of
from tagline.spark.params import ERROR_COLUMN
from tagline.spark.plan import as_function, column, without_pandas_warning
from tagline.spark.plan import check_column as _check
from tagline.spark.reading import Answer
from tagline.spark.saving import facts_of
from tagline.spark.travel import refer
from tagline.spark.work import ERROR, Output, Work

_SETTINGS = ("engine", "precision", "batch_tokens", "threads", "travel")
_ANSWER = "__tagline_answer__"


def predict(
    frame: DataFrame,
    model: str | os.PathLike[str],
    text: str = "text",
    pair: str | None = None,
    top_k: int | None = 1,
    **settings: Any,
) -> DataFrame:
    """Adds to each row what the model says of its text, as `tagline predict` does.

    A tagger adds `entities` (`label`, `score`, `start`, `end` (the character after the last), `text`), a classifier
    `label` and `score`, or `labels` and `scores`. A column of the same name becomes NAME_input. `tagline_error` says
    why a row cannot be read.

    Args:
        frame: the texts.
        model: a model folder, `archive:NAME`, or a name as `pretrained` takes it.
        text: the column of texts.
        pair: of a model of pairs: the column of the second texts.
        top_k: of a classifier: how many labels to give with their scores; None gives all.
        settings: `engine`, `precision`, `batch_tokens`, `threads` (0: `spark.task.cpus`), `travel` (see docs/spark.md),
            `fail_on_error`.

    Raises:
        FolderError: no model folder.
        UsageError: a column is missing or no text, or an unknown setting.
    """
    names = [text] if pair is None else [text, pair]
    for name in names:
        _check(frame, name, False, {})
    failing = bool(settings.pop("fail_on_error", False))
    work = _work(frame.sparkSession, str(model), names, top_k, {**settings, "failing": failing})
    answers = [each.name for each in work.outputs]
    renamed = {name: _free(f"{name}_input", frame.columns) for name in answers if name in frame.columns}
    filled = frame.withColumnsRenamed(renamed) if renamed else frame
    inputs = [column(renamed.get(name, name)) for name in names]
    with without_pandas_warning():
        filled = filled.select("*", as_function(work)(*inputs).alias(_ANSWER))
    found = [functions.col(f"{_ANSWER}.{name}").alias(_named(name)) for name in answers]
    return filled.select("*", *found).drop(_ANSWER)


def register(
    session: SparkSession, name: str, model: str | os.PathLike[str], top_k: int | None = 1, **settings: Any
) -> Any:
    """Registers a function of SQL that says of a text, or of two, what the model says.

    `SELECT NAME(text).entities …` of a tagger; `.label` and `.score`, or `.labels` and `.scores`, of a classifier;
    `.error` of both.

    Args:
        session: the Spark session.
        name: the function's name in SQL.
        model: as in `predict`.
        top_k: as in `predict`.
        settings: as in `predict`.

    Returns:
        The function, to be called on columns in Python as well.
    """
    failing = bool(settings.pop("fail_on_error", False))
    where = find(str(model))
    names = ["text", "text_pair"] if facts_of(where).paired else ["text"]
    work = _work(session, where, names, top_k, {**settings, "failing": failing})
    with without_pandas_warning():
        return session.udf.register(name, as_function(work))


def _work(session: SparkSession, model: str, names: Sequence[str], top_k: int | None, settings: dict[str, Any]) -> Work:
    failing = settings.pop("failing")
    strange = sorted(set(settings) - set(_SETTINGS))
    if strange:
        raise UsageError(f"unknown settings {', '.join(strange)}; accepted are {', '.join(_SETTINGS)}, fail_on_error")
    if top_k is not None and top_k < 1:
        raise UsageError(f"top_k is {top_k}; expected at least 1, or None for all labels")
    where = find(model)
    facts: ModelFacts = facts_of(where)
    if facts.tags and len(names) > 1:
        raise UsageError(f"{facts.path} marks entities and reads single texts; leave pair away")
    if facts.paired is not None and not facts.tags and facts.paired != (len(names) > 1):
        raise UsageError(
            f"{facts.path} reads {'pairs; give pair=COLUMN too' if facts.paired else 'single texts; leave pair away'}"
        )
    threads, travel = settings.pop("threads", 0), settings.pop("travel", "auto")
    step = Answer("answer", tuple(names), refer(facts, where, session, travel, settings), top_k)
    outputs = [Output(name, "answer", name) for name in _answers(facts, top_k)]
    outputs.append(Output(ERROR, ERROR, ERROR))
    inputs = tuple((name, False) for name in names)
    return Work(inputs, (step,), tuple(outputs), threads, failing, meter_of(session))


def _answers(facts: ModelFacts, top_k: int | None) -> tuple[str, ...]:
    if facts.tags:
        return ("entities",)
    if facts.problem is Problem.REGRESSION:
        return ("score",)
    if facts.problem is Problem.MULTI:
        return ("labels", "scores")
    return ("label", "score") if top_k == 1 else ("label", "score", "scores")


def _named(name: str) -> str:
    return ERROR_COLUMN if name == ERROR else name


def _free(name: str, taken: Sequence[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
