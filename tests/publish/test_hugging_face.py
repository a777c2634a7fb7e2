"""The plain folder for transformers: what stands in it, that it answers as the model does, and what is refused."""

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
from tests.families import LABELS, Encoders
from tests.predict.test_pipeline import tiny
from tests.predict.tiny_texts import HEADS, write_classifier

from tagline.engines.torch import load_model
from tagline.errors import RefusedError
from tagline.folder import CARD, INT8_GRAPH, INT8_WEIGHTS, MIXED, WORD_LEVEL, Manifest, ModelFolder
from tagline.models.encoders import load_for_tokens
from tagline.publish.card import model_card
from tagline.publish.hugging_face import refusals, write_hugging_face
from tagline.publish.write import Parts, write_model
from tagline.records import Problem

FILES = {"README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
SEGMENTS = "zeros as segment ids"


@pytest.fixture
def model(encoders: Encoders, tmp_path: Path) -> ModelFolder:
    """A model of Tagline's that reads word shapes."""
    torch.manual_seed(3)
    loaded = load_for_tokens(str(encoders("bert-uncased")), LABELS)
    return write_model(Parts(loaded.model, loaded.tokenizer), Manifest(shapes=True, version="1"), tmp_path / "full")


def logits(kind: str, folder: Path, ids: torch.Tensor) -> torch.Tensor:
    """What anybody gets from transformers."""
    loader: Any = getattr(importlib.import_module("transformers"), kind)
    with torch.no_grad():
        found: torch.Tensor = loader.from_pretrained(folder).eval()(input_ids=ids).logits
    return found


def test_a_model_of_ours(model: ModelFolder, tmp_path: Path) -> None:
    target = tmp_path / "plain"
    facts = write_hugging_face(model, target)
    assert facts.loader == "AutoModelForTokenClassification"
    assert {each.name for each in target.iterdir()} == FILES
    ids = torch.from_numpy(np.random.default_rng(2).integers(0, int(model.config["vocab_size"]), (2, 9)))
    with torch.no_grad():
        expected = load_model(model)(input_ids=ids).logits
    assert torch.equal(logits(facts.loader, target, ids), expected)
    assert expected.std() > 1e-3
    config = json.loads((target / "config.json").read_text("utf-8"))
    assert tuple(config["id2label"].values()) == LABELS
    assert any(SEGMENTS in each for each in facts.differences)
    card = (target / CARD).read_text("utf-8")
    assert SEGMENTS in card
    assert "library_name: transformers" in card
    assert 'pipeline("token-classification", model="plain"' in card
    for absent in ("tagline.load", "tagline.json", "openvino"):
        assert absent not in card


@pytest.mark.parametrize("family", ["roberta", "albert"])
def test_a_model_from_elsewhere_whose_weights_are_a_pickle(family: str, tmp_path: Path) -> None:
    folder = write_classifier(family, HEADS["emotions"], tmp_path / "theirs", graph=False)
    ids = torch.arange(5, 25).reshape(2, 10)
    kind = "AutoModelForSequenceClassification"
    expected = logits(kind, folder, ids)
    state = importlib.import_module("safetensors.torch").load_file(folder / "model.safetensors")
    torch.save(state, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    facts = write_hugging_face(ModelFolder.open(folder), tmp_path / "plain")
    assert (facts.loader, facts.differences) == (kind, [])
    assert (tmp_path / "plain" / "model.safetensors").is_file()
    assert torch.equal(logits(kind, tmp_path / "plain", ids), expected)
    card = (tmp_path / "plain" / CARD).read_text("utf-8")
    assert "Trained elsewhere" in card
    assert "Trained by Tagline" not in card


def test_heads_that_transformers_lacks(model: ModelFolder, tmp_path: Path) -> None:
    assert refusals(model) == []
    size = len(model.labels) + 1
    crf = replace(model, manifest=replace(model.manifest, transitions=[[0.0] * size] * size))
    for folder, said in (
        (crf, r"CRF.*--head linear"),
        (replace(model, config={"model_type": WORD_LEVEL}), "BiLSTM.*--encoder minilm"),
        (replace(model, config={"model_type": MIXED}), "mix of layers.*mix_layers=0"),
    ):
        with pytest.raises(RefusedError, match=said):
            write_hugging_face(folder, tmp_path / "none")
    small = tmp_path / "small"
    small.mkdir()
    for name in (INT8_GRAPH, INT8_WEIGHTS):
        (small / name).touch()
    with pytest.raises(RefusedError, match=r"inference form.*without the weights"):
        write_hugging_face(replace(model, path=small), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_the_card_of_an_inference_form_does_not_send_to_transformers() -> None:
    manifest = Manifest(shapes=True, context=20, training={"inference_form": {}})
    assert "`transformers`" not in model_card(manifest, "small")
    assert "`transformers` loads the folder too" in model_card(replace(manifest, training={}), "full")


@pytest.mark.parametrize("training", [{"encoder": {"family": WORD_LEVEL}}, {"settings": {"mix_layers": 4}}])
def test_the_card_of_what_transformers_refuses_says_nothing_else_of_it(training: dict[str, Any]) -> None:
    manifest = Manifest(shapes=True, context=20, transitions=[[0.0]], training=training)
    card = model_card(manifest, "name")
    assert card.count("`transformers`") == 1
    assert "`transformers` does not know of: it refuses the folder" in card
    assert "Segment ids carry word shapes." in card


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"problem": Problem.REGRESSION}, 'function_to_apply="none"'),
        ({"paired": True}, '{"text": "…", "text_pair": "…"}'),
        ({"problem": Problem.MULTI, "thresholds": {"joy": 0.3}}, "threshold of its own"),
    ],
)
def test_the_card_says_how_texts_are_read(changes: dict[str, Any], code: str) -> None:
    assert code in model_card(replace(Manifest(task="text-classification"), **changes), "name", plain=True)


def test_the_command(model: ModelFolder, tmp_path: Path) -> None:
    refused(call("export", model.path, "--to", "hf"), "needs a folder", "--to hf DIR")
    result = call("export", model.path, "--to", "hf", tmp_path / "made", "--json")
    assert result.code == 0, result
    assert json.loads(result.out)["loader"] == "AutoModelForTokenClassification"
    assert f"warning: The model reads word shapes as segment ids; transformers sends {SEGMENTS}" in result.err
    refused(call("export", model.path, "--to", "hf", tmp_path / "made"), "not empty", "--overwrite")
    plain = tiny("bert-cased", ("O", "B-A", "I-A"), tmp_path / "plain", graph=False)
    result = call("export", plain, "--to", "hf", tmp_path / "again")
    assert result.code == 0, result
    assert "warning" not in result.err
    refused(call("export", plain, "--to", "hugging-face", tmp_path / "no"), "accepted are", "hf", "spark-nlp")
