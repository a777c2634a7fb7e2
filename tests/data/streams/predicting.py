"""What `tagline predict` does, with stand-ins for the models. Imports nothing heavy: killed runs start often."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from tagline.data.streams.answers import ENTITIES, classification_columns
from tagline.data.streams.rows import Row, RowOptions, read_rows
from tagline.data.streams.sinks import Sink, SinkOptions, open_sink
from tagline.records import Answer, Classification, Document, Entity, Label, Problem

ROOT = Path(__file__).resolve().parents[3]
LABELS = ('"ham", or so', "spam", "Zoë 😀")  # with all that CSV must quote


class Model(NamedTuple):
    """Stands in for a model: the columns of its answers, and what gives them."""

    answers: Mapping[str, str]
    read: Callable[[Row], Answer]


def tagged(row: Row) -> Document:
    """Words with a capital or an emoji are entities."""
    if row.words is None:
        offsets = [match.span() for match in re.finditer(r"\S+", row.text)]
    else:
        ends = [sum(map(len, row.words[: n + 1])) + n for n in range(len(row.words))]
        offsets = [(end - len(word), end) for word, end in zip(row.words, ends, strict=True)]
    found = [(start, end) for start, end in offsets if row.text[start:end] != row.text[start:end].lower()]
    entities = tuple(Entity("X", 1 / (2 + start), start, end, row.text[start:end]) for start, end in found)
    tags = tuple("B-X" if pair in found else "O" for pair in offsets)
    return Document(row.text, entities, tuple(offsets), tags, (0.5,) * len(tags))


def classified(row: Row, problem: Problem, top: int = len(LABELS)) -> Classification:
    """Scores come from the bytes of the text and its pair; labels of a multi-label answer are those above a third."""
    number = crc32(f"{row.text}\0{row.pair}".encode())
    if problem is Problem.REGRESSION:
        return Classification(row.text, row.pair, problem, (Label("score", number / 7e8),), ())
    parts = [1 + (number >> 8 * place) % 256 for place in range(len(LABELS))]
    found = [Label(label, part / sum(parts)) for label, part in zip(LABELS, parts, strict=True)]
    found.sort(key=lambda each: -each.score)
    chosen = tuple(each.label for each in found if each.score > 1 / 3)
    labels = chosen[: number % 4] if problem is Problem.MULTI else (found[0].label,)  # at times none
    return Classification(row.text, row.pair, problem, tuple(found[:top]), labels)


MODELS = {
    "entities": Model(ENTITIES, tagged),
    "single": Model(classification_columns(Problem.SINGLE), lambda row: classified(row, Problem.SINGLE, 1)),
    "top": Model(classification_columns(Problem.SINGLE, True), lambda row: classified(row, Problem.SINGLE, 2)),
    "multi": Model(classification_columns(Problem.MULTI), lambda row: classified(row, Problem.MULTI)),
    "regression": Model(classification_columns(Problem.REGRESSION), lambda row: classified(row, Problem.REGRESSION)),
}


def run(
    source: Path, target: Path, model: str = "entities", resume: bool = False, pair: str | None = None, **options: Any
) -> Sink:
    """What `tagline predict` does."""
    answers, read = MODELS[model]
    reading = RowOptions(pair_column=pair)
    with read_rows(source, reading) as start:
        given = SinkOptions(source, columns=start.columns, schema=start.schema, answers=answers, **options)
    with open_sink(target, given, resume) as sink, read_rows(source, reading, skip=sink.rows_done) as rows:
        for row in rows:
            sink.write(row, read(row))
    return sink


def put(folder: Path, name: str, content: str) -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content.encode())
    return path


def objects(path: Path) -> list[dict[str, Any]]:
    """What the lines of a JSONL file hold."""
    return [json.loads(line) for line in path.read_text().splitlines()]
