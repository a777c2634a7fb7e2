"""The int8 graph: taken where it is good enough, mended by giving layers back, else refused with the figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.families import LABELS, Encoders
from tests.publish.test_graph import random_batch, torch_logits

from tagline.engines.openvino import compile_graph
from tagline.errors import RefusedError
from tagline.folder import GRAPH, GRAPH_WEIGHTS, INT8_GRAPH, INT8_WEIGHTS
from tagline.models.encoders import load_for_tokens
from tagline.publish.graph import write_graph
from tagline.publish.int8 import write_int8
from tagline.publish.int8_dynamic import write_dynamic_int8
from tagline.records import Batch

pytestmark = pytest.mark.filterwarnings("ignore:Tokenizer does not support real words:UserWarning")
pytest.importorskip("nncf", reason="int8 needs the extra int8")


class Made:
    """A folder with an f32 graph, and text for it."""

    def __init__(self, folder: Path, model: Any, windows: list[Batch]) -> None:
        self.folder, self.model, self.windows = folder, model, windows


@pytest.fixture
def made(encoders: Encoders, tmp_path: Path) -> Made:
    torch.manual_seed(2)
    loaded = load_for_tokens(str(encoders("bert-uncased")), LABELS)
    loaded.model.train(False)
    write_graph(loaded.model, tmp_path)
    random = np.random.default_rng(4)
    words = int(loaded.model.config.vocab_size)
    windows = [random_batch(random, (1, int(random.integers(4, 40))), words, 2) for _ in range(24)]
    return Made(tmp_path, loaded.model, windows)


def read(folder: Path) -> Any:
    import openvino

    return openvino.Core().read_model(folder / INT8_GRAPH)


def quantised(folder: Path) -> set[str]:
    """Layers whose activations are rounded to int8."""
    found = set()
    for node in read(folder).get_ops():
        if node.get_type_name() == "FakeQuantize":
            found |= {each.get_node().get_friendly_name() for each in node.output(0).get_target_inputs()}
    return found


def scores(*values: float) -> Callable[[], float]:
    following: Iterator[float] = iter(values)
    return lambda: next(following)


def test_a_graph_that_is_good_enough_is_taken_as_it_is(made: Made) -> None:

    result = write_int8(made.folder, made.windows, scores(0.899), 0.9, max_loss=0.2)
    assert (result.given_back, result.score) == ((), 0.899)
    assert result.loss == pytest.approx(0.1)
    assert len(quantised(made.folder)) >= result.layers > 5
    size = (made.folder / INT8_WEIGHTS).stat().st_size
    assert size < 0.5 * (made.folder / GRAPH_WEIGHTS).stat().st_size
    assert {each.name for each in made.folder.iterdir()} == {GRAPH, GRAPH_WEIGHTS, INT8_GRAPH, INT8_WEIGHTS}
    graph = compile_graph(read(made.folder), {"INFERENCE_PRECISION_HINT": "f32"})
    apart, spread = [], []
    for batch in made.windows:
        ours = graph({each.get_any_name(): getattr(batch, each.get_any_name()) for each in graph.inputs})[0]
        theirs = torch_logits(made.model, batch)
        apart.append(np.abs(ours - theirs).mean())
        spread.append(theirs.std())
    assert 0 < np.mean(apart) < 0.3 * np.mean(spread)  # it is the same model, and not in f32


def test_layers_are_given_back_until_it_is_good_enough(made: Made) -> None:
    result = write_int8(made.folder, made.windows, scores(0.8, 0.85, 0.8985), 0.9, max_loss=0.2)
    assert result.score == 0.8985
    left = quantised(made.folder)
    assert left
    assert not left & set(result.given_back)
    linear = [name for name in result.given_back if "embeddings" not in name]
    assert 2 <= len(linear) < result.layers * 3
    assert any("word_embeddings" in name for name in result.given_back)


def test_what_loses_too_much_is_refused_with_the_figures(made: Made) -> None:
    with pytest.raises(RefusedError, match=r"int8 loses 40\.00 points on dev \(90\.00 in f32, 50\.00 in int8.*0\.2"):
        write_int8(made.folder, made.windows[:8], lambda: 0.5, 0.9, max_loss=0.2)


def test_standard_output_stays_clean(made: Made, capfd: pytest.CaptureFixture[str]) -> None:
    write_int8(made.folder, made.windows[:4], scores(0.9), 0.9)
    assert capfd.readouterr() == ("", "")


def test_without_calibration_weights_are_rounded_and_activations_while_computing(made: Made) -> None:
    result = write_dynamic_int8(made.folder, scores(0.899), 0.9)
    assert (result.score, result.given_back) == (0.899, ())
    assert result.layers > 5
    graph = read(made.folder)
    assert graph.get_rt_info(["runtime_options", "DYNAMIC_QUANTIZATION_GROUP_SIZE"]).astype(str) == "32"
    assert not quantised(made.folder)
    size = (made.folder / INT8_WEIGHTS).stat().st_size
    assert size < 0.5 * (made.folder / GRAPH_WEIGHTS).stat().st_size
    compiled = compile_graph(graph, {"INFERENCE_PRECISION_HINT": "f32"})
    apart, spread = [], []
    for batch in made.windows:
        feed = {each.get_any_name(): getattr(batch, each.get_any_name()) for each in compiled.inputs}
        theirs = torch_logits(made.model, batch)
        apart.append(np.abs(compiled(feed)[0] - theirs).mean())
        spread.append(theirs.std())
    assert 0 < np.mean(apart) < 0.1 * np.mean(spread)


def test_rounded_weights_that_lose_too_much_are_refused(made: Made) -> None:
    with pytest.raises(RefusedError, match=r"int8 loses 40\.00 points on dev .*--calibrate"):
        write_dynamic_int8(made.folder, lambda: 0.5, 0.9)
