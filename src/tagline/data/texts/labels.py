"""From the cells of a label column to labels or numbers, and what the problem is."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from tagline.data.reading import decode, read_bytes
from tagline.data.streams.row import shortened
from tagline.data.texts.options import SCORE_NAME, TextOptions
from tagline.data.texts.tables import Absent, Cells, Table, number
from tagline.errors import DataError
from tagline.records import Problem


def problem_of(table: Table, options: TextOptions) -> tuple[Problem, str]:
    """What is asked of the texts, and a note where the labels decided it ("" where nothing was guessed)."""
    if options.problem is not None:
        return options.problem, ""
    if options.label_separator is not None:
        return Problem.MULTI, ""
    values = [cells.label for cells in table.rows]
    if any(isinstance(_listed(value, table.typed), list) for value in values):
        return Problem.MULTI, f"{table.label} holds lists: a text may have several labels"
    if options.label_names is not None or table.classes is not None:
        return Problem.SINGLE, ""
    if table.label_name is not None and table.label_name.strip().casefold() == SCORE_NAME:
        return Problem.REGRESSION, f"{table.label} is read as a number to predict (regression)"
    numbers = [_number(value) for value in values]
    if any(each is not None and each % 1 for each in numbers) and None not in numbers:
        told = f"{table.label} holds only numbers, some with a fraction: it is read as a number to predict (regression)"
        return Problem.REGRESSION, told
    return Problem.SINGLE, ""


class LabelReader:
    """Turns cells of the label column into labels or numbers.

    Args:
        table: the file, for the types of its cells and the names of its classes.
        problem: what is asked.
        path: the file, for messages.
        options: separator and label names.

    Raises:
        DataError: the file of label names cannot be read, has a blank line or a name twice.
    """

    def __init__(self, table: Table, problem: Problem, path: Path, options: TextOptions) -> None:
        self._table, self._problem, self._path = table, problem, path
        self._separator = options.label_separator
        self._names = table.classes
        self._source = "the file's metadata"
        if options.label_names is not None:
            self._names, self._source = read_names(options.label_names), str(options.label_names)
        single = (_listed(cells.label, table.typed) for cells in table.rows)
        values = (each for value in single for each in (value if isinstance(value, list) else [value]))
        # pandas turns whole numbers into floats where a column had a gap
        self._whole = all(each.is_integer() for each in values if isinstance(each, float))

    def labels(self, cells: Cells) -> tuple[str, ...]:
        """The labels of a row of a single-label or multi-label problem; one that stands twice counts once.

        Raises:
            DataError: a label is missing, of another kind, or no class has its number.
        """
        value = _listed(cells.label, self._table.typed) if self._problem is Problem.MULTI else cells.label
        if self._problem is Problem.MULTI and isinstance(value, str):
            value = self._cut(value)
        if isinstance(value, list):
            if self._problem is Problem.SINGLE:
                raise self._error(cells, "one label. Where a text may have several, say so: --problem multi")
            return tuple(dict.fromkeys(self._one(each, cells) for each in value))
        return (self._one(value, cells),)

    def score(self, cells: Cells) -> float:
        """The number of a row of a regression.

        Raises:
            DataError: there is none, or it is not finite.
        """
        value = _number(cells.label)
        if value is None:
            raise self._error(cells, "a finite number, like 2.5")
        return value

    def _cut(self, value: str) -> list[str]:
        if not value.strip():
            return []
        return [value] if self._separator is None else value.split(self._separator)

    def _one(self, value: Any, cells: Cells) -> str:
        label = self._text(value)
        if not label:
            raise self._error(cells, self._accepted())
        return label if self._names is None else self._named(label, self._names, cells)

    def _named(self, label: str, names: Sequence[str], cells: Cells) -> str:
        accepted = f"a number from 0 to {len(names) - 1}"
        if label.isascii() and label.removeprefix("-").isdigit():
            if 0 <= int(label) < len(names):
                return names[int(label)]
            raise self._error(cells, f"{accepted}: {self._source} gives {len(names)} names")
        if label in names:
            return label
        raise self._error(cells, f"{accepted} or one of the {len(names)} names that {self._source} gives")

    def _text(self, value: Any) -> str:
        """A label as text, "" where the value is none."""
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, bool):
            return json.dumps(value)
        if isinstance(value, int):
            return str(value)
        if isinstance(value, float) and math.isfinite(value):
            return str(int(value)) if self._whole else repr(value)
        return ""

    def _accepted(self) -> str:
        if self._problem is Problem.SINGLE:
            return "a label: a text, a whole number, true or false" if self._table.typed else "a label"
        between = "" if self._separator is None else f" separated by {self._separator!r}"
        return f"labels{between} that are neither empty nor null (a text without labels has an empty list or cell)"

    def _error(self, cells: Cells, accepted: str) -> DataError:
        held = "is missing" if cells.label is Absent.FIELD else f"holds {_shown(cells.label)}"
        return DataError(f"{self._table.label} {held}; expected {accepted}", self._path, cells.line)


def read_names(path: Path) -> tuple[str, ...]:
    """Names of labels, one a line.

    Raises:
        DataError: the file cannot be read, has a blank line or a name twice.
    """
    lines = [line.strip() for line in decode(read_bytes(path), path).rstrip().split("\n")]
    for place, name in enumerate(lines, start=1):
        if not name:
            raise DataError("the line is blank; expected the name of a label on every line", path, place)
        if name in lines[: place - 1]:
            raise DataError(f"the name {name!r} stands here a second time; expected names that differ", path, place)
    return tuple(lines)


def _listed(value: Any, typed: bool) -> Any:
    """The list that a cell of a CSV or TSV spells as JSON; any other value as it is."""
    if typed or not isinstance(value, str) or not value.lstrip().startswith("["):
        return value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return found if isinstance(found, list) and _plain(found) else value


def _plain(values: Sequence[Any]) -> bool:
    return all(isinstance(each, str | int | float) for each in values)


def _number(value: Any) -> float | None:
    """A value as a finite number, None where it is none; truth values are none."""
    if isinstance(value, str):
        return number(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _shown(value: Any) -> str:
    return "null" if value is None else shortened(value)
