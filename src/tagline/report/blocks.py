"""What a report is made of, before it becomes HTML, Markdown or lines on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Figure(NamedTuple):
    """A number between 0 and 1 with its interval; drawn as a mark on a line from 0 to 1.

    Attributes:
        value: the number.
        interval: lower and upper bound of its 95 % interval; None where there is none.
    """

    value: float
    interval: tuple[float, float] | None = None


class Signed(NamedTuple):
    """A number of any size and sign, with its interval and unit-free digits."""

    value: float
    interval: tuple[float, float] | None = None
    plus: bool = False


Cell = str | int | Figure | Signed


@dataclass(frozen=True)
class Table:
    """Rows of text, counts and figures.

    Attributes:
        heads: names of the columns.
        rows: as many cells as heads each.
        title: caption; may be empty.
        note: a sentence below it.
        totals: how many rows at the end are totals.
    """

    heads: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    title: str = ""
    note: str = ""
    totals: int = 0


@dataclass(frozen=True)
class Heat:
    """Counts of gold (rows) against predicted (columns), shaded by their share of the row.

    Attributes:
        rows: names of the rows.
        columns: names of the columns.
        counts: one row of counts for each of `rows`.
        title: caption.
        note: a sentence below it.
        linked: whether a cell shows its mistakes in the browser.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: list[list[int]]
    title: str = ""
    note: str = ""
    linked: bool = True


@dataclass(frozen=True)
class Chart:
    """A drawing, and the same figures as a table.

    Attributes:
        svg: the drawing, with nothing in it that needs the network.
        title: caption.
        table: its figures.
        note: a sentence below it.
    """

    svg: str
    title: str
    table: Table
    note: str = ""


class Part(NamedTuple):
    """A stretch of a bar.

    Attributes:
        name: what it stands for, for people.
        size: how many.
        style: one of the styles of the page: `right`, `boundary`, `type`, `both`, `missed`, `invented`.
        filter: value of the browser's filter `kind` that shows them; empty where there is none.
    """

    name: str
    size: int
    style: str
    filter: str = ""


@dataclass(frozen=True)
class Stack:
    """A whole and its parts, as one bar."""

    title: str
    parts: list[Part]
    note: str = ""


@dataclass(frozen=True)
class Note:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Browser:
    """Where the items of the report's data are leafed through.

    Attributes:
        name: key of the items in the data.
        noun: what they are, in the plural.
    """

    name: str
    noun: str


Block = Table | Heat | Chart | Stack | Note | Browser


@dataclass(frozen=True)
class Section:
    """A chapter.

    Attributes:
        id: anchor.
        title: heading.
        blocks: content.
        lead: a sentence below the heading.
        wide: whether blocks take the whole width instead of standing side by side.
    """

    id: str
    title: str
    blocks: list[Block]
    lead: str = ""
    wide: bool = False


class Key(NamedTuple):
    """A figure of the headline.

    Attributes:
        name: what it is.
        value: as it is shown.
        detail: a few words below it.
    """

    name: str
    value: str
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """A whole report.

    Attributes:
        title: heading.
        kind: what sort of report, as a short line above the heading.
        facts: short facts below the heading.
        hero: the one figure, its name and its interval.
        keys: the next most important figures.
        sections: the chapters.
        data: what the browsers of the page show; see assets/items.js.
        warnings: what a reader must know before reading on.
    """

    title: str
    kind: str
    facts: list[str]
    hero: tuple[str, Figure | Signed]
    keys: list[Key]
    sections: list[Section]
    data: Mapping[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def shown(value: float, digits: int = 4) -> str:
    """A number with so many digits after the point."""
    return f"{value:.{digits}f}"


def plain(cell: Cell) -> str:
    """A cell as text."""
    if isinstance(cell, Figure | Signed):
        value = f"{cell.value:+.4f}" if isinstance(cell, Signed) and cell.plus else shown(cell.value)
        return value if cell.interval is None else f"{value} ({bounds(cell.interval)})"
    return f"{cell:,}" if isinstance(cell, int) else cell


def bounds(interval: tuple[float, float], digits: int = 3) -> str:
    """An interval as text."""
    low, high = interval
    word = " to " if low < 0 else "–"
    return f"{low:.{digits}f}{word}{high:.{digits}f}"
