"""Texts for prediction, streamed from a file or standard input, one row at a time, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tagline.data.streams.row import INPUT_FORMATS, STANDARD_STREAM, Row, RowOptions, format_of
from tagline.data.streams.row_tables import ParquetTable, SeparatedTable
from tagline.data.streams.row_texts import conll_rows, jsonl_rows, text_rows
from tagline.data.streams.textlines import TextLines, check_input, open_input, probe
from tagline.errors import UsageError

__all__ = ["Row", "RowOptions", "RowReader", "count_size", "read_rows"]


def count_size(path: str | Path) -> int | None:
    """Bytes of an input, for a progress bar; None for standard input and pipes.

    Raises:
        DataError: the file is missing, empty or a folder.
    """
    return check_input(path)


def read_rows(path: str | Path, options: RowOptions | None = None, skip: int = 0) -> RowReader:
    """Opens an input and gives its rows one by one.

    - txt: one row a line (ends: `\\n` or `\\r\\n`); a blank line is a row with an empty text.
    - jsonl: one object a line with `text`, or `tokens` (words); where both stand, `text` is read.
    - csv, tsv: a header (by option none) and then rows; quoted fields may hold line ends. Quotes in TSV are ordinary
      characters.
    - parquet: a column of strings, or of lists of words.
    - conll: one row a sentence, its words given.

    A mistake in the file's start shows here; one further on when its row is asked for.

    Args:
        path: the file; `-` is standard input.
        options: format and columns. Default: `RowOptions()`.
        skip: rows to pass over (they keep their numbers).

    Raises:
        DataError: the file is missing, empty, a folder, binary, not UTF-8, or not of its format. An empty standard
            input is no error: it has no rows.
        UsageError: the format is unknown, Parquet is asked from standard input, or a pair from a format without fields.
        MissingExtraError: the file is Parquet and pyarrow is not installed.
    """
    options = options or RowOptions()
    if skip < 0:
        raise UsageError(f"{skip} rows to skip; expected 0 or more")
    given = options.format or ("txt" if str(path) == STANDARD_STREAM else None)
    kind = format_of(path, given, INPUT_FORMATS)
    if options.pair_column is not None and kind in ("txt", "conll"):
        raise UsageError(
            f"pair column {options.pair_column!r}: {path} is read as {kind}, which holds one text a row; "
            "a pair needs two columns: accepted are jsonl, csv, tsv and parquet"
        )
    total = check_input(path)
    if kind == "parquet":
        if total is None:
            raise UsageError(f"{path}: Parquet cannot be read from a stream; save it as a file and name that")
        return RowReader(path, kind, total, ParquetTable(Path(path), options), skip)
    if total is not None:
        probe(path)
    return RowReader(path, kind, total, _LineSource(path, kind, options, total is not None), skip)


class _LineSource:
    """An open text file as a table: what `ParquetTable` is for Parquet."""

    schema: Any = None

    def __init__(self, path: str | Path, kind: str, options: RowOptions, probed: bool) -> None:
        self._stream = open_input(path)
        self._owned = str(path) != STANDARD_STREAM
        self.lines = TextLines(self._stream, path, probed)
        self._kind, self._options = kind, options
        self._table: SeparatedTable | None = None
        if kind in ("csv", "tsv"):
            try:
                self._table = SeparatedTable(self.lines, "\t" if kind == "tsv" else ",", options)
            except BaseException:
                self.close()
                raise
        self.columns = self._table.columns if self._table else ()
        named = options.text_column if isinstance(options.text_column, str) and kind == "jsonl" else "text"
        self.text_field = self._table.text_field if self._table else named

    def rows(self, skip: int) -> Iterator[Row]:
        if self._table is not None:
            return self._table.rows(skip)
        if self._kind == "jsonl":
            return jsonl_rows(self.lines, self._options, skip)
        if self._kind == "conll":
            return conll_rows(self.lines, self._options, skip)
        return text_rows(self.lines, skip)

    def close(self) -> None:
        if self._owned:
            self._stream.close()


class RowReader(Iterator[Row]):
    """The rows of an open input. It is its own iterator and closes itself at the end; also a context manager.

    Attributes:
        path: what was opened.
        format: its format.
        total_bytes: its size, None for standard input and pipes.
        text_field: name of the field that holds the text, for tables the column found.
        columns: header of a table; empty for the other formats.
        schema: Arrow schema of a Parquet file; else None.
    """

    def __init__(
        self, path: str | Path, kind: str, total: int | None, source: ParquetTable | _LineSource, skip: int
    ) -> None:
        self.path, self.format, self.total_bytes = path, kind, total
        self.text_field, self.columns, self.schema = source.text_field, source.columns, source.schema
        self._source = source
        self._rows = source.rows(skip)

    @property
    def consumed_bytes(self) -> int:
        """Bytes read so far (Parquet: the share of its rows, in bytes)."""
        if isinstance(self._source, ParquetTable):
            return (self.total_bytes or 0) * self._source.rows_read // max(1, self._source.rows_total)
        return self._source.lines.consumed

    def __next__(self) -> Row:
        try:
            return next(self._rows)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes the file; standard input stays open."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
