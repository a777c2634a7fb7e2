"""The card's metadata block, read back by the hub's own library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tagline.folder import TEXT_CLASSIFICATION, Manifest
from tagline.publish.card import model_card

hub: Any = pytest.importorskip("huggingface_hub", reason="the hub's check needs the extra hub")


def read(manifest: Manifest, tmp_path: Path) -> Any:
    path = tmp_path / "README.md"
    path.write_text(model_card(manifest, 'a "name": it'), encoding="utf-8")
    assert hub.metadata_load(path)["library_name"] == "tagline"
    card = hub.ModelCard.load(path)
    again = hub.ModelCard(str(card)).data  # written and read once more
    assert again.to_dict() == card.data.to_dict()
    return again


def test_scores_of_texts_come_back_as_results(tmp_path: Path) -> None:
    metrics = {"test": {"texts": 9, "accuracy": 0.75, "macro": {"f1": 0.5}, "matthews": None}}
    training = {"data": {"test": {"file": "test.tsv", "sha256": "0" * 64, "texts": 9}}}
    data = read(Manifest(task=TEXT_CLASSIFICATION, metrics=metrics, training=training), tmp_path)
    assert (data.pipeline_tag, data.model_name) == (TEXT_CLASSIFICATION, 'a "name": it')
    found = {(each.metric_type, each.metric_name, each.metric_value) for each in data.eval_results}
    assert found == {("accuracy", "accuracy", 0.75), ("f1", "macro F1", 0.5)}
    assert {(each.dataset_name, each.dataset_split) for each in data.eval_results} == {("test.tsv", "test")}
    assert data.metrics == ["accuracy", "f1"]


def test_without_scores_there_are_no_results(tmp_path: Path) -> None:
    data = read(Manifest(), tmp_path)
    assert (data.pipeline_tag, data.eval_results) == ("token-classification", None)
