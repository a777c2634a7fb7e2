"""Texts typed into the app: entities, filters, labels with bars, numbers, pairs; what they look like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.app.conftest import Models, Visitor
from tests.app.serving import EVIL, contrast

import tagline
from tagline.predict import Classifier
from tagline.records import Classification, Document

TEXT = "John Parker moved from Oslo to New York, and Maria Novak stayed in Lisbon with Kestrel Mining."
PHONE = 390


def local(folder: Path, text: str) -> Document:
    answer = tagline.load(folder, precision="f32", threads=1)(text)
    assert isinstance(answer, Document)
    return answer


def scored(folder: Path, text: str | tuple[str, str]) -> Classification:
    model = tagline.load(folder, precision="f32", threads=1)
    assert isinstance(model, Classifier)
    return model(text, top_k=None)


def captions(document: Document) -> list[str]:
    return [f"{each.text} {each.label} {each.score:.2f}" for each in document]


def _ticked(answer: Classification, label: str) -> str:
    return f"✓ {label}" if label in answer.labels else label


def test_a_text_is_tagged(models: Models, visit: Visitor, tmp_path: Path) -> None:
    there = visit()
    page = there.open()
    assert page.title() == "Tagline"
    there.type(TEXT)
    expected = local(models.tagger, TEXT)
    assert len(expected) >= 3
    there.shows(captions(expected))
    there.says(f"{len(expected)} entities")
    page.locator("[data-testid=stDataFrame]").wait_for()
    with page.expect_download() as waiting:
        page.locator(".st-key-save button").click()
    waiting.value.save_as(tmp_path / "answer.json")
    assert json.loads((tmp_path / "answer.json").read_text("utf-8")) == expected.to_dict()
    there.go("File")
    there.go("Read")
    there.shows(captions(expected))  # the text is still there


def test_an_example_is_clicked_and_cleared(models: Models, visit: Visitor) -> None:
    there = visit()
    page = there.open()
    page.locator(".st-key-sample_1 button").click()
    page.locator(".st-key-answer").wait_for()
    there.rest()
    text = page.get_by_label("Text", exact=True).input_value()
    assert text.startswith(page.locator(".st-key-sample_1 button").inner_text().rstrip(" …"))
    there.shows(captions(local(models.tagger, text)))
    page.get_by_role("button", name="Clear").click()
    page.locator(".st-key-answer").wait_for(state="detached")
    assert page.get_by_label("Text", exact=True).input_value() == ""


def test_types_and_scores_are_filtered(models: Models, visit: Visitor) -> None:
    expected = local(models.tagger, TEXT)
    gone = expected.entities[0].label
    there = visit()
    page = there.open()
    there.type(TEXT)
    page.locator(".st-key-filters").get_by_role("button", name=gone, exact=True).click()
    there.rest()
    left = [each for each in expected if each.label != gone]
    there.shows([f"{each.text} {each.label} {each.score:.2f}" for each in left])
    there.says(f"{len(expected) - len(left)} hidden by the filters")
    page.get_by_role("slider", name="Score from").press("End")
    there.rest()
    there.shows([f"{each.text} {each.label} {each.score:.2f}" for each in left if each.score >= 1])
    shown = page.locator(".st-key-marked .tagline").inner_text()
    assert all(each.text in shown for each in expected)  # only the marks are hidden, never the text


def test_a_text_stays_as_it_is(models: Models, visit: Visitor) -> None:
    text = f"**John Parker** {EVIL} costs $5 or $6 :smile: `in` _Oslo_\n\n  # and <b>Lisbon</b> https://example.org/a_b"
    there = visit()
    page = there.open()
    there.type(text)
    drawn = page.locator(".st-key-marked .tagline")
    there.shows(captions(local(models.tagger, text)))
    page.evaluate("document.querySelectorAll('.tagline-span > span').forEach(each => each.remove())")
    assert drawn.text_content() == text
    assert page.evaluate("window.broken") is None
    assert page.locator("img[src=x]").count() == 0


def test_one_label_of_several(models: Models, visit: Visitor) -> None:
    there = visit()
    page = there.open()
    there.choose("Model", "stars")
    there.type(TEXT)
    expected = scored(models.stars, TEXT)
    there.reads(".tagline-bars > b", [_ticked(expected, each.label) for each in expected.scores])
    figures = page.locator(".st-key-bars .tagline-bars > i").all_inner_texts()
    assert figures == [f"{each.score:.3f}" for each in expected.scores]
    widths = page.locator(".tagline-bars u").evaluate_all(
        "bars => bars.map(bar => bar.offsetWidth / bar.parentElement.offsetWidth)"
    )
    assert widths == pytest.approx([each.score for each in expected.scores], abs=0.02)
    assert page.locator(".verdict").inner_text() == expected.label


def test_several_labels_with_their_thresholds(models: Models, visit: Visitor) -> None:
    there = visit()
    page = there.open()
    there.choose("Model", "feelings")
    there.type(TEXT)
    expected = scored(models.feelings, TEXT)
    last = max(at for at, each in enumerate(expected.scores, 1) if each.label in expected.labels)
    assert max(8, last) < 28
    there.reads(".tagline-bars > b", [_ticked(expected, each.label) for each in expected.scores[: max(8, last)]])
    page.get_by_text("Show all 28 labels").click()
    there.rest()
    there.reads(".tagline-bars > b", [_ticked(expected, each.label) for each in expected.scores])
    assert page.locator(".tagline-bars s").count() == 28
    said = page.locator(".tagline-bars em").first.get_attribute("aria-label")
    best = expected.scores[0]
    assert said == f"{best.score:.3f}, chosen from {0.5 + 0.001 * int(best.label.split()[1]):.2f} on"


def test_a_number_and_a_pair(models: Models, visit: Visitor) -> None:
    there = visit()
    there.open()
    there.choose("Model", "number")
    there.type(TEXT)
    there.reads(".tagline-number", [f"{scored(models.number, TEXT).score:.3f}"])
    there.choose("Model", "pairs")
    there.type("Oslo is cold.", "Second text")
    expected = scored(models.pairs, (TEXT, "Oslo is cold."))
    there.reads(".tagline-bars > i", [f"{each.score:.3f}" for each in expected.scores])


def test_two_models_side_by_side(models: Models, visit: Visitor) -> None:
    there = visit()
    page = there.open("compare")
    there.type(TEXT)
    one, other = local(models.tagger, TEXT), local(models.other, TEXT)
    there.shows(captions(one), "marked_left")
    there.shows(captions(other), "marked_right")
    assert captions(one) != captions(other)
    found = [{(each.start, each.end, each.label) for each in document} for document in (one, other)]
    same = len(found[0] & found[1])
    there.says(f"{same} {'entity is' if same == 1 else 'entities are'} the same on both sides")
    left, right = (page.locator(f".st-key-answer_{side}").bounding_box() for side in ("left", "right"))
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] <= right["x"]
    there.choose("Right model", "stars")
    there.says("nothing to hold against each other")
    there.choose("Left model", "stars")
    there.says("Both sides show the same model")
    there.choose("Left model", "feelings")  # single texts only
    there.choose("Right model", "pairs")
    there.says("choose two models that read the same")


def test_the_card_of_a_model(models: Models, visit: Visitor) -> None:
    there = visit()
    page = there.open("model")
    assert page.locator(".tiles dt").first.inner_text() == "F1 on dev"
    report = json.loads((models.tagger / "tagline.json").read_text("utf-8"))["metrics"]["dev"]
    assert page.locator(".tiles dd").first.inner_text() == f"{100 * report['strict']['f1']:.1f}"
    assert page.locator(".chips .chip").all_inner_texts() == ["LOC", "MISC", "ORG", "PER"]
    card = page.locator(".st-key-card").inner_text()
    assert "Scores" in card
    assert "pipeline_tag" not in card  # the metadata of the hub


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_everything_readably(models: Models, visit: Visitor, dark: bool) -> None:
    there = visit(PHONE, dark)
    page = there.open()
    there.type(f"{TEXT} {'Donaudampfschiffahrtsgesellschaft' * 3} {EVIL}")
    page.locator(".tagline-span").nth(2).wait_for()
    assert there.width() <= PHONE
    for selector in (".tagline-span", ".tagline-span > span", ".tagline", "h1", ".lead", "button[kind=primary] p"):
        assert contrast(page, selector) >= 4.5, selector
    there.choose("Model", "feelings")
    page.locator(".tagline-bars").wait_for()
    assert there.width() <= PHONE
    for selector in (".tagline-bars > b", ".tagline-bars > i", ".verdict", "[data-testid=stCaptionContainer] p"):
        assert contrast(page, selector) >= 4.5, selector
    for name in ("Compare", "File", "Model"):
        there.go(name)
        assert there.width() <= PHONE, name
        assert contrast(page, "h1, h2, .detail, .tiles dt, .chip, [data-testid=stPageLink] p") >= 4.5, name
