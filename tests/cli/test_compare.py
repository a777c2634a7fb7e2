"""`tagline compare`: models and files of predictions side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Workshop
from tests.cli.support import LEARN, call, quiet, refused, write_encoder

import make_texts


@pytest.fixture(scope="module")
def files(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Predictions of the model, and the gold tags with every fourth entity of a sentence's first word cut out."""
    folder = tmp_path_factory.mktemp("predictions")
    result = call("evaluate", workshop.model, workshop.test, "--predictions", folder / "model.conll", "--json")
    assert result.code == 0, result
    (folder / "score.json").write_text(result.out)
    blocks = workshop.test.read_text("utf-8").strip().split("\n\n")
    worse = []
    for number, block in enumerate(blocks):
        rows = [line.split("\t") for line in block.splitlines()]
        worse.append("\n".join(f"{word}\t{'O' if number % 4 == 0 else tag}\tx" for word, tag in rows))
    (folder / "worse.conll").write_text("\n\n".join(worse) + "\n", encoding="utf-8")
    return folder


def test_a_model_and_its_own_predictions_are_the_same(workshop: Workshop, files: Path) -> None:
    result = call("compare", workshop.model, files / "model.conll", workshop.test, "--json")
    assert result.code == 0, result
    found = json.loads(result.out)
    expected = json.loads((files / "score.json").read_text())
    for system in found["systems"].values():
        assert system["strict_f1"] == pytest.approx(expected["strict"]["f1"])
        assert system["word_accuracy"] == pytest.approx(expected["words"]["accuracy"])
    assert found["differing"] == 0
    assert found["differences"] == []
    (pair,) = found["pairs"]
    assert {each["p"] for each in pair["differences"].values()} == {1.0}


def test_scores_tests_and_differences(workshop: Workshop, files: Path, tmp_path: Path) -> None:
    page, markdown = tmp_path / "c.html", tmp_path / "c.md"
    arguments = ("compare", files / "model.conll", files / "worse.conll", workshop.test)
    columns = ("--tag-column", "-1", "--tag-column", "1")
    result = call(*arguments, *columns, "--json", "--html", page, "--markdown", markdown)
    assert result.code == 0, result
    found = json.loads(result.out)
    assert list(found["systems"]) == ["model.conll", "worse.conll"]
    assert found["units"] == 40
    strict = found["pairs"][0]["differences"]["strict_f1"]
    scores = [each["strict_f1"] for each in found["systems"].values()]
    assert strict["difference"] == pytest.approx(scores[1] - scores[0])
    assert strict["low"] < strict["difference"] < strict["high"]
    assert 0 < strict["p"] < 0.05
    assert found["differing"] == len(found["differences"]) > 5
    for each in found["differences"]:
        first, second = each["predicted"].values()
        assert first != second
        right = [name for name, tags in each["predicted"].items() if tags == each["gold"]]
        assert each["outcome"] == ("none right" if not right else f"only {right[0]} right")
        lines = workshop.test.read_text("utf-8").splitlines()
        assert lines[each["line"] - 1].split("\t")[0] == each["words"][0]
    assert call(*arguments, *columns, "--json").out == result.out
    html, text = page.read_text("utf-8"), markdown.read_text("utf-8")
    for part in ("model.conll against worse.conll", f"{scores[0]:.4f}", f"{scores[1]:.4f}"):
        assert part in html
        assert part in text


def test_the_terminal_shows_words_gold_and_both(workshop: Workshop, files: Path) -> None:
    arguments = ("compare", workshop.model, files / "worse.conll", workshop.test, "--tag-column", "1")
    result = call(*arguments, "--show", "2")
    assert result.code == 0, result
    quiet(result)
    assert "worse.conll less model" in result.out
    assert result.out.count("│ word ") + result.out.count("┃ word ") >= 2
    assert "✗ O" in result.out
    assert "more sentences differ" in result.out
    assert "✗" not in call(*arguments, "--show", "0").out


def test_words_that_are_not_those_of_the_data(workshop: Workshop, files: Path, tmp_path: Path) -> None:
    lines = (files / "model.conll").read_text("utf-8").splitlines()
    place = next(at for at in range(20, len(lines)) if lines[at])
    lines[place] = "\t".join(["Different", *lines[place].split("\t")[1:]])
    other = tmp_path / "other.conll"
    other.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = call("compare", workshop.model, other, workshop.test)
    refused(result, f"other.conll, line {place + 1}: word ", "'Different'", "test.conll", "the same words")
    short = tmp_path / "short.conll"
    short.write_text((files / "model.conll").read_text("utf-8").split("\n\n")[0] + "\n", encoding="utf-8")
    refused(call("compare", workshop.model, short, workshop.test), "has 1 sentences", "has 40")


def test_what_is_refused(workshop: Workshop, files: Path, tmp_path: Path) -> None:
    model, test = workshop.model, workshop.test
    refused(call("compare", model, test), "2 paths", "at least two models or files")
    refused(call("compare", model, model, test), "was given twice")
    refused(call("compare", model, tmp_path / "none", test), "none", "does not exist", "model folder")
    refused(call("compare", model, files / "model.conll", test, "--problem", "multi"), "--problem", "label texts")
    refused(
        call("compare", files / "model.conll", files / "worse.conll", model, test, *["--tag-column", "1"] * 3),
        "--tag-column was given 3 times for 2 files",
    )


def test_broken_tags_of_another_tool_are_its_own_mistakes(workshop: Workshop, files: Path, tmp_path: Path) -> None:
    """Every B is an I: conlleval reads the entities, the strict score does not."""
    broken = tmp_path / "broken.conll"
    broken.write_text(workshop.test.read_text("utf-8").replace("\tB-", "\tI-"), encoding="utf-8")
    arguments = ("compare", broken, files / "model.conll", workshop.test, "--json", "--scheme", "IOB2")
    found = json.loads(call(*arguments).out)["systems"]["broken.conll"]
    assert found["strict_f1"] == 0
    assert found["conlleval_f1"] > 0.9


def test_classifiers(tmp_path: Path) -> None:
    make_texts.main([str(tmp_path), "--count", "70"])
    data = tmp_path / "reviews.tsv"
    encoder = write_encoder(tmp_path / "encoder", data.read_text("utf-8").splitlines())
    for seed in (1, 2):
        options = ("--encoder", encoder, *LEARN, "--epochs", seed, "--seed", seed)
        result = call("train", data, "--split", "70/15/15", "-o", tmp_path / f"m{seed}", *options)
        assert result.code == 0, result
    arguments = ("compare", tmp_path / "m1", tmp_path / "m2", data)
    found = json.loads(call(*arguments, "--json", "--html", tmp_path / "c.html").out)
    for name, system in found["systems"].items():
        alone = json.loads(call("evaluate", tmp_path / name, data, "--json").out)
        assert system["accuracy"] == pytest.approx(alone["accuracy"])
    shown = call(*arguments)
    assert shown.code == 0
    assert "They differ on" in shown.out
    refused(call("compare", tmp_path / "m1", data, data), "for labelled texts give model folders only")
