"""A file through a model that others use at the same time: lot by lot, with progress."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tagline.data.streams.answers import ENTITIES, classification_columns
from tagline.data.streams.row import Row, RowOptions
from tagline.data.streams.rows import read_rows
from tagline.data.streams.sinks import SinkOptions, open_sink
from tagline.predict.classifier import Classifier
from tagline.predict.rows import BORDER, classify_rows, tag_rows
from tagline.predict.tagger import Tagger
from tagline.records import Classification, Document

__all__ = ["FileJob", "Progress", "RowOptions", "columns_of", "predict_file"]

Answered = tuple[Row, Document | Classification]
LOT_CHARACTERS = 200_000
"""Most characters of a lot, the last text aside: others wait no longer for the model than it takes to read them."""


@dataclass(frozen=True)
class FileJob:
    """What is read and where the answers go.

    Attributes:
        source: file of texts: `.txt .jsonl .csv .tsv .parquet .conll`.
        target: file to write, replaced if it is there: `.jsonl .csv .tsv .parquet`, of entities also `.conll`.
        reading: columns and format of the source.
    """

    source: Path
    target: Path
    reading: RowOptions


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    Attributes:
        rows: rows answered so far.
        share: share of the file, from 0 to 1.
        answers: the answers that came since the last progress.
        notes: at the end: what the user should know, as sentences.
    """

    rows: int
    share: float
    answers: tuple[Document | Classification, ...] = ()
    notes: tuple[str, ...] = ()


def columns_of(source: Path, reading: RowOptions | None = None) -> tuple[str, ...]:
    """Names of the columns of a table; none for other formats.

    Raises:
        DataError: the file is missing, empty, not UTF-8, or not of its format.
        UsageError: its name tells no format.
    """
    with read_rows(source, reading) as rows:
        return rows.columns


def predict_file(model: Tagger | Classifier, job: FileJob, turn: AbstractContextManager[Any]) -> Iterator[Progress]:
    """Reads a file in constant memory; the answers are those of `tagline predict`.

    Up to `BORDER` rows that together have no more than `LOT_CHARACTERS` characters are a lot. Lots of fewer rows are
    batched otherwise than `tagline predict` does, so that the last digits of scores may differ. A model that reads
    context is shown no other lot.

    Args:
        model: a model that may be in use elsewhere.
        job: what is read and where the answers go.
        turn: is held while a lot is computed, and let go in between, so that others get their turn (a lock).

    Raises:
        DataError: the file cannot be read as asked.
        UsageError: the columns do not fit the model, or the answers the format of the target.
        OutputError: the target cannot be written.
    """
    job = replace(job, reading=_with_pair(model, job.reading))
    with read_rows(job.source, job.reading) as rows:
        options = SinkOptions(
            job.source, overwrite=True, columns=rows.columns, schema=rows.schema, answers=_answers(model)
        )
        sink = open_sink(job.target, options)
        with sink:
            for lot in _lots(rows):
                with turn:
                    answered = list(_read(model, lot))
                for row, answer in answered:
                    sink.write(row, answer)
                share = min(1.0, rows.consumed_bytes / max(1, rows.total_bytes or 1))
                yield Progress(sink.rows_done, share, tuple(answer for _, answer in answered))
    yield Progress(sink.rows_done, 1.0, notes=tuple(sink.notes()))


def _with_pair(model: Tagger | Classifier, reading: RowOptions) -> RowOptions:
    """The second text's column is `text_pair` where a model of pairs was told no other."""
    if isinstance(model, Classifier) and model.folder.manifest.paired and reading.pair_column is None:
        return replace(reading, pair_column="text_pair")
    return reading


def _answers(model: Tagger | Classifier) -> dict[str, str]:
    return dict(ENTITIES) if isinstance(model, Tagger) else classification_columns(model.problem)


def _read(model: Tagger | Classifier, lot: list[Row]) -> Iterator[Answered]:
    return tag_rows(model, lot) if isinstance(model, Tagger) else classify_rows(model, lot)


def _lots(rows: Iterable[Row]) -> Iterator[list[Row]]:
    lot: list[Row] = []
    characters = 0
    for row in rows:
        lot.append(row)
        characters += len(row.text) + len(row.pair or "")
        if len(lot) == BORDER or characters >= LOT_CHARACTERS:
            yield lot
            lot, characters = [], 0
    if lot:
        yield lot
