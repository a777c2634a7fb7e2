"""The folder for Spark NLP: what stands in it, what it says, and what is refused."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.cli.support import call, refused
from tests.predict.test_pipeline import tiny
from tests.predict.tiny_texts import HEADS, write_classifier
from tokenizers import Tokenizer

from tagline.engines.torch import load_model
from tagline.folder import ModelFolder
from tagline.publish.spark_nlp import refusals, write_spark_nlp
from tagline.records import Problem

LABELS = ("O", *(f"{prefix}-{number}" for number in range(6) for prefix in "BI"))  # ten sorts before two as text


@pytest.mark.parametrize("family", ["bert-cased", "roberta"])
@pytest.mark.parametrize("task", ["token", "sequence"])
def test_the_folder(family: str, task: str, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    if task == "token":
        tiny(family, LABELS, plain, graph=False)
    else:
        write_classifier(family, HEADS["emotions"], plain, graph=False)
    folder, target = ModelFolder.open(plain), tmp_path / "spark"
    facts = write_spark_nlp(folder, target)
    bert = family == "bert-cased"
    named = f"{'Bert' if bert else 'RoBerta'}For{task.capitalize()}Classification"
    assert (facts.annotator, facts.case_sensitive, facts.longest) == (named, True, 64)
    assert facts.activation == ("" if task == "token" else "sigmoid")
    assets = ["labels.txt", "vocab.txt"] if bert else ["labels.txt", "merges.txt", "vocab.txt"]
    found = sorted(str(each.relative_to(target)) for each in target.rglob("*") if each.is_file())
    assert found == [*(f"assets/{name}" for name in assets), "model.onnx"]
    assert (target / "assets" / "labels.txt").read_text("utf-8") == "\n".join(folder.labels)
    pieces = (target / "assets" / "vocab.txt").read_text("utf-8").split("\n")[:-1]
    assert {piece: number for number, piece in enumerate(pieces)} == Tokenizer.from_file(
        str(plain / "tokenizer.json")
    ).get_vocab()
    graph = importlib.import_module("onnx").load(target / "model.onnx")
    assert graph.ir_version == 8
    assert [each.version for each in graph.opset_import if each.domain == ""] == [17]
    session = importlib.import_module("onnxruntime").InferenceSession(target / "model.onnx")
    ids = np.random.default_rng(4).integers(5, 90, (2, 11))
    given: dict[str, Any] = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    with torch.no_grad():
        expected = load_model(folder)(**{name: torch.from_numpy(each) for name, each in given.items()}).logits.numpy()
    if bert:
        given["token_type_ids"] = np.zeros_like(ids)
    np.testing.assert_allclose(session.run(["logits"], given)[0], expected, atol=1e-4)
    assert expected.std() > 1e-3


def test_what_spark_nlp_would_answer_otherwise(tmp_path: Path) -> None:
    folder = ModelFolder.open(tiny("bert-cased", ("O", "B-A", "I-A"), tmp_path / "plain", graph=False))
    assert refusals(folder) == []
    texts = replace(folder.manifest, task="text-classification")
    for manifest, said in (
        (replace(folder.manifest, shapes=True), "train … --set shapes=false"),
        (replace(folder.manifest, gazetteer=True), "train … --set train_names=false, no --gazetteer"),
        (replace(folder.manifest, transitions=[[0.0] * 4] * 4), "--head linear"),
        (replace(folder.manifest, window=8192), "8192"),
        (replace(texts, paired=True), "pairs"),
        (replace(texts, problem=Problem.REGRESSION), "number"),
        (replace(texts, problem=Problem.MULTI, thresholds={"O": 0.3}), "setThreshold"),
    ):
        (reason,) = refusals(replace(folder, manifest=manifest))
        assert said in reason
    assert "bert, roberta" in refusals(replace(folder, config={"model_type": "albert"}))[0]
    assert "BiLSTM" in refusals(replace(folder, config={"model_type": "tagline-bilstm"}))[0]


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path / "cache"))
    model = tiny("bert-cased", ("O", "B-A", "I-A"), tmp_path / "model")
    refused(call("export", model, "--to", "spark-nlp"), "needs a folder", "--to spark-nlp DIR")
    result = call("export", model, "--to", "spark-nlp", tmp_path / "made", "--json")
    assert result.code == 0, result
    assert json.loads(result.out)["annotator"] == "BertForTokenClassification"
    refused(call("export", model, "--to", "spark-nlp", tmp_path / "made"), "not empty", "--overwrite")
    albert = tiny("albert", ("O", "B-A", "I-A"), tmp_path / "albert")
    result = call("export", albert, "--to", "spark-nlp", tmp_path / "none")
    assert result.code == 1
    assert "family is 'albert'" in result.err
    assert "wrote" not in result.err
    assert not (tmp_path / "none").exists()
