"""The page where a text is typed and read."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from tagline.app import pieces
from tagline.app.models import OpenModel
from tagline.app.samples import Sample, samples_for, title
from tagline.app.setup import Setup
from tagline.records import Classification, Document, Problem

Opener = Callable[[str], OpenModel]
LINE = 90  # characters


def read_page(setup: Setup, opener: Opener) -> None:
    """A text, its examples, and what the model says of it."""
    model = opener(pick_model(setup))
    pieces.headline(_task(model), named(model))
    text, pair = ask(model, setup)
    if not text.strip() and not (pair or "").strip():
        st.caption("Your text is read by the machine that serves this page, and goes nowhere else.")
        return
    answer = model.read(text, pair)
    with st.container(key="answer", border=True):
        if isinstance(answer, Document):
            entities(model, answer)
        else:
            pieces.labels(model, answer, "bars")
        pieces.answer_notes(answer)
    if isinstance(answer, Classification):
        pieces.download_answer(answer, "save")


def pick_model(setup: Setup, key: str = "model", label: str = "Model") -> str:
    """The model that is chosen; where there is one only, nothing is asked."""
    names = list(setup.models)
    return names[0] if len(names) == 1 else str(st.selectbox(label, names, key=key))


def named(model: OpenModel) -> str:
    """The model in a line: its name and its labels, as many as go on it."""
    labels = ", ".join(model.model.labels) if model.problem is not Problem.REGRESSION else ""
    return f"{model.name} · {labels}" if 0 < len(labels) <= LINE else model.name


def _task(model: OpenModel) -> str:
    texts = "pairs of texts" if model.paired else "texts"
    return {
        None: "Mark entities in a text",
        Problem.SINGLE: f"Label {texts}",
        Problem.MULTI: f"Label {texts}",
        Problem.REGRESSION: f"Rate {texts}",
    }[model.problem]


def ask(model: OpenModel, setup: Setup) -> tuple[str, str | None]:
    """The text that is asked for, and its second text where the model reads pairs."""
    samples = samples_for(model, setup.examples)
    with st.container(key="ask", border=True):
        text = st.text_area("Text", key="text", height=130, placeholder="Type or paste a text …")
        pair = None
        if model.paired or (model.paired is None and st.toggle("A pair of texts", key="pairs")):
            pair = st.text_area("Second text", key="pair", height=100, placeholder="… and the second one")
        with st.container(horizontal=True, vertical_alignment="center", key="act"):
            st.button("Read", type="primary", key="go")
            st.button("Clear", key="clear", type="tertiary", on_click=_fill, args=(("", ""),), disabled=not text)
        with st.container(horizontal=True, key="samples", gap="xsmall"):
            st.html('<span class="hint">Examples</span>', width="content")
            for number, sample in enumerate(samples):
                st.button(title(sample), key=f"sample_{number}", on_click=_fill, args=(sample,))
    return text, pair


def _fill(sample: Sample) -> None:
    st.session_state["text"] = sample[0]
    st.session_state["pair"] = sample[1] or ""
    if sample[1]:
        st.session_state["pairs"] = True


def entities(model: OpenModel, document: Document) -> None:
    """A text with its entities, filters and a table."""
    types = list(model.model.labels)
    least = float(st.session_state.get("least", 0.0))
    wanted = st.session_state.get(f"types_{model.name}", types)
    shown = pieces.kept(document, least, [each for each in wanted if each in types])
    pieces.marked(document, shown, "marked")
    hidden = len(document) - len(shown)
    said = f"{len(shown)} {'entity' if len(shown) == 1 else 'entities'}"
    st.caption(
        said + (f", {hidden} hidden by the filters" if hidden else "") if len(document) else "No entities found."
    )
    with st.container(horizontal=True, key="filters", gap="medium"):
        st.pills("Types", types, selection_mode="multi", default=types, key=f"types_{model.name}")
        st.slider("Score from", 0.0, 1.0, 0.0, 0.01, key="least", width=240)
    if shown:
        pieces.entity_table(shown)
    pieces.download_answer(document, "save")
