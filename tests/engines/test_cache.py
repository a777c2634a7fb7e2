"""Compiled graphs that are kept: the next start takes them, and none that another setting left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tagline.engines import EngineSettings, open_engine
from tagline.engines.openvino import OpenVinoEngine, compile_graph
from tagline.folder import GRAPH, ModelFolder


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
