"""Compiled graphs that are kept: the next start takes them, and none that another setting left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
import torch
from tests.families import FAMILIES, LABELS, POSITIONS, Encoders, tokenizer_of
from tests.models.test_bilstm import CHARACTERS, make

from tagline.engines import EngineSettings, open_engine
from tagline.engines.openvino import OpenVinoEngine, compile_graph
from tagline.folder import GRAPH, INT8_GRAPH, Manifest, ModelFolder, seal
from tagline.models.encoders import load_for_tokens
from tagline.publish.graph import write_graph
from tagline.publish.int8_dynamic import round_weights
from tagline.records import Batch


def kinds(compiled: Any) -> set[str]:
    """What the operations of a compiled graph are computed as."""
    return {each.get_rt_info()["layerType"].astype(str) for each in compiled.get_runtime_model().get_ordered_ops()}


def opened(folder: Path) -> Any:
    engine = open_engine(ModelFolder.open(folder), EngineSettings("openvino", "f32", threads=1))
    assert isinstance(engine, OpenVinoEngine)
    return engine._model


def test_attention_stays_products_whatever_lies_in_the_cache(
    tagger_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path))
    # As Tagline kept graphs before: OpenVINO does not see that they were made with another setting.
    earlier = tmp_path / "openvino"
    options = {
        "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "CACHE_MODE": "OPTIMIZE_SIZE",
        "CACHE_DIR": str(earlier),
    }  # fmt: skip
    compile_graph(str(tagger_folder / GRAPH), options)
    assert list(earlier.glob("*.blob"))
    first = opened(tagger_folder)
    assert not first.get_property("LOADED_FROM_CACHE")
    second = opened(tagger_folder)
    assert second.get_property("LOADED_FROM_CACHE")
    for compiled in (first, second):
        assert "Softmax" in kinds(compiled)
        assert "Subgraph" not in kinds(compiled)


@pytest.mark.parametrize("name", [*FAMILIES, "bilstm", "bilstm-characters"])
@pytest.mark.parametrize("precision", ["f32", "int8"])
def test_a_kept_graph_says_what_a_fresh_one_does(
    encoders: Encoders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, precision: str
) -> None:
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path / "cache"))
    torch.manual_seed(4)
    folder = tmp_path / "model"
    model: Any
    characters = CHARACTERS if name == "bilstm-characters" else {}
    if name.startswith("bilstm"):
        model = make(**characters)
        model.save_pretrained(folder)
        tokenizer_of("bert-uncased").save_pretrained(folder)
    else:
        loaded = load_for_tokens(str(encoders(name)), LABELS)
        model = loaded.model
        model.save_pretrained(folder)
        loaded.tokenizer.save_pretrained(folder)
    model.train(False)
    write_graph(model, folder)
    if precision == "int8":
        graph = openvino.Core().read_model(folder / GRAPH)
        round_weights(graph, folder / INT8_GRAPH)
    seal(folder, Manifest(window=POSITIONS, overlap=15, version="test"))
    width = characters.get("characters", 0) + 1
    ids = np.random.default_rng(1).integers(5, 25, (3, 8 * width))
    mask = np.ones_like(ids)
    mask[1, 4 * width :] = 0
    given = Batch(ids, mask, np.zeros_like(ids))
    answers = []
    for kept in (False, True):
        engine = open_engine(ModelFolder.open(folder), EngineSettings("openvino", precision, threads=2))
        assert isinstance(engine, OpenVinoEngine)
        assert engine._model.get_property("LOADED_FROM_CACHE") == kept
        answers.append(next(iter(engine.run([given]))))
    np.testing.assert_allclose(answers[1], answers[0], rtol=0, atol=1e-5)
