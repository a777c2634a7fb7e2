"""`tagline train`, `evaluate` and `predict` on labelled texts: from files to answers, and what goes wrong."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.cli.support import LEARN, call, refused, write_encoder

import make_texts
from tagline.folder import ModelFolder
from tagline.predict import load
from tagline.predict.classifier import Classifier

Train = Callable[..., Path]
GENTLY = (*LEARN, "--learning-rate", "2e-3")
"""At LEARN's own rate, what is learned of these texts hangs on the processor's rounding."""


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated reviews and a tiny encoder that knows their words."""
    folder = tmp_path_factory.mktemp("texts")
    make_texts.main([str(folder), "--count", "400"])
    write_encoder(folder / "encoder", (folder / "reviews.tsv").read_text("utf-8").splitlines())
    return folder


@pytest.fixture(scope="module")
def train(texts: Path) -> Train:
    """Trains on a file and gives the model folder; what was said lies beside it in NAME.log."""

    def run(name: str, *options: object, epochs: int = 8) -> Path:
        model = texts / name
        encoder = texts / "encoder"
        result = call("train", "-o", model, "--encoder", encoder, *GENTLY, "--epochs", epochs, "--json", *options)
        assert result.code == 0, result
        (texts / f"{name}.log").write_text(result.err)
        (texts / f"{name}.json").write_text(result.out)
        return model

    return run


@pytest.fixture(scope="module")
def single(texts: Path, train: Train) -> Path:
    return train("single", texts / "reviews.tsv")


@pytest.fixture(scope="module")
def several(texts: Path, train: Train) -> Path:
    make_texts.main([str(texts / "more"), "--count", "800"])
    return train("several", texts / "more" / "topics.jsonl", "--split", "70/15/15", epochs=14)


@pytest.fixture(scope="module")
def stars(texts: Path, train: Train) -> Path:
    return train("stars", texts / "stars.csv")


@pytest.fixture(scope="module")
def pairs(texts: Path, train: Train) -> Path:
    return train("pairs", texts / "pairs.tsv", epochs=2)


def table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8")), delimiter=delimiter))


def said(texts: Path, name: str) -> str:
    return (texts / f"{name}.log").read_text()


def scores(texts: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((texts / f"{name}.json").read_text())
    return found


def test_one_file_is_split_without_its_duplicates_and_learned(texts: Path, single: Path) -> None:
    rows = [line.split("\t") for line in (texts / "reviews.tsv").read_text("utf-8").splitlines()[1:]]
    distinct = {text.casefold() for text, _ in rows}
    assert len(distinct) < len(rows)
    manifest = ModelFolder.open(single).manifest
    parts = {role: facts["texts"] for role, facts in manifest.training["data"].items()}
    assert sum(parts.values()) == len(distinct)
    assert parts["dev"] == pytest.approx(len(distinct) / 10, abs=2)
    assert manifest.training["split"]["duplicates_removed"] == len(rows) - len(distinct)
    assert f"{len(rows) - len(distinct)} duplicates removed" in said(texts, "single")
    found = scores(texts, "single")
    assert found == manifest.metrics
    assert found["test"]["accuracy"] > 0.8
    assert found["dev"]["problem"] == "single_label_classification"
    assert ModelFolder.open(single).labels == ("bad", "good")


def test_several_labels_have_thresholds_tuned_on_dev(texts: Path, several: Path) -> None:
    manifest = ModelFolder.open(several).manifest
    assert set(manifest.thresholds) == set(make_texts.SUBJECTS)
    assert set(manifest.thresholds.values()) != {0.5}
    classes = manifest.metrics["test"]["classes"].values()
    texts_of_test = manifest.training["data"]["test"]["texts"]
    shares = [each["support"] / texts_of_test for each in classes]
    giving_all = sum(2 * share / (1 + share) for share in shares) / len(shares)
    assert scores(texts, "several")["test"]["macro"]["f1"] > giving_all + 0.05
    answer = call("predict", several, "--text", "The breakfast was awful. The bill: awful!", "--json")
    row = json.loads(answer.out)
    given = {each["label"]: each["score"] for each in row["scores"]}
    assert len(given) == 1
    model = load(several)
    assert isinstance(model, Classifier)
    full = model("The breakfast was awful. The bill: awful!", top_k=None)
    expected = {each.label for each in full.scores if each.score >= manifest.thresholds[each.label]}
    assert set(row["labels"]) == set(full.labels) == expected


def test_numbers_come_back_on_their_own_scale(texts: Path, stars: Path) -> None:
    found = scores(texts, "stars")
    assert found["test"]["spearman"] > 0.5
    rows = table(texts / "stars.csv")
    out = texts / "stars-out.jsonl"
    assert call("predict", stars, texts / "stars.csv", "-o", out, "--overwrite").code == 0
    answers = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["text"] for row in answers] == [row["text"] for row in rows]
    assert [row["score_input"] for row in answers] == [row["score"] for row in rows]
    mean = sum(row["score"] for row in answers) / len(answers)
    assert mean == pytest.approx(sum(float(row["score"]) for row in rows) / len(rows), abs=0.5)


