"""Techniques of training together, on texts and on a BiLSTM: the folder answers as the trained model."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.cli.support import write_encoder
from tests.train.labelled import WORDS, toy
from tests.train.test_fit import Material, material, same
from tests.train.test_fit_texts import LEARN, answers

from tagline.engines.base import EngineSettings
from tagline.engines.torch import load_model
from tagline.errors import UsageError
from tagline.folder import ModelFolder
from tagline.models.encoders import last_layer
from tagline.predict.classifier import Classifier
from tagline.publish.write import Parts, write_model
from tagline.train.fit import fit
from tagline.train.provenance import manifest_of_texts
from tagline.train.texts.prepare import prepare_texts
from tagline.train.texts.settings import TextSettings
from tagline.train.tokens.prepare import prepare_tokens
from tagline.train.tokens.settings import BiLstmSettings

__all__ = ["material"]
TOGETHER = {"ema": 0.9, "layer_decay": 0.8, "rdrop": 1.0}


@pytest.mark.parametrize(("kind", "lora"), [("single", 2), ("several", 0)])
def test_a_classifier_with_a_mix_of_layers(kind: str, lora: int, tmp_path: Path) -> None:
    """Its graph computes less of the last layer, and the mix reads of every layer what the head asks for."""
    encoder = write_encoder(tmp_path / "encoder", [" ".join([*WORDS, "good bad green old tall more"])] * 3, 64)
    options = {**LEARN, **TOGETHER, "epochs": 2, "batch_tokens": 80, "mix_layers": 2, "lora": lora}
    settings = TextSettings(str(encoder), **options)
    data, dev = toy(kind, 40, 1), toy(kind, 20, 2)
    prepared = prepare_texts(data, dev, settings)
    fitted = fit(prepared, settings, tmp_path / "work")
    with torch.no_grad():  # a head that has learned for two epochs would hide differences
        last_layer(fitted.model, len(prepared.labels)).weight.normal_(0, 20)
    manifest = manifest_of_texts(fitted, {"train": data, "dev": dev})
    write_model(Parts(fitted.model, prepared.encoder.tokenizer, files=prepared.files), manifest, tmp_path / "model")
    loaded = load_model(ModelFolder.open(tmp_path / "model"))
    weights = loaded.state_dict()
    assert "mix.weights" in weights
    assert all(torch.equal(each, weights[name]) for name, each in fitted.model.state_dict().items())
    classifier = Classifier.open(tmp_path / "model", EngineSettings("openvino", "f32", "cpu", 1, cache=False))
    read = list(classifier.read((each.text, each.pair) for each in dev.texts))
    expected = answers(fitted, dev).numpy()
    assert expected.std(axis=0).max() > 1e-3
    np.testing.assert_allclose(np.stack([each.logits for each in read]), expected, atol=1e-4, rtol=1e-5)


def test_numbers_have_no_divergence() -> None:
    with pytest.raises(UsageError, match=r"--set rdrop=1.0, but numbers have no classes"):
        prepare_texts(toy("regression", 10, 1), None, TextSettings(rdrop=1.0))


def test_a_bilstm_is_trained_with_them_too(material: Material, tmp_path: Path) -> None:
    settings = BiLstmSettings(hidden=8, epochs=1, batch_tokens=200, threads=1, **TOGETHER)  # type: ignore[arg-type]
    fitted = [
        fit(prepare_tokens(material.train, material.dev, each), each, tmp_path / str(number))
        for number, each in enumerate((settings, settings, dataclasses.replace(settings, ema=0.0)))
    ]
    assert same(fitted[0], fitted[1])
    assert not same(fitted[0], fitted[2])
