"""Writing chosen examples of a file in the file's own form: the very bytes, with their comments and blank lines."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tagline.data.arrow import open_parquet
from tagline.data.atomic import atomic_folder
from tagline.data.audit.parts import AnyCorpus
from tagline.data.corpus import Corpus
from tagline.data.features import INFO
from tagline.data.reading import decode, read_bytes
from tagline.errors import UsageError

_BOM = b"\xef\xbb\xbf"


class _Lines(NamedTuple):
    """A file's lines, with the lines of each unit's own rows, counted from 0: first and behind the last."""

    lines: list[str]
    units: list[tuple[int, int]]
    header: int


def write_extracts(
    corpus: AnyCorpus, parts: Sequence[int], names: Sequence[str], folder: Path, quotes: bool | None = None
) -> list[Path]:
    """Writes the parts of a corpus into a new folder, all files or none. A part without a unit gets no file.

    Lines are copied as they are: columns, comments, line ends, byte-order mark. Lines between two units (comments,
    document marks, rows without words) go with the unit after them, blank lines with the one before; a table's header
    goes to every part. Of Parquet the rows are copied, and of every table a dataset_info.json beside it.

    Args:
        corpus: what was read.
        parts: of every unit the number of its part.
        names: of the parts; the files get the suffix of the corpus.
        folder: the folder to make; it may be there if it is empty.
        quotes: of tables of labelled texts, whether `"` quotes a field; None: in CSV it does.

    Returns:
        The files.

    Raises:
        DataError: the corpus cannot be read again.
        OutputError: the folder is there and not empty, or cannot be written.
        UsageError: the corpus is a folder of `datasets`.
    """
    source = Path(corpus.path)
    if corpus.format == "datasets":
        raise UsageError(f"{source} is a folder of datasets, which is not split; write it as JSONL first")
    data = read_bytes(source)
    files = [name + source.suffix for name in names]
    with atomic_folder(folder) as work:
        for number, file in enumerate(files):
            chosen = [unit for unit, part in enumerate(parts) if part == number]
            if not chosen:
                continue
            if corpus.format == "parquet":
                _write_rows(data, source, corpus, chosen, work / file)
            else:
                (work / file).write_bytes(_extract(corpus, data, set(chosen), quotes))
        if corpus.format != "conll" and (source.parent / INFO).is_file():
            shutil.copyfile(source.parent / INFO, work / INFO)
    return [folder / file for file in files if (folder / file).is_file()]


def _write_rows(data: bytes, source: Path, corpus: AnyCorpus, chosen: Sequence[int], target: Path) -> None:
    import pyarrow.parquet as pq

    table, _ = open_parquet(data, source)
    units = corpus.sentences if isinstance(corpus, Corpus) else corpus.texts
    pq.write_table(table.take([units[unit].line - 1 for unit in chosen]), target)


def _extract(corpus: AnyCorpus, data: bytes, chosen: set[int], quotes: bool | None) -> bytes:
    """The lines of the chosen units, and what goes with them."""
    text = decode(data, Path(corpus.path))
    lines, units, header = _lines(corpus, text, quotes)
    starts = [header]
    for (_, end), (start, _) in pairwise(units):
        while end < start and not lines[end].strip():
            end += 1
        starts.append(end)
    ends = [*starts[1:], len(lines)]
    kept = lines[:header]
    for unit, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if unit in chosen:
            kept += lines[start:end]
    return (_BOM if data.startswith(_BOM) else b"") + "".join(kept).encode("utf-8")


def _lines(corpus: AnyCorpus, text: str, quotes: bool | None) -> _Lines:
    if corpus.format in ("conll", "jsonl"):
        lines = io.StringIO(text, newline="\n").readlines()
        if isinstance(corpus, Corpus):
            size = 0 if corpus.format == "jsonl" else 1
            own = [(each.line - 1, each.line - 1 + (len(each.words) if size else 1)) for each in corpus.sentences]
        else:
            own = [(each.line - 1, each.line) for each in corpus.texts]
        return _Lines(lines, own, 0)
    if isinstance(corpus, Corpus):
        return _token_table(corpus, text)
    quoted = corpus.format == "csv" if quotes is None else quotes
    lines, rows = _rows(text, "\t" if corpus.format == "tsv" else ",", quoted, newline="\n")
    by_start = {start: number for number, (start, _) in enumerate(rows)}
    own = [rows[by_start[each.line - 1]] for each in corpus.texts]
    return _Lines(lines, own, rows[0][1] if own[0] != rows[0] else 0)


def _token_table(corpus: Corpus, text: str) -> _Lines:
    """Tables of words or of sentences; the reader gives the line where a row ends."""
    quoted = corpus.format == "csv"
    lines, rows = _rows(text, ",", quoted, newline="" if quoted else "\n")
    by_end = {end: number for number, (_, end) in enumerate(rows)}
    first = [by_end[each.line] for each in corpus.sentences]
    sizes = [len(each.words) for each in corpus.sentences]
    room = [after - before for before, after in pairwise([*first, len(rows)])]
    by_word = all(free >= size for free, size in zip(room, sizes, strict=True))
    last = [row + (size if by_word else 1) - 1 for row, size in zip(first, sizes, strict=True)]
    own = [(rows[start][0], rows[end][1]) for start, end in zip(first, last, strict=True)]
    return _Lines(lines, own, rows[0][1])


def _rows(text: str, delimiter: str, quoted: bool, newline: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Lines, and of every row its first line and the one behind its last."""
    lines = io.StringIO(text, newline=newline).readlines()
    if not quoted:
        return lines, [(number, number + 1) for number in range(len(lines))]
    limit = csv.field_size_limit(2**31 - 1)
    try:
        reader = csv.reader(iter(lines), delimiter=delimiter, strict=True)
        ends = [reader.line_num for _ in reader]
    finally:
        csv.field_size_limit(limit)
    return lines, list(zip([0, *ends[:-1]], ends, strict=True))
