"""The stages of a pipeline put together: each adds a step, and all of them are one function over the input column.

A stage's `transform` does not chain functions. It takes up the plan of the DataFrame that it is given, adds its step
and builds one new function over the plan's own input; the functions of the stages before are dropped unused, because
Spark runs nothing before it is asked for rows (docs/decisions/0007).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import DataFrame, functions
from pyspark.sql.types import ArrayType, StringType, StructType

from tagline.errors import UsageError
from tagline.spark.meter import meter_of
from tagline.spark.reading import Tag
from tagline.spark.steps import Assemble, Sentences, Step
from tagline.spark.wording import Tokens
from tagline.spark.work import ERROR, Output, Work

_PLAN = "_tagline_plan"
_STRUCT = "__tagline__"


@dataclass(frozen=True)
class Plan:
    """Steps that wait for their rows.

    Attributes:
        frame: the DataFrame that they start from; None for strings (`LightPipeline`).
        inputs: its columns that they read, each with whether it holds annotations.
        steps: the steps.
        outputs: what they give.
        threads: cores of a model, 0 for those of the task.
        failing: whether a row that cannot be read fails the job.
        error_column: where its error stands, empty for nowhere.
    """

    frame: DataFrame | None
    inputs: tuple[tuple[str, bool], ...] = ()
    steps: tuple[Step, ...] = ()
    outputs: tuple[Output, ...] = ()
    threads: int = 0
    failing: bool = False
    error_column: str = ""

    @classmethod
    def of(cls, frame: DataFrame) -> Plan:
        """The plan that made a DataFrame, or a new one."""
        found = getattr(frame, "__dict__", {}).get(_PLAN)
        return found if isinstance(found, Plan) else cls(frame)

    def kinds(self) -> dict[str, str]:
        """The kinds of the annotations that the steps give, by column."""
        return {each.column: each.kind for each in self.outputs}

    def reading(self, names: Sequence[str], annotated: bool = True) -> Plan:
        """The plan with columns that a step reads, taken from the DataFrame where no step makes them.

        Raises:
            UsageError: a column is missing, or holds something else.
        """
        made, known = self.kinds(), dict(self.inputs)
        new = [name for name in names if name not in known and not (annotated and name in made)]
        if self.frame is not None:
            for name in new:
                check_column(self.frame, name, annotated, made)
        return replace(self, inputs=(*self.inputs, *((name, annotated) for name in new)))

    def carrying(self, name: str) -> Plan:
        """The plan with a column of any type that comes along for the metadata."""
        if self.frame is None or name in dict(self.inputs):
            return self
        if name not in self.frame.columns:
            raise UsageError(f"no column {name!r}; there are {', '.join(self.frame.columns)}")
        return replace(self, inputs=(*self.inputs, (name, False)))

    def adding(self, step: Step, kind: str, **settings: Any) -> Plan:
        """The plan with another step.

        Args:
            step: the step.
            kind: what its column holds.
            settings: `threads`, `failing` and `error_column`, where the stage has a word in them.
        """
        if step.output in self.kinds():
            raise UsageError(f"two stages write the column {step.output!r}; give one of them another setOutputCol")
        outputs = (*self.outputs, Output(f"c{len(self.outputs)}", step.output, kind))
        settings["failing"] = self.failing or bool(settings.get("failing"))
        return replace(self, steps=(*self.steps, step), outputs=outputs, **settings)

    def bound(self) -> tuple[Step, ...]:
        """The steps; words and sentences without rules of their own follow the model that reads them."""
        steps = {step.output: step for step in self.steps}
        for tag in self.steps:
            if not isinstance(tag, Tag):
                continue
            for name in _sources(steps, tag.inputs):
                step = steps[name]
                if isinstance(step, Tokens | Sentences) and step.model is None:
                    steps[name] = replace(step, model=tag.model)
        return tuple(steps.values())

    def work(self, wanted: Sequence[str] | None = None) -> Work:
        """What a worker does: all steps, handing back the wanted columns (None: all)."""
        outputs = tuple(each for each in self.outputs if wanted is None or each.column in wanted)
        meter = None if self.frame is None else meter_of(self.frame.sparkSession)
        return Work(self.inputs, self.bound(), outputs, self.threads, self.failing, meter)

    def transformed(self, wanted: Sequence[str] | None = None) -> DataFrame:
        """The DataFrame with the steps' columns (None: all), which remembers the plan."""
        frame = self.frame
        assert frame is not None  # a plan of strings has no DataFrame
        work = self.work(wanted)
        outputs = {each.column: each.name for each in work.outputs}
        if self.error_column:
            work = replace(work, outputs=(*work.outputs, Output(ERROR, ERROR, ERROR)))
            outputs[self.error_column] = ERROR
        function = as_function(work)
        with without_pandas_warning():
            filled = frame.select("*", function(*(column(name) for name, _ in self.inputs)).alias(_STRUCT))
        kinds = self.kinds()
        made = []
        for name, place in outputs.items():
            value = functions.col(f"{_STRUCT}.{place}")
            if name == self.error_column and name in frame.columns:
                value = functions.coalesce(column(name), value)
            about = {"metadata": {"annotatorType": kinds[name]}} if name in kinds else {}
            made.append(value.alias(name, **about))
        clash = set(outputs) & set(frame.columns)
        kept = [column(name) for name in frame.columns if name not in outputs] if clash else ["*"]
        result = filled.select(*kept, *made)
        if not clash:
            result = result.drop(_STRUCT)
        result.__dict__[_PLAN] = self
        return result


