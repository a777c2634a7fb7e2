"""Cells to Arrow arrays: whole blocks at a time, so that a word costs no Python object of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from tagline.spark.annotation import CATEGORY, CHUNK, DOCUMENT, NAMED_ENTITY, TOKEN
from tagline.spark.cells import Categories, Chunks, Pieces, Tags, Words

_ANNOTATION = ("annotatorType", "begin", "end", "result", "metadata", "embeddings")
ANNOTATION_DDL = (
    "array<struct<annotatorType:string,begin:int,end:int,result:string,metadata:map<string,string>,"
    "embeddings:array<float>>>"
)
Strings: TypeAlias = "Sequence[str] | pa.Array"


def annotated(kind: str, cells: Sequence[Any]) -> pa.Array:
    """A column of annotations; None gives an empty list.

    Args:
        kind: the annotations' `annotatorType`.
        cells: one a row, all of the class that the kind asks for, or None.
    """
    counts = [0 if cell is None else _LENGTHS[kind](cell) for cell in cells]
    present = [cell for cell in cells if cell is not None]
    begins, ends, results, metadata = _BUILDERS[kind](present)
    count = len(begins)
    fields = [
        pa.array([kind] * count, type=pa.string()),
        pa.array(begins, type=pa.int32()),
        pa.array(ends, type=pa.int32()),
        _strings(results),
        metadata,
        pa.ListArray.from_arrays(pa.array(np.zeros(count + 1, np.int32)), pa.array([], type=pa.float32())),
    ]
    return _lists(counts, pa.StructArray.from_arrays(fields, names=list(_ANNOTATION)))


def entities(cells: Sequence[Chunks | None]) -> pa.Array:
    """A column of entities as `Entity.to_dict` gives them: `end` is the character after the last."""
    found = [each for cell in cells if cell is not None for each in cell.entities]
    fields = {
        "label": _strings([each.label for each in found]),
        "score": pa.array([each.score for each in found], type=pa.float64()),
        "start": pa.array([each.start for each in found], type=pa.int32()),
        "end": pa.array([each.end for each in found], type=pa.int32()),
        "text": _strings([each.text for each in found]),
    }
    counts = [0 if cell is None else len(cell.entities) for cell in cells]
    return _lists(counts, pa.StructArray.from_arrays(list(fields.values()), names=list(fields)))


def _lists(counts: Sequence[int], values: pa.Array) -> pa.Array:
    offsets = np.concatenate(([0], np.cumsum(counts, dtype=np.int64))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _strings(values: Strings) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, type=pa.string())


def _maps(keys: Sequence[str | Strings], values: Sequence[Strings], count: int) -> pa.Array:
    """Maps with the same number of entries each: the first key and its values, the second, …"""
    width = len(keys)
    order = pa.array((np.arange(width)[None, :] * count + np.arange(count)[:, None]).ravel())
    named = [[key] * count if isinstance(key, str) else key for key in keys]
    flat = [pa.concat_arrays([_strings(each) for each in side]).take(order) for side in (named, values)]
    return pa.MapArray.from_arrays(pa.array(np.arange(count + 1, dtype=np.int32) * width), *flat)


def _numbers(values: Sequence[int]) -> list[str]:
    return list(map(str, values))


_Built: TypeAlias = tuple[Sequence[int], Sequence[int], Strings, pa.Array]


def _documents(cells: Sequence[Pieces]) -> _Built:
    begins = [start for cell in cells for start, _ in cell.spans]
    ends = [end - 1 for cell in cells for _, end in cell.spans]
    results = [cell.text if cell.whole else cell.text[start:end] for cell in cells for start, end in cell.spans]
    owners = _numbers([number for cell in cells for number in range(len(cell.spans))])
    if any(cell.more for cell in cells):
        extras = [cell.more or {} for cell in cells for _ in cell.spans]
        full = [[*{**more, "sentence": owner}.items()] for more, owner in zip(extras, owners, strict=True)]
        return begins, ends, results, pa.array(full, type=pa.map_(pa.string(), pa.string()))
    return begins, ends, results, _maps(["sentence"], [owners], len(owners))


def _words(cells: Sequence[Words]) -> tuple[list[int], list[int], list[str], list[str]]:
    offsets = [each for cell in cells for each in cell.split.offsets]
    words = list(chain.from_iterable(cell.split.words for cell in cells))
    owners = _numbers([each for cell in cells for each in cell.owners])
    return [start for start, _ in offsets], [end - 1 for _, end in offsets], words, owners


def _tokens(cells: Sequence[Words]) -> _Built:
    begins, ends, words, owners = _words(cells)
    return begins, ends, words, _maps(["sentence"], [owners], len(owners))


def _named_entities(cells: Sequence[Tags]) -> _Built:
    begins, ends, words, owners = _words([cell.words for cell in cells])
    tags = list(chain.from_iterable(cell.tags for cell in cells))
    keys: list[str | Strings] = ["sentence", "word"]
    values: list[Strings] = [owners, words]
    if cells and all(cell.matrix is not None for cell in cells):
        matrix = np.concatenate([cell.matrix for cell in cells if cell.matrix is not None])
        keys += cells[0].labels
        values += [pa.array(column).cast(pa.string()) for column in matrix.T.astype(np.float32, order="C")]
    elif all(cell.scores is not None for cell in cells):
        keys.append(tags)
        values.append(pa.array([s for cell in cells for s in cell.scores or ()], type=pa.float32()).cast(pa.string()))
    return begins, ends, tags, _maps(keys, values, len(tags))


def _chunks(cells: Sequence[Chunks]) -> _Built:
    found = [each for cell in cells for each in cell.entities]
    values = [
        [each.label for each in found],
        _numbers([owner for cell in cells for owner in cell.owners]),
        _numbers([number for cell in cells for number in range(len(cell.entities))]),
        pa.array([each.score for each in found], type=pa.float32()).cast(pa.string()),
    ]
    metadata = _maps(["entity", "sentence", "chunk", "confidence"], values, len(found))
    texts = [each.text for each in found]
    return [each.start for each in found], [each.end - 1 for each in found], texts, metadata


def _categories(cells: Sequence[Categories]) -> _Built:
    found = [each for cell in cells for each in cell.items]
    keys = ["sentence", *(score.label for score in found[0].scores)] if found else ["sentence"]
    values = [
        _numbers([each.owner for each in found]),
        *(
            pa.array([each.scores[place].score for each in found], type=pa.float32()).cast(pa.string())
            for place in range(len(keys) - 1)
        ),
    ]
    metadata = _maps(keys, values, len(found))
    return [each.begin for each in found], [each.end for each in found], [each.result for each in found], metadata


_BUILDERS: dict[str, Callable[[Any], _Built]] = {
    DOCUMENT: _documents,
    TOKEN: _tokens,
    NAMED_ENTITY: _named_entities,
    CHUNK: _chunks,
    CATEGORY: _categories,
}
_LENGTHS: dict[str, Callable[[Any], int]] = {
    DOCUMENT: lambda cell: len(cell.spans),
    TOKEN: lambda cell: len(cell.split.words),
    NAMED_ENTITY: lambda cell: len(cell.tags),
    CHUNK: lambda cell: len(cell.entities),
    CATEGORY: lambda cell: len(cell.items),
}
