"""Tiny random models with their graphs, made once a session."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.families import LABELS, POSITIONS, Encoders, encoders
from tests.predict.tiny_texts import HEADS, write_classifier

__all__ = ["encoders"]


@pytest.fixture(scope="session")
def tagger_folder(encoders: Encoders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed folder of a random tagger with all graphs in f32."""
    import torch

    from tagline.folder import Manifest, seal
    from tagline.models.encoders import load_for_tokens
    from tagline.publish.graph import write_graph
    from tagline.publish.onnx import write_onnx

    folder = tmp_path_factory.mktemp("tagger")
    torch.manual_seed(2)
    loaded = load_for_tokens(str(encoders("bert-uncased")), LABELS)
    loaded.model.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
    loaded.model.train(False)
    write_graph(loaded.model, folder)
    write_onnx(loaded.model, folder)
    seal(folder, Manifest(window=POSITIONS, overlap=15, shapes=True, version="test"))
    return folder


@pytest.fixture(scope="session")
def classifier_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed folder of a random classifier with all graphs in f32."""
    from tagline.engines.torch import load_model
    from tagline.folder import ModelFolder, seal
    from tagline.publish.onnx import write_onnx

    folder = write_classifier("distilbert", HEADS["five"], tmp_path_factory.mktemp("classifier"))
    opened = ModelFolder.open(folder)
    write_onnx(load_model(opened), folder)
    seal(folder, opened.manifest)
    return folder
