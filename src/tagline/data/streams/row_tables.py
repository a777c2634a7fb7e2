"""Rows from tables: CSV, TSV and Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

from tagline.data.streams.row import Row, RowOptions, shortened
from tagline.data.streams.row_texts import row_of, with_pair
from tagline.data.streams.textlines import TextLines
from tagline.errors import DataError, MissingExtraError, UsageError

_BATCH = 256  # rows of Parquet turned into Python objects at a time
_LARGEST_FIELD = 2**31 - 1  # characters; the largest that `csv` takes everywhere


def separated_rows(lines: TextLines, delimiter: str, quotes: bool) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV or TSV file: the line where each starts, and its cells (none where the line is blank).

    Args:
        lines: the file.
        delimiter: `,` or a tab.
        quotes: whether `"` quotes a field; else it is a character like any other and every line is one row.

    Raises:
        DataError: the quoting is broken.
    """
    if not quotes:
        for each in lines:
            whole = each.removesuffix("\n").removesuffix("\r")
            yield lines.number, whole.split(delimiter) if whole else []
        return
    csv.field_size_limit(max(csv.field_size_limit(), _LARGEST_FIELD))
    # strict: a stray quote is an error and not a field that swallows the lines after it
    cells = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = lines.number + 1
        try:
            row = next(cells, None)
        except csv.Error as error:
            raise DataError(
                f"the quoting is broken ({error}) in the row that starts here; expected fields separated by "
                f'{separator_name(delimiter)}, quoted by " where they hold a separator, a quote (doubled) or a line '
                "end. Where quotes are ordinary characters, say so by the option for literal quotes",
                lines.name,
                line,
            ) from error
        if row is None:
            return
        yield line, row


def separator_name(delimiter: str) -> str:
    """How messages call a delimiter."""
    return "tabs" if delimiter == "\t" else "commas"


class SeparatedTable:
    """Rows of a CSV or TSV file. Blank lines are no rows.

    Args:
        lines: the file.
        delimiter: `,` or a tab.
        options: columns, header and quoting.

    Attributes:
        columns: the header; without one `column_0`, `column_1`, … as many as the first row has cells.
        text_field: name of the column that holds the text.

    Raises:
        DataError: the header has no such column or names one twice.
        UsageError: text and pair are the same column.
    """

    def __init__(self, lines: TextLines, delimiter: str, options: RowOptions) -> None:
        quotes = delimiter == "," if options.quotes is None else options.quotes
        self._name, self._kind, self._header = lines.name, separator_name(delimiter), options.header
        self._rows = separated_rows(lines, delimiter, quotes)
        _, first = next(self._rows, (1, []))
        if not options.header:
            filled = ((line, cells) for line, cells in chain([(1, first)], self._rows) if cells)
            line, first = next(filled, (1, []))
            self._rows = chain([(line, first)] if first else [], filled)
            self.columns = tuple(f"column_{place}" for place in range(len(first)))
        else:
            self.columns = tuple(first)
        self.text_field, self.pair_field = "text", None  # type: str, str | None
        if first:
            self.text_field = text_column(self.columns, options.text_column, lines.name) or self.columns[0]
            self.pair_field = pair_column(self.columns, options.pair_column, self.text_field, lines.name)

    def rows(self, skip: int) -> Iterator[Row]:
        """The rows after the first `skip`.

        Raises:
            DataError: a row has another number of fields than the header, or its quoting is broken.
        """
        place = self.columns.index(self.text_field) if self.columns else 0
        number = 0
        for line, cells in self._rows:
            if not cells:
                continue
            if len(cells) != len(self.columns):
                raise DataError(
                    f"{len(cells)} fields: {shortened(cells)}; expected {len(self.columns)} separated by "
                    f"{self._kind}, as in the {'header' if self._header else 'first row'}",
                    self._name,
                    line,
                )
            if number >= skip:
                extra = dict(zip(self.columns, cells, strict=True))
                del extra[self.text_field]
                pair = None if self.pair_field is None else extra[self.pair_field]
                yield Row(number, cells[place], None, extra, line, (), self.text_field, self.columns, pair)
            number += 1


def text_column(columns: Sequence[str], wanted: str | int | None, name: str) -> str | None:
    """Name of a table's text column: the one wanted, else `text`, else None.

    Raises:
        DataError: it is not there, or a name stands twice in the header.
    """
    for column in columns:
        if columns.count(column) > 1:
            raise DataError(f"two columns are called {column!r}; expected names that differ", name, 1)
    if wanted is None:
        return "text" if "text" in columns else None
    return _named(columns, wanted, name)


