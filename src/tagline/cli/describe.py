"""`tagline describe`: what is in annotated files."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagline.cli import options as shared
from tagline.cli.corpora import BY_COLUMNS, Reading, vocabulary

if TYPE_CHECKING:
    from rich.console import Console

    from tagline.data.description import Description, Lengths

_TOP = 3  # names of a type that the terminal shows


def describe(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Annotated files of one task.", show_default=False)
    ],
    encoder: Annotated[str, typer.Option(help="minilm, or a folder with a tokenizer.json.")] = "minilm",
    window: Annotated[int, typer.Option(help="Sub-tokens of a window, special tokens included.", min=1)] = 256,
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures.", show_default=False)] = None,
    json_out: Annotated[bool, typer.Option("--json", help="Print one JSON object a file, as a list.")] = False,
    reading: Reading = BY_COLUMNS,
) -> None:
    """Count what is in annotated files: lengths, entities or classes, sub-tokens; side by side, as a page too."""
    from tagline.data.audit.parts import Part
    from tagline.data.description import describe as describe_part

    corpora = reading.read({str(path): path for path in files})
    words = vocabulary(encoder)
    found = [describe_part(Part("train", corpus), words, window) for corpus in corpora.values()]
    if html is not None:
        from tagline.data.description_page import write_page

        write_page(found, html)
        shared.say(f"written: {html}")
    if json_out:
        sys.stdout.write(json.dumps([each.to_json() for each in found], ensure_ascii=False) + "\n")
        return
    from rich.console import Console

    _show(found, Console())


def _show(found: Sequence[Description], console: Console) -> None:
    """Two tables: figures, and types or classes; one column a file."""
    from rich.table import Table
    from rich.text import Text

    table = Table()
    table.add_column("")
    for each in found:
        table.add_column(Path(each.path).name, justify="right")
    rows = [_figures(each) for each in found]
    for name in dict.fromkeys(name for row in rows for name in row):
        table.add_row(name, *(row.get(name, "") for row in rows), end_section=name == "vocabulary")
    console.print(table)
    labels = list(dict.fromkeys(label.label for each in found for label in each.labels))
    if not labels:
        return
    tokens = found[0].task == "token-classification"
    table = Table()
    table.add_column("type" if tokens else "class")
    for each in found:
        table.add_column(Path(each.path).name, justify="right")
    if tokens:
        table.add_column("most frequent")
    for label in labels:
        counts = [next((one for one in each.labels if one.label == label), None) for each in found]
        cells = ["" if one is None else f"{one.count:,} ({100 * one.share:.1f} %)" for one in counts]
        first = next(one for one in counts if one is not None)
        names = [Text(", ".join(f"{name} {times:,}" for name, times in first.top[:_TOP]))] if tokens else []
        table.add_row(Text(label), *cells, *names)
    if tokens:
        shares = [f"{each.outside:,} ({100 * each.outside / each.words:.1f} %)" for each in found]
        table.add_row("O, words", *shares, "")
    console.print(table)


def _figures(each: Description) -> dict[str, str]:
    """Rows of the first table."""
    tokens = each.task == "token-classification"
    rows = {"scheme" if tokens else "problem": each.kind, each.noun: f"{each.units:,}"}
    if each.documents:
        rows["documents"] = f"{each.documents:,}"
    rows |= {"words": f"{each.words:,}", "vocabulary": f"{each.vocabulary:,}"}
    rows |= _lengths(each.lengths, "words")
    if tokens:
        rows["entities"] = f"{each.entities:,}"
        if each.illegal:
            rows["illegal moves"] = f"{each.illegal:,}"
    if each.scores is not None:
        rows["scores, least to most"] = "{:.3g}, mean {:.3g}, {:.3g}".format(*each.scores)
    if each.subtokens is not None:
        pieces = each.subtokens
        rows |= _lengths(pieces.lengths, "sub-tokens")
        rows[f"over {pieces.window} sub-tokens"] = f"{100 * pieces.over:.2f} %"
        rows["sub-tokens a word"] = f"{pieces.per_word:.2f}"
        rows["words unknown"] = f"{100 * pieces.unknown:.2f} %"
        rows["words that vanish"] = f"{pieces.vanished:,}"
    return rows


def _lengths(lengths: Lengths, unit: str) -> dict[str, str]:
    return {
        f"{unit}, median": f"{lengths.median:g}",
        f"{unit}, 95 %": f"{lengths.p95:g}",
        f"{unit}, longest": f"{lengths.longest:,}",
        f"longest in {unit}, line": f"{lengths.longest_line:,}",
    }
