"""`tagline evaluate --report`, `--markdown`, `--train`, and the figures that `--json` gained."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.cli.conftest import Workshop
from tests.cli.support import LEARN, call, quiet, refused, write_encoder

import make_texts

OLD = {
    "task", "strict", "strict_interval", "conlleval", "types", "macro", "weighted", "words", "sentences", "seconds",
}  # fmt: skip


def data_of(page: Path) -> dict[str, object]:
    found = re.search(r'id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    assert found
    data: dict[str, object] = json.loads(found.group(1))
    return data


def test_a_page_and_markdown_of_the_same_figures(workshop: Workshop, tmp_path: Path) -> None:
    page, markdown = tmp_path / "r.html", tmp_path / "r.md"
    train = ("--train", workshop.train)
    result = call("evaluate", workshop.model, workshop.test, *train, "--report", page, "--markdown", markdown, "--json")
    assert result.code == 0, result
    found = json.loads(result.out)
    assert set(found) >= OLD
    quiet(result)
    assert "warning" not in result.err
    assert f"wrote {page} (" in result.err
    html, text = page.read_text("utf-8"), markdown.read_text("utf-8")
    f1 = f"{found['strict']['f1']:.4f}"
    assert f1 in html
    assert f1 in text
    assert "Seen in training or not" in text
    assert set(found["groups"]) == {"entity_length", "sentence_length", "novelty", "train_frequency"}
    for groups in found["groups"].values():
        assert sum(each["support"] for each in groups.values()) == found["strict"]["support"]
    assert set(found["partial"]) == {"strict", "exact", "partial", "type"}
    assert found["partial"]["strict"]["f1"] == pytest.approx(found["conlleval"]["f1"])
    assert found["calibration"]["answers"] > 50
    assert 0 <= found["calibration"]["expected_calibration_error"] <= 1
    items = data_of(page)["items"]
    assert isinstance(items, dict)
    assert len(items["mistakes"]) == sum(found["mistakes"].values()) > 20
    assert len(items["doubtful"]) == sum(found["doubtful_gold"].values())
    wrong = found["mistakes"]
    right = found["strict"]["support"] - wrong["missed"] - wrong["boundary"] - wrong["type"] - wrong["both"]
    assert right / found["strict"]["support"] == pytest.approx(found["strict"]["recall"])
    cells = sum(often for row in found["confusion"].values() for often in row.values())
    assert cells == right + sum(wrong.values())


def test_mistakes_name_the_line_of_their_word(workshop: Workshop, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    call("evaluate", workshop.model, workshop.test, "--report", page)
    data = data_of(page)
    lines = workshop.test.read_text("utf-8").splitlines()
    texts, items = data["texts"], data["items"]
    assert isinstance(texts, list)
    assert isinstance(items, dict)
    for text, _, gold, predicted, score, line, *_ in items["mistakes"]:
        _, start, _ = gold or predicted
        assert lines[line - 1].split("\t")[0] == texts[text][0][start]
        assert 0 <= score <= 1


def test_without_the_training_file_the_page_says_how_to_get_more(workshop: Workshop, tmp_path: Path) -> None:
    result = call("evaluate", workshop.model, workshop.test, "--report", tmp_path / "r.html", "--json")
    assert set(json.loads(result.out)["groups"]) == {"entity_length", "sentence_length"}
    assert "Add --train FILE" in (tmp_path / "r.html").read_text("utf-8")


def test_another_training_file_is_warned_of(workshop: Workshop, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    result = call("evaluate", workshop.model, workshop.test, "--train", workshop.dev, "--report", page)
    assert result.code == 0
    assert "dev.conll is not the file that the model was trained on (train.conll, SHA-256 " in result.err
    assert "dev.conll is not the file that the model was trained on" in page.read_text("utf-8")


def test_files_that_cannot_be_written_are_refused_before_the_work(workshop: Workshop, tmp_path: Path) -> None:
    here = ("evaluate", workshop.model, workshop.test)
    refused(call(*here, "--report", tmp_path / "no" / "r.html"), "its folder does not exist", "--report")
    refused(call(*here, "--report", tmp_path), "is a folder", "--report takes the name of a file")
    refused(call(*here, "--report", tmp_path / "a", "--markdown", tmp_path / "a"), "--report and --markdown both name")
    refused(call(*here, "--train", tmp_path / "none.conll"), "none.conll", "no such file")


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled texts of three problems and a quickly trained model for each."""
    folder = tmp_path_factory.mktemp("reviews")
    make_texts.main([str(folder), "--count", "80"])
    encoder = write_encoder(folder / "encoder", (folder / "reviews.tsv").read_text("utf-8").splitlines())
    for name, data in (("single", "reviews.tsv"), ("several", "topics.jsonl"), ("stars", "stars.csv")):
        result = call(
            "train", folder / data, "--split", "70/15/15", "-o", folder / name, "--encoder", encoder, *LEARN,
            "--epochs", 1,
        )  # fmt: skip
        assert result.code == 0, result
    return folder


@pytest.mark.parametrize(
    ("model", "data", "said"),
    [
        ("single", "reviews.tsv", "Labels held against each other"),
        ("several", "topics.jsonl", "Decisions by label"),
        ("stars", "stars.csv", "Predicted against gold"),
    ],
)
def test_classifiers_have_pages_too(reviews: Path, tmp_path: Path, model: str, data: str, said: str) -> None:
    page, markdown = tmp_path / "r.html", tmp_path / "r.md"
    result = call(
        "evaluate", reviews / model, reviews / data, "--train", reviews / data, "--report", page, "--markdown",
        markdown, "--json",
    )  # fmt: skip
    assert result.code == 0, result
    quiet(result)
    assert said in page.read_text("utf-8")
    assert said in markdown.read_text("utf-8")
    found = json.loads(result.out)
    assert sum(each["texts"] for each in found["groups"]["text_length"].values()) == found["texts"]
    assert list(found["groups"]["novelty"]) == ["also in train"]
    items = data_of(page)["items"]
    assert isinstance(items, dict)
    if model == "stars":
        assert len(items["mistakes"]) == found["texts"]
        return
    right = found["accuracy"] if model == "single" else found["exact_match"]
    assert sum(found["mistakes"].values()) == len(items["mistakes"]) == round((1 - right) * found["texts"])
    assert found["calibration"]["answers"] == found["texts"] * (1 if model == "single" else len(found["classes"]))
