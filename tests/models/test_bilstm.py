"""The BiLSTM alone: padding and batch mates change nothing, in torch and in its graphs."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from transformers import AutoModelForTokenClassification

from tagline.models.bilstm import BiLstmConfig, BiLstmForTokenClassification, BiLstmLayer
from tagline.publish.graph import write_graph
from tagline.publish.onnx import write_onnx
from tagline.text.shapes import TYPES

LENGTHS = (7, 3, 12, 1, 12, 40)
Ids = dict[str, NDArray[np.int64]]


def make(**changes: Any) -> BiLstmForTokenClassification:
    """A random model whose weights are large enough to tell differences."""
    torch.manual_seed(1)
    options = {"vocab_size": 300, "embedding_size": 20, "hidden_size": 16, "type_vocab_size": TYPES, "dense_size": 9}
    model = BiLstmForTokenClassification(BiLstmConfig(**{**options, **changes}, id2label={0: "O", 1: "B-X", 2: "I-X"}))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    model.train(False)
    return model


def batch(lengths: tuple[int, ...] = LENGTHS) -> Ids:
    random = np.random.default_rng(4)
    arrays = {name: np.zeros((len(lengths), max(lengths)), dtype=np.int64) for name in ("ids", "mask", "types")}
    for row, length in enumerate(lengths):
        arrays["ids"][row, :length] = random.integers(1, 300, length)
        arrays["types"][row, :length] = random.integers(1, TYPES, length)
        arrays["mask"][row, :length] = 1
    return {"input_ids": arrays["ids"], "attention_mask": arrays["mask"], "token_type_ids": arrays["types"]}


def logits(model: BiLstmForTokenClassification, inputs: Ids) -> NDArray[np.float32]:
    with torch.no_grad():
        found = model(**{name: torch.from_numpy(np.ascontiguousarray(each)) for name, each in inputs.items()}).logits
    return np.asarray(found.numpy())


CHARACTERS = {"characters": 4, "alphabet_size": 30, "filters": 8}


def spelt(inputs: Ids, step: int = 5) -> Ids:
    """The same words, each followed by four characters."""
    random = np.random.default_rng(6)
    found = {name: np.repeat(each, step, axis=1) for name, each in inputs.items()}
    letters = random.integers(0, 30, found["input_ids"].shape) * found["attention_mask"]
    firsts = np.arange(letters.shape[1]) % step == 0
    found["input_ids"] = np.where(firsts, found["input_ids"], letters)
    return found


def alone(inputs: Ids, row: int) -> Ids:
    return {name: each[row : row + 1, : LENGTHS[row]] for name, each in inputs.items()}


def test_a_layer_is_torchs_bidirectional_one() -> None:
    """The same weights in a packed, bidirectional `nn.LSTM` give the same states."""
    torch.manual_seed(2)
    layer, both = BiLstmLayer(5, 4), torch.nn.LSTM(5, 4, batch_first=True, bidirectional=True)
    both.load_state_dict(
        {f"{name}{suffix}": value for lstm, suffix in ((layer.ahead, ""), (layer.back, "_reverse"))
         for name, value in lstm.state_dict().items()}
    )  # fmt: skip
    words, lengths = torch.randn(3, 6, 5), torch.tensor([6, 2, 4])
    place = torch.arange(6)[None]
    mirrored = lengths[:, None] - 1 - place
    packed, _ = both(pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False))
    expected, _ = pad_packed_sequence(packed, batch_first=True)
    found = layer(words, torch.where(mirrored < 0, place, mirrored))
    for row, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(found[row, :length], expected[row, :length], rtol=0, atol=1e-6)


@pytest.mark.parametrize("changes", [{}, {"type_vocab_size": 1, "dense_size": 0, "num_hidden_layers": 1}])
def test_batch_mates_and_padding_change_nothing(changes: dict[str, int]) -> None:
    model, inputs = make(**changes), batch()
    together = logits(model, inputs)
    assert together.std() > 0.05
    for row, length in enumerate(LENGTHS):
        np.testing.assert_allclose(together[row, :length], logits(model, alone(inputs, row))[0], rtol=0, atol=1e-5)
    spoilt = {name: each.copy() for name, each in inputs.items()}
    for row, length in enumerate(LENGTHS):
        spoilt["input_ids"][row, length:], spoilt["token_type_ids"][row, length:] = 5, 3
    inside = inputs["attention_mask"] > 0
    np.testing.assert_allclose(logits(model, spoilt)[inside], together[inside], rtol=0, atol=1e-6)


def test_both_directions_are_heard() -> None:
    model, inputs = make(), batch((9,))
    changed = {**inputs, "input_ids": inputs["input_ids"].copy()}
    changed["input_ids"][0, 4] = 17
    moved = np.abs(logits(model, changed) - logits(model, inputs))[0].max(axis=1)
    assert (moved > 1e-6).all()


def test_openvino_computes_the_same(tmp_path: Path) -> None:
    import openvino

    model, inputs = make(), batch()
    write_graph(model, tmp_path)
    core = openvino.Core()
    graph = core.compile_model(tmp_path / "openvino_model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found, inside = np.array(graph(inputs)[0]), inputs["attention_mask"] > 0
    np.testing.assert_allclose(found[inside], logits(model, inputs)[inside], rtol=0, atol=1e-5)
    for row, length in enumerate(LENGTHS):
        np.testing.assert_allclose(np.array(graph(alone(inputs, row))[0])[0], found[row, :length], rtol=0, atol=1e-5)


def export(folder: Path, changes: dict[str, Any]) -> None:
    """Writes the ONNX graph of `make(**changes)`, in a process of its own as `tagline export` does."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(_export, folder, changes).result()


