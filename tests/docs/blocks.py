"""Fenced blocks of a page in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cli.support import ROOT

_FENCE = re.compile(r"^(?P<mark>`{3,}|~{3,})\s*(?P<language>[^\s`]*).*$")
_REASON = re.compile(r"^<!-- not run: (?P<reason>.+) -->$")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        path: the page.
        line: number of the fence, from 1.
        language: as the fence names it; "" where it does not.
        text: what stands between the fences.
        reason: why it is not run, from a comment `<!-- not run: … -->` above it; "" where it is.
    """

    path: Path
    line: int
    language: str
    text: str
    reason: str

    @property
    def place(self) -> str:
        """Page and line, for messages."""
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """README.md and all pages of docs/ but the tutorials, which have tests of their own."""
    found = [path for path in sorted((ROOT / "docs").rglob("*.md")) if path.parent.name != "tutorials"]
    return [ROOT / "README.md", *found]


def blocks(path: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order; those of MyST's directives (`{note}`) left out."""
    mark = language = reason = ""
    start, held = 0, list[str]()
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if mark:
            if line.strip() == mark:
                if not language.startswith("{"):
                    yield Block(path, start, language, "\n".join(held), reason)
                mark = reason = ""
            else:
                held.append(line)
        elif fence := _FENCE.match(line):
            mark, language = fence["mark"], fence["language"]
            start, held = number, []
        elif comment := _REASON.match(line):
            reason = comment["reason"]
        elif line.strip():
            reason = ""
    assert not mark, f"{path}: the block of line {start} has no end"
