"""Labelled texts between TSV, CSV, JSONL and Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tagline.data.convert.items import Losses
from tagline.data.convert.row_files import write_rows
from tagline.data.convert.run import Converted, refuse_occupied
from tagline.data.streams.rows import RowOptions, read_rows
from tagline.data.texts.options import LABEL_NAMES, TEXT_NAMES, TextOptions
from tagline.data.texts.reading import read_texts
from tagline.data.texts.tables import FORMATS
from tagline.errors import TaglineError, UsageError
from tagline.records import LabelledText, Problem

_COLUMN = {Problem.SINGLE: "label", Problem.MULTI: "labels", Problem.REGRESSION: "score"}


def convert_texts(
    source: str | Path,
    target: str | Path,
    reading: TextOptions | None = None,
    form: str | None = None,
    overwrite: bool = False,
    may_lose: bool = True,
) -> tuple[Converted, list[str]]:
    """Reads labelled texts and writes them with the columns `text`, `text_pair`, and `label`, `labels` or `score`.

    Several labels are a list, in CSV and TSV as JSON.

    Args:
        source: the file.
        target: the file to write.
        reading: how the source is read.
        form: `tsv`, `csv`, `jsonl` or `parquet`; None tells it by the target's name.
        overwrite: replace what is there.
        may_lose: False writes nothing where anything would be lost.

    Returns:
        What was done, and notes on how the source was read.

    Raises:
        DataError: the source cannot be read.
        OutputError: the target is there already, cannot be written, or (TSV) cannot hold a text.
        UsageError: an unknown format.
        MissingExtraError: Parquet without pyarrow.
    """
    source, target = Path(source), Path(target)
    wanted = form or next((name for name, ends in FORMATS.items() if target.suffix.lower() in ends), None)
    if wanted not in FORMATS:
        got = f"--to is {form!r}" if form else f"{target.name!r}"
        raise UsageError(f"{got}: texts with labels can be written as {', '.join(FORMATS)}; give such a name or --to")
    refuse_occupied(target, overwrite)
    if target.exists() and target.resolve() == source.resolve():
        raise UsageError(f"{source} is the source and the target; give two names")
    corpus = read_texts(source, reading)
    losses = Losses()
    more = _further(source, corpus.format, reading or TextOptions(), 2 + corpus.paired)
    losses.whole("columns", str(source), len(more), f"further columns: {', '.join(map(repr, more))}")
    rows = [_row(each, corpus.problem, corpus.paired) for each in corpus.texts]
    written = may_lose or not losses.found
    if written:
        write_rows(target, rows, wanted, overwrite)
    count = sum(len(each.labels) for each in corpus.texts)
    return Converted(corpus.format, wanted, len(rows), count, losses, written), list(corpus.notes)


def _row(each: LabelledText, problem: Problem, paired: bool) -> Mapping[str, Any]:
    value: Any = each.score
    if problem is not Problem.REGRESSION:
        value = list(each.labels) if problem is Problem.MULTI else each.labels[0]
    return {"text": each.text, **({"text_pair": each.pair or ""} if paired else {}), _COLUMN[problem]: value}


def _further(source: Path, form: str, reading: TextOptions, used: int) -> list[str]:
    """The columns beside text, pair and label, by name where they have names."""
    try:
        with read_rows(source, RowOptions(format=form)) as rows:
            first = next(rows, None)
    except TaglineError:
        return []
    names = [] if first is None else list(dict.fromkeys([first.text_field, *map(str, first.extra)]))
    asked = (reading.text_column, reading.pair_column, reading.label_column)
    known = {
        *TEXT_NAMES,
        *filter(None, TEXT_NAMES.values()),
        *LABEL_NAMES,
        *(name for name in asked if isinstance(name, str)),
    }
    if form in ("jsonl", "parquet") or any(name.casefold() in known for name in names):
        more = [name for name in names if name not in known and name.casefold() not in known]
        return more if len(names) > used else []
    return [f"one of {len(names)} without a name"] * (len(names) - used)
