"""Files as named columns: which columns there are, whether the first row names them, and the cells that are wanted."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from tagline.data.arrow import open_parquet
from tagline.data.features import class_names, names_beside
from tagline.data.reading import column_name, column_number, decode
from tagline.data.streams.row import format_of, shortened
from tagline.data.streams.row_tables import separated_rows, separator_name
from tagline.data.streams.row_texts import json_objects
from tagline.data.streams.textlines import TextLines
from tagline.data.texts.options import LABEL_NAMES, TEXT_NAMES, Column, TextOptions
from tagline.errors import DataError, UsageError

FORMATS = {
    "tsv": (".tsv",),
    "csv": (".csv",),
    "jsonl": (".jsonl", ".ndjson"),
    "parquet": (".parquet", ".pq"),
}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SHOWN_NAMES = 3  # column names that a note shows


class Absent(Enum):
    """What stands in a cell whose row has no such field."""

    FIELD = "absent"


class Cells(NamedTuple):
    """The cells of one row that are wanted, as the file has them; the pair is None where none is read."""

    line: int
    text: Any
    pair: Any
    label: Any


@dataclass(slots=True)
class Table:
    """What a file gives before its labels are understood.

    Attributes:
        rows: the wanted cells of every row.
        text: how messages call the column of the texts.
        pair: the same for the second texts; None where none are read.
        label: the same for the labels.
        label_name: name of the column of the labels, None where the columns have none.
        classes: names of the classes that the file's metadata gives to whole numbers.
        typed: whether cells have types (JSONL, Parquet); else they are strings.
        notes: choices that were made.
    """

    rows: list[Cells]
    text: str
    pair: str | None
    label: str
    label_name: str | None = None
    classes: tuple[str, ...] | None = None
    typed: bool = False
    notes: list[str] = field(default_factory=list)


def format_by(path: Path, data: bytes, options: TextOptions) -> tuple[str, list[str]]:
    """Format of a file of labelled texts, and a note where its name did not tell it.

    Raises:
        UsageError: the format asked for is unknown, or neither name nor content tell one.
    """
    if options.format is None and data[:4] == b"PAR1":
        return "parquet", []
    try:
        return format_of(path, options.format, FORMATS), []
    except UsageError:
        if options.format is not None or b"\t" not in data.split(b"\n", 1)[0]:
            raise
    return "tsv", [f"the name {path.name!r} tells no format; its first line has tabs, so it is read as TSV"]


def read_table(form: str, data: bytes, path: Path, options: TextOptions) -> Table:
    """The wanted cells of a file.

    Raises:
        DataError: the file is not of its format, has no rows, or its columns are not known.
        UsageError: a column that is not there, or one column for two things.
        MissingExtraError: Parquet without pyarrow.
    """
    if form == "parquet":
        return _parquet(data, path, options)
    decode(data, path)
    lines = TextLines(io.BytesIO(data), path)
    return _jsonl(lines, path, options) if form == "jsonl" else _separated(form, lines, path, options)


def _parquet(data: bytes, path: Path, options: TextOptions) -> Table:
    arrow, features = open_parquet(data, path)
    names = list(arrow.column_names)
    if len(set(names)) < len(names):
        raise DataError(f"two columns have one name: {', '.join(map(repr, names))}; expected names that differ", path)
    chosen = _by_name(names, path, options)
    table = _named_table(chosen, path, typed=True)
    table.classes = class_names(features, (chosen.label,)) or names_beside(path, (chosen.label,))
    wanted = arrow.select(list(dict.fromkeys(name for name in chosen if name is not None)))
    number = 0
    for batch in wanted.to_batches(max_chunksize=1024):
        for row in batch.to_pylist():
            number += 1
            pair = None if chosen.pair is None else row[chosen.pair]
            table.rows.append(Cells(number, row[chosen.text], pair, row[chosen.label]))
    return table


def _jsonl(lines: TextLines, path: Path, options: TextOptions) -> Table:
    rows = list(json_objects(lines))
    # the rows of one file need not have the same fields
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    if not rows:
        raise DataError('has no rows; expected one JSON object a line, like {"text": "…", "label": "…"}', path)
    chosen = _by_name(names, path, options)
    table = _named_table(chosen, path, typed=True)
    for line, row in rows:
        pair = None if chosen.pair is None else row.get(chosen.pair, Absent.FIELD)
        text, label = (row.get(name, Absent.FIELD) for name in (chosen.text, chosen.label))
        table.rows.append(Cells(line, text, pair, label))
    return table


class _Names(NamedTuple):
    text: str
    pair: str | None
    label: str


def _named_table(chosen: _Names, path: Path, typed: bool) -> Table:
    shown = [None if name is None else f"column {name!r}" for name in chosen]
    classes = names_beside(path, (chosen.label,))
    return Table([], shown[0] or "", shown[1], shown[2] or "", chosen.label, classes, typed)


def _by_name(names: Sequence[str], path: Path, options: TextOptions) -> _Names:
    """The columns of a file whose columns have names."""
    text = column_name(options.text_column, names, tuple(TEXT_NAMES), path)
    label = column_name(options.label_column, names, LABEL_NAMES, path)
    missing = [what for what, found in (("the texts", text), ("the labels", label)) if found is None]
    if text is None or label is None:
        raise _unknown(names, path, True, missing)
    if options.pair_column is None:
        partner = TEXT_NAMES.get(text.strip().casefold()) or TEXT_NAMES["text"]
        pair = column_name(None, names, (partner,), path)
        pair = None if pair in (text, label) else pair
    else:
        pair = column_name(options.pair_column, names, (), path)
    _refuse_same((text, pair, label), path)
    return _Names(text, pair, label)


def _refuse_same(columns: Sequence[str | int | None], path: Path) -> None:
    given = [column for column in columns if column is not None]
    if len(set(given)) < len(given):
        text, pair, label = columns
        told = f"text {text!r}, label {label!r}" + ("" if pair is None else f", pair {pair!r}")
        raise UsageError(f"one column of {path} cannot hold two things ({told}); give columns that differ")


def _unknown(cells: Sequence[str], path: Path, named: bool, missing: Sequence[str]) -> DataError:
    what = "columns" if named else "cells of the first row"
    numbered = ", ".join(f"{place} {shortened(cell, 40)}" for place, cell in enumerate(cells))
    return DataError(
        f"cannot tell which column holds {' and '.join(missing)}; the {what} are: {numbered}. Expected column names "
        "like 'text' and 'label'; else give names or numbers, for example: --text-column 0 --label-column 1",
        path,
        None if named else 1,
    )


def _separated(form: str, lines: TextLines, path: Path, options: TextOptions) -> Table:
    delimiter = "\t" if form == "tsv" else ","
    quotes = form == "csv" if options.quotes is None else options.quotes
    rows = [
        (line, cells)
        for line, cells in separated_rows(lines, delimiter, quotes)
        if len(cells) > 1 or (cells and cells[0].strip())
    ]
    if not rows:
        raise DataError("has no rows; expected at least one labelled text", path)
    _same_width(rows, path, delimiter)
    names, notes = _header(rows, path, options)
    if names is None:
        table, chosen = _numbered_table(rows[0][1], path, options)
    else:
        by_name = _by_name(_distinct(names), path, options)
        _refuse_doubtful(names, by_name, path, options)
        table = _named_table(by_name, path, typed=False)
        places = [None if name is None else _distinct(names).index(name) for name in by_name]
        chosen = places[0] or 0, places[1], places[2] or 0
        rows = rows[1:]
        if not rows:
            raise DataError("has column names and no rows below them; expected at least one labelled text", path, 1)
    table.notes = notes
    text, pair, label = chosen
    table.rows = [Cells(line, cells[text], None if pair is None else cells[pair], cells[label]) for line, cells in rows]
    return table


def _distinct(names: Sequence[str]) -> list[str]:
    """Names of columns that can be told apart: one that stands twice gets its number the second time."""
    return [name if name not in names[:place] else f"{name} ({place})" for place, name in enumerate(names)]


def _refuse_doubtful(names: Sequence[str], chosen: _Names, path: Path, options: TextOptions) -> None:
    asked = (options.text_column, options.pair_column, options.label_column)
    for name, column in zip(chosen, asked, strict=True):
        by_number = column is not None and not _is_name(column)
        if name is not None and not by_number and names.count(name) > 1:
            raise DataError(f"two columns are called {name!r}; give the one that is meant by its number", path, 1)


def _same_width(rows: Sequence[tuple[int, list[str]]], path: Path, delimiter: str) -> None:
    width = len(rows[0][1])
    for line, cells in rows:
        if len(cells) != width:
            amount = "few" if len(cells) < width else "many"
            raise DataError(
                f"too {amount} cells: {len(cells)} in {shortened(cells)}; expected {width} separated by "
                f"{separator_name(delimiter)}, as in the first row",
                path,
                line,
            )


def _numbered_table(
    first: Sequence[str], path: Path, options: TextOptions
) -> tuple[Table, tuple[int, int | None, int]]:
    """The columns of a table without a header."""
    if options.text_column is None or options.label_column is None:
        raise _unknown(first, path, False, ("the texts", "the labels"))
    text = column_number(options.text_column, 0, len(first), path)
    label = column_number(options.label_column, 0, len(first), path)
    pair = None if options.pair_column is None else column_number(options.pair_column, 0, len(first), path)
    _refuse_same((text, pair, label), path)
    shown = None if pair is None else f"column {pair}"
    return Table([], f"column {text}", shown, f"column {label}"), (text, pair, label)


def _header(
    rows: Sequence[tuple[int, list[str]]], path: Path, options: TextOptions
) -> tuple[list[str] | None, list[str]]:
    """The names of the columns (None where the first row is data), and a note where that was guessed."""
    first = rows[0][1]
    if options.header is not None:
        return (first if options.header else None), []
    columns = (options.text_column, options.pair_column, options.label_column)
    asked = {column.casefold() for column in columns if isinstance(column, str) and _is_name(column)}
    if {cell.strip().casefold() for cell in first} & {*TEXT_NAMES, *LABEL_NAMES, *asked}:
        return first, []
    if asked or options.text_column is None or options.label_column is None:
        raise _unknown(first, path, False, sorted(map(repr, asked)) or ("the texts", "the labels"))
    label = column_number(options.label_column, 0, len(first), path)
    if _stands_alone([cells[label] for _, cells in rows], options):
        shown = ", ".join(first[:_SHOWN_NAMES]) + (", …" if len(first) > _SHOWN_NAMES else "")
        return first, [f"the first row is read as column names ({shown}); --no-header reads it as data"]
    return None, ["the first row is read as data; --header reads it as column names"]


def _is_name(column: Column) -> bool:
    return isinstance(column, str) and not column.removeprefix("-").isdecimal()


def _stands_alone(labels: Sequence[str], options: TextOptions) -> bool:
    """Whether the first row's label is no number and stands in no other row, as the name of a column would."""
    if len(labels) < 2:
        return False
    first, *rest = (label.split(options.label_separator) if options.label_separator else [label] for label in labels)
    if any(not label.strip() or number(label.strip()) is not None for label in first):
        return False
    return {label.strip() for label in first}.isdisjoint(label.strip() for cell in rest for label in cell)


def number(text: str) -> float | None:
    """The finite number that a text spells, None where it spells none."""
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None
