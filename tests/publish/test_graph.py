"""The exported graph against the torch model, on shapes that the tracer never saw."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.families import FAMILIES, LABELS, POSITIONS, Encoders
from transformers import AutoModelForTokenClassification, PreTrainedModel

from tagline.engines.openvino import compile_graph
from tagline.folder import GRAPH, GRAPH_WEIGHTS
from tagline.models.encoders import load_for_tokens
from tagline.publish.graph import input_names, write_graph
from tagline.records import Batch
from tagline.text.shapes import TYPES

SHAPES = [(1, 1), (1, 3), (2, 9), (3, 17), (5, 33), (2, POSITIONS), (7, POSITIONS - 1)]  # traced: (2, 9)
_WIDE: dict[str, Any] = {
    "vocab_size": 90, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
    "pad_token_id": 1, "max_position_embeddings": POSITIONS, "num_labels": len(LABELS),
}  # fmt: skip
_BEHIND_PADDING: dict[str, Any] = {"max_position_embeddings": POSITIONS + 2}
_DISENTANGLED: dict[str, Any] = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 0}
# Families that load_for_tokens takes beside the ten of tests/families.py, and other settings of those.
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "mpnet": ("MPNetConfig", _BEHIND_PADDING),
    "convbert": ("ConvBertConfig", {"embedding_size": 16, "head_ratio": 2}),
    "camembert": ("CamembertConfig", {**_BEHIND_PADDING, "type_vocab_size": 1}),
    "roberta-prelayernorm": ("RobertaPreLayerNormConfig", {**_BEHIND_PADDING, "type_vocab_size": 1}),
    "xlm-roberta-xl": ("XLMRobertaXLConfig", {**_BEHIND_PADDING, "type_vocab_size": 1}),
    "deberta-v2 with a convolution": (
        "DebertaV2Config",
        {
            **_DISENTANGLED, "position_biased_input": False, "position_buckets": 8, "share_att_key": True,
            "norm_rel_ebd": "layer_norm", "conv_kernel_size": 3, "conv_act": "gelu",
        },
    ),
    "deberta-v2 with segments": ("DebertaV2Config", {"relative_attention": False, "type_vocab_size": 2}),
}  # fmt: skip


def compiled(folder: Path) -> Any:

    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    return compile_graph(str(folder / GRAPH), options)


def random_batch(random: np.random.Generator, shape: tuple[int, int], words: int, types: int) -> Batch:
    """Ids from 5 on, rows of any length, padded with id 1."""
    ids, mask = random.integers(5, words, shape), np.ones(shape, dtype=np.int64)
    for row in range(1, shape[0]):
        mask[row, random.integers(1, shape[1] + 1) :] = 0
    ids[mask == 0] = 1
    return Batch(ids, mask, random.integers(0, types, shape) * mask)


def torch_logits(model: PreTrainedModel, batch: Batch) -> Any:
    inputs = {name: torch.from_numpy(getattr(batch, name)) for name in input_names(model)}
    with torch.no_grad():
        return model(**inputs).logits.numpy()


def check(model: PreTrainedModel, folder: Path, types: int) -> None:
    """Writes the graph and compares it; sees to it that the comparison could fail."""
    model.train(False)
    write_graph(model, folder)
    graph = compiled(folder)
    names = input_names(model)
    assert [each.get_any_name() for each in graph.inputs] == names
    assert [each.get_any_name() for each in graph.outputs] == ["logits"]
    random = np.random.default_rng(5)
    words = int(model.config.vocab_size)
    for shape in SHAPES:
        batch = random_batch(random, shape, words, types)
        theirs = torch_logits(model, batch)
        ours = graph({name: getattr(batch, name) for name in names})[0]
        assert ours.shape == theirs.shape == (*shape, len(LABELS))
        shown = batch.attention_mask == 1
        np.testing.assert_allclose(ours[shown], theirs[shown], atol=1e-4)
        if shape == (2, POSITIONS):
            assert theirs.std() > 0.02
            turned = Batch(batch.input_ids[:1, ::-1].copy(), batch.attention_mask[:1], batch.token_type_ids[:1])
            assert np.abs(torch_logits(model, turned)[:, ::-1] - theirs[:1]).max() > 1e-3  # positions count
            hidden = batch._replace(attention_mask=np.ones_like(batch.attention_mask))
            if not shown.all():
                assert np.abs(torch_logits(model, hidden) - theirs)[shown].max() > 1e-3  # the mask counts


@pytest.mark.parametrize("name", FAMILIES)
def test_graph_equals_the_model(name: str, encoders: Encoders, tmp_path: Path) -> None:
    torch.manual_seed(2)
    loaded = load_for_tokens(str(encoders(name)), LABELS)
    check(loaded.model, tmp_path, TYPES if loaded.shapes else 2 if FAMILIES[name].segments else 1)
    files = {each.name for each in tmp_path.iterdir()}
    assert files == {GRAPH, GRAPH_WEIGHTS}


@pytest.mark.parametrize("name", OTHERS)
def test_graph_of_other_families_and_settings(name: str, tmp_path: Path) -> None:
    import transformers

    kind, values = OTHERS[name]
    config = getattr(transformers, kind)(**{**_WIDE, **values})
    torch.manual_seed(2)
    model: Any = AutoModelForTokenClassification.from_config(config)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(10)
    check(model, tmp_path, max(1, getattr(config, "type_vocab_size", 1)))


def test_weights_are_kept_in_full_precision(encoders: Encoders, tmp_path: Path) -> None:
    model = load_for_tokens(str(encoders("bert-cased")), LABELS).model
    write_graph(model, tmp_path)
    size = (tmp_path / GRAPH_WEIGHTS).stat().st_size
    assert size >= 4 * sum(each.numel() for each in model.parameters()) * 0.95


def test_a_model_in_training_is_written_without_its_dropout(encoders: Encoders, tmp_path: Path) -> None:
    model = load_for_tokens(str(encoders("bert-cased")), LABELS).model
    model.train()
    write_graph(model, tmp_path)
    graph = compiled(tmp_path)
    batch = random_batch(np.random.default_rng(1), (2, 20), 80, 2)
    model.train(False)
    ours = graph({name: getattr(batch, name) for name in input_names(model)})[0]
    np.testing.assert_allclose(ours, torch_logits(model, batch), atol=1e-4)


def test_writing_is_quiet(encoders: Encoders, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = load_for_tokens(str(encoders("deberta")), LABELS).model
    capfd.readouterr()
    write_graph(model, tmp_path)
    assert capfd.readouterr() == ("", "")


def test_nothing_is_reported_to_the_makers_of_the_converter(
    encoders: Encoders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry: Any = pytest.importorskip("openvino_telemetry", reason="OpenVINO came without its telemetry").Telemetry
    sender: Any = importlib.import_module("openvino_telemetry.utils.sender").TelemetrySender
    model = load_for_tokens(str(encoders("distilbert")), LABELS).model
    monkeypatch.setattr(telemetry, "_SingletonMetaClass__single_instance", None)
    monkeypatch.delenv("CI", raising=False)
    sent: list[object] = []
    monkeypatch.setattr(sender, "send", lambda *message: sent.append(message))
    write_graph(model, tmp_path)
    assert sent == []
    assert telemetry().consent is False
    assert "CI" not in os.environ
    monkeypatch.setenv("CI", "yes")
    write_graph(model, tmp_path)
    assert os.environ["CI"] == "yes"
