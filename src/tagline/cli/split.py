"""`tagline split`: one annotated file in train, dev and test, nothing in two of them."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tagline.cli import options as shared
from tagline.cli.corpora import BY_COLUMNS, Reading

if TYPE_CHECKING:
    from tagline.data.audit.parts import Part
    from tagline.data.grouping import Grouping


def split(
    file: Annotated[Path, typer.Argument(help="Annotated file.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to make.", show_default=False)],
    shares: Annotated[str, typer.Option(help="Shares of train, dev and test.")] = "80/10/10",
    seed: Annotated[int, typer.Option(help="Seed of the choice.")] = 13,
    near: Annotated[
        float | None,
        typer.Option(help="Keep near duplicates of this similarity together, too, e.g. 0.8.", show_default=False),
    ] = None,
    json_out: Annotated[bool, typer.Option("--json", help="Print the counts as one JSON object.")] = False,
    reading: Reading = BY_COLUMNS,
) -> None:
    """Split a file, stratified by entity types or labels; copies and whole documents stay in one part."""
    from tagline.cli.train_texts import parse_shares
    from tagline.data.audit.parts import Part
    from tagline.data.extracts import write_extracts
    from tagline.data.grouping import PARTS, share_out

    wanted = parse_shares(shares, "--shares")
    corpus = reading.read({"file": file})["file"]
    part = Part("train", corpus)
    grouping = share_out(part, wanted, seed, near)
    files = write_extracts(corpus, grouping.parts, PARTS, output, shared.quotes(reading.texts.quotes))
    facts = _facts(part, grouping)
    if json_out:
        sys.stdout.write(json.dumps({**facts, "files": [str(each) for each in files]}, ensure_ascii=False) + "\n")
        return
    _show(facts, part)
    shared.say(f"written: {', '.join(map(str, files))}")


def _facts(part: Part, grouping: Grouping) -> dict[str, Any]:
    """Counts of every part."""
    from tagline.data.grouping import PARTS

    found: dict[str, Any] = {"groups": grouping.groups, "largest_group": grouping.largest}
    if grouping.documents:
        found["documents"] = grouping.documents
    found["parts"] = {}
    for number, name in enumerate(PARTS):
        units = [unit for unit, of in enumerate(grouping.parts) if of == number]
        labels = Counter(label for unit in units for label in part.labels(unit))
        words = sum(part.sizes[unit] for unit in units)
        found["parts"][name] = {part.noun: len(units), "words": words, "labels": dict(sorted(labels.items()))}
    return found


def _show(facts: dict[str, Any], part: Part) -> None:
    """Counts and shares as a table."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    parts = facts["parts"]
    table = Table()
    table.add_column("")
    for name in parts:
        table.add_column(name, justify="right")
    labels = sorted({label for each in parts.values() for label in each["labels"]})
    rows = [(name, [each[name] for each in parts.values()]) for name in (part.noun, "words")]
    rows += [(label, [each["labels"].get(label, 0) for each in parts.values()]) for label in labels]
    for place, (name, numbers) in enumerate(rows):
        total = sum(numbers) or 1
        cells = (f"{number:,} ({100 * number / total:.1f} %)" for number in numbers)
        table.add_row(Text(name), *cells, end_section=place == 1)
    Console().print(table)
    documents = f", {facts['documents']:,} documents" if "documents" in facts else ""
    largest = f"the largest has {facts['largest_group']:,} {part.noun}"
    shared.say(f"{facts['groups']:,} groups that stay together{documents}; {largest}")
