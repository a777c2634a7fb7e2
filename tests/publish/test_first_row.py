"""The graph of a classifier computes one row of the last layer, and says the same."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
import torch
from tests.families import FAMILIES, POSITIONS, config_of, tokenizer_of

from tagline.engines.openvino import compile_graph
from tagline.folder import GRAPH
from tagline.publish import graph as publishing
from tagline.publish.first_row import keep_first_row
from tagline.publish.graph import input_names, write_graph

hf = importlib.import_module("transformers")  # untyped: its signatures are not those of its own folders
EXACT = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
# Its gated layers split their rows, and what splits is left whole.
WITHOUT = {"modernbert"}


def classifier(family: str) -> Any:
    torch.manual_seed(3)
    config = config_of(family, tokenizer_of(family))
    config.num_labels = 3
    return hf.AutoModelForSequenceClassification.from_config(config).eval()


def products(graph: Any, length: int) -> int:
    """Multiplications of matrix products with constant weights, for one window of a length."""
    graph = graph.clone()
    graph.reshape({port: [1, length] for port in graph.inputs})
    total = 0
    for node in graph.get_ops():
        if node.get_type_name() == "MatMul":
            shapes = [port.get_partial_shape() for port in node.inputs()]
            if all(shape.is_static for shape in shapes):
                total += int(np.prod(shapes[0].to_shape())) * int(node.output(0).get_partial_shape()[-1].get_length())
    return total


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_logits_stay_and_work_goes(family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = classifier(family)
    names = input_names(model)
    write_graph(model, tmp_path)
    monkeypatch.setattr(publishing, "keep_first_row", lambda graph: False)
    (tmp_path / "plain").mkdir()
    write_graph(model, tmp_path / "plain")
    core = openvino.Core()
    less, plain = (core.read_model(folder / GRAPH) for folder in (tmp_path, tmp_path / "plain"))
    assert (products(less, 40) < products(plain, 40)) is (family not in WITHOUT)
    random = np.random.default_rng(5)
    for rows, length in ((1, 1), (1, 7), (4, 23), (2, POSITIONS - 3)):
        ids = random.integers(5, 60, (rows, length))
        mask = np.ones_like(ids)
        mask[-1, (length + 1) // 2 :] = 0
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        inputs = {name: feed[name] for name in names}
        with torch.no_grad():
            expected = model(**{name: torch.from_numpy(value) for name, value in inputs.items()}).logits.numpy()
        for graph in (less, plain):
            found = compile_graph(graph, EXACT)(inputs)[0]
            np.testing.assert_allclose(found, expected, atol=2e-5)


def test_a_tagger_is_left_as_it_is() -> None:
    model = hf.AutoModelForTokenClassification.from_config(
        config_of("bert-uncased", tokenizer_of("bert-uncased"))
    ).eval()
    names = input_names(model)
    inputs = tuple(publishing.example_inputs(names).values())
    with publishing.quiet(), torch.no_grad():
        graph = openvino.convert_model(publishing.LogitsOf(model, names), example_input=inputs)
    before = len(graph.get_ops())
    assert not keep_first_row(graph)
    assert len(graph.get_ops()) == before


def test_a_layer_that_serves_others_too_is_left_whole() -> None:
    ops = importlib.import_module("openvino.opset13")
    given = ops.parameter([-1, -1, 4], np.float32, name="given")
    layer = ops.relu(ops.matmul(given, ops.constant(np.eye(4, dtype=np.float32)), False, True))
    first = ops.gather(layer, ops.constant(0), ops.constant(1))
    logits = ops.matmul(first, ops.constant(np.ones((2, 4), dtype=np.float32)), False, True)
    graph = openvino.Model([logits, ops.result(layer)], [given], "both")
    assert not keep_first_row(graph)
    values = np.random.default_rng(1).normal(size=(2, 5, 4)).astype(np.float32)
    found = compile_graph(graph, EXACT)({"given": values})
    np.testing.assert_allclose(found[1], np.maximum(values, 0), atol=1e-6)
