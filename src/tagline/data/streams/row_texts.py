"""Rows from line formats: plain text, JSONL, CoNLL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tagline.data.sentence_rows import DOCUMENT_NAME
from tagline.data.streams.row import Row, RowOptions, free_name, shortened
from tagline.data.streams.textlines import TextLines, without_end
from tagline.errors import DataError, UsageError

_DOCSTART = re.compile(r"-DOCSTART-([ \t]|$)")
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


def text_rows(lines: TextLines, skip: int) -> Iterator[Row]:
    """One row a line; a blank line is an empty text."""
    number = 0
    while raw := lines.read():
        if number >= skip:
            yield Row(number, without_end(lines.decode(raw)), line=lines.number)
        number += 1


def jsonl_rows(lines: TextLines, options: RowOptions, skip: int) -> Iterator[Row]:
    """One JSON object a line; blank lines are no rows.

    Raises:
        DataError: a line is no JSON object, or has neither text nor tokens, or not the second text that is asked for.
        UsageError: a column is given by number.
    """
    text, pair = options.text_column, options.pair_column
    if isinstance(text, int) or isinstance(pair, int):
        what, asked = ("text", text) if isinstance(text, int) else ("pair", pair)
        raise UsageError(f"{what} column {asked}: JSONL fields have names; give the name of the {what} field")
    for number, (line, fields) in enumerate(json_objects(lines, skip), start=skip):
        yield with_pair(row_of(fields, text, Row(number, "", line=line), lines.name), pair, lines.name)


def json_objects(lines: TextLines, skip: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """One JSON object a line, after the first `skip`, each with its line; blank lines are passed over.

    Raises:
        DataError: a line is no JSON object.
    """
    number = 0
    while raw := lines.read():
        if not raw.strip():
            continue
        if number >= skip:
            yield lines.number, _parse(raw, lines)
        number += 1


def _parse(raw: bytes, lines: TextLines) -> dict[str, Any]:
    line = without_end(lines.decode(raw))
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise DataError(
            f'not JSON ({why}): {shortened(line)}; expected one object a line, like {{"text": "…"}}',
            lines.name,
            lines.number,
        ) from error
    if not isinstance(value, dict):
        raise DataError(
            f'a JSON {type(value).__name__}: {shortened(line)}; expected an object, like {{"text": "…"}}',
            lines.name,
            lines.number,
        )
    if _SURROGATE_ESCAPE.search(raw):
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError as error:
            raise DataError(
                f"half a surrogate pair ({error.object[error.start]!r}) is no character; write both halves or the "
                "character itself",
                lines.name,
                lines.number,
            ) from error
    return value


def row_of(fields: Mapping[str, Any], column: str | None, frame: Row, name: str) -> Row:
    """A row from named fields (JSONL, Parquet).

    Args:
        fields: the fields, in their order.
        column: name of the text; None: `text`, else `tokens`. Another field than `text` may hold a list of words.
        frame: its number, line and columns.
        name: the file, for messages.

    Raises:
        DataError: there is no text, or it is neither a string nor a list of words.
    """
    wanted = column or ("text" if "text" in fields or "tokens" not in fields else "tokens")
    if wanted not in fields:
        expected = repr(column) if column else "'text' (a string) or 'tokens' (a list of words)"
        raise DataError(f"no text: the fields are {shortened(list(fields))}; expected {expected}", name, frame.line)
    value = fields[wanted]
    number, line, columns = frame.number, frame.line, frame.columns
    mark = fields.get(DOCUMENT_NAME)
    document = mark if type(mark) is int else None
    if isinstance(value, str):
        extra = {key: each for key, each in fields.items() if key != wanted}
        return Row(number, value, None, extra, line, (), wanted, columns, None, document)
    if wanted != "text" and isinstance(value, list) and all(isinstance(each, str) for each in value):
        text, words, named = " ".join(value), tuple(value), free_name("text", fields)
        return Row(number, text, words, dict(fields), line, (), named, columns, None, document)
    expected = "a string" if wanted == "text" else "a string or a list of strings"
    raise DataError(f"field {wanted!r} holds {shortened(value)}; expected {expected}", name, line)


def with_pair(row: Row, column: str | int | None, name: str) -> Row:
    """A row with the second text of its pair, which stays among its fields; the row as it is where `column` is None.

    Raises:
        DataError: the row has no such field, or it is no string.
        UsageError: it is the field of the first text.
    """
    if column is None:
        return row
    if column == row.text_field:
        raise UsageError(f"field {column!r} of {name} cannot hold both texts of a pair; give two fields")
    if column not in row.extra:
        raise DataError(
            f"no second text: the fields are {shortened([row.text_field, *row.extra])}; expected {column!r} (a string)."
            " Name the field of the second texts: --pair-column NAME",
            name,
            row.line,
        )
    value = row.extra[str(column)]
    if not isinstance(value, str):
        raise DataError(
            f"field {column!r} holds {shortened(value)}; expected a string, the second text", name, row.line
        )
    return replace(row, pair=value)


def conll_rows(lines: TextLines, options: RowOptions, skip: int) -> Iterator[Row]:
    """One row a sentence. Lines before a sentence's first word that are `-DOCSTART-` or comments go into its block.

    A comment starts with `#` and does not have the columns of the file's word lines (before the first of those:
    starts with `# ` and has no tab). Such lines after the last sentence belong to no row.

    Raises:
        DataError: a line has too few or too many columns, an empty word, or another separator than the lines before.
    """
    columns = _Columns(options.word_column, lines)
    number, head, body, words = 0, [], [], []  # type: int, list[str], list[str], list[str]
    document: int | None = None
    for raw in lines:
        line = without_end(raw)
        blank, begins = not line.strip(" \t"), _DOCSTART.match(line) is not None
        if body and (blank or begins):
            if number >= skip:
                yield _sentence(number, head, body, words, lines.number - len(body), document)
            number += 1
            head, body, words = [], [], []
        if begins:
            document = 0 if document is None else document + 1
        if not body and (begins or (head and blank) or columns.comment(line)):
            head.append("" if blank else line)
        elif not blank:
            words.append(columns.word(line))
            body.append(line)
    if body and number >= skip:
        yield _sentence(number, head, body, words, lines.number - len(body) + 1, document)


def _sentence(number: int, head: list[str], body: list[str], words: list[str], line: int, document: int | None) -> Row:
    return Row(number, " ".join(words), tuple(words), {}, line, (*head, *body), document=document)


class _Columns:
    """Splits word lines; the first one settles the separator and the number of columns."""

    def __init__(self, place: int, lines: TextLines) -> None:
        self._place = place
        self._lines = lines
        self._tab: bool | None = None
        self._width = 0

    def comment(self, line: str) -> bool:
        if not line.startswith("#"):
            return False
        if self._tab is None:
            return "\t" not in line and (line == "#" or line.startswith("# "))
        return len(self._split(line)) != self._width

    def word(self, line: str) -> str:
        if self._tab is None:
            self._tab = "\t" in line
            self._width = len(self._split(line))
        if ("\t" in line) != self._tab and (not self._tab or self._width > 1):
            now, before = ("a tab", "spaces") if "\t" in line else ("no tab", "tabs")
            raise self._error(f"{shortened(line)} has {now}, but the lines before have columns separated by {before}")
        cells = self._split(line)
        if len(cells) != self._width:
            amount = "few" if len(cells) < self._width else "many"
            raise self._error(
                f"too {amount} columns: {shortened(line)} has {len(cells)}; "
                f"expected {self._width}, as in the lines before"
            )
        if not -len(cells) <= self._place < len(cells):
            raise self._error(
                f"{shortened(line)} has {len(cells)} columns; the word is expected in column {self._place} "
                "(the first is 0). Give another word column"
            )
        if not cells[self._place]:
            raise self._error(f"{shortened(line)} has an empty word; expected a word in column {self._place}")
        return cells[self._place]

    def _split(self, line: str) -> list[str]:
        return line.split("\t") if self._tab else re.split(" +", line.strip(" "))

    def _error(self, message: str) -> DataError:
        return DataError(message, self._lines.name, self._lines.number)
