"""From CoNLL to CoNLL: only the tags change; columns, comments, blank lines and documents stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tagline.data.atomic import atomic_write
from tagline.data.conll import Kind, layout_of, scan, split_lines
from tagline.data.reading import ReadOptions, column_number, decode, read_bytes

_BOM = "\ufeff"
_CELL = {" ": re.compile(r"[^ ]+"), "\t": re.compile(r"[^\t]+|(?<=\t)(?=\t)|^(?=\t)|(?<=\t)$")}


def write_tags(source: Path, target: Path, tags: Iterator[Sequence[str]], options: ReadOptions) -> None:
    """Copies a CoNLL file with other tags.

    Args:
        source: the file, already read with the same options, so known to be well-formed.
        target: the file to write.
        tags: for every sentence, in order, one tag a word.
        options: which column holds the tags.

    Raises:
        OutputError: the target cannot be written.
    """
    data = read_bytes(source)
    text = decode(data, source)
    lines = split_lines(text)
    layout = layout_of(lines, source)
    place = column_number(options.tag_column, -1, layout.columns, source)
    ends = text.split("\n")
    row: Iterator[str] | None = None
    with atomic_write(target) as file:
        file.write(_BOM if data.startswith(_BOM.encode()) else "")
        for number, (kind, _) in enumerate(scan(lines, layout, source)):
            line = lines[number]
            if kind is Kind.WORD:
                row = iter(next(tags)) if row is None else row
                start, end = list(_CELL[layout.separator].finditer(line))[place].span()
                line = line[:start] + next(row) + line[end:]
            else:
                row = None
            file.write(line + ("\r" if ends[number].endswith("\r") else "") + ("\n" if number + 1 < len(ends) else ""))
