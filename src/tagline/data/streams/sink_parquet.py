"""Results as Parquet: one part a checkpoint, put together into one file at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tagline.data.streams.answers import arrow_type, renaming
from tagline.data.streams.partial import Partial, PartialSink
from tagline.data.streams.row import Row
from tagline.data.streams.row_tables import arrow
from tagline.data.streams.sink import SinkOptions
from tagline.data.streams.sink_formats import Joiner, to_json
from tagline.records import Answer

_GROUP_ROWS = 8192
_GROUP_BYTES = 16 << 20  # of text
_BATCH = 512
_JSON = {b"tagline": b"json"}  # marks a column whose values had no common type


class _NoCommonType(Exception):
    """Values of a column do not fit the type found for it; `args[0]` is its name."""


class ParquetSink(PartialSink):
    """A Parquet file: the input's columns and the answer's, of the types in `tagline.data.streams.answers`.

    Columns of a Parquet input keep their types. Fields of JSONL get the type that fits all values; where none does, and
    for objects, the column holds each value as JSON text, and `notes` says so. A field that a row lacks is null.
    Made by `open_sink`.
    """

    def __init__(self, partial: Partial, options: SinkOptions) -> None:
        super().__init__(partial, options)
        self._held: list[dict[str, Any]] = []
        self._joiner = Joiner(options.answers, partial.journal.state)
        others = renaming(options.schema.names, options.answers) if options.schema is not None else {}
        self._originals = {other: name for name, other in others.items()}

    def notes(self) -> list[str]:
        """Renamed fields and columns of JSON text."""
        state = self._partial.journal.state
        mixed = [
            f"column {name!r} holds objects or values of no common type: each is written as JSON text"
            for name in state.get("json", ())
        ]
        return self._joiner.notes() + mixed

    def _parts(self) -> list[Path]:
        return [self._part(number) for number in range(1, self._partial.journal.size + 1)]

    def _part(self, number: int) -> Path:
        return self._partial.path / f"part-{number:06}.parquet"

    def _damage(self) -> str | None:
        missing = [part.name for part in self._parts() if not part.exists()]
        return f"{missing[0]} is missing, of {self._partial.journal.size} parts" if missing else None

    def _append(self, row: Row, answer: Answer) -> int:
        fields, text = self._joiner.join(row, answer)
        state = self._partial.journal.state
        state.setdefault("text", text)
        columns = state.setdefault("columns", [])
        columns.extend(name for name in fields if name not in columns and name not in self._options.answers)
        self._held.append(fields)
        return sum(_weight(value) for value in fields.values())

    def _flush(self) -> int:
        _, parquet = arrow("writing Parquet")
        number = self._partial.journal.size + 1
        part = self._part(number)
        fresh = part.with_suffix(".new")
        parquet.write_table(self._table(), fresh)
        with fresh.open("rb+") as stream:
            os.fsync(stream.fileno())
        fresh.replace(part)
        os.fsync(self._partial.handle)
        self._held = []
        return number

    def _rollback(self) -> None:
        self._held = []
        known = {part.name for part in self._parts()}
        for entry in self._partial.path.iterdir():
            if entry.name not in known:
                entry.unlink()

    def _table(self) -> Any:
        pa, _ = arrow("writing Parquet")
        arrays, fields = [], []
        for name in self._partial.journal.state["columns"]:
            values = [row.get(name) for row in self._held]
            array, metadata = self._column(name, values)
            arrays.append(array)
            fields.append(pa.field(name, array.type, metadata=metadata))
        for field in self._answer_fields(pa):
            arrays.append(pa.array([row[field.name] for row in self._held], type=field.type))
            fields.append(field)
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields))

    def _answer_fields(self, pa: Any) -> list[Any]:
        return [pa.field(name, arrow_type(pa, kind)) for name, kind in self._options.answers.items()]

    def _column(self, name: str, values: list[Any]) -> tuple[Any, dict[bytes, bytes] | None]:
        pa, _ = arrow("writing Parquet")
        known = self._known_type(name)
        with suppress(pa.ArrowException, OverflowError, ValueError, TypeError):  # no type holds them all
            array = pa.array(values, type=known)
            if known is not None or not _has_struct(pa, array.type):
                return array, None
        return pa.array([None if value is None else to_json(value) for value in values], pa.string()), _JSON

    def _known_type(self, name: str) -> Any:
        pa, _ = arrow("writing Parquet")
        schema = self._options.schema
        if schema is None:
            return pa.string() if name == self._partial.journal.state.get("text", "text") else None
        original = self._originals.get(name, name)
        if original not in schema.names:
            return pa.string()  # the joined words
        known = schema.field(original).type
        is_text = name == self._partial.journal.state.get("text")
        return pa.string() if is_text and not pa.types.is_large_string(known) else known

    def _finish(self) -> None:
        """Rewrites the parts into one file whose row groups do not depend on where the checkpoints were."""
        self._partial.rewrite(self._put_together)

    def _put_together(self, whole: Path) -> None:
        mixed: set[str] = set()
        while True:
            try:
                return self._join(whole, mixed)
            except _NoCommonType as clash:
                mixed.add(clash.args[0])

    def _join(self, whole: Path, mixed: set[str]) -> None:
        pa, parquet = arrow("writing Parquet")
        schema = self._schema(mixed)
        with parquet.ParquetWriter(whole, schema) as writer:
            for group in self._groups(pa, parquet, schema, mixed):
                writer.write_table(group, row_group_size=group.num_rows)

    def _schema(self, mixed: set[str]) -> Any:
        pa, parquet = arrow("writing Parquet")
        state = self._partial.journal.state
        names = state.get("columns") or self._columns_without_rows()
        parts = [parquet.read_schema(part) for part in self._parts()]
        fields = []
        for name in names:
            found = [part.field(name) for part in parts if name in part.names]
            if any(field.metadata and field.metadata.get(b"tagline") == b"json" for field in found):
                mixed.add(name)
            kind = pa.string() if name in mixed else _common(pa, found, mixed)
            if not found:
                kind = self._known_type(name) or pa.string()
            fields.append(pa.field(name, kind))
        state["json"] = sorted(mixed)
        return pa.schema([*fields, *self._answer_fields(pa)])

    def _columns_without_rows(self) -> list[str]:
        columns = self._options.columns or ("text",)
        others = renaming(columns, self._options.answers)
        return [others.get(name, name) for name in columns]

    def _groups(self, pa: Any, parquet: Any, schema: Any, mixed: set[str]) -> Iterator[Any]:
        held: list[Any] = []
        rows = size = 0
        text = self._partial.journal.state.get("text", "text")
        for part in self._parts():
            with parquet.ParquetFile(part) as file:
                for raw in file.iter_batches(batch_size=_BATCH):
                    batch, start = _fitted(pa, raw, schema, mixed), 0
                    for place, length in enumerate(batch.column(text).to_pylist()):
                        rows, size = rows + 1, size + len(length or "")
                        if rows == _GROUP_ROWS or size >= _GROUP_BYTES:
                            held.append(batch.slice(start, place + 1 - start))
                            yield pa.Table.from_batches(held, schema).combine_chunks()
                            held, rows, size, start = [], 0, 0, place + 1
                    held.append(batch.slice(start))
        if rows:
            yield pa.Table.from_batches(held, schema).combine_chunks()


def _fitted(pa: Any, batch: Any, schema: Any, mixed: set[str]) -> Any:
    arrays = []
    for field in schema:
        if field.name not in batch.schema.names:
            arrays.append(pa.nulls(batch.num_rows, field.type))
            continue
        column, own = batch.column(field.name), batch.schema.field(field.name)
        marked = own.metadata and own.metadata.get(b"tagline") == b"json"
        if field.name in mixed and not marked:
            column = pa.array([None if value is None else to_json(value) for value in column.to_pylist()], pa.string())
        try:
            arrays.append(column.cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise _NoCommonType(field.name) from error
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _common(pa: Any, found: list[Any], mixed: set[str]) -> Any:
    """The type that holds all of a column's parts; string, with its name in `mixed`, where there is none."""
    if not found:
        return None
    try:
        plain = [pa.schema([field.remove_metadata()]) for field in found]
        kind = pa.unify_schemas(plain, promote_options="permissive").field(0).type
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        mixed.add(found[0].name)
        return pa.string()
    return pa.string() if pa.types.is_null(kind) else kind


def _has_struct(pa: Any, kind: Any) -> bool:
    """Whether a type has a struct in it: JSON objects differ in their fields, a struct would fill them up with null."""
    return bool(pa.types.is_struct(kind) or (pa.types.is_list(kind) and _has_struct(pa, kind.value_type)))


def _weight(value: Any) -> int:
    """Roughly the bytes that a value holds in memory."""
    return 100 + (4 * len(value) if isinstance(value, str) else 200 * len(value) if isinstance(value, list) else 0)
