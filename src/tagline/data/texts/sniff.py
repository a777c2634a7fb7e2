"""Whether a file holds labelled texts or tagged words, told by its first row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tagline.data.sentence_rows import TAG_NAMES, TEXT_NAME, WORD_NAMES
from tagline.data.streams.rows import RowOptions, read_rows
from tagline.data.tables import WORD_COLUMNS
from tagline.data.texts.options import LABEL_NAMES, TEXT_NAMES
from tagline.errors import TaglineError

_NAMED = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".pq")


def holds_labelled_texts(path: str | Path) -> bool:
    """Whether the first row has a text and a label, and neither words nor spans.

    Only files whose names tell a format with column names are looked into; whatever cannot be read is left to the
    reader that will be asked for it.
    """
    if Path(path).suffix.lower() not in _NAMED or not Path(path).is_file():
        return False
    try:
        with read_rows(path, RowOptions()) as rows:
            row = next(rows, None)
    except TaglineError:
        return False
    if row is None:
        return False
    fields = {str(name).casefold(): value for name, value in row.extra.items()}
    names = {*fields, row.text_field.casefold()}
    if names & {*WORD_NAMES, *TAG_NAMES, *WORD_COLUMNS, "entities", "spans"} or not names & {*TEXT_NAMES, TEXT_NAME}:
        return False
    label = next((fields[name] for name in LABEL_NAMES if name in fields), None)
    return label is not None and not _spans(label)


def _spans(label: Any) -> bool:
    """Whether a label is a list of spans: [[0, 4, "PER"], …] or [{"start": 0, …}, …]."""
    if isinstance(label, str) and label.startswith("["):
        try:
            label = json.loads(label)
        except (ValueError, RecursionError):
            return False
    return isinstance(label, list) and any(isinstance(each, list | dict) for each in label)
