"""The one pass: Arrow columns in, one struct of columns out, through all the steps that were put together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pyarrow as pa

from tagline.errors import DataError
from tagline.spark.cells import Row, cell_of
from tagline.spark.columns import ANNOTATION_DDL, annotated, entities
from tagline.spark.meter import Meter
from tagline.spark.models import Models
from tagline.spark.steps import Step

_ROWS, _CHARACTERS = 1024, 1 << 20  # of a block that is handed back
ERROR = "error"
_LABELS = "array<struct<label:string,score:double>>"


@dataclass(frozen=True)
class Output:
    """A field of the struct that the pass gives.

    Attributes:
        name: its name in the struct.
        column: the column of the cells that it is made of.
        kind: an annotation's kind; or `entities`, `label`, `score`, `labels`, `scores`, `error`.
    """

    name: str
    column: str
    kind: str

    @property
    def ddl(self) -> str:
        """Its Spark type."""
        return _TYPES.get(self.kind, ANNOTATION_DDL)

    def array(self, rows: Sequence[Row]) -> pa.Array:
        """Its Arrow column."""
        if self.kind == ERROR:
            return pa.array([row.error for row in rows], type=pa.string())
        cells = [row.cells.get(self.column) for row in rows]
        if self.kind == "entities":
            return entities(cells)
        if self.kind not in _VALUES:
            return annotated(self.kind, cells)
        make, kind = _VALUES[self.kind]
        return pa.array([None if cell is None else make(cell) for cell in cells], type=kind)


_TYPES = {
    ERROR: "string",
    "entities": "array<struct<label:string,score:double,start:int,end:int,text:string>>",
    "label": "string",
    "score": "double",
    "labels": "array<string>",
    "scores": _LABELS,
}
_SCORES = pa.list_(pa.struct([("label", pa.string()), ("score", pa.float64())]))
_VALUES: dict[str, tuple[Callable[[Any], Any], pa.DataType]] = {
    "label": (lambda cell: cell.label, pa.string()),
    "score": (lambda cell: cell.score, pa.float64()),
    "labels": (lambda cell: list(cell.labels), pa.list_(pa.string())),
    "scores": (lambda cell: [each._asdict() for each in cell.scores], _SCORES),
}


@dataclass(frozen=True)
class Work:
    """What a Python worker is given to do.

    Attributes:
        inputs: columns that come in, each with whether it holds annotations.
        steps: the steps, in order.
        outputs: the fields of the struct that goes back.
        threads: cores for the model; 0 takes those of the task (`spark.task.cpus`).
        failing: whether a row that cannot be read fails the job.
        meter: counts.
    """

    inputs: tuple[tuple[str, bool], ...]
    steps: tuple[Step, ...]
    outputs: tuple[Output, ...]
    threads: int = 0
    failing: bool = False
    meter: Meter | None = None

    @property
    def ddl(self) -> str:
        """The struct's Spark type."""
        return "struct<" + ",".join(f"`{each.name}`:{each.ddl}" for each in self.outputs) + ">"

    def run(self, batches: Iterable[Any]) -> Iterator[pa.Array]:
        """Runs a partition as it streams in; the rows that go back are those that came, in their order.

        Raises:
            DataError: a row cannot be read and `failing` is set.
            FolderError: the model is not where it should be.
        """
        models = Models(self.threads or _task_cores(), self.meter)
        rows = self.through(self._rows(batches), models)
        for block in _blocks(rows):
            yield self._struct(block)

    def through(self, rows: Iterator[Row], models: Models) -> Iterator[Row]:
        """Rows through all steps."""
        for step in self.steps:
            rows = step.run(rows, models)
        return rows

    def _rows(self, batches: Iterable[Any]) -> Iterator[Row]:
        for batch in batches:
            arrays = batch if isinstance(batch, tuple) else (batch,)
            for start in range(0, len(arrays[0]), _ROWS):
                columns = [_values(name, array.slice(start, _ROWS)) for (name, _), array in zip(self.inputs, arrays)]  # noqa: B905
                for values in zip(*columns, strict=True):
                    yield self._row(values)

    def _row(self, values: Sequence[Any]) -> Row:
        row = Row({})
        for (name, holds_annotations), value in zip(self.inputs, values, strict=True):
            if isinstance(value, DataError):
                row.error = str(value)
            elif not holds_annotations:
                row.values[name] = value
            elif row.error is None:
                try:
                    if (cell := cell_of(value)) is not None:
                        row.cells[name] = cell
                except (DataError, ValueError, TypeError) as error:
                    row.fail(error)
        return row

    def _struct(self, block: Sequence[Row]) -> pa.Array:
        errors = [row.error for row in block if row.error is not None]
        if errors and self.failing:
            raise DataError(f"{errors[0]} (the job fails because failOnError is set)")
        if self.meter is not None:
            self.meter.add(rows=len(block), errors=len(errors))
        arrays = [output.array(block) for output in self.outputs]
        return pa.StructArray.from_arrays(arrays, names=[output.name for output in self.outputs])


def _blocks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Rows in groups that are small in number and in characters."""
    block: list[Row] = []
    characters = 0
    for row in rows:
        block.append(row)
        characters += sum(len(value) for value in row.values.values() if isinstance(value, str))
        if len(block) >= _ROWS or characters >= _CHARACTERS:
            yield block
            block, characters = [], 0
    if block:
        yield block


def _values(name: str, array: pa.Array) -> list[Any]:
    """The values of a column; a `DataError` in the place of one whose bytes are no text."""
    try:
        return list(array.to_pylist(maps_as_pydicts="lossy"))
    except UnicodeDecodeError:
        return list(chain.from_iterable(_alone(name, array.slice(place, 1)) for place in range(len(array))))


def _alone(name: str, array: pa.Array) -> list[Any]:
    try:
        return list(array.to_pylist(maps_as_pydicts="lossy"))
    except UnicodeDecodeError as error:
        return [
            DataError(
                f"column {name!r} is not UTF-8: byte {error.object[error.start]:#04x} at {error.start}. Decode it "
                "before, for example with decode(bytes, 'ISO-8859-1')"
            )
        ]


def _task_cores() -> int:
    """Cores of this task; an executor runs as many tasks at once as share its cores."""
    from pyspark import TaskContext

    task = TaskContext.get()
    count = max(1, task.cpus()) if task is not None else 0
    if count:
        os.environ.setdefault("RAYON_NUM_THREADS", str(count))  # the tokenizer's own threads
    return count
