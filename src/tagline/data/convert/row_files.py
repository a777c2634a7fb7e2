"""Rows written as JSONL, CSV, TSV, Parquet, or a folder that Hugging Face `datasets` loads."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from tagline.data.arrow import STATE
from tagline.data.atomic import atomic_folder, atomic_write
from tagline.data.features import INFO
from tagline.errors import MissingExtraError, OutputError

Rows = Sequence[Mapping[str, Any]]
FORMATS = ("jsonl", "csv", "tsv", "parquet", "datasets")


def write_rows(path: Path, rows: Rows, form: str, overwrite: bool = False) -> None:
    """Writes rows that all have the same columns.

    Lists and objects are JSON in CSV and TSV. A TSV has no quotes: a text with a tab or a line end cannot stand in it.

    Raises:
        OutputError: the place cannot be written, or a text cannot stand in a TSV.
        MissingExtraError: Parquet or `datasets` without pyarrow.
    """
    if form == "datasets":
        table = _arrow(rows, "writing a folder of Hugging Face datasets", classes=True)
        with atomic_folder(path, overwrite) as folder:
            _save(table, rows, folder)
    elif form == "parquet":
        table = _arrow(rows, "writing Parquet")
        import pyarrow.parquet as pq

        with atomic_write(path, "wb") as binary:
            pq.write_table(table, binary)
    else:
        writers: dict[str, Callable[[TextIO, Rows, Path], None]] = {"jsonl": _jsonl, "csv": _csv, "tsv": _tsv}
        with atomic_write(path) as file:
            writers[form](file, rows, path)


def _jsonl(file: TextIO, rows: Rows, path: Path) -> None:
    file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _csv(file: TextIO, rows: Rows, path: Path) -> None:
    # Everything is quoted: a lone carriage return would not be, and would end the row.
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
    names = _columns(rows)
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)


def _tsv(file: TextIO, rows: Rows, path: Path) -> None:
    names = _columns(rows)
    table = [[_cell(row.get(name)) for name in names] for row in rows]
    wrong = [number for number, cells in enumerate(table, start=1) if any(_breaks(cell) for cell in cells)]
    if wrong:
        shown = ", ".join(map(str, wrong[:10])) + (", …" if len(wrong) > 10 else "")
        raise OutputError(
            f"{path} cannot be written: {len(wrong):,} texts hold a tab or a line end, which cannot stand in a TSV "
            f"(number {shown}); choose CSV, JSONL or Parquet"
        )
    file.write("\t".join(names) + "\n")
    file.writelines("\t".join(cells) + "\n" for cells in table)


def _breaks(cell: str) -> bool:
    return "\t" in cell or "\n" in cell or "\r" in cell


def _columns(rows: Rows) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _arrow(rows: Rows, purpose: str, classes: bool = False) -> Any:
    """The rows as an Arrow table; with `classes` tags are numbers of `class_names`."""
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingExtraError(purpose, "parquet") from None
    names = _columns(rows)
    number = {name: place for place, name in enumerate(_class_names(rows))}
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        if classes and name == "ner_tags":
            values = [[number[tag] for tag in tags or ()] for tags in values]
            columns[name] = pa.array(values, pa.list_(pa.int64()))
        else:
            columns[name] = pa.array(values, _type(pa, name, values))
    return pa.table(columns)


def _type(pa: Any, name: str, values: Sequence[Any]) -> Any:
    """Said outright: an empty list would have no type."""
    if name == "entities":
        return pa.list_(pa.struct([("start", pa.int64()), ("end", pa.int64()), ("label", pa.string())]))
    if any(isinstance(value, list) for value in values):
        return pa.list_(pa.string())
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds and kinds <= {int, float} else pa.string()


def _class_names(rows: Rows) -> list[str]:
    """O first, then the other tags in order, so that numbers do not depend on the order of the sentences."""
    tags = {tag for row in rows for tag in row.get("ner_tags", ())}
    return ["O", *sorted(tags - {"O"}, key=lambda tag: (tag.partition("-")[2] or tag, tag))]


def _save(table: Any, rows: Rows, folder: Path) -> None:
    """The layout of `Dataset.save_to_disk`: Arrow stream, features, state."""
    import hashlib

    import pyarrow as pa

    name = "data-00000-of-00001.arrow"
    with (folder / name).open("wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table, max_chunksize=1000)
    with (folder / name).open("rb") as written:
        fingerprint = hashlib.file_digest(written, "sha256").hexdigest()[:16]
    features = {column.name: _feature(pa, column, rows) for column in table.schema}
    state: dict[str, Any] = {
        "_data_files": [{"filename": name}], "_fingerprint": fingerprint, "_format_columns": None,
        "_format_kwargs": {}, "_format_type": None, "_output_all_columns": False, "_split": None,
    }  # fmt: skip
    info = {"citation": "", "description": "", "features": features, "homepage": "", "license": ""}
    for target, value in ((STATE, state), (INFO, info)):
        (folder / target).write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _feature(pa: Any, column: Any, rows: Rows) -> Any:
    """A column as `datasets` describes it, in words that its version 3 knows as well as later ones."""
    if column.name == "ner_tags":
        return {"feature": {"names": _class_names(rows), "_type": "ClassLabel"}, "_type": "Sequence"}
    if pa.types.is_list(column.type):
        inner = column.type.value_type
        if pa.types.is_struct(inner):
            return [{field.name: _value(field.type) for field in inner}]
        return {"feature": _value(inner), "_type": "Sequence"}
    return _value(column.type)


def _value(kind: Any) -> dict[str, str]:
    return {"dtype": {"double": "float64"}.get(str(kind), str(kind)), "_type": "Value"}
