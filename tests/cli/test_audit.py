"""`tagline audit` as a user calls it, and what `tagline train` does about leaks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Workshop
from tests.cli.support import LEARN, call, quiet, refused, write_encoder

from tagline.folder import ModelFolder


@pytest.fixture
def mistake(workshop: Workshop, tmp_path: Path) -> Path:
    """The well-known mistake: train and test as train."""
    both = tmp_path / "both.conll"
    both.write_bytes(workshop.train.read_bytes() + b"\n" + workshop.test.read_bytes())
    return both


def test_the_well_known_mistake_is_the_first_line(workshop: Workshop, mistake: Path) -> None:
    result = call("audit", "--train", mistake, "--test", workshop.test, "--encoder", workshop.encoder)
    assert result.code == 0, result
    assert result.out.splitlines()[0].startswith("TEST IS IN TRAIN: ")
    assert str(workshop.test) in result.out.splitlines()[0]
    assert f"{workshop.test}, line 1: “" in result.out
    assert "shows memory, not reading" in result.out
    assert "… and " in result.out
    quiet(result)


def test_fail_on_gives_exit_code_1_only_for_what_was_found(workshop: Workshop, mistake: Path) -> None:
    given = ("audit", "--train", mistake, "--test", workshop.test, "--encoder", workshop.encoder, "--json")
    failed = call(*given, "--fail-on", "illegal, leakage")
    assert failed.code == 1
    assert failed.err.splitlines()[-1].startswith("failed on ")
    value = json.loads(failed.out)
    assert value["overlaps"][0]["leaked"] is True
    number = value["kinds"]["leakage"]["count"]
    assert number == sum(each["kind"] == "leakage" for each in value["findings"]) == value["overlaps"][0]["same"]
    assert call(*given, "--fail-on", "illegal,empty").code == 0
    assert call(*given).code == 0


def test_labelled_texts(tmp_path: Path) -> None:
    train, test = tmp_path / "train.tsv", tmp_path / "test.tsv"
    train.write_text("text\tlabel\ngood film\tpos\nGood  film\tneg\nbad one\tneg\n")
    test.write_text("text\tlabel\nbad one\tneg\nquite new\tpos\n")
    result = call("audit", "--train", train, "--test", test, "--fail-on", "conflict", "--encoder", "minilm")
    assert result.code == 1
    assert result.out.startswith("TEST IS IN TRAIN: 1 of the 2 texts")
    assert "neg here, pos there" in result.out


def test_wrong_options_are_one_sentence(workshop: Workshop, tmp_path: Path) -> None:
    refused(call("audit", "--train", workshop.train, "--fail-on", "leaks"), "--fail-on got 'leaks'", "near-leakage")
    refused(call("audit", "--train", workshop.train, "--near", "2"), "--near is 2", "0.4 to 1")
    refused(call("audit", "--train", tmp_path / "none.conll"), "no such file")
    refused(call("audit", "--train", workshop.train, "--encoder", tmp_path), "tokenizer.json is not there")
    texts = ("--text-column", "0", "--label-column", "1")
    refused(call("audit", "--train", workshop.train, *texts, "--scheme", "IO"), "--scheme is for tagged words")


def test_words_of_a_corpus_are_no_markup(tmp_path: Path) -> None:
    file = tmp_path / "odd.conll"
    file.write_text("[/red] O\n[bold] O\n&amp; B-LOC\n")
    result = call("audit", "--train", file)
    assert result.code == 0, result
    assert "“[/red] [bold] &amp;”" in result.out


def learn(workshop: Workshop, train: Path, model: Path, *more: object) -> tuple[dict[str, object], str]:
    options = ("--dev", workshop.dev, "--test", workshop.test, "--encoder", workshop.encoder)
    result = call("train", train, "-o", model, *options, *LEARN, "--epochs", "1", "--json", *more)
    assert result.code == 0, result
    found: dict[str, object] = json.loads(result.out)
    return found, result.err


def test_training_withholds_the_score_of_a_leaked_test(workshop: Workshop, mistake: Path, tmp_path: Path) -> None:
    metrics, said = learn(workshop, mistake, tmp_path / "model")
    assert set(metrics) == {"dev"}
    assert "THE TEST DATA HAS LEAKED INTO THE TRAINING DATA (more than 1 % of the words)" in said
    assert "--allow-leakage" in said
    assert said.rstrip().count("the test score is not reported") == 1
    manifest = ModelFolder.open(tmp_path / "model").manifest
    assert set(manifest.metrics) == {"dev"}
    assert manifest.training["leakage"]["test"]["reported"] is False
    assert "leaked into the training data" in (tmp_path / "model" / "README.md").read_text()


def test_a_leaked_score_is_reported_when_asked_for_and_marked(
    workshop: Workshop, mistake: Path, tmp_path: Path
) -> None:
    metrics, said = learn(workshop, mistake, tmp_path / "model", "--allow-leakage")
    assert set(metrics) == {"dev", "test"}
    assert "THE TEST DATA HAS LEAKED" in said
    manifest = ModelFolder.open(tmp_path / "model").manifest
    assert manifest.metrics["test"]["leaked"]["same"] == manifest.training["leakage"]["test"]["same"] > 0
    assert manifest.training["leakage"]["test"]["reported"] is True
    card = (tmp_path / "model" / "README.md").read_text()
    assert "its score above is too good" in card
    assert "**test**: " in card


def test_training_on_clean_parts_says_nothing(workshop: Workshop) -> None:
    assert "LEAK" not in workshop.training.err
    assert "stand in" not in workshop.training.err
    assert "leakage" not in ModelFolder.open(workshop.model).manifest.training


def test_labelled_texts_are_withheld_and_a_handful_is_only_said(tmp_path: Path) -> None:
    rows = [f"this product number {n} is {'good' if n % 2 else 'bad'} for its price\t{n % 2}" for n in range(240)]
    parts = {"train": rows[:160], "dev": rows[160:180], "test": rows[20:40], "few": [*rows[180:], "short\t0"]}
    for name, lines in parts.items():
        (tmp_path / f"{name}.tsv").write_text("text\tlabel\n" + "\n".join(lines) + "\n")
    with (tmp_path / "train.tsv").open("a") as file:
        file.write("short\t0\n")
    encoder = write_encoder(tmp_path / "encoder", rows)
    options = ("--dev", tmp_path / "dev.tsv", "--encoder", encoder, *LEARN, "--epochs", "1", "--json")
    leaked = call("train", tmp_path / "train.tsv", "--test", tmp_path / "test.tsv", "-o", tmp_path / "a", *options)
    assert leaked.code == 0, leaked
    assert set(json.loads(leaked.out)) == {"dev"}
    assert "20 of the 20 texts" in leaked.err
    few = call("train", tmp_path / "train.tsv", "--test", tmp_path / "few.tsv", "-o", tmp_path / "b", *options)
    assert few.code == 0, few
    assert set(json.loads(few.out)) == {"dev", "test"}
    assert "1 of the 61 texts" in few.err
    assert "no leak (at most 1 % of the words)" in few.err
