"""Label Studio: tasks with their annotations read, and written with annotations or with a model's predictions.

The format: https://labelstud.io/guide/task_format. Offsets count characters; exports of old versions count UTF-16
units, which is found out by the text that stands beside every span.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from tagline.data.alignment import CharSpan
from tagline.data.atomic import atomic_write
from tagline.data.convert.items import Item, Items, Losses, ordered, renumbered
from tagline.data.reading import decode, read_bytes
from tagline.errors import DataError, UsageError

FROM, TO = "label", "text"
"""Names of the controls, as Label Studio's template for named entities calls them."""


def labels_config(labels: Sequence[str]) -> str:
    """The labelling interface that fits what is written."""
    from xml.sax.saxutils import quoteattr

    choices = "".join(f"<Label value={quoteattr(label)}/>" for label in labels)
    return f'<View><Labels name="{FROM}" toName="{TO}">{choices}</Labels><Text name="{TO}" value="${TO}"/></View>'


def is_labelstudio(path: Path) -> bool:
    """Whether a .json file is a list of tasks."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def read(path: Path, column: int | str | None = None, annotated: bool = True) -> Items:
    """Reads tasks as Label Studio exports them, JSON or JSON-MIN.

    Of several annotations of a task the one marked as ground truth is taken, else the first that was not cancelled.

    Args:
        path: the file.
        column: name of the text in a task's `data`; None: `text`, or the only string there.
        annotated: whether annotations are read; without it tasks without any are taken, too.

    Raises:
        DataError: no list of tasks, no text, or a span that does not fit its text.
    """
    try:
        tasks = json.loads(decode(read_bytes(path), path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"is not JSON ({error}); expected an export of Label Studio", path) from None
    if not isinstance(tasks, list) or not tasks or not all(isinstance(task, Mapping) for task in tasks):
        raise DataError("is no list of tasks; expected an export of Label Studio (JSON or JSON-MIN)", path)
    losses, items, keys = Losses(), [], []
    for number, task in enumerate(tasks, start=1):
        data = task["data"] if isinstance(task.get("data"), Mapping) else task
        item = Item(_text(data, column, path, number), (), None, (), number, 0, str(path))
        if annotated:
            results = _results(task, item, losses)
            if results is None:
                continue
            item = replace(item, spans=_spans(results, item, losses))
        items.append(item)
        keys.append(data.get("document"))
    if not items:
        raise DataError(f"none of its {len(tasks)} tasks is annotated; expected at least one annotation", path)
    return Items(renumbered(items, keys), None, False, "labelstudio", str(path), losses)


def _text(data: Mapping[str, Any], column: int | str | None, path: Path, number: int) -> str:
    if isinstance(column, int):
        raise UsageError(f"column {column}: tasks have no numbered columns; give the name of the text in `data`")
    strings = [name for name, value in data.items() if isinstance(value, str)]
    name = column or (TO if TO in strings else strings[0] if len(strings) == 1 else None)
    value = data.get(name) if name else None
    if not isinstance(value, str):
        held = ", ".join(map(repr, data)) or "nothing"
        raise DataError(f"task {number} holds {held}; expected a text: name it with --word-column", path, number)
    return value


def _results(task: Mapping[str, Any], item: Item, losses: Losses) -> list[Mapping[str, Any]] | None:
    """What an annotator marked; None where nobody has annotated the task."""
    if "data" not in task:  # JSON-MIN: a list of values by the control's name
        marks = [each for value in task.values() if isinstance(value, list) for each in value]
        found: list[Mapping[str, Any]] = [
            {"type": "labels", "value": mark} for mark in marks if isinstance(mark, Mapping) and "start" in mark
        ]
        if found or any(isinstance(value, list) for value in task.values()):
            return found
        losses.add("unannotated", item, "the task has no annotation; left out")
        return None
    every = task.get("annotations", task.get("completions")) or []
    done = [each for each in every if isinstance(each, Mapping) and not each.get("was_cancelled")]
    if not done:
        losses.add("unannotated", item, "the task has no annotation; left out")
        return None
    chosen = next((each for each in done if each.get("ground_truth")), done[0])
    if len(done) > 1:
        told = f"annotation {chosen.get('id', 1)} is read, {len(done) - 1} others of the task are left out"
        losses.add("columns", item, told)
    return [each for each in chosen.get("result") or [] if isinstance(each, Mapping)]


def _spans(results: Sequence[Mapping[str, Any]], item: Item, losses: Losses) -> tuple[CharSpan, ...]:
    found = []
    for result in results:
        value = result.get("value")
        labels = value.get("labels") if isinstance(value, Mapping) else None
        if not isinstance(labels, list) or not isinstance(value, Mapping) or "start" not in value:
            losses.add("columns", item, f"{result.get('type', 'a result')!r} is no entity; left out")
            continue
        start, end = _place(value, item)
        found += [CharSpan(start, end, str(label)) for label in labels]
    return ordered(found)


def _place(value: Mapping[str, Any], item: Item) -> tuple[int, int]:
    start, end, said = value.get("start"), value.get("end"), value.get("text")
    if isinstance(start, int) and isinstance(end, int) and 0 <= start < end:
        if end <= len(item.text) and said in (None, item.text[start:end]):
            return start, end
        units = [0, *accumulate(1 + (character > "\uffff") for character in item.text)]
        if start in units and end in units:
            own = units.index(start), units.index(end)
            if said == item.text[own[0] : own[1]]:
                return own
        if end <= len(item.text) and not isinstance(said, str):
            return start, end
    raise DataError(
        f"task {item.line}: span {start}:{end} of {said!r} does not fit the text of {len(item.text)} characters",
        item.path,
        item.line,
    )


def write(path: Path, source: Items, model: str = "") -> None:
    """Writes a task for every item.

    Args:
        path: the file.
        source: the texts.
        model: name of the model whose predictions the spans are; empty: they are annotations.

    Raises:
        OutputError: the file cannot be written.
    """
    documents = any(item.document for item in source.items)
    with atomic_write(path) as file:
        for number, item in enumerate(source.items, start=1):
            task = _task(number, item, model, documents)
            file.write(("[\n" if number == 1 else ",\n") + json.dumps(task, ensure_ascii=False))
        file.write("\n]\n")


def _task(number: int, item: Item, model: str, documents: bool) -> dict[str, Any]:
    scores = item.scores or (None,) * len(item.spans)
    results = [
        {
            "id": f"{number}-{place}", "from_name": FROM, "to_name": TO, "type": "labels",
            "value": {
                "start": span.start, "end": span.end, "text": item.text[span.start : span.end], "labels": [span.label],
            },
            **({} if score is None else {"score": score}),
        }
        for place, (span, score) in enumerate(zip(item.spans, scores, strict=True), start=1)
    ]  # fmt: skip
    data = {TO: item.text, **({"document": item.document} if documents else {})}
    if not model:
        return {"id": number, "data": data, "annotations": [{"id": number, "result": results}]}
    lowest = {"score": min(item.scores)} if item.scores else {}
    return {"id": number, "data": data, "predictions": [{"model_version": model, "result": results, **lowest}]}
