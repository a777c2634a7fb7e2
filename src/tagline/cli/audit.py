"""`tagline audit`: what is wrong with annotated files, before a model learns it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagline.cli import options as shared
from tagline.cli.corpora import BY_COLUMNS, Reading, vocabulary

if TYPE_CHECKING:
    from rich.console import Console

    from tagline.data.audit.findings import Audit

_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


def audit(
    train: Annotated[Path, typer.Option("--train", help="Annotated training data.", show_default=False)],
    dev: Annotated[Path | None, typer.Option(help="Annotated data that the best epoch is chosen on.")] = None,
    test: Annotated[Path | None, typer.Option(help="Annotated data that is judged.")] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(help="Kinds of findings that give exit code 1, e.g. leakage,illegal.", show_default=False),
    ] = None,
    near: Annotated[float, typer.Option(help="Similarity (Jaccard) from which texts are near duplicates.")] = 0.8,
    examples: Annotated[int, typer.Option(help="Examples shown of each kind.", min=0)] = 3,
    encoder: Annotated[str, typer.Option(help="minilm, or a folder with a tokenizer.json.")] = "minilm",
    json_out: Annotated[bool, typer.Option("--json", help="Print all findings as one JSON object.")] = False,
    reading: Reading = BY_COLUMNS,
) -> None:
    """Find what spoils a training or its score: leaks, duplicates, contradictions, broken tags and characters."""
    from tagline.data.audit.run import audit_corpora, check_kinds

    kinds = check_kinds([name.strip() for name in fail_on.split(",") if name.strip()] if fail_on is not None else [])
    files = {role: path for role, path in (("train", train), ("dev", dev), ("test", test)) if path is not None}
    corpora = reading.read(files)
    found = audit_corpora(corpora, vocabulary(encoder), near)
    if json_out:
        sys.stdout.write(json.dumps(found.to_json(), ensure_ascii=False) + "\n")
    else:
        from rich.console import Console

        _show(found, examples, Console())
    failed = [kind for kind in kinds if kind in found.counts]
    if failed:
        shared.say("failed on " + ", ".join(f"{found.counts[kind]:,} {kind}" for kind in failed))
        raise typer.Exit(1)


def _show(found: Audit, examples: int, console: Console) -> None:
    """The headline, a table of kinds, and each kind with why, what to do and the first findings."""
    from rich.table import Table

    from tagline.data.audit.findings import KINDS

    grave = any(overlap.leaked for overlap in found.overlaps)
    _line(console, found.headline, "bold red" if grave else "bold")
    if found.counts:
        table = Table()
        for head in ("kind", "gravity"):
            table.add_column(head)
        for role in (*found.files, "all"):
            table.add_column(role, justify="right")
        for kind, number in found.counts.items():
            by_file = [sum(each.place.file == path for each in found.of(kind)) for path in found.files.values()]
            gravity, cells = KINDS[kind].gravity, (f"{times:,}" if times else "" for times in by_file)
            table.add_row(kind, gravity, *cells, f"{number:,}", style=_COLOURS[gravity])
        console.print(table)
    for kind, number in found.counts.items():
        about = KINDS[kind]
        _line(console, f"\n{kind}: {number:,} {about.title}", f"bold {_COLOURS[about.gravity]}")
        _line(console, f"  {about.why} {about.advice}", "dim")
        for each in found.of(kind)[:examples]:
            at = f", line {each.place.line}" if each.place.line else ""
            _line(console, f"  {each.place.file}{at}: {each.message}")
        if number > examples:
            _line(console, f"  … and {number - examples:,} more (--json has all)", "dim")
    for note in found.unchecked:
        _line(console, f"\nnot looked for: {note}", "dim")


def _line(console: Console, text: str, style: str = "") -> None:
    # Words of a corpus may look like markup, and a line that is cut loses its place.
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
