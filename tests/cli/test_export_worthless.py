"""`tagline export` on text that certifies nothing, and with options of other targets: refused, or told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import Workshop
from tests.cli.support import Result, call, refused, tree

from tagline.predict.losing import check_dev, refuse_worthless
from tagline.predict.sampling import Reading, read_annotated, read_sample, unrun


def kept(workshop: Workshop, *arguments: object) -> Result:
    """An export that must leave the model as it was."""
    before = tree(workshop.model)
    result = call("export", workshop.model, *arguments)
    assert tree(workshop.model) == before
    return result


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    path = tmp_path / "blank.txt"
    path.write_text("\n  \n\n")
    return path


def untagged(workshop: Workshop, place: Path) -> Path:
    """Dev, all of it outside."""
    path = place / "all_o.conll"
    lines = workshop.dev.read_text("utf-8").splitlines()
    path.write_text("".join(f"{line.split()[0]}\tO\n" if line.strip() else "\n" for line in lines), "utf-8")
    return path


@pytest.mark.parametrize("to", ["openvino", "onnx"])
def test_blank_lines_are_no_sample(workshop: Workshop, blank: Path, to: str) -> None:
    result = kept(workshop, "--to", to, "--sample", blank)
    refused(result, str(blank), "no text but blank rows", "at least one with words")
    assert "writing" not in result.err


def test_blank_lines_calibrate_nothing(workshop: Workshop, blank: Path) -> None:
    result = kept(workshop, "--to", "int8", "--dev", workshop.dev, "--calibrate", blank)
    refused(result, str(blank), "no text but blank rows")


def test_blank_lines_are_not_counted(workshop: Workshop, tmp_path: Path) -> None:
    from tagline.folder import ModelFolder

    path = tmp_path / "some.txt"
    path.write_text("\n \nOslo\n\nParis is large\nRome\n")
    sample = read_sample(unrun(ModelFolder.open(workshop.model)), path, Reading(), 2)
    assert [list(each.words) for each in sample.split] == [["Oslo"], ["Paris", "is", "large"]]


@pytest.mark.parametrize("target", [("int8",), ("inference", "DIR")])
def test_a_dev_without_entities_measures_no_loss(workshop: Workshop, tmp_path: Path, target: tuple[str, ...]) -> None:
    dev = untagged(workshop, tmp_path)
    to = [str(tmp_path / "small") if each == "DIR" else each for each in target]
    refused(kept(workshop, "--to", *to, "--dev", dev), str(dev), "has no entities", "no loss can be measured")
    assert not (tmp_path / "small").exists()


@pytest.mark.parametrize("target", [("int8",), ("inference", "DIR")])
def test_a_dev_of_which_the_model_knows_nothing(workshop: Workshop, tmp_path: Path, target: tuple[str, ...]) -> None:
    dev = tmp_path / "other.conll"
    dev.write_text("the\tB-SPELL\nof\tO\n\n" * 3)
    to = [str(tmp_path / "small") if each == "DIR" else each for each in target]
    result = kept(workshop, "--to", *to, "--dev", dev)
    assert result.code == 2, result
    assert f"warning: {dev} has types that the model does not know (SPELL); they count as missed" in result.err
    last = result.err.splitlines()[-1]
    assert last.startswith(f"tagline: {dev}: F1 in f32 is 0.00 on it, so that there is nothing to lose")
    assert not (tmp_path / "small").exists()


def test_a_small_dev_is_told_of(workshop: Workshop, tmp_path: Path) -> None:
    pytest.importorskip("nncf", reason="int8 needs the extra int8")
    model = tmp_path / "model"
    shutil.copytree(workshop.model, model)
    result = call("export", model, "--to", "inference", tmp_path / "small", "--dev", workshop.dev, "--max-loss", "1")
    assert f"warning: {workshop.dev} has few entities (96): one alone is about 1.0 points" in result.err, result
    result = call("export", model, "--to", "inference", tmp_path / "more", "--dev", workshop.dev, "--max-loss", "5")
    assert "warning" not in result.err, result


def test_texts_are_measured_alike(tmp_path: Path) -> None:
    """Several labels of which none is given; blank texts; one text alone; a score that is no number."""
    from tests.predict.tiny_texts import HEADS, write_classifier

    from tagline.data.texts.options import TextOptions
    from tagline.errors import DataError
    from tagline.folder import ModelFolder
    from tagline.records import Problem

    model = unrun(ModelFolder.open(write_classifier("bert-uncased", HEADS["several"], tmp_path / "m", graph=False)))
    path = tmp_path / "dev.tsv"
    reading = Reading(texts=TextOptions(problem=Problem.MULTI))
    path.write_text("text\tlabel\ngood\t\n \t\nbad\t\n")
    dev = read_annotated(model, path, reading)
    with pytest.raises(DataError, match=r"dev\.tsv: has no labels, so that no loss can be measured"):
        check_dev(model, dev, 0.2)
    assert len(read_sample(model, path, reading, 5)) == 2
    path.write_text("text\tlabel\ngood\tnew\nbad\t\n")
    first, second = check_dev(model, read_annotated(model, path, reading), 0.2)
    assert "labels that the model does not know (new)" in first
    assert "has few labels (1): one alone is about 100.0 points" in second
    for score in (0.0, float("nan"), -0.5):
        with pytest.raises(DataError, match=r"dev\.tsv: spearman in f32 is .* nothing to lose"):
            refuse_worthless("spearman", score, dev)
    refuse_worthless("spearman", 0.1, dev)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--to", "onnx", "--overwrite"],
            "--overwrite is for --to hf, --to inference, --to space, --to spark-nlp, got --to onnx",
        ),
        (["--to", "onnx", "--examples", "a.txt"], "--examples is for --to space, got --to onnx"),
        (["--to", "hf", "DIR", "--examples", "a.txt"], "--examples is for --to space, got --to hf"),
        (
            ["--to", "int8", "DIR"],
            "DIR (DIR) is for --to hf, --to inference, --to space, --to spark-nlp, got --to int8",
        ),
        (["--to", "space", "DIR", "--test", "a.conll"], "--test is for --to inference, got --to space"),
        (["--to", "hf", "DIR", "--test", "a.conll"], "--test is for --to inference, got --to hf"),
    ],
)
def test_options_of_other_targets(workshop: Workshop, arguments: list[str], said: str) -> None:
    """Only what was typed is named, with what it is for."""
    result = kept(workshop, *arguments)
    refused(result)
    assert result.err.splitlines()[-1] == f"tagline: {said}; leave it away"
