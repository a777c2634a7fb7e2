"""One row of input for prediction, how to read it, and the formats that file names stand for."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from tagline.errors import UsageError

STANDARD_STREAM = "-"
INPUT_FORMATS: Mapping[str, tuple[str, ...]] = {
    "txt": (".txt", ".text"),
    "jsonl": (".jsonl", ".ndjson"),
    "csv": (".csv",),
    "tsv": (".tsv",),
    "parquet": (".parquet", ".pq"),
    "conll": (".conll", ".bio", ".iob", ".iob2"),
}
OUTPUT_FORMATS: Mapping[str, tuple[str, ...]] = {
    "jsonl": (".jsonl", ".ndjson"),
    "csv": (".csv",),
    "tsv": (".tsv",),
    "parquet": (".parquet", ".pq"),
    "conll": (".conll", ".txt", ".bio", ".iob", ".iob2"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One text of an input.

    Attributes:
        number: running number in the input, from 0.
        text: the text; of a row given as words, the words joined by one space.
        words: the words, where the input gave them (CoNLL, JSONL or Parquet `tokens`); else None.
        extra: the row's other fields, in their order (JSONL, CSV, TSV, Parquet).
        line: 1-based line where the row starts (Parquet: row), for messages.
        block: CoNLL: the raw lines, comments and `-DOCSTART-` first; the last `len(words)` are the words' own.
        text_field: the name that the text has in the input and keeps in the output.
        columns: all names of a table's header, in order; empty for the other formats.
        pair: the second text, where one was asked for; it stays in `extra` under its own name too.
        document: number of its document, where the input marks documents (CoNLL: from the first `-DOCSTART-` line on;
            JSONL, Parquet: an integer field `document`); else None.
    """

    number: int
    text: str
    words: tuple[str, ...] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    line: int = 0
    block: tuple[str, ...] = ()
    text_field: str = "text"
    columns: tuple[str, ...] = ()
    pair: str | None = None
    document: int | None = None


@dataclass(frozen=True, slots=True)
class RowOptions:
    """How to read an input.

    Attributes:
        format: one of `txt jsonl csv tsv parquet conll`; None tells it by the file's name (`-`: txt).
        text_column: name, or place from 0 in a table (a negative one counts from the end), of the text. None: `text`;
            failing that, JSONL and Parquet take `tokens`, and CSV and TSV their first column.
        word_column: CoNLL: place of the word, from 0; negative places count from the last.
        quotes: whether `"` quotes a field or is an ordinary character. None: it does in CSV, it does not in TSV.
        pair_column: name, or place in a table, of the second text of a pair. None: the input has no pairs.
        header: whether the first row of CSV and TSV names the columns; else it is data and the columns are called
            `column_0`, `column_1`, …
    """

    format: str | None = None
    text_column: str | int | None = None
    word_column: int = 0
    quotes: bool | None = None
    pair_column: str | int | None = None
    header: bool = True


def format_of(path: object, given: str | None, formats: Mapping[str, tuple[str, ...]]) -> str:
    """The format of a file: the one given, else the one its name stands for.

    Raises:
        UsageError: the format is unknown, or the name tells none.
    """
    if given is not None:
        if given not in formats:
            raise UsageError(f"unknown format {given!r}; accepted are {', '.join(formats)}")
        return given
    suffix = PurePath(str(path)).suffix.lower()
    for name, suffixes in formats.items():
        if suffix in suffixes:
            return name
    known = ", ".join(suffixes[0] for suffixes in formats.values())
    raise UsageError(
        f"{path}: the name tells no format (its ending is {suffix!r}); accepted endings are {known}. "
        f"Rename the file or give the format: {', '.join(formats)}"
    )


def free_name(base: str, taken: Container[str]) -> str:
    """`base`, or `base_2`, `base_3`, … where that is taken."""
    name, count = base, 1
    while name in taken:
        count += 1
        name = f"{base}_{count}"
    return name


def shortened(value: object, limit: int = 60) -> str:
    """A value as a message shows it: its repr, cut to `limit` characters with `…`."""
    shown = repr(value[: limit + 1]) if isinstance(value, str | bytes) else repr(value)
    return shown if len(shown) <= limit else shown[:limit] + "…"
