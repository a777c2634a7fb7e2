"""Mixing of layers: the formula on the layers that transformers shows, the flat layers, the folder, the engines."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.families import Encoders
from tests.train.test_fast import apart, batch_of, gradients, model_of
from tests.train.test_fit import STEPS, Material, material, same, stop_at
from transformers import AutoModelForTokenClassification

from tagline.engines.base import EngineSettings
from tagline.errors import FolderError, Interrupted, UsageError
from tagline.folder import WEIGHTS, ModelFolder
from tagline.models.encoders import load_for_tokens
from tagline.models.mixing import LayerMix, add_mix, mix_of, with_mix
from tagline.predict.judging import judge
from tagline.predict.tagger import Tagger
from tagline.publish.onnx import write_onnx
from tagline.publish.write import Parts, write_model
from tagline.train.fit import fit
from tagline.train.provenance import manifest_of_tokens
from tagline.train.tokens.settings import BiLstmSettings

__all__ = ["material"]


def stirred(mix: LayerMix) -> LayerMix:
    """The mix with other weights than at its beginning."""
    with torch.no_grad():
        mix.weights.copy_(torch.linspace(-1.0, 0.7, len(mix.weights)))
        mix.scale.fill_(1.3)
    return mix


def test_the_mix_is_the_weighted_mean_of_the_paper() -> None:
    hidden = [torch.randn(2, 3, 4) for _ in range(3)]
    mix = LayerMix(3)
    torch.testing.assert_close(mix(hidden), sum(hidden) / 3)
    stirred(mix)
    raised = [2.718281828459045 ** float(weight) for weight in mix.weights.detach()]
    expected = sum(1.3 * each / sum(raised) * layer for each, layer in zip(raised, hidden, strict=True))
    torch.testing.assert_close(mix(hidden), expected)


@pytest.mark.parametrize("name", ["bert-uncased", "roberta", "distilbert", "electra", "deberta-v2"])
def test_the_head_reads_the_mix_of_the_topmost_layers(encoders: Encoders, name: str) -> None:
    torch.manual_seed(1)
    model: Any = AutoModelForTokenClassification.from_pretrained(encoders(name), num_labels=5, dtype=torch.float32)
    model.eval()
    batch = batch_of(model, (9, 4, 7))
    with torch.no_grad():
        shown = model(**batch, output_hidden_states=True)
        before = shown.logits
        mix = stirred(add_mix(model, 2))
        found = model(**batch).logits
        assert not torch.allclose(found, before)
        expected = model.classifier(mix(shown.hidden_states[-2:]))
    real = batch["attention_mask"].bool()
    torch.testing.assert_close(found[real], expected[real], atol=1e-5, rtol=1e-5)
    mix.weights.data = torch.tensor([-1e4, 0.0])  # all weight on the last layer
    mix.scale.data.fill_(1.0)
    with torch.no_grad():
        torch.testing.assert_close(model(**batch).logits[real], before[real], atol=1e-6, rtol=1e-5)


def test_the_flat_layers_mix_too(encoders: Encoders) -> None:
    model = model_of(encoders("bert-uncased"))
    stirred(add_mix(model, 2))
    batch = batch_of(model, (9, 4, 7, 1))
    loss, own = gradients(model, batch, flat=False)
    flat_loss, flat = gradients(model, batch, flat=True)
    assert flat_loss == pytest.approx(loss, abs=1e-5)
    assert "mix.weights" in own
    assert apart(flat, own) < 1e-5


def test_so_many_layers_must_be_there(encoders: Encoders) -> None:
    labels = ("O", "B-A", "I-A")
    encoder = load_for_tokens(str(encoders("bert-uncased")), labels)
    assert with_mix(encoder, 0) is encoder
    for number in (1, 3):
        with pytest.raises(UsageError, match=f"--set mix_layers={number}; for encoder .* expected 0 or 2 to 2"):
            with_mix(encoder, number)
    mixed = with_mix(encoder, 2)
    assert mixed.fresh - encoder.fresh == {"mix.weights", "mix.scale"}
    with pytest.raises(UsageError, match="its layers share their weights"):
        with_mix(load_for_tokens(str(encoders("albert")), labels), 2)
    with pytest.raises(UsageError, match="--set mix_layers=2 is for pretrained encoders"):
        BiLstmSettings(mix_layers=2)


def test_from_training_to_every_engine(material: Material, tmp_path: Path) -> None:
    settings = dataclasses.replace(material.settings, mix_layers=2, epochs=2)
    prepared = material.prepared(settings)
    fitted = fit(prepared, settings, tmp_path / "whole")
    with pytest.raises(Interrupted):
        material.fit(tmp_path / "work", report=stop_at(STEPS + 2), mix_layers=2, epochs=2)
    assert same(material.fit(tmp_path / "work", resume=True, mix_layers=2, epochs=2), fitted)
    mix = mix_of(fitted.model)
    assert mix is not None
    assert mix.weights.abs().max() > 0
    manifest = manifest_of_tokens(fitted, {"train": material.train, "dev": material.dev})
    target = tmp_path / "model"
    write_model(Parts(fitted.model, prepared.encoder.tokenizer, files=prepared.files), manifest, target)
    write_onnx(fitted.model, target)
    assert "learned mix of the 2 topmost layers" in (target / "README.md").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="tagline-mixed"):
        AutoModelForTokenClassification.from_pretrained(target)
    words = [sentence.words for sentence in material.dev.sentences]
    answers = {}
    for engine in ("openvino", "torch", "onnx"):
        tagger = Tagger.open(target, EngineSettings(engine, "f32", "cpu", cache=False))
        answers[engine] = list(tagger.stream_words(words))
        if engine == "openvino":
            assert judge(tagger, material.dev).report.to_json()["strict"]["f1"] == pytest.approx(fitted.dev_score)
    for engine in ("torch", "onnx"):
        for ours, theirs in zip(answers["openvino"], answers[engine], strict=True):
            assert ours.tags == theirs.tags
            np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)


def test_a_folder_without_the_mix_is_damaged(material: Material, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    from tagline.engines.torch import load_model
    from tagline.folder import Manifest, seal
    from tagline.models.mixing import mark_mixed

    encoder = with_mix(load_for_tokens(material.settings.encoder, ("O", "B-A", "I-A")), 2)
    encoder.model.save_pretrained(tmp_path)
    encoder.tokenizer.save_pretrained(tmp_path)
    mark_mixed(encoder.model, tmp_path)
    seal(tmp_path, Manifest())
    ids = torch.tensor([[2, 7, 8, 9, 3]])
    with torch.no_grad():
        expected = encoder.model.train(False)(input_ids=ids).logits
        assert torch.equal(load_model(ModelFolder.open(tmp_path))(input_ids=ids).logits, expected)
    kept = {name: each for name, each in load_file(tmp_path / WEIGHTS).items() if not name.startswith("mix.")}
    save_file(kept, tmp_path / WEIGHTS, {"format": "pt"})
    seal(tmp_path, Manifest())
    with pytest.raises(FolderError, match="lacks the weights of the mix"):
        load_model(ModelFolder.open(tmp_path))
