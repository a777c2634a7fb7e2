"""What an output of predictions is, and how it is to be written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tagline.data.streams.answers import ENTITIES
from tagline.data.streams.row import Row
from tagline.records import Answer


@dataclass(frozen=True, slots=True)
class SinkOptions:
    """How to write results.

    Attributes:
        source: the input file, whose fingerprint goes into the journal. None: standard input.
        settings: what must stay the same for a resumed run to fit (model, columns, …); JSON-ready.
        format: one of `jsonl csv tsv parquet conll`; None tells it by the file's name (standard output: jsonl).
        overwrite: whether a finished or partial output may be replaced.
        columns: the input's header (`RowReader.columns`): header of an output without rows.
        schema: Arrow schema of a Parquet input (`RowReader.schema`): keeps its column types in a Parquet output.
        checkpoint_rows: rows after which a checkpoint is made unasked.
        answers: every column that the answers will have, in order, with its kind (`answers.KINDS`). A resumed run must
            have the same.
    """

    source: str | Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    format: str | None = None
    overwrite: bool = False
    columns: tuple[str, ...] = ()
    schema: Any = None
    checkpoint_rows: int = 1000
    answers: Mapping[str, str] = field(default_factory=lambda: ENTITIES)


class Sink(ABC):
    """Takes results row by row. A context manager: leaving it closes, leaving it by an exception aborts.

    Attributes:
        rows_done: rows written, those of a resumed run among them; give it to `read_rows` as `skip`.
        resumed: whether an earlier run is carried on.
    """

    rows_done: int = 0
    resumed: bool = False

    @abstractmethod
    def write(self, row: Row, answer: Answer) -> None:
        """Takes the next row and what the model says of its text."""

    @abstractmethod
    def checkpoint(self) -> None:
        """Makes the rows so far safe."""

    @abstractmethod
    def close(self) -> None:
        """Finishes the output."""

    @abstractmethod
    def abort(self) -> None:
        """Ends without finishing and keeps the rows that were written."""

    @abstractmethod
    def notes(self) -> list[str]:
        """What the user should know at the end, as sentences (renamed fields, rows that left no line)."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()
