"""CSV and TSV files with a header: one word a row, or one sentence a row with JSON lists.

CSV is quoted as usual. TSV is literal: a quote is a character like any other, columns are parted by tabs alone.
"""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tagline.data.features import names_beside
from tagline.data.reading import DOCSTART, Raw, column_name
from tagline.data.sentence_rows import DOCUMENT_NAME, SPAN_NAMES, TAG_NAMES, TEXT_NAME, WORD_NAMES, SentenceRows
from tagline.errors import DataError, UsageError

# Accepted in a header without regard to case.
SENTENCE_COLUMNS = ("sentence_id", "sentence", "sentence #", "sent_id")
WORD_COLUMNS = ("word", "token", "form")
TAG_COLUMNS = ("tag", "ner_tag", "ner", "label")

_field_limit = threading.Lock()
Row = tuple[int, list[str]]  # line of the row's end, cells


def has_header(text: str) -> bool:
    """Whether a TSV's first line names columns that this module reads, so that it is no CoNLL file."""
    cells = {cell.strip().casefold() for cell in text.split("\n", 1)[0].rstrip("\r").split("\t")}
    by_word = cells & {*WORD_COLUMNS, *WORD_NAMES} and cells & {*TAG_COLUMNS, *TAG_NAMES, *SENTENCE_COLUMNS}
    return bool(by_word or (TEXT_NAME in cells and cells & {*SPAN_NAMES}))


def read_table(text: str, path: Path, tabs: bool, reader: SentenceRows) -> Raw:
    """Reads a table; its header tells which form it has.

    Raises:
        DataError: no known header, a row with too few or too many cells, broken quoting, a cell that is no JSON list.
        UsageError: a column that the table does not have.
    """
    rows = _tsv_rows(text) if tabs else _csv_rows(text, path)
    _, header = next(rows, (1, []))
    options = reader.options
    words = column_name(options.word_column, header, (*WORD_NAMES, *WORD_COLUMNS, TEXT_NAME), path)
    accepted = (*TAG_NAMES, *TAG_COLUMNS, *SPAN_NAMES)
    tags = column_name(options.tag_column, header, accepted, path) if reader.annotated else None
    if words is None or (reader.annotated and tags is None):
        raise DataError(
            f"the header has {', '.join(map(repr, header))}; expected {WORD_NAMES[0]!r} and {TAG_NAMES[0]!r} with JSON "
            f"lists, or {SENTENCE_COLUMNS[0]!r}, {WORD_COLUMNS[0]!r} and {TAG_COLUMNS[0]!r}; or name the columns",
            path,
            1,
        )
    body = [_checked(row, header, path) for row in rows]
    sentences = column_name(None, header, SENTENCE_COLUMNS, path)
    if _one_sentence_a_row(words, header, body, tabs):
        reader.options = replace(options, word_column=words, tag_column=tags)
        reader.names = names_beside(path, TAG_NAMES if tags is None else (tags,))
        return _read_sentence_rows(header, body, tabs, reader)
    if words == tags:
        raise UsageError(f"column {words!r} of {path} cannot hold both the words and the tags; give two columns")
    at = [None if name is None else header.index(name) for name in (words, tags, sentences)]
    return _read_word_rows(body, at, reader)


def _csv_rows(text: str, path: Path) -> Iterator[Row]:
    # newline="" leaves line ends inside quotes alone; a long sentence may exceed the module's global limit
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    with _field_limit:
        limit = csv.field_size_limit(2**31 - 1)
        try:
            rows = [(reader.line_num, row) for row in reader]
        except csv.Error as error:
            raise DataError(f"broken CSV: {error}; expected quotes in pairs", path, reader.line_num) from None
        finally:
            csv.field_size_limit(limit)
    yield from rows


def _tsv_rows(text: str) -> Iterator[Row]:
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    for number, line in enumerate(lines, start=1):
        line = line.removesuffix("\r")
        yield number, line.split("\t") if line else []


def _checked(row: Row, header: Sequence[str], path: Path) -> Row:
    number, cells = row
    if not any(cell.strip() for cell in cells):
        return number, []
    if len(cells) != len(header):
        amount = "few" if len(cells) < len(header) else "many"
        raise DataError(f"too {amount} columns: {len(cells)}; expected {len(header)}, as in the header", path, number)
    return row


def _one_sentence_a_row(words: str, header: Sequence[str], body: Sequence[Row], tabs: bool) -> bool:
    if words.casefold() in (*WORD_NAMES, TEXT_NAME):
        return True
    if words.casefold() in WORD_COLUMNS:
        return False
    first = next((cells for _, cells in body if cells), None)
    return first is not None and isinstance(_value(first[header.index(words)], tabs), list)


def _read_sentence_rows(header: Sequence[str], body: Sequence[Row], tabs: bool, reader: SentenceRows) -> Raw:
    parsed = {reader.options.word_column, reader.options.tag_column}
    for number, cells in body:
        if not cells:
            continue
        row: dict[str, Any] = {}
        for name, cell in zip(header, cells, strict=True):
            if name in parsed:
                plain = name == reader.options.word_column and name.casefold() == TEXT_NAME
                row[name] = cell if plain else _list(cell, name, tabs, reader.path, number)
            elif name == DOCUMENT_NAME and cell.isascii() and cell.isdigit():
                row[name] = int(cell)
        reader.add(row, number)
    return reader.raw


def _list(cell: str, name: str, tabs: bool, path: Path, number: int) -> list[Any]:
    value = _value(cell, tabs)
    if not isinstance(value, list):
        shown = cell if len(cell) <= 60 else cell[:57] + "..."
        raise DataError(f'column {name!r} holds {shown!r}; expected a JSON list such as ["a", "b"]', path, number)
    return value


def _value(cell: str, tabs: bool) -> Any:
    """The JSON value of a cell, or None. Other programs quote JSON in a TSV although nothing asks for it."""
    if tabs and len(cell) > 1 and cell[0] == cell[-1] == '"':
        cell = cell[1:-1].replace('""', '"')
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return None


def _read_word_rows(body: Sequence[Row], at: Sequence[int | None], reader: SentenceRows) -> Raw:
    _, _, sentence_at = at
    if sentence_at is None and all(cells for _, cells in body):
        raise DataError(
            "cannot tell where a sentence ends: no column of sentence numbers and no empty rows; "
            f"expected a column {', '.join(map(repr, SENTENCE_COLUMNS))}",
            reader.path,
            1,
        )
    running: list[Row] = []
    number = ""
    for row in body:
        # an empty number carries the sentence on: some corpora number only the first word
        before, number = number, number if sentence_at is None or not row[1] else row[1][sentence_at] or number
        if not row[1] or number != before:
            _close(running, at, reader)
            running = []
        if row[1]:
            running.append(row)
    _close(running, at, reader)
    return reader.raw


def _close(rows: Sequence[Row], at: Sequence[int | None], reader: SentenceRows) -> None:
    """Takes over the rows of one sentence, if there are any."""
    word_at, tag_at, _ = at
    words = [cells[word_at] for _, cells in rows if word_at is not None]
    tags = [cells[tag_at].strip(" ") for _, cells in rows if tag_at is not None]
    if "" in tags:
        place = tags.index("")
        raise DataError(f"the tag of word {words[place]!r} is empty; expected a tag or O", reader.path, rows[place][0])
    if words == [DOCSTART]:
        reader.raw.new_document()
    elif words:
        reader.raw.add(words, tags, [line for line, _ in rows])
