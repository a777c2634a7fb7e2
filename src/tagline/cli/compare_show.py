"""What `tagline compare` prints for people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagline.evaluate.comparison import Comparison


def render(found: Comparison, units: int, noun: str) -> None:
    """Prints scores, tests, and on how many sentences or texts who is right."""
    from collections import Counter

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from tagline.report.blocks import plain
    from tagline.report.comparing import difference_tables, scores_table

    console = Console()
    for made in (scores_table(found), *difference_tables(found)):
        table = Table(title=Text(made.title))
        for at, head in enumerate(made.heads):
            table.add_column(head, justify="left" if isinstance(made.rows[0][at], str) else "right")
        for row in made.rows:
            table.add_row(*(Text(plain(cell)) for cell in row))
        console.print(table)
    outcomes = ", ".join(f"{outcome} on {often:,}" for outcome, often in Counter(found.outcomes).most_common())
    said = f"They differ on {len(found.differing):,} of {units:,} {noun}" + (f": {outcomes}." if outcomes else ".")
    console.print(said, highlight=False, markup=False)


def render_sentences(items: dict[str, Any], found: Comparison, most: int) -> None:
    """Prints the first sentences that are read differently: word, gold, and each tag."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    for (words, gold, sides, number, line), outcome in list(zip(items["texts"], found.outcomes, strict=True))[:most]:
        table = Table(title=Text(f"sentence {number}, line {line}: {outcome}"), title_justify="left")
        for head in ("word", "gold", *found.names):
            table.add_column(Text(head))
        differs = [len({side[at] for side in sides}) > 1 for at in range(len(words))]
        for at, word in enumerate(words):
            if any(differs[max(0, at - 2) : at + 3]):
                cells = (Text(side[at] if side[at] == gold[at] else f"✗ {side[at]}") for side in sides)
                table.add_row(Text(word), gold[at], *cells, style="bold" if differs[at] else "dim")
        console.print(table)
    _render_rest(len(items["texts"]) - most, "sentences")


def render_texts(
    found: Comparison, texts: Sequence[str], gold: Sequence[Any], labels: Sequence[Sequence[Any]], most: int
) -> None:
    """Prints the first texts that are read differently, with their labels."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Texts that are read differently")
    for head in ("text", "gold", *found.names):
        table.add_column(Text(head))
    for row in found.differing[:most]:
        cells = (", ".join(side[row]) or "–" for side in (gold, *labels))
        table.add_row(Text(texts[row]), *map(Text, cells))
    if found.differing and most:
        Console().print(table)
    _render_rest(len(found.differing) - most, "texts")


def _render_rest(rest: int, noun: str) -> None:
    if rest > 0:
        sys.stdout.write(f"{rest:,} more {noun} differ; --html OUT.html shows them all, --show N more of them here.\n")
