"""The pages in a real Chromium: filters, search, pages, keys, the width of a phone, and nothing that breaks out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.report.making import EVIL, entity_page, label_page, number_page, sets_page

from tagline.report import Report, render_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Open = Callable[..., "Page"]


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report and, at the end, asserts that its script never failed and that it asked for nothing else."""
    troubles: list[str] = []
    requests: list[str] = []
    contexts = []

    def run(report: Report, width: int = 1280, dark: bool = False) -> Page:
        file = tmp_path / "report.html"
        file.write_text(render_html(report), encoding="utf-8")
        size = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, color_scheme="dark" if dark else "light", reduced_motion="reduce")  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(file.as_uri())
        page.locator("#mistakes .item").first.wait_for()
        return page

    yield run
    for context in contexts:
        context.close()
    assert troubles == []
    assert all(url.startswith(("file:", "blob:")) for url in requests)


def items(page: Page) -> list[str]:
    return page.locator("#mistakes .item").all_inner_texts()


def status(page: Page) -> str:
    return page.locator("#mistakes .status").inner_text()


def reads(page: Page, text: str) -> None:
    """Waits until the status says so: a search takes effect a moment after the last key."""
    from playwright.sync_api import expect

    expect(page.locator("#mistakes .status")).to_have_text(text)


def test_mistakes_are_filtered_searched_and_paged(show: Open, tmp_path: Path) -> None:
    page = show(entity_page(60))
    assert status(page) == "50 mistakes"
    assert len(items(page)) == 25
    page.get_by_role("button", name="page after").first.click()
    assert len(items(page)) == 25
    assert "sentence 31" in items(page)[0]
    missed = page.locator("#mistakes .filter.missed")
    missed.click()
    assert missed.get_attribute("aria-pressed") == "true"
    assert status(page) == "10 of 50 mistakes"
    found = items(page)
    assert len(found) == 10
    assert all("missed" in text and "Gold LOC “Oslo”, the model nothing" in text for text in found)
    page.locator("#mistakes .filter.invented").click()
    assert status(page) == "20 of 50 mistakes"
    page.locator("#mistakes").get_by_role("searchbox").fill("AGAIN3")
    reads(page, "4 of 50 mistakes")
    assert [text.split("sentence ")[1].split(",")[0] for text in items(page)] == ["4", "34", "35", "40"]
    picture = page.screenshot(path=tmp_path / "shot.png")
    assert len(picture) > 20_000
    page.locator("#mistakes").get_by_role("searchbox").fill("nowhere to be found")
    page.get_by_text("Nothing fits these filters.").wait_for()
    page.locator("#mistakes").get_by_role("button", name="Show all").click()
    assert status(page) == "50 mistakes"


def test_types_and_order(show: Open) -> None:
    page = show(entity_page(60))
    page.locator("#mistakes").get_by_label("in gold").select_option("ORG")
    assert status(page) == "20 of 50 mistakes"
    page.locator("#mistakes").get_by_label("by the model").select_option("none")
    assert status(page) == "0 of 50 mistakes"
    page.locator("#mistakes").get_by_role("button", name="Show all").click()
    page.locator("#mistakes").get_by_label("order").select_option("down")
    scores = [float(text) for text in page.locator("#mistakes .sure").all_inner_texts() for text in [text.split()[1]]]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 0.99


def test_spans_are_readable_without_colour(show: Open) -> None:
    page = show(entity_page(6))
    card = page.locator("#mistakes .item").nth(2)
    assert "wrong boundary and type" in card.inner_text()
    assert "Gold ORG “Acme Works”, model LOC “Acme”" in card.inner_text()
    tags = card.locator(".m-hot > .m-tag, .g-hot > .g-tag")
    assert [tags.nth(at).get_attribute("data-name") for at in range(tags.count())] == ["LOC", "ORG"]
    shown = tags.first.evaluate("tag => getComputedStyle(tag, '::after').content")
    assert shown == '"LOC"'
    styles = card.locator(".g-hot").first.evaluate("word => getComputedStyle(word).borderBottomStyle")
    assert styles == "dashed"
    above, word, below = (
        card.locator(at).first.bounding_box() for at in (".m-hot > .m-tag", ".m-hot", ".g-hot > .g-tag")
    )
    assert above is not None
    assert word is not None
    assert below is not None
    assert above["y"] < word["y"] < below["y"]


