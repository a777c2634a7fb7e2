"""Attention written out as plain products: where it is done, and where it is left alone."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import openvino
import openvino.opset13 as ops
import pytest
import torch
from tests.families import config_of, tokenizer_of

from tagline.engines.openvino import compile_graph
from tagline.machine import processor_has_bf16
from tagline.publish import graph as publishing
from tagline.publish.attention import write_out_attention

hf = importlib.import_module("transformers")  # untyped: its signatures are not those of its own folders
EXACT = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
HEADS, WIDE = 2, 4


def converted(family: str) -> tuple[Any, Any, list[str]]:
    """A tagger with biases drawn at random, its graph as the converter makes it, and the names of its inputs."""
    torch.manual_seed(4)
    model = hf.AutoModelForTokenClassification.from_config(config_of(family, tokenizer_of(family))).eval()
    with torch.no_grad():
        for name, values in model.named_parameters():
            if name.endswith("bias"):
                values.normal_(0, 0.5)
    names = publishing.input_names(model)
    with publishing.quiet(), torch.no_grad():
        graph = openvino.convert_model(
            publishing.LogitsOf(model, names),
            example_input=tuple(publishing.example_inputs(names).values()),
            input=[openvino.PartialShape([-1, -1])] * len(names),
        )
    for name, port in zip(names, graph.inputs, strict=True):
        port.get_node().set_friendly_name(name)
    return model, graph, names


@pytest.mark.parametrize("family", ["bert-uncased", "roberta", "distilbert"])
def test_logits_are_those_of_torch(family: str) -> None:
    model, graph, names = converted(family)
    assert write_out_attention(graph) == 2
    kinds = [node.get_type_name() for node in graph.get_ops()]
    assert "ScaledDotProductAttention" not in kinds
    assert kinds.count("Softmax") == 2
    compiled = compile_graph(graph, EXACT)
    random = np.random.default_rng(1)
    for rows, length in ((1, 1), (3, 17)):
        ids = random.integers(5, 60, (rows, length))
        mask = np.ones_like(ids)
        mask[-1, (length + 1) // 2 :] = 0
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        inputs = [feed[name] for name in names]
        with torch.no_grad():
            expected = model(**{name: torch.from_numpy(feed[name]) for name in names}).logits.numpy()
        found = compiled(inputs)[0]
        np.testing.assert_allclose(found[mask > 0], expected[mask > 0], atol=2e-5)


def attention(hide: str, layers: int = 1) -> Any:
    """Attention over (B, T, 8) rows whose mask shows `all`, only what came `before`, or what is `near`."""
    random = np.random.default_rng(2)
    ids, shown = (ops.parameter([-1, -1], np.int64) for _ in range(2))
    ids.set_friendly_name("input_ids")
    shown.set_friendly_name("attention_mask")
    rows = ops.gather(random.standard_normal((40, HEADS * WIDE)).astype(np.float32), ids, np.int64(0))
    length = ops.gather(ops.shape_of(ids), np.int64(1), np.int64(0))
    places = ops.range(np.int64(0), length, np.int64(1), "i64")
    across, down = ops.unsqueeze(places, np.array([0, 1, 2])), ops.unsqueeze(places, np.array([0, 1, 3]))
    real = ops.greater(ops.unsqueeze(shown, np.array([1, 2])), np.int64(0))
    seen = {
        "all": real,
        "before": ops.logical_and(real, ops.less_equal(across, down)),
        "near": ops.logical_and(real, ops.less(ops.absolute(ops.subtract(across, down)), np.int64(64))),
    }[hide]
    square = ops.matmul(rows, rows, False, True)
    mask = ops.broadcast(seen, ops.shape_of(ops.unsqueeze(square, np.array([1]))), "BIDIRECTIONAL")
    for _ in range(layers):
        found = ops.scaled_dot_product_attention(*(projected(rows, random) for _ in range(3)), mask)
        rows = ops.reshape(ops.transpose(found, np.array([0, 2, 1, 3])), np.array([0, 0, HEADS * WIDE]), True)
    return openvino.Model([rows], [ids, shown], "attention")


def projected(rows: Any, random: np.random.Generator) -> Any:
    """Queries, keys or values of rows (B, T, 8), (B, 2, T, 4)."""
    weights = random.standard_normal((HEADS * WIDE, HEADS * WIDE)).astype(np.float32)
    bias = random.standard_normal((1, 1, HEADS * WIDE)).astype(np.float32)
    each = ops.add(ops.matmul(rows, ops.constant(weights), False, True), ops.constant(bias))
    return ops.transpose(ops.reshape(each, np.array([0, 0, HEADS, WIDE]), True), np.array([0, 2, 1, 3]))


@pytest.mark.parametrize(("hide", "replaced"), [("all", 1), ("before", 0), ("near", 0)])
def test_only_masks_of_padding_are_written_out(hide: str, replaced: int) -> None:
    graph, plain = attention(hide), attention(hide)
    assert write_out_attention(graph) == replaced
    ids = np.random.default_rng(3).integers(0, 40, (2, 90))
    shown = np.ones_like(ids)
    shown[1, 50:] = 0
    found, expected = (compile_graph(each, EXACT)([ids, shown])[0] for each in (graph, plain))
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.skipif(not processor_has_bf16(), reason="this processor has no bf16")
def test_in_bf16_the_mask_leaves_what_is_shown_alone() -> None:
    # Two layers share the mask, so that it is a step of its own, which without snippets is where bf16 rounds it.
    graph, plain = attention("all", layers=2), attention("all", layers=2)
    assert write_out_attention(graph) == 2
    ids = np.random.default_rng(3).integers(0, 40, (2, 20))
    expected = compile_graph(plain, EXACT)([ids, np.ones_like(ids)])[0]
    found = compile_graph(graph, {**EXACT, "INFERENCE_PRECISION_HINT": "bf16", "SNIPPETS_MODE": "DISABLE"})
    far = np.abs(found([ids, np.ones_like(ids)])[0] - expected)
    assert far.mean() < 0.03 * np.abs(expected).mean()
