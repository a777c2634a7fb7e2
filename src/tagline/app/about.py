"""The page about a model: what it is, how well it does, its card."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from tagline.app import pieces
from tagline.app.models import OpenModel
from tagline.app.reading import Opener, pick_model
from tagline.app.setup import Setup
from tagline.drawing import escape, hue
from tagline.records import Problem

_FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_HEADLINES = (
    ("accuracy", "Accuracy"), ("macro", "Macro F1"), ("micro", "Micro F1"), ("spearman", "Spearman"),
    ("pearson", "Pearson"),
)  # fmt: skip


def about_page(setup: Setup, opener: Opener) -> None:
    """Figures and card of a model."""
    model = opener(pick_model(setup))
    pieces.headline(model.name)
    pieces.html(_tiles(_figures(model)), key="tiles")
    if model.problem is not Problem.REGRESSION:
        pieces.heading("Types" if model.tags else "Labels", "labels")
        pieces.html(
            f'<div class="chips">{"".join(_chip(model, each) for each in model.model.labels)}</div>', key="names"
        )
    card = model.model.folder.path / "README.md"
    if not card.is_file():
        st.caption("This folder has no model card (README.md).")
        return
    text = _FRONT.sub("", card.read_text(encoding="utf-8", errors="replace"))
    with st.container(key="card", border=True):
        st.markdown(re.sub(r"\A\s*# .*\n", "", text).replace("$", "\\$"))


def _chip(model: OpenModel, label: str) -> str:
    """A label; entity types in the colours that they have in texts."""
    colour = hue(label)
    style = f' style="background:{colour.background};color:{colour.color}"' if model.tags else ""
    return f'<span class="chip"{style}>{escape(label)}</span>'


def _figures(model: OpenModel) -> list[tuple[str, str, str]]:
    """Name, value and a few words of each headline figure."""
    manifest = model.model.folder.manifest
    found = [_score(role, report) for role, report in manifest.metrics.items()]
    figures = [each for each in found if each]
    encoder = manifest.training.get("encoder", {}).get("name")
    if encoder:
        figures.append(("Encoder", str(encoder), "that it was trained from"))
    engine = model.model.engine
    figures.append(("Runs on", str(engine.name), f"in {engine.precision}"))
    figures.append(("Window", f"{manifest.window}", "sub-tokens; longer texts take several"))
    return figures


def _score(role: str, report: dict[str, Any]) -> tuple[str, str, str] | None:
    """The headline of a report on dev or test."""
    if "strict" in report:
        return f"F1 on {role}", f"{100 * report['strict']['f1']:.1f}", f"of {report['sentences']:,} sentences"
    for name, shown in _HEADLINES:
        value = report.get(name)
        value = value.get("f1") if isinstance(value, dict) else value
        if isinstance(value, int | float):
            return f"{shown} on {role}", f"{100 * value:.1f}", f"of {report['texts']:,} texts"
    return None


def _tiles(figures: list[tuple[str, str, str]]) -> str:
    tiles = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd><dd class='detail'>{escape(detail)}</dd></div>"
        for name, value, detail in figures
    )
    return f'<dl class="tiles">{tiles}</dl>'
