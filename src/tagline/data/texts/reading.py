"""Reading annotated texts, and pairs of texts, for sequence classification."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tagline.data.reading import read_bytes
from tagline.data.streams.row import shortened
from tagline.data.texts.corpus import TextCorpus
from tagline.data.texts.labels import LabelReader, problem_of
from tagline.data.texts.options import TextOptions, check_options
from tagline.data.texts.tables import Absent, Cells, format_by, read_table
from tagline.errors import DataError
from tagline.records import LabelledText, Problem

__all__ = ["TextCorpus", "TextOptions", "read_texts"]


def read_texts(path: str | Path, options: TextOptions | None = None) -> TextCorpus:
    """Reads a file of labelled texts.

    TSV and CSV (with or without a row of column names), JSONL (one object a line) and Parquet, in UTF-8 with or
    without a byte-order mark. Blank lines are passed over. Labels are texts, stripped; several labels of one text are
    a JSON or Parquet list, or a cell that `label_separator` cuts. An empty text is kept and counted.

    Args:
        path: the file.
        options: format, columns, labels; None: the defaults, which fit columns with the usual names.

    Raises:
        DataError: the file is missing, empty, not of its format or not UTF-8; the columns are not known; a row has too
            few or too many cells, no text, no label, or (regression) a label that is no finite number.
        UsageError: an unknown format or column, or options that do not go together.
        MissingExtraError: Parquet without pyarrow.
    """
    options, path = options or TextOptions(), Path(path)
    check_options(options)
    if path.is_dir():
        raise DataError("is a folder; expected a file: TSV, CSV, JSONL or Parquet", path)
    data = read_bytes(path)
    form, notes = format_by(path, data, options)
    table = read_table(form, data, path, options)
    if not table.rows:
        raise DataError("has no rows; expected at least one labelled text", path)
    problem, note = problem_of(table, options)
    reader = LabelReader(table, problem, path, options)
    texts = []
    for cells in table.rows:
        text = _text(cells.text, table.text, cells, path)
        pair = None if table.pair is None else _text(cells.pair, table.pair, cells, path)
        if problem is Problem.REGRESSION:
            texts.append(LabelledText(text, pair, (), reader.score(cells), cells.line))
        else:
            texts.append(LabelledText(text, pair, reader.labels(cells), None, cells.line))
    return TextCorpus(
        texts=tuple(texts),
        problem=problem,
        path=str(path),
        format=form,
        fingerprint=hashlib.sha256(data).hexdigest(),
        paired=table.pair is not None,
        empty=sum(not each.text.strip() and not (each.pair or "").strip() for each in texts),
        notes=(*notes, *table.notes, *([note] if note else [])),
    )


def _text(value: Any, column: str, cells: Cells, path: Path) -> str:
    if isinstance(value, str):
        return value
    held = "is missing" if value is Absent.FIELD else f"holds {'null' if value is None else shortened(value)}"
    raise DataError(f"{column} {held}; expected a text (a string; an empty one is accepted)", path, cells.line)