def test_a_cell_of_the_confusion_and_a_part_of_the_bar_show_their_mistakes(show: Open) -> None:
    page = show(entity_page(60))
    page.locator('.heat button[data-gold="LOC"][data-predicted="none"]').click()
    assert status(page) == "10 of 50 mistakes"
    assert page.locator("#mistakes").get_by_label("in gold").input_value() == "LOC"
    page.locator('.legend button[data-kind="type"]').click()
    assert status(page) == "10 of 50 mistakes"
    assert all("wrong type" in text for text in items(page))


def test_the_keyboard_is_enough(show: Open) -> None:
    page = show(entity_page(120))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#mistakes").scroll_into_view_if_needed()
    page.keyboard.press("ArrowRight")
    assert page.locator("#mistakes .pager input").first.input_value() == "2"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.type("again7")
    reads(page, "9 of 100 mistakes")
    page.locator("#mistakes .filter.missed").focus()
    page.keyboard.press("Space")
    assert page.locator("#mistakes .filter.missed").get_attribute("aria-pressed") == "true"


def test_no_text_breaks_out(show: Open) -> None:
    for report in (entity_page(6), label_page(), sets_page(), number_page()):
        page = show(report)
        assert page.evaluate("window.broken") is None
        assert page.locator("img").count() == 0
        assert EVIL in page.locator("#mistakes .item").first.inner_text().replace("\n", "") or EVIL in (
            page.locator("#mistakes .item").first.text_content() or ""
        )


def test_chosen_mistakes_are_saved_as_jsonl(show: Open, tmp_path: Path) -> None:
    page = show(entity_page(12))
    page.locator("#mistakes .filter.type").click()
    with page.expect_download() as waiting:
        page.locator("#mistakes").get_by_role("button", name="Save as JSONL").click()
    waiting.value.save_as(tmp_path / "saved.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "saved.jsonl").read_text("utf-8").splitlines()]
    assert [(each["kind"], each["sentence"], each["gold"], each["predicted"]["label"]) for each in lines] == [
        ("type", 2, {"label": "ORG", "text": "Acme Works"}, "LOC"),
        ("type", 8, {"label": "ORG", "text": "Acme Works"}, "LOC"),
    ]
    assert EVIL in lines[0]["text"]


@pytest.mark.parametrize("make", [entity_page, label_page, sets_page, number_page])
@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_everything_without_scrolling_sideways(
    show: Open, make: Callable[[], Report], dark: bool
) -> None:
    page = show(make(), 390, dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(17, 22, 27)" if dark else "rgb(246, 245, 241)")


def test_labels_and_numbers_have_browsers_too(show: Open) -> None:
    page = show(label_page())
    assert status(page) == "10 mistakes"
    assert "gold" in items(page)[0]
    assert page.locator("#gold .item").count() == 5
    page = show(sets_page())
    page.locator("#mistakes .filter.missed").click()
    assert all("missed" in text for text in items(page))
    page = show(number_page())
    assert "off by 0.750" in items(page)[0]


@pytest.mark.slow
def test_fifty_thousand_sentences_stay_usable(show: Open) -> None:
    page = show(entity_page(50_000))
    page.set_default_timeout(20_000)  # for each of the following
    page.locator("#mistakes .filter.missed").click()
    page.locator("#mistakes").get_by_role("searchbox").fill("again49999")
    reads(page, "0 of 41,667 mistakes")
    assert page.locator(".item").count() <= 50