def _export(folder: Path, changes: dict[str, Any]) -> None:
    write_onnx(make(**changes), folder)


@pytest.mark.parametrize("engine", ["torch", "openvino", "onnx"])
def test_characters(tmp_path: Path, engine: str) -> None:
    """Each word's emission stands at all of its places; a batch is padded to any length."""
    model, inputs = make(**CHARACTERS), spelt(batch())
    expected, inside = logits(model, inputs), inputs["attention_mask"] > 0
    wider = {name: np.pad(each, ((0, 0), (0, 3))) for name, each in inputs.items()}
    if engine == "torch":
        firsts = expected[:, ::5].repeat(5, axis=1)
        assert np.array_equal(firsts, expected)
        for row, length in enumerate(LENGTHS):
            one = {name: each[row : row + 1, : 5 * length] for name, each in inputs.items()}
            np.testing.assert_allclose(logits(model, one)[0], expected[row, : 5 * length], rtol=0, atol=1e-5)
        changed = {**inputs, "input_ids": inputs["input_ids"].copy()}
        changed["input_ids"][0, 3] = (changed["input_ids"][0, 3] + 1) % 30
        assert not np.array_equal(logits(model, changed)[0], expected[0])
        found = logits(model, wider)
    elif engine == "openvino":
        import openvino

        write_graph(model, tmp_path)
        options = {"INFERENCE_PRECISION_HINT": "f32"}
        found = np.array(openvino.Core().compile_model(tmp_path / "openvino_model.xml", "CPU", options)(wider)[0])
    else:
        runtime = pytest.importorskip("onnxruntime")
        export(tmp_path, CHARACTERS)
        options = runtime.SessionOptions()
        options.log_severity_level = 3
        session = runtime.InferenceSession(str(tmp_path / "model.onnx"), options, providers=["CPUExecutionProvider"])
        found = session.run(["logits"], wider)[0]
    assert found.shape == (*wider["input_ids"].shape, 3)
    np.testing.assert_allclose(found[:, :-3][inside], expected[inside], rtol=0, atol=1e-5)


@pytest.mark.slow  # the graph with characters has all that this one has
def test_onnx_computes_the_same(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    model, inputs = make(), batch()
    export(tmp_path, {})
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session = runtime.InferenceSession(str(tmp_path / "model.onnx"), options, providers=["CPUExecutionProvider"])
    inside = inputs["attention_mask"] > 0
    found = session.run(["logits"], inputs)[0]
    np.testing.assert_allclose(found[inside], logits(model, inputs)[inside], rtol=0, atol=1e-5)


def test_words_are_shown_as_unknown_while_training_only() -> None:
    model, inputs = make(dropout=0.0), batch((9, 9))
    plain = logits(model, inputs)
    model.unknown_rates = torch.ones(300)
    assert np.array_equal(logits(model, inputs), plain)
    unknown = logits(model, {**inputs, "input_ids": np.ones_like(inputs["input_ids"])})
    model.train()
    assert np.array_equal(logits(model, inputs), unknown)
    assert not np.array_equal(unknown, plain)


def test_transformers_saves_and_loads_it(tmp_path: Path) -> None:
    model = make()
    model.save_pretrained(tmp_path)
    again = AutoModelForTokenClassification.from_pretrained(tmp_path)
    assert isinstance(again, BiLstmForTokenClassification)
    assert again.config.id2label == {0: "O", 1: "B-X", 2: "I-X"}
    assert again.config.dense_size == 9
    assert not again.training
    assert np.array_equal(logits(again, batch()), logits(model, batch()))


def test_without_a_crf_it_has_a_loss_of_its_own() -> None:
    model, inputs = make(), batch((3, 2))
    labels = torch.tensor([[0, 1, 2], [1, -100, -100]])
    tensors = {name: torch.from_numpy(each) for name, each in inputs.items()}
    with torch.no_grad():
        found = model(**tensors, labels=labels)
    expected = torch.nn.functional.cross_entropy(found.logits.transpose(1, 2), labels)
    torch.testing.assert_close(found.loss, expected)
