"""Answers that draw themselves: escaped, whole, readable, in the colours of the app."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest
from tests.app.serving import EVIL, contrast

from tagline.drawing import PALETTE, bars_html, hue, parts
from tagline.records import Classification, Document, Entity, Label, Problem

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TEXT = f"Ada met {EVIL}\nin Oslo & left"
DOCUMENT = Document(
    TEXT, (Entity("PER", 0.987, 0, 3, "Ada"), Entity("geo-loc", 0.5, TEXT.index("Oslo"), TEXT.index(" &"), "Oslo"))
)


def luminance(colour: str) -> float:
    values = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", PALETTE)
def test_every_colour_is_readable(colour: tuple[str, str, str, str]) -> None:
    for ground, ink in (colour[:2], colour[2:]):
        low, high = sorted((luminance(ground), luminance(ink)))
        assert (high + 0.05) / (low + 0.05) >= 7


def test_a_label_has_one_colour() -> None:
    assert hue("PER") == hue("person") != hue("LOC") == hue("geo-loc")
    assert len({hue(each) for each in ("PER", "LOC", "ORG", "MISC")}) == 4
    assert hue("Krankheit") == hue("krankheit")


def test_a_document_is_drawn_whole() -> None:
    assert parts(TEXT, DOCUMENT.entities)[0] == DOCUMENT.entities[0]
    drawn = DOCUMENT._repr_html_()
    assert EVIL not in drawn
    body = re.sub(r"<style>.*?</style>", "", drawn, flags=re.DOTALL)
    assert html.unescape(re.sub(r"<span> .*?</span>", "", body).replace("</mark>", "")).count(EVIL) == 1
    bare = html.unescape(re.sub(r"<[^>]*>", "", body))
    assert bare == TEXT.replace("Ada", "Ada PER 0.99").replace("Oslo", "Oslo geo-loc 0.50")
    assert "\ufffd" in Document("half \ud800", ())._repr_html_()


def test_labels_are_drawn() -> None:
    scores = (Label("<joy>", 0.8), Label("fear", 0.3))
    answer = Classification("text & more", "second", Problem.MULTI, scores, ("<joy>", "anger"))
    drawn = answer._repr_html_()
    for said in ("text &amp; more", "second", "✓ &lt;joy&gt;", "0.800", "✓ anger", "width:80.0%"):
        assert said in drawn
    assert "no label" in Classification("t", None, Problem.MULTI, scores, ())._repr_html_()
    assert "2.500" in Classification("t", None, Problem.REGRESSION, (Label("x", 2.5),), ())._repr_html_()
    assert "left:calc(40.0% - 1px)" in bars_html(scores, (), {"fear": 0.4})


@pytest.mark.parametrize("dark", [False, True])
def test_a_notebook_shows_it(browser: Browser, dark: bool) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 600})
    theme = 'style="background:#111;color:#eee" data-jp-theme-light="false"' if dark else ""
    page.set_content(f"<body {theme}>{DOCUMENT._repr_html_()}</body>")
    colour = page.locator("mark").first.evaluate("mark => getComputedStyle(mark).backgroundColor")
    wanted = hue("PER").dark_ground if dark else hue("PER").ground
    assert colour == f"rgb({', '.join(str(int(wanted[at : at + 2], 16)) for at in (1, 3, 5))})"
    assert contrast(page, "mark, mark > span") >= 4.5
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("window.broken") is None
    page.close()
