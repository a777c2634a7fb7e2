"""Reports as HTML and Markdown, read without a browser."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from tests.report.making import EVIL, entity_page, label_page, number_page, sets_page

from tagline.evaluate.calibration import Calibration
from tagline.report import Report, render_html, render_markdown
from tagline.report.blocks import Figure, Signed, plain
from tagline.report.charts import reliability_chart, scatter_chart
from tagline.report.html import embed, escape, file_size

PAGES = {"entities": entity_page, "labels": label_page, "sets": sets_page, "numbers": number_page}


class Reader(HTMLParser):
    """Elements and their attributes, and what stands in the data element."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""
        self.open: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "line", "input", "br"):
            self.open.append(tag)
        self._inside = dict(attrs).get("id") == "data"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.data += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_needs_nothing_else(name: str) -> None:
    made: Report = PAGES[name]()
    page = render_html(made)
    reader = read(page)
    tags = [tag for tag, _ in reader.found]
    assert tags.count("script") == 2
    assert not {"img", "link", "iframe", "object"} & set(tags)
    for _, attributes in reader.found:
        for attribute in ("src", "href", "action"):
            assert (attributes.get(attribute) or "#").startswith("#")
    assert "http://" not in page
    assert "https://" not in page
    assert "default-src 'none'" in page
    assert json.loads(reader.data) == json.loads(json.dumps(made.data))
    assert EVIL in json.dumps(made.data, ensure_ascii=False).replace('\\"', '"')
    ids = [attributes["id"] for _, attributes in reader.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    said = re.search(r"One file of (\d+) kB", page)
    assert said
    assert int(said.group(1)) == pytest.approx(len(page.encode()) / 1000, abs=1)


def test_names_are_text_and_never_markup() -> None:
    page = render_html(entity_page())
    assert "my &lt;model&gt; on test &amp; co.conll" in page
    assert "<model>" not in page
    assert "&lt;odd&gt;" in render_html(label_page())


def test_data_cannot_leave_their_element() -> None:
    text = embed({"a": EVIL, "b": "\u2028\u2029 & \ud800"})
    assert "<" not in text
    assert ">" not in text
    assert text.encode("utf-8").isascii()
    assert json.loads(text) == {"a": EVIL, "b": "\u2028\u2029 & \ud800"}
    assert escape("\ud800<").encode() == "\ufffd&lt;".encode()
    with pytest.raises(ValueError, match="JSON compliant"):
        embed({"a": float("nan")})


@pytest.mark.parametrize("name", PAGES)
def test_markdown_holds_the_same_figures(name: str) -> None:
    made: Report = PAGES[name]()
    text = render_markdown(made)
    lines = text.splitlines()
    widths = [line.count("|") - line.count("\\|") for line in lines if line.startswith("|")]
    assert widths
    for before, after in pairwise(lines):
        if before.startswith("|") and after.startswith("|"):
            assert before.count("|") - before.count("\\|") == after.count("|") - after.count("\\|")
    title, figure = made.hero
    assert f"**{title}**" in text
    assert plain(figure) in text
    for key in made.keys:
        assert f"| {key.value} |" in text
    assert "\\<model\\>" in text or name != "entities"


def test_what_is_missing_is_said_and_what_is_given_is_shown() -> None:
    without, given = render_html(entity_page()), render_html(entity_page(train=True))
    assert "Add --train FILE" in without
    assert "Add --train FILE" not in given
    assert "seen with another type" in given or "unseen" in given


def test_cells_as_text() -> None:
    assert plain(Figure(0.5)) == "0.5000"
    assert plain(Figure(0.5, (0.25, 0.75))) == "0.5000 (0.250–0.750)"
    assert plain(Signed(0.1, (-0.2, 0.3), plus=True)) == "+0.1000 (-0.200 to 0.300)"
    assert plain(12345) == "12,345"
    assert [file_size(size) for size in (10, 9_600, 3_210_000)] == ["1 kB", "10 kB", "3.2 MB"]


def test_charts_hold_every_answer() -> None:
    chart = reliability_chart(Calibration.of([0.05, 0.55, 0.56, 1.0], [False, True, False, True]), "answers")
    assert sum(row[1] for row in chart.table.rows if isinstance(row[1], int)) == 4
    assert chart.svg.count('class="dot"') == 3
    chance = np.random.default_rng(0)
    for count, style in ((50, "point"), (3000, "cell")):
        gold = chance.random(count)
        chart = scatter_chart(gold, gold + chance.normal(0, 0.1, count))
        assert sum(row[1] for row in chart.table.rows if isinstance(row[1], int)) == count
        marks = chart.svg.count(f'class="{style}"')
        assert marks == count if style == "point" else 100 < marks < 1296
        assert len(chart.svg) < 300_000
