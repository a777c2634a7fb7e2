"""The ONNX graph against the torch model, on shapes that the exporter never saw."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.families import FAMILIES, LABELS, Encoders
from tests.publish.test_graph import SHAPES, random_batch, torch_logits

from tagline.folder import ONNX
from tagline.models.encoders import load_for_texts, load_for_tokens
from tagline.publish.graph import input_names
from tagline.publish.onnx import OPSET, write_onnx
from tagline.records import Problem

pytestmark = pytest.mark.filterwarnings("ignore:Tokenizer does not support real words:UserWarning")


def names(*quick: str) -> list[Any]:
    """All families; those that are not quick are marked as slow, for exporting takes its time."""
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in FAMILIES]


def check(model: Any, folder: Path, types: int, by_token: bool) -> None:
    onnx, runtime = importlib.import_module("onnx"), importlib.import_module("onnxruntime")
    model.train(False)
    write_onnx(model, folder)
    assert [each.name for each in folder.iterdir()] == [ONNX]  # one file, no data beside it
    graph = onnx.load(folder / ONNX)
    onnx.checker.check_model(graph)
    assert [(each.domain, each.version) for each in graph.opset_import if each.domain == ""] == [("", OPSET)]
    session = runtime.InferenceSession(folder / ONNX, providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_inputs()] == input_names(model)
    assert [each.name for each in session.get_outputs()] == ["logits"]
    random = np.random.default_rng(5)
    spread = []
    for shape in SHAPES:
        batch = random_batch(random, shape, int(model.config.vocab_size), types)
        theirs = torch_logits(model, batch)
        ours = session.run(None, {name: getattr(batch, name) for name in input_names(model)})[0]
        assert ours.shape == theirs.shape == (*(shape if by_token else shape[:1]), model.config.num_labels)
        shown = batch.attention_mask == 1 if by_token else slice(None)
        np.testing.assert_allclose(ours[shown], theirs[shown], atol=1e-4)
        spread.append(theirs[shown].std(axis=0).mean())
    assert max(spread) > 1e-4 * 2  # it says different things of different words


@pytest.mark.parametrize("name", names("bert-uncased", "modernbert"))
def test_graph_for_tokens(name: str, encoders: Encoders, tmp_path: Path) -> None:
    torch.manual_seed(2)
    loaded = load_for_tokens(str(encoders(name)), LABELS)
    segments = int(getattr(loaded.model.config, "type_vocab_size", 1) or 1)
    check(loaded.model, tmp_path, segments, by_token=True)


@pytest.mark.parametrize("name", names("distilbert"))
def test_graph_for_texts(name: str, encoders: Encoders, tmp_path: Path) -> None:
    torch.manual_seed(2)
    loaded = load_for_texts(str(encoders(name)), ("no", "perhaps", "yes"), Problem.SINGLE)
    with torch.no_grad():
        for parameter in loaded.model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(5)
    check(loaded.model, tmp_path, 2 if FAMILIES[name].segments else 1, by_token=False)
