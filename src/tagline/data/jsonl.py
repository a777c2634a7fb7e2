"""JSONL: one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path

from tagline.data.features import names_beside
from tagline.data.reading import Raw
from tagline.data.sentence_rows import TAG_NAMES, SentenceRows
from tagline.errors import DataError


def read_jsonl(text: str, path: Path, reader: SentenceRows) -> Raw:
    """Reads lines of `tokens` + `ner_tags` or of `text` + spans; blank lines are passed over.

    Raises:
        DataError: a line that is no JSON object or not of an accepted form.
    """
    tag_column = reader.options.tag_column
    reader.names = names_beside(path, (tag_column,) if isinstance(tag_column, str) else TAG_NAMES)
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip(" \t\r"):
            reader.add(_object(line, path, number), number)
    return reader.raw


def _object(line: str, path: Path, number: int) -> dict[str, object]:
    try:
        row = json.loads(line)
        if "\\u" in line:
            json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise DataError(
            "holds half of a surrogate pair (\\uD800 to \\uDFFF); expected whole characters", path, number
        ) from None
    except (ValueError, RecursionError) as error:
        shown = line.strip()
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        raise DataError(f"{shown!r} is not JSON ({error}); expected one JSON object a line", path, number) from None
    if not isinstance(row, dict):
        what = "a list" if isinstance(row, list) else repr(row)
        raise DataError(f"holds {what}; expected one JSON object a line (JSONL)", path, number)
    return row
