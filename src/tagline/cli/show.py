"""Entities for people: coloured spans in the text, readable without colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from tagline.records import Document

_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "red", "bright_cyan", "bright_green", "bright_magenta")


def show(document: Document, labels: tuple[str, ...], console: Console) -> None:
    """Prints a text with its entities marked, and a line for each entity."""
    console.print(_marked(document, labels), soft_wrap=True)
    if not document.entities:
        console.print("  no entities", style="dim")
    width = max((len(entity.label) for entity in document), default=0)
    for entity in document:
        console.print(
            f"  {entity.label:<{width}}  {entity.score:.3f}  {entity.start:>4}–{entity.end:<4} ",
            end="",
            highlight=False,
        )
        console.print(entity.text, markup=False, highlight=False, style=_colour(entity.label, labels), soft_wrap=True)


def _marked(document: Document, labels: tuple[str, ...]) -> Text:
    from rich.text import Text

    text, at = Text(), 0
    for entity in document:
        text.append(document.text[at : entity.start])
        style = _colour(entity.label, labels)
        text.append(f"[{entity.text}", style=f"bold {style}")
        text.append(f" {entity.label}]", style=style)
        at = entity.end
    text.append(document.text[at:])
    return text


def _colour(label: str, labels: tuple[str, ...]) -> str:
    return _COLOURS[labels.index(label) % len(_COLOURS)] if label in labels else _COLOURS[0]