def test_pairs_are_seen_from_the_columns_and_read_at_prediction(texts: Path, pairs: Path) -> None:
    assert ModelFolder.open(pairs).manifest.paired is True
    out = texts / "pairs-out.csv"
    assert call("predict", pairs, texts / "pairs.tsv", "-o", out, "--overwrite").code == 0
    rows = table(out)
    assert list(rows[0]) == ["text", "text_pair", "label_input", "label", "score"]
    result = call("predict", pairs, "--text", "The bed: awful!", "--text-pair", "The room was awful.", "--json")
    assert json.loads(result.out)["label"] in ("same", "other")
    refused(call("predict", pairs, "--text", "The bed: awful!"), "reads pairs", "text_pair")
    refused(call("predict", pairs, texts / "reviews.tsv"), "'text_pair'", "'text', 'label'", "--pair-column")


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "tsv", "parquet"])
def test_outputs_hold_label_and_score(texts: Path, single: Path, suffix: str) -> None:
    out = texts / f"out.{suffix}"
    result = call("predict", single, texts / "topics.jsonl", "-o", out, "--overwrite")
    assert result.code == 0, result
    if suffix == "jsonl":
        rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    elif suffix == "parquet":
        rows = pq.read_table(out).to_pylist()
    else:
        rows = table(out, "\t" if suffix == "tsv" else ",")
    inputs = [json.loads(line) for line in (texts / "topics.jsonl").read_text("utf-8").splitlines()]
    model = load(single)
    assert isinstance(model, Classifier)
    for row, given, answer in zip(rows, inputs, model(each["text"] for each in inputs), strict=True):
        assert row["text"] == given["text"]
        assert row["label"] == answer.label
        assert float(row["score"]) == pytest.approx(answer.score, abs=0.02)


def test_all_scores_sum_to_one_and_top_k_takes_the_best(single: Path) -> None:
    result = call("predict", single, "--text", "The room was awful.", "--json", "--all-scores")
    row = json.loads(result.out)
    assert sum(each["score"] for each in row["scores"]) == pytest.approx(1, abs=1e-5)
    assert row["scores"][0] == {"label": row["label"], "score": row["score"]}
    assert row == json.loads(call("predict", single, "--text", "The room was awful.", "--json", "--top-k", 2).out)
    refused(call("predict", single, "--text", "a", "--top-k", "0"), "--top-k is 0", "at least 1")


def test_people_see_bars(single: Path, several: Path) -> None:
    result = call("predict", single, "--text", "The room was awful [bold].", "--top-k", "2")
    assert result.code == 0
    assert "The room was awful [bold]." in result.out
    assert "●" in result.out
    assert "█" in result.out
    assert call("predict", several, "--text", "").code == 0


