"""The frame of the app: head, pages and what they share."""

from __future__ import annotations

from functools import partial

import streamlit as st

from tagline.app import pieces
from tagline.app.about import about_page
from tagline.app.comparing import compare_page
from tagline.app.filing import file_page
from tagline.app.models import OpenModel, open_model
from tagline.app.reading import read_page
from tagline.app.setup import Setup

KEPT = ("text", "pair", "model", "left", "right")
"""What stays when another page is opened; Streamlit forgets widgets that a page does not show."""

# A drawing of ours: Streamlit would fetch its named icons for the tab from the network.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b6477"/>'
    '<path d="M6 12h20" stroke="#fff" stroke-width="3" stroke-linecap="round"/>'
    '<rect x="6" y="17" width="13" height="7" rx="3.5" fill="#ffdbc0"/></svg>'
)


def show(setup: Setup) -> None:
    """Draws the page that is open."""
    st.set_page_config("Tagline", ICON, layout="centered", initial_sidebar_state="collapsed")
    st.html(pieces.style())
    for key in KEPT:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]
    open_named = partial(_open, setup)
    pages = {
        "read": st.Page(lambda: read_page(setup, open_named), title="Read", url_path="read", default=True),
        "file": st.Page(lambda: file_page(setup, open_named), title="File", url_path="file"),
        "model": st.Page(lambda: about_page(setup, open_named), title="Model", url_path="model"),
    }
    if len(setup.models) > 1:
        pages["compare"] = st.Page(lambda: compare_page(setup, open_named), title="Compare", url_path="compare")
    ordered = [pages[name] for name in ("read", "compare", "file", "model") if name in pages]
    current = st.navigation(ordered, position="hidden")
    with st.container(key="head", horizontal=True, vertical_alignment="center", gap="small"):
        st.html('<span class="brand">Tagline</span>')
        for page in ordered:
            st.page_link(page)
    with pieces.told():
        current.run()


def _open(setup: Setup, name: str) -> OpenModel:
    return open_model(name, setup.models[name], setup.engine)
