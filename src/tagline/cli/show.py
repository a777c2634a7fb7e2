"""Answers for people: coloured spans in the text, labels with bars; readable without colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from tagline.records import Classification, Document

_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "red", "bright_cyan", "bright_green", "bright_magenta")
_BAR = 24  # characters of a bar at score 1


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


def show_labels(answer: Classification, console: Console) -> None:
    """Prints a text with its labels, their scores and bars."""
    from tagline.records import Problem

    console.print(answer.text, markup=False, highlight=False, soft_wrap=True)
    if answer.pair is not None:
        console.print(answer.pair, markup=False, highlight=False, soft_wrap=True)
    if answer.problem is Problem.REGRESSION:
        console.print(f"  {answer.score:.4f}", highlight=False)
        return
    if not answer.labels:
        console.print("  no label reaches its threshold", style="dim")
    scored = {each.label: each.score for each in answer.scores}
    unscored = [label for label in answer.labels if label not in scored]
    width = max(len(label) for label in (*scored, *unscored))
    for label, score in scored.items():
        chosen = label in answer.labels
        bar = "█" * round(_BAR * score) or "▏"
        line = f"  {'●' if chosen else ' '} {label:<{width}}  {score:.3f}  {bar}"
        console.print(line, markup=False, highlight=False, style="bold cyan" if chosen else "dim", soft_wrap=True)
    for label in unscored:
        console.print(f"  ● {label}", markup=False, highlight=False, style="bold cyan", soft_wrap=True)
