"""The page where two models read one text."""

from __future__ import annotations

import streamlit as st

from tagline.app import pieces
from tagline.app.models import OpenModel
from tagline.app.reading import Opener, ask
from tagline.app.setup import Setup
from tagline.errors import UsageError
from tagline.records import Classification, Document, Entity, Problem

SIDES = ("left", "right")


def compare_page(setup: Setup, opener: Opener) -> None:
    """One text, two answers, and where they differ."""
    pieces.headline("Two models, one text")
    names = list(setup.models)
    models = []
    for at, (side, column) in enumerate(zip(SIDES, st.columns(2), strict=True)):
        st.session_state.setdefault(side, names[at])
        with column:
            models.append(opener(str(st.selectbox(f"{side.title()} model", names, key=side))))
    left, right = models
    if left.name == right.name:
        st.info("Both sides show the same model. Choose another on one of them.")
    if None not in (left.paired, right.paired) and left.paired != right.paired:
        pairs, singles = (left, right) if left.paired else (right, left)
        raise UsageError(
            f"{pairs.name} reads pairs of texts and {singles.name} single texts; choose two models that read the same"
        )
    asking = left if left.paired is not None else right
    text, pair = ask(asking, setup)
    if not text.strip() and not (pair or "").strip():
        return
    answers = [model.read(text, pair) for model in models]
    for side, model, answer, column in zip(SIDES, models, answers, st.columns(2), strict=True):
        with column, st.container(border=True, key=f"answer_{side}"):
            _answer(model, answer, side)
    one, other = answers
    if isinstance(one, Document) and isinstance(other, Document):
        _entities(left, right, one, other)
    elif isinstance(one, Classification) and isinstance(other, Classification):
        _labels(one, other)
    else:
        st.info("One model marks entities, the other labels texts: there is nothing to hold against each other.")


def _answer(model: OpenModel, answer: Document | Classification, side: str) -> None:
    pieces.heading(model.name, f"name_{side}")
    if isinstance(answer, Document):
        pieces.marked(answer, answer.entities, f"marked_{side}")
        st.caption(f"{len(answer)} entities" if len(answer) != 1 else "1 entity")
    else:
        pieces.labels(model, answer, f"bars_{side}")
    pieces.answer_notes(answer)


def _entities(left: OpenModel, right: OpenModel, one: Document, other: Document) -> None:
    found = [{(each.start, each.end): each for each in document} for document in (one, other)]
    places = sorted(found[0].keys() | found[1].keys())
    pairs = [(found[0].get(place), found[1].get(place)) for place in places]
    differing = [(a, b) for a, b in pairs if a is None or b is None or a.label != b.label]
    same = len(pairs) - len(differing)
    pieces.heading("Where they differ", "differ")
    agreed = f"{same} {'entity is' if same == 1 else 'entities are'} the same on both sides"
    st.markdown(f"{agreed}, {len(differing)} {'differs' if len(differing) == 1 else 'differ'}.")
    if differing:
        st.dataframe(
            {
                "Text": [one.text[start:end] for start, end in _places(differing)],
                f"left: {left.name}": [_said(a) for a, _ in differing],
                f"right: {right.name}": [_said(b) for _, b in differing],
            },
            hide_index=True,
            height="content" if len(differing) <= pieces.LONG_TABLE else "auto",
        )


def _places(pairs: list[tuple[Entity | None, Entity | None]]) -> list[tuple[int, int]]:
    return [(each.start, each.end) for a, b in pairs if (each := a or b)]


def _said(entity: Entity | None) -> str:
    return "–" if entity is None else f"{entity.label} {entity.score:.2f}"


def _labels(one: Classification, other: Classification) -> None:
    if Problem.REGRESSION in (one.problem, other.problem):
        if one.problem is other.problem:
            st.markdown(f"They are **{abs(one.score - other.score):.3f}** apart.")
        return
    same = set(one.labels) == set(other.labels)
    st.markdown("Both say the same." if same else "They **differ**.")
