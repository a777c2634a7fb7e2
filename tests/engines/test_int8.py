"""Rounded weights: the answers stay those of the f32 graph, however narrow the layers and however many streams."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tagline.engines import EngineSettings, open_engine
from tagline.folder import GRAPH, INT8_GRAPH, ModelFolder, seal
from tagline.records import Batch


@pytest.mark.parametrize("threads", [1, 2])
def test_narrow_layers_keep_their_answers(tagger_folder: Path, tmp_path: Path, threads: int) -> None:
    pytest.importorskip("nncf", reason="int8 needs the extra int8")
    import openvino

    from tagline.publish.int8_dynamic import round_weights

    folder = tmp_path / "model"
    shutil.copytree(tagger_folder, folder)
    round_weights(openvino.Core().read_model(folder / GRAPH), folder / INT8_GRAPH)
    seal(folder, ModelFolder.open(folder).manifest)
    random = np.random.default_rng(4)
    batches = []
    for width in (5, 12, 15):
        ids = random.integers(5, 60, (16, width))
        batches.append(Batch(ids, np.ones_like(ids), np.zeros_like(ids)))
    found = {
        precision: np.concatenate([
            each.reshape(-1, each.shape[-1])
            for each in open_engine(
                ModelFolder.open(folder), EngineSettings("openvino", precision, threads=threads, cache=False)
            ).run(batches)
        ])
        for precision in ("f32", "int8")
    }  # fmt: skip
    difference = np.abs(found["int8"] - found["f32"]).max()
    assert 0 < difference < 0.05 * np.ptp(found["f32"])
