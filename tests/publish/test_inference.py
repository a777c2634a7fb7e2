"""The inference form: small, read by the engine in every precision, refused where more is lost than allowed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.families import LABELS, Encoders
from tests.publish.test_graph import random_batch

from tagline.engines import EngineSettings, open_engine
from tagline.errors import FolderError, RefusedError
from tagline.folder import CARD, INT8_GRAPH, INT8_WEIGHTS, WEIGHTS, Manifest, ModelFolder
from tagline.models.encoders import load_for_tokens
from tagline.publish.inference import FORM, Scores, write_inference
from tagline.publish.write import Parts, write_model

pytestmark = pytest.mark.filterwarnings("ignore:Tokenizer does not support real words:UserWarning")
pytest.importorskip("nncf", reason="int8 needs the extra int8")


@pytest.fixture
def full(encoders: Encoders, tmp_path: Path) -> ModelFolder:
    torch.manual_seed(3)
    loaded = load_for_tokens(str(encoders("bert-uncased")), LABELS)
    return write_model(Parts(loaded.model, loaded.tokenizer), Manifest(), tmp_path / "full")


def logits(folder: ModelFolder, precision: str) -> NDArray[np.float32]:
    batch = random_batch(np.random.default_rng(1), (3, 12), int(folder.config["vocab_size"]), 2)
    engine = open_engine(folder, EngineSettings(precision=precision, threads=1, cache=False))
    assert engine.name == "openvino"
    (found,) = engine.run([batch])
    return found


def test_it_holds_what_reading_needs_and_every_precision_runs(
    full: ModelFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # bf16 between the layers moves so small a model's logits more than the rounding of weights does.
    monkeypatch.setattr("tagline.engines.openvino.processor_has_bf16", lambda: False)
    target = tmp_path / "small"
    scores = Scores("F1", 0.9, 0.899, {})
    assert write_inference(full, target, lambda folder: scores) is scores
    small = ModelFolder.open(target)
    assert small.only_reads
    assert not full.only_reads
    expected = {
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "tagline.json",
        CARD,
        INT8_GRAPH,
        INT8_WEIGHTS,
    }
    assert {each.name for each in target.iterdir()} == expected
    size, before = ((each / name).stat().st_size for each, name in ((target, INT8_WEIGHTS), (full.path, WEIGHTS)))
    assert size < 0.6 * before
    facts = small.manifest.training[FORM]
    assert (facts["metric"], facts["f32"], facts["int8"]) == ("F1", 0.9, 0.899)
    assert any("classifier" in name for name in facts["kept_in_f32"])
    assert any("token_type" in name for name in facts["kept_in_f32"])
    card = (target / CARD).read_text(encoding="utf-8")
    assert "the rounding costs 0.10 points" in card
    wanted = logits(full, "f32")
    spread = float(wanted.std())
    assert open_engine(small, EngineSettings(threads=1, cache=False)).precision == "int8"
    for precision, near in (("int8", 0.2), ("f32", 0.1)):
        assert 0 < float(np.abs(logits(small, precision) - wanted).mean()) < near * spread


def test_too_much_loss_writes_nothing(full: ModelFolder, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"loses 1\.00 points of F1 on dev .*nothing was written"):
        write_inference(full, tmp_path / "small", lambda folder: Scores("F1", 0.9, 0.89, {}))
    assert not (tmp_path / "small").exists()


def test_what_it_cannot_do_is_said(full: ModelFolder, tmp_path: Path) -> None:
    write_inference(full, tmp_path / "small")
    small = ModelFolder.open(tmp_path / "small")
    assert "What the rounding costs was not measured" in (small.path / CARD).read_text(encoding="utf-8")
    for engine in ("torch", "onnx"):
        with pytest.raises(FolderError, match=f"inference form only.*--engine {engine} needs the folder"):
            open_engine(small, EngineSettings(engine=engine))
    with pytest.raises(FolderError, match="inference form only"):
        write_inference(small, tmp_path / "again")