def test_evaluate_agrees_with_the_scores_of_training(texts: Path, stars: Path) -> None:
    """All of the file, its training part too: only the road is compared."""
    result = call("evaluate", stars, texts / "stars.csv", "--json")
    assert result.code == 0, result
    assert json.loads(result.out)["texts"] == 400


def test_evaluate_draws_and_writes_predictions(texts: Path, single: Path) -> None:
    plot, out = texts / "confusion.png", texts / "judged.jsonl"
    result = call("evaluate", single, texts / "reviews.tsv", "--plot", plot, "--predictions", out)
    assert result.code == 0, result
    assert plot.read_bytes().startswith(b"\x89PNG")
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    right = sum(row["gold"] == row["label"] for row in rows) / len(rows)
    assert f"Accuracy {right:.4f}" in result.out
    assert "Matthews" in result.out


def test_empty_texts_are_answered_and_counted(texts: Path, single: Path) -> None:
    source = texts / "empty.txt"
    source.write_text("The room was awful.\n\n   \n")
    result = call("predict", single, source, "--json")
    assert len(result.out.splitlines()) == 3
    assert "2 texts are empty" in result.err


def test_a_label_that_train_lacks(texts: Path, single: Path) -> None:
    strange = texts / "strange.tsv"
    strange.write_text("text\tlabel\nThe room was awful.\tbad\nWell.\tmiddling\n")
    options = ("-o", texts / "never", "--encoder", texts / "encoder")
    refused(
        call("train", texts / "reviews.tsv", "--dev", strange, *options),
        "strange.tsv, line 3", "'middling' (1)", "'bad', 'good'", "--unknown-tags miss",
    )  # fmt: skip
    result = call("evaluate", single, strange)
    assert "middling" in result.err
    assert result.code == 0


def test_text_in_train_and_numbers_in_test(texts: Path) -> None:
    numbers = texts / "numbers.tsv"
    numbers.write_text("text\tlabel\nThe room was awful.\t0\nWell.\t1\n")
    refused(
        call("train", texts / "reviews.tsv", "--test", numbers, "-o", texts / "never", "--encoder", texts / "encoder"),
        "numbers.tsv, line 2", "numbers here and text in the training data", "--label-column", "--label-names",
    )  # fmt: skip


def test_options_of_the_other_task_are_refused(texts: Path, single: Path) -> None:
    conll = texts / "a.conll"
    conll.write_text("Oslo B-LOC\n")
    refused(call("train", conll, "--task", "token-classification", "--label-column", "1", "-o", texts / "never"),
            "--label-column", "--task sequence-classification")  # fmt: skip
    refused(call("train", conll, "--task", "poetry", "-o", texts / "never"), "'poetry'", "sequence-classification")
    crf = ("--head", "crf", "--class-weights", "balanced")
    refused(call("train", conll, *crf, "-o", texts / "never"), "--class-weights", "CRF", "--head linear")
    words = ("train", texts / "reviews.tsv", "-o", texts / "never", "--encoder", "bilstm")
    refused(call(*words), "--encoder bilstm is for token classification", "texts with labels")
    refused(call("predict", single, "--text", "a", "--argmax"), "--argmax")
    refused(call("evaluate", single, texts / "reviews.tsv", "--words"), "--words")
    refused(call("train", texts / "reviews.tsv", "--split", "80/30/10", "-o", texts / "never"), "80/30/10", "80/10/10")


def test_a_text_of_a_megabyte_is_read_whole(texts: Path, single: Path) -> None:
    source = texts / "long.jsonl"
    source.write_text(json.dumps({"text": "The room was awful. " * 50_000}) + "\n" + json.dumps({"text": "b"}) + "\n")
    result = call("predict", single, source)
    assert result.code == 0, result
    first = json.loads(result.out.splitlines()[0])
    assert first["label"] == "bad"
    windows = int(result.err.split(" windows")[0].split()[-1].replace(",", ""))
    assert windows > 50_000 * 5 / 256
