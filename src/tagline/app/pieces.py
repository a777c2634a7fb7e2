"""Pieces that several pages show: marked texts, bars, tables, downloads."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files

import annotated_text as annotated
import streamlit as st
from annotated_text import parameters, util

from tagline.app.models import OpenModel
from tagline.drawing import STYLE, bars_html, caption, escape, hue, number_html, parts
from tagline.errors import TaglineError
from tagline.records import Classification, Document, Entity, Problem

FIRST_BARS = 8
"""Labels that are shown at first; a switch shows the rest."""

LONG_TABLE = 30
"""Rows from which on a table scrolls for itself."""

# Of st-annotated-text: the label is as dark as the text, and the style sheet sets the distances.
parameters.SHOW_LABEL_SEPARATOR = False
parameters.LABEL_OPACITY = 1


@cache
def style() -> str:
    """The app's style sheet."""
    return f"<style>{STYLE}{files('tagline.app').joinpath('page.css').read_text(encoding='utf-8')}</style>"


@contextmanager
def told() -> Iterator[None]:
    """Shows a user's mistake as a sentence on the page."""
    try:
        yield
    except TaglineError as error:
        st.error(plain(str(error)), icon=":material/error:")


def plain(text: str) -> str:
    """Text that Streamlit's Markdown shows as it is."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+-!|$~:" else sign for sign in text)


def html(*drawn: str, key: str | None = None) -> None:
    """Elements of our own, in a container that style sheet and tests find by its key."""
    with st.container(key=key):
        st.html("".join(drawn))


def headline(title: str, lead: str = "") -> None:
    """The heading of a page, and a line below it."""
    below = f'<p class="lead">{escape(lead)}</p>' if lead else ""
    html(f"<h1>{escape(title)}</h1>{below}", key="headline")


def heading(title: str, key: str) -> None:
    """A heading within a page."""
    html(f"<h2>{escape(title)}</h2>", key=key)


def marked(document: Document, entities: Sequence[Entity], key: str) -> None:
    """A text with some of its entities in colour. Never through Markdown, which would change the text."""
    cut = [each if isinstance(each, str) else _chip(each) for each in parts(document.text, entities)]
    drawn = util.get_annotated_html(*cut)
    html(f'<div class="tagline" dir="auto">{drawn}</div>', key=key)


def _chip(entity: Entity) -> object:
    colour = hue(entity.label)
    chip = annotated.annotation(entity.text, f" {caption(entity)}", background=colour.background, color=colour.color)
    return chip(_class="tagline-span")


def counted(counts: dict[str, int]) -> str:
    """Labels with their counts, in their colours."""
    chips = [
        f'<span class="chip" style="background:{hue(label).background};color:{hue(label).color}">'
        f"{escape(label)} <b>{count:,}</b></span>"
        for label, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    ]
    return f'<div class="chips">{"".join(chips)}</div>'


def entity_table(entities: Sequence[Entity]) -> None:
    """A line for each entity, to sort, search and copy."""
    st.dataframe(
        {
            "Entity": [each.text for each in entities],
            "Type": [each.label for each in entities],
            "Score": [each.score for each in entities],
            "From": [each.start for each in entities],
            "To": [each.end for each in entities],
        },
        hide_index=True,
        height="content" if len(entities) <= LONG_TABLE else "auto",
        column_config={
            "Entity": st.column_config.TextColumn(width="medium"),
            "Score": st.column_config.NumberColumn(format="%.3f", width="small"),
            "From": st.column_config.NumberColumn(help="First character, counted from 0", width="small"),
            "To": st.column_config.NumberColumn(help="Character after the last", width="small"),
        },
    )


def labels(model: OpenModel, answer: Classification, key: str) -> None:
    """The labels of a text with bars, or its number."""
    if answer.problem is Problem.REGRESSION:
        html(number_html(answer), key=key)
        return
    if answer.labels:
        said = "".join(f"<b>{escape(each)}</b>" for each in answer.labels)
        verdict = f'<p class="verdict">{said}</p>'
    else:
        verdict = '<p class="verdict none">no label reaches its threshold</p>'
    few = max(
        FIRST_BARS, max((at for at, each in enumerate(answer.scores, 1) if each.label in answer.labels), default=0)
    )
    switch = f"{key}_all"
    scores = answer.scores if st.session_state.get(switch) else answer.scores[:few]
    html(verdict, bars_html(scores, answer.labels, model.thresholds), key=key)
    if len(answer.scores) > few:
        st.toggle(f"Show all {len(answer.scores)} labels", key=switch)
    if model.thresholds:
        st.caption("The line across a bar is the label's threshold: from there on it is chosen (✓).")


def answer_notes(answer: Document | Classification) -> None:
    """What the reader must know of how a text was read."""
    if isinstance(answer, Classification) and answer.shortened:
        st.warning(f"The pair is longer than the model's window: {answer.shortened} sub-tokens were left out.")
    elif answer.shortened:
        st.warning(f"{answer.shortened} very long words were read by their first sub-tokens.")
    elif isinstance(answer, Classification) and answer.windows > 1:
        st.caption(f"A long text: read whole, in {answer.windows} windows.")


def download_answer(answer: Document | Classification, key: str) -> None:
    """A button that saves an answer as JSON."""
    text = json.dumps(answer.to_dict(), ensure_ascii=False, indent=1)
    st.download_button(
        "Save as JSON", text, "tagline.json", "application/json", key=key, on_click="ignore", icon=":material/download:"
    )


def kept(answer: Document, least: float, types: Collection[str]) -> list[Entity]:
    """The entities that the filters let through."""
    return [each for each in answer if each.score >= least and each.label in types]
