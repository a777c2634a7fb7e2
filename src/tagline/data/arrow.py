"""Parquet files and folders that Hugging Face `datasets` wrote with `save_to_disk`, both read with pyarrow alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tagline.data.features import INFO, class_names, names_beside, read_json
from tagline.data.reading import Raw, column_name
from tagline.data.sentence_rows import DOCUMENT_NAME, SPAN_NAMES, TAG_NAMES, TEXT_NAME, WORD_NAMES, SentenceRows
from tagline.errors import DataError, MissingExtraError, UsageError

STATE, SPLITS = "state.json", "dataset_dict.json"


def read_parquet(data: bytes, path: Path, reader: SentenceRows) -> Raw:
    """Reads a Parquet file with `tokens` and `ner_tags`, or `text` and spans. Lines are rows, counted from 1.

    Raises:
        MissingExtraError: pyarrow is not installed.
        DataError: the file is damaged or a row is not of an accepted form.
        UsageError: a column that the file does not have.
    """
    table, features = open_parquet(data, path)
    return _read_batches([table], features, reader)


def open_parquet(data: bytes, path: Path) -> tuple[Any, Any]:
    """The Arrow table in a Parquet file's bytes, and its features as `datasets` describes them (None without).

    Raises:
        MissingExtraError: pyarrow is not installed.
        DataError: the file is damaged.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("reading Parquet", "parquet") from None
    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"is not Parquet or is damaged ({error}); expected a Parquet file", path) from None
    metadata = table.schema.metadata or {}
    return table, _features_of(metadata.get(b"huggingface", b"{}"))


def is_saved(path: Path) -> bool:
    """Whether a folder was written by `save_to_disk`."""
    return (path / STATE).is_file() or (path / SPLITS).is_file()


def read_saved(path: Path, reader: SentenceRows) -> tuple[Raw, str]:
    """Reads a folder written by `save_to_disk`, and the SHA-256 of the files read.

    Raises:
        MissingExtraError: pyarrow is not installed.
        DataError: the folder is damaged or a row is not of an accepted form.
        UsageError: a column or split that the folder does not have; several splits and none chosen.
    """
    folder = _choose_split(path, reader.options.split)
    state = read_json(folder / STATE)
    info = read_json(folder / INFO) if (folder / INFO).is_file() else {}
    files = state.get("_data_files") if isinstance(state, Mapping) else None
    if not isinstance(files, list) or not all(isinstance(each, Mapping) and "filename" in each for each in files):
        raise DataError("names no data files; the folder is damaged", folder / STATE)
    if state.get("_indices_data_files"):
        raise DataError(
            "holds a selection of rows as a list of indices; expected plain rows. "
            "In Python: dataset.flatten_indices().save_to_disk(...)",
            folder / STATE,
        )
    digest = hashlib.sha256()
    tables = []
    for each in files:
        data = _part(folder / str(each["filename"]))
        digest.update(data)
        tables.append(_open_arrow(data, folder / str(each["filename"])))
    features = info.get("features") if isinstance(info, Mapping) else None
    digest.update(json.dumps(features, sort_keys=True).encode())
    return _read_batches(tables, features, reader), digest.hexdigest()


def _choose_split(path: Path, split: str | None) -> Path:
    if not (path / SPLITS).is_file():
        if split is not None:
            raise UsageError(f"split {split!r}: {path} holds one data set without splits; leave the split out")
        return path
    value = read_json(path / SPLITS)
    splits = value.get("splits") if isinstance(value, Mapping) else None
    if not isinstance(splits, list) or not splits:
        raise DataError("names no splits; the folder is damaged", path / SPLITS)
    names = ", ".join(map(str, splits))
    if split is None:
        if len(splits) > 1:
            raise UsageError(f"{path} holds the splits {names}; choose one")
        split = str(splits[0])
    if split not in splits:
        raise UsageError(f"split {split!r} is not in {path}; it holds {names}")
    return path / split


def _part(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}; the folder is damaged", path) from error


def _open_arrow(data: bytes, path: Path) -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingExtraError("reading a folder of Hugging Face datasets", "parquet") from None
    try:
        return pa.ipc.open_stream(pa.BufferReader(data)).read_all()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"is not Arrow or is damaged ({error})", path) from None


def _features_of(metadata: bytes) -> Any:
    try:
        value = json.loads(metadata)
        return value["info"]["features"] if isinstance(value, dict) and "info" in value else None
    except (ValueError, KeyError, TypeError):
        return None


def _read_batches(tables: list[Any], features: Any, reader: SentenceRows) -> Raw:
    options, path = reader.options, reader.path
    if not tables:
        return reader.raw
    columns = list(tables[0].column_names)
    words = column_name(options.word_column, columns, (*WORD_NAMES, TEXT_NAME), path)
    tags = column_name(options.tag_column, columns, (*TAG_NAMES, *SPAN_NAMES), path) if reader.annotated else None
    if words is None or (reader.annotated and tags is None):
        raise DataError(
            f"has the columns {', '.join(map(repr, columns))}; expected {WORD_NAMES[0]!r} and {TAG_NAMES[0]!r}, "
            f"or {TEXT_NAME!r} and {SPAN_NAMES[0]!r}; or name the columns",
            path,
        )
    reader.options = replace(options, word_column=words, tag_column=tags)
    reader.names = class_names(features, (str(tags),)) or names_beside(path, (str(tags),))
    wanted = [words] if tags is None else [words, tags]
    wanted += [DOCUMENT_NAME] if DOCUMENT_NAME in columns and DOCUMENT_NAME not in wanted else []
    for number, row in enumerate(_rows(tables, wanted), start=1):
        reader.add(row, number)
    return reader.raw


def _rows(tables: list[Any], wanted: list[str]) -> Iterator[dict[str, Any]]:
    for table in tables:
        for batch in table.select(wanted).to_batches(max_chunksize=1024):
            yield from batch.to_pylist()