def as_function(work: Work) -> Any:
    """A Spark function that does the work; never run twice for a row, whatever is filtered or selected after it."""
    import pyarrow as pa

    def tagline(batches: Iterator[Any]) -> Iterator[Any]:
        return work.run(batches)

    batch: Any = pa.Array if len(work.inputs) == 1 else tuple[pa.Array, ...]
    tagline.__annotations__ = {"batches": Iterator[batch], "return": Iterator[pa.Array]}
    with without_pandas_warning():
        arrow_udf: Any = vars(functions)["arrow_udf"]  # left out of pyspark's types
        return arrow_udf(tagline, work.ddl).asNondeterministic()


@contextmanager
def without_pandas_warning() -> Iterator[None]:
    """pyspark 4.3 warns of pandas 3 wherever an Arrow function is made or called; none of ours touches pandas."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
        yield


def column(name: str) -> Any:
    """A column by its name, whatever characters are in it."""
    return functions.col("`" + name.replace("`", "``") + "`")


def _sources(steps: dict[str, Step], names: Sequence[str]) -> Iterator[str]:
    """Columns of words and sentences that lead to these columns."""
    for name in names:
        step = steps.get(name)
        if isinstance(step, Tokens | Sentences):
            yield name
            yield from _sources(steps, step.inputs)
        elif isinstance(step, Assemble):
            yield name


def check_column(frame: DataFrame, name: str, annotated: bool, made: dict[str, str]) -> None:
    """Looks at a column that is to be read: texts, or annotations; `made` are names for the message.

    Raises:
        UsageError: it is missing, or holds something else.
    """
    if name not in frame.columns:
        there = ", ".join([*made, *frame.columns])
        raise UsageError(f"no column {name!r}; there are {there}. Put the stage that makes it before this one")
    kind = frame.schema[name].dataType
    if annotated and not (
        isinstance(kind, ArrayType)
        and isinstance(kind.elementType, StructType)
        and {"annotatorType", "begin", "end", "result", "metadata"} <= set(kind.elementType.names)
    ):
        raise UsageError(
            f"column {name!r} is {kind.simpleString()}; expected annotations, as DocumentAssembler makes them"
        )
    if not annotated and not isinstance(kind, StringType):
        raise UsageError(
            f"column {name!r} is {kind.simpleString()}; expected a string column of texts. Convert it before, "
            "or explode an array into rows"
        )