def pair_column(columns: Sequence[str], wanted: str | int | None, text_field: str, name: str) -> str | None:
    """Name of a table's column of second texts, None where none is wanted.

    Raises:
        DataError: it is not there.
        UsageError: it is the column of the texts.
    """
    if wanted is None:
        return None
    found = _named(columns, wanted, name, ". Name the column of the second texts: --pair-column NAME")
    if found == text_field:
        raise UsageError(f"column {found!r} of {name} cannot hold both texts of a pair; give two columns")
    return found


def _named(columns: Sequence[str], wanted: str | int, name: str, advice: str = "") -> str:
    listed = ", ".join(map(repr, columns))
    if isinstance(wanted, int):
        if not -len(columns) <= wanted < len(columns):
            raise DataError(f"no column {wanted}; the {len(columns)} columns, from 0, are {listed}{advice}", name, 1)
        return columns[wanted]
    if wanted not in columns:
        raise DataError(f"no column {wanted!r}; the columns are {listed}{advice}", name, 1)
    return wanted


def arrow(purpose: str) -> tuple[Any, Any]:
    """The modules `pyarrow` and `pyarrow.parquet`.

    Args:
        purpose: what needs them, for the message.

    Raises:
        MissingExtraError: they are not installed.
    """
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise MissingExtraError(purpose, "parquet") from error


class ParquetTable:
    """Rows of a Parquet file, read batch by batch.

    Args:
        path: the file.
        options: text column and pair column.

    Attributes:
        columns: names of the columns.
        text_field: name of the column that holds the text or the words.
        schema: the file's Arrow schema.
        rows_read: rows passed so far, skipped ones among them.
        rows_total: rows of the file.

    Raises:
        DataError: the file is no Parquet file, is damaged, or has no text column or no pair column.
        UsageError: text and pair are the same column.
        MissingExtraError: pyarrow is not installed.
    """

    def __init__(self, path: Path, options: RowOptions) -> None:
        self._arrow, parquet = arrow("reading Parquet")
        self._name = str(path)
        try:
            # no memory map: its pages would count as memory of the process
            self._file = parquet.ParquetFile(path, memory_map=False)
        except (self._arrow.ArrowException, OSError) as error:
            raise DataError(f"not a Parquet file, or a damaged one ({shortened(str(error), 120)})", path) from error
        self.schema = self._file.schema_arrow
        self.columns = tuple(self.schema.names)
        self.rows_read = 0
        self.rows_total = int(self._file.metadata.num_rows)
        found = text_column(self.columns, options.text_column, self._name)
        if found is None and "tokens" not in self.columns:
            raise DataError(
                f"no column 'text' (strings) or 'tokens' (lists of words); the columns are "
                f"{', '.join(map(repr, self.columns))}. Name the text column",
                path,
            )
        self.text_field = found or "tokens"
        self._pair_field = pair_column(self.columns, options.pair_column, self.text_field, self._name)

    def rows(self, skip: int) -> Iterator[Row]:
        """The rows after the first `skip`.

        Raises:
            DataError: the text is null or of another type, or the file is damaged.
        """
        group = 0
        groups = self._file.metadata.num_row_groups
        while group < groups and self.rows_read + self._file.metadata.row_group(group).num_rows <= skip:
            self.rows_read += self._file.metadata.row_group(group).num_rows
            group += 1
        try:
            for batch in self._file.iter_batches(batch_size=_BATCH, row_groups=list(range(group, groups))):
                yield from self._batch(batch, skip)
        except (self._arrow.ArrowException, OSError) as error:
            raise DataError(
                f"the Parquet file is damaged ({shortened(str(error), 120)})", self._name, self.rows_read + 1
            ) from error

    def _batch(self, batch: Any, skip: int) -> Iterator[Row]:
        held = max(0, min(skip - self.rows_read, batch.num_rows))
        self.rows_read += held
        # nanoseconds do not fit Python's types: they stay Arrow scalars
        lists = [
            list(column) if "[ns" in str(column.type) else column.to_pylist() for column in batch.slice(held).columns
        ]
        for cells in zip(*lists, strict=True):
            number = self.rows_read
            self.rows_read += 1
            frame = Row(number, "", line=number + 1, columns=self.columns)
            row = row_of(dict(zip(self.columns, cells, strict=True)), self.text_field, frame, self._name)
            yield with_pair(row, self._pair_field, self._name)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
