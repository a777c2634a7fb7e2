"""Results as lines: JSONL, CSV and TSV, CoNLL."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from typing import Any, Protocol

from tagline.data.streams.answers import renaming, values_of
from tagline.data.streams.row import Row, shortened
from tagline.errors import OutputError
from tagline.records import Answer, Document


class LineFormat(Protocol):
    """Turns results into lines.

    Attributes:
        state: what a resumed run must know; JSON-ready.
    """

    state: dict[str, Any]

    def encode(self, row: Row, answer: Answer) -> str:
        """The lines of one row, each ended by `\\n`; raises OutputError where the format cannot hold it."""

    def empty(self, columns: tuple[str, ...]) -> str:
        """What a file without rows holds."""

    def final(self) -> Callable[[str], str] | None:
        """What to do with each line of the whole file at the end; None: nothing."""

    def notes(self) -> list[str]:
        """What the user should know, as sentences."""


def plain(value: Any) -> Any:
    """A value that JSON does not know, as text: dates in ISO form, bytes in base64, others as `str` writes them."""
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)


def to_json(value: Any) -> str:
    """One line of JSON with characters outside ASCII as they are."""
    return json.dumps(value, ensure_ascii=False, default=plain)


class Joiner:
    """Puts the fields of an input and the columns of its answers side by side.

    Args:
        answers: the columns of the answers, with their kinds.
        state: where fields that had to be renamed are counted; JSON-ready.
    """

    def __init__(self, answers: Mapping[str, str], state: dict[str, Any]) -> None:
        self.answers = answers
        self._state = state

    def join(self, row: Row, answer: Answer) -> tuple[dict[str, Any], str]:
        """All fields of a row of output in their order, the text among them, and the name that the text has there.

        Raises:
            ValueError: the answer has other columns than it was to have.
        """
        names = row.columns or (row.text_field, *row.extra)
        if row.text_field not in names:
            names = (row.text_field, *names)
        values, others = values_of(answer, self.answers), renaming(names, self.answers)
        for name, other in others.items():
            counts = self._state.setdefault("renamed", {}).setdefault(name, {})
            counts[other] = counts.get(other, 0) + 1
        fields = {others.get(name, name): row.text if name == row.text_field else row.extra[name] for name in names}
        return fields | values, others.get(row.text_field, row.text_field)

    def notes(self) -> list[str]:
        """A sentence about every field that was renamed."""
        return [
            f"the input's field {name!r} is called {other!r} in {count} rows of the output"
            for name, counts in self._state.get("renamed", {}).items()
            for other, count in counts.items()
        ]


class JsonLines:
    """One object a row: the input's fields and the answer's."""

    def __init__(self, state: dict[str, Any], answers: Mapping[str, str]) -> None:
        self.state = state
        self._joiner = Joiner(answers, state)

    def encode(self, row: Row, answer: Answer) -> str:
        """Turns a result into lines."""
        return to_json(self._joiner.join(row, answer)[0]) + "\n"

    def empty(self, columns: tuple[str, ...]) -> str:
        """See `LineFormat`."""
        return ""

    def final(self) -> Callable[[str], str] | None:
        """See `LineFormat`."""
        return None

    def notes(self) -> list[str]:
        """See `LineFormat`."""
        return self._joiner.notes()


class Separated:
    """One line a row: the input's columns and the answer's. Strings stand as they are, other values as JSON.

    CSV quotes where it must. TSV is literal, as its readers take it, and cannot hold tabs and line ends in a cell.

    A field that shows only after the header was written (JSONL) becomes a further column: rows before it are padded
    when the file is finished.

    Args:
        state: what an earlier run left.
        delimiter: `,` or a tab.
        growing: whether the output can be rewritten at its end.
        answers: the columns of the answers, with their kinds.
    """

    def __init__(self, state: dict[str, Any], delimiter: str, growing: bool, answers: Mapping[str, str]) -> None:
        self.state = state
        self._joiner = Joiner(answers, state)
        self._delimiter = delimiter
        self._growing = growing
        self._special = re.compile("[\t\r\n]" if delimiter == "\t" else '["\r\n,]')

    def encode(self, row: Row, answer: Answer) -> str:
        """Turns a result into lines."""
        fields, _ = self._joiner.join(row, answer)
        header = ""
        if "columns" not in self.state:
            self.state |= {"columns": list(fields), "first": len(fields)}
            header = self._line(fields)
        columns: list[str] = self.state["columns"]
        more = [name for name in fields if name not in columns]
        if more and not self._growing:
            raise OutputError(
                f"row {row.number + 1} has a field {more[0]!r} that the header, already written, has not; "
                "give an output file (its header is completed at the end) or JSONL"
            )
        columns.extend(more)
        return header + self._line(fields.get(name) for name in columns)

    def _line(self, values: Iterable[Any]) -> str:
        return self._delimiter.join(map(self._cell, values)) + "\n"

    def _cell(self, value: Any) -> str:
        text = value if isinstance(value, str) else "" if value is None else to_json(value)
        if not self._special.search(text):
            return text
        if self._delimiter == "\t":
            raise OutputError(
                f"TSV cannot hold {shortened(text)}, which has a tab or a line end in it; "
                "give an output that ends in .csv, .jsonl or .parquet"
            )
        return '"' + text.replace('"', '""') + '"'

    def empty(self, columns: tuple[str, ...]) -> str:
        """See `LineFormat`."""
        others = renaming(columns, self._joiner.answers)
        header = [others.get(name, name) for name in columns]
        return self._line((*header, *self._joiner.answers)) if columns else ""

    def final(self) -> Callable[[str], str] | None:
        """See `LineFormat`."""
        columns = self.state.get("columns", [])
        if len(columns) == self.state.get("first", 0):
            return None
        return _Padding(self._line(columns), len(columns), self._delimiter).line

    def notes(self) -> list[str]:
        """See `LineFormat`."""
        return self._joiner.notes()


class _Padding:
    """Replaces the header and fills short rows up with empty cells, line by line."""

    def __init__(self, header: str, width: int, delimiter: str) -> None:
        self._header: str | None = header
        self._width = width
        self._delimiter = delimiter
        self._cells = 1
        self._open = False
        self._in_header = True

    def line(self, line: str) -> str:
        """The line as it should be; a row may go over several lines, as quoted cells do."""
        pieces = (
            [line] if self._delimiter == "\t" else line.split('"')
        )  # every second piece is on the other side of a quote
        for place, piece in enumerate(pieces):
            if place:
                self._open = not self._open
            if not self._open:
                self._cells += piece.count(self._delimiter)
        if self._open:
            return "" if self._in_header else line
        missing, self._cells = self._width - self._cells, 1
        if self._in_header:
            self._in_header = False
            return self._header or ""
        return line[:-1] + self._delimiter * missing + "\n"


class Columns:
    """CoNLL: the lines of the input with the tag as one more column, or word and tag separated by a tab."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def encode(self, row: Row, answer: Answer) -> str:
        """Turns a result into lines."""
        if not isinstance(answer, Document):
            raise ValueError(f"row {row.number}: a {type(answer).__name__} has no tags; expected a Document")
        if len(answer.tags) != len(answer.offsets) or (row.words and len(row.words) != len(answer.tags)):
            raise ValueError(f"row {row.number}: {len(row.words or answer.offsets)} words but {len(answer.tags)} tags")
        if not answer.tags:
            self.state["empty"] = self.state.get("empty", 0) + 1
            return ""
        if row.block:
            return self._with_tags(row, answer)
        words = row.words or answer.words
        for word in words:
            if not word or re.search(r"[\t\r\n]", word):
                raise OutputError(
                    f"row {row.number + 1}: CoNLL cannot hold the word {word!r} (it is empty, or has a tab or line end "
                    "in it); give an output that ends in .jsonl, .csv or .parquet"
                )
        return "".join(f"{word}\t{tag}\n" for word, tag in zip(words, answer.tags, strict=True)) + "\n"

    def _with_tags(self, row: Row, document: Document) -> str:
        first = len(row.block) - len(document.tags)
        separator = "\t" if "\t" in row.block[first] else " "
        lines = [line + separator + "O" if line.startswith("-DOCSTART-") else line for line in row.block[:first]]
        lines += [
            line.rstrip(" ") + separator + tag for line, tag in zip(row.block[first:], document.tags, strict=True)
        ]
        return "\n".join(lines) + "\n\n"

    def empty(self, columns: tuple[str, ...]) -> str:
        """See `LineFormat`."""
        return ""

    def final(self) -> Callable[[str], str] | None:
        """See `LineFormat`."""
        return None

    def notes(self) -> list[str]:
        """See `LineFormat`."""
        count = self.state.get("empty", 0)
        return [f"{count} rows without words have no lines in CoNLL output"] if count else []


def line_format(name: str, state: dict[str, Any], growing: bool, answers: Mapping[str, str]) -> LineFormat:
    """The line format of a name (`jsonl csv tsv conll`)."""
    if name == "jsonl":
        return JsonLines(state, answers)
    if name == "conll":
        return Columns(state)
    return Separated(state, "\t" if name == "tsv" else ",", growing, answers)
