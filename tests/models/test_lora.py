"""LoRA and freezing: what is trained, what stays, and that the merged model answers as the unmerged one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.families import Encoders
from tests.train.test_fast import apart, batch_of, gradients, model_of
from tests.train.test_fit import STEPS, Material, material, same, stop_at, weights
from torch import nn
from transformers import AutoModelForTokenClassification

from tagline.errors import Interrupted, UsageError
from tagline.models.layers import depths, freeze
from tagline.models.lora import add_lora, merge_lora
from tagline.train.fast.encoder import flat_encoder
from tagline.train.fit import fit
from tagline.train.tokens.settings import BiLstmSettings

__all__ = ["material"]


def model_with_head(folder: Path) -> Any:
    torch.manual_seed(2)
    model: Any = AutoModelForTokenClassification.from_pretrained(folder, num_labels=5, dtype=torch.float32)
    return model.eval()


@pytest.mark.parametrize("name", ["bert-uncased", "distilbert", "albert", "deberta-v2", "modernbert"])
def test_the_merged_model_answers_as_the_unmerged(encoders: Encoders, name: str) -> None:
    model = model_with_head(encoders(name))
    batch = batch_of(model, (9, 4, 7))
    names = set(model.state_dict())
    deep, top = depths(model)
    after = {each for each, depth in deep.items() if depth > top}
    assert "classifier.weight" in after
    kind = type(model)
    with torch.no_grad():
        before = model(**batch).logits
        add_lora(model, 3, 2.0, frozenset())
        torch.testing.assert_close(model(**batch).logits, before)  # it begins as it was
        trained = {each for each, parameter in model.named_parameters() if parameter.requires_grad}
        assert {each for each in trained if ".lora_" not in each} == after
        assert trained - after
        for each, parameter in model.named_parameters():
            if ".lora_B." in each:
                parameter.normal_(0, 0.3)
        unmerged = model(**batch).logits
        assert (unmerged - before).abs().max() > 1e-3
        merge_lora(model)
        torch.testing.assert_close(model(**batch).logits, unmerged, atol=1e-5, rtol=1e-5)
    assert set(model.state_dict()) == names
    assert type(model) is kind
    assert not [each for each in model.modules() if "peft" in type(each).__module__]


def test_trained_resumed_and_merged(material: Material, tmp_path: Path) -> None:
    settings = dataclasses.replace(material.settings, lora=2, lora_scale=3.0, epochs=2)
    prepared = material.prepared(settings)
    before = {name: each.clone() for name, each in prepared.encoder.model.state_dict().items()}
    fitted = fit(prepared, settings, tmp_path / "whole")
    after = weights(fitted)
    assert after.keys() == before.keys()
    assert flat_encoder(fitted.model) is not None  # the layers are BERT's again
    for name in after:
        changed = after[name] - before[name]
        if name in prepared.encoder.fresh:
            assert changed.any(), name
        elif name.startswith("bert.encoder.layer.") and after[name].ndim == 2:
            assert int(torch.linalg.matrix_rank(changed, atol=1e-6)) <= 2, name
            assert changed.any(), name
        else:
            assert not changed.any(), name
    with pytest.raises(Interrupted):
        material.fit(tmp_path / "work", report=stop_at(STEPS + 2), lora=2, lora_scale=3.0, epochs=2)
    resumed = fit(material.prepared(settings, spoilt=False), settings, tmp_path / "work", resume=True)
    assert same(resumed, fitted)


def test_frozen_layers_stay(material: Material, tmp_path: Path) -> None:
    settings = dataclasses.replace(material.settings, freeze_layers=1, epochs=1)
    prepared = material.prepared(settings)
    before = {name: each.clone() for name, each in prepared.encoder.model.state_dict().items()}
    after = weights(fit(prepared, settings, tmp_path / "work"))
    for name, each in after.items():
        stays = name.startswith(("bert.embeddings.", "bert.encoder.layer.0.")) and name not in prepared.encoder.fresh
        assert torch.equal(each, before[name]) == stays, name
    with pytest.raises(UsageError, match="--set freeze_layers=3; this encoder has 2 layers"):
        material.fit(tmp_path / "work", freeze_layers=3)
    with pytest.raises(UsageError, match="--set freeze_layers=1 is for pretrained encoders"):
        BiLstmSettings(freeze_layers=1)


def test_frozen_layers_get_no_changes_of_low_rank(material: Material, tmp_path: Path) -> None:
    settings = dataclasses.replace(material.settings, freeze_layers=1, lora=2, epochs=1)
    prepared = material.prepared(settings)
    before = {name: each.clone() for name, each in prepared.encoder.model.state_dict().items()}
    after = weights(fit(prepared, settings, tmp_path / "work"))
    matrix = "bert.encoder.layer.{}.attention.self.query.weight"
    assert torch.equal(after[matrix.format(0)], before[matrix.format(0)])
    assert not torch.equal(after[matrix.format(1)], before[matrix.format(1)])
    with pytest.raises(UsageError, match="--set lora=2: the layers of bert hold no matrices of their own, or all are"):
        material.fit(tmp_path / "work", freeze_layers=2, lora=2)


def test_gradients_through_frozen_layers_are_the_same_on_both_paths(encoders: Encoders) -> None:
    model = model_of(encoders("bert-uncased"))
    shapes = "bert.embeddings.token_type_embeddings.weight"
    freeze(model, 1, frozenset({shapes}))
    batch = batch_of(model, (9, 4, 7, 1))
    loss, own = gradients(model, batch, flat=False)
    flat_loss, flat = gradients(model, batch, flat=True)
    assert flat_loss == pytest.approx(loss, abs=1e-5)
    assert shapes in own
    assert not any(name.startswith("bert.encoder.layer.0.") for name in own)
    assert apart(flat, own) < 1e-5


def test_a_model_without_matrices_in_its_layers_is_refused() -> None:
    class Nothing(nn.Module):
        base_model_prefix = ""
        config = type("Config", (), {"model_type": "nothing"})

    with pytest.raises(UsageError, match="--set lora=4: the layers of nothing hold no matrices"):
        add_lora(Nothing(), 4, 2.0, frozenset())  # type: ignore[arg-type]
