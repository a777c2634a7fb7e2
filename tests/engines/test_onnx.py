"""ONNX Runtime behind the engines' protocol: the answers of the others, batches taken ahead, clear refusals."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagline.engines import Engine, EngineSettings, open_engine
from tagline.errors import FolderError, MissingExtraError, UsageError
from tagline.folder import ONNX, ONNX_INT8, ModelFolder
from tagline.records import Batch

SHAPES = [(1, 3), (7, 40), (2, 9), (1, 64), (16, 5), (3, 33), (5, 2), (1, 1)]


def opened(folder: Path, engine: str, precision: str = "f32", **more: Any) -> Engine:
    return open_engine(ModelFolder.open(folder), EngineSettings(engine, precision, **more))


def batches(types: int = 2) -> Iterator[Batch]:
    random = np.random.default_rng(3)
    for shape in SHAPES:
        ids, mask = random.integers(5, 200, shape), np.ones(shape, dtype=np.int64)
        for row in range(1, shape[0]):
            mask[row, random.integers(1, shape[1] + 1) :] = 0
        yield Batch(ids * mask, mask, random.integers(0, types, shape) * mask)


@pytest.mark.parametrize("threads", [1, 3])
def test_tags_are_those_of_the_other_engines(tagger_folder: Path, threads: int) -> None:
    onnx = opened(tagger_folder, "onnx", threads=threads)
    assert (onnx.name, onnx.precision) == ("onnx", "f32")
    found = list(onnx.run(batches()))
    assert [each.shape for each in found] == [(*shape, 5) for shape in SHAPES]
    assert all(each.dtype == np.float32 for each in found)
    for other in ("torch", "openvino"):
        for batch, ours, theirs in zip(batches(), found, opened(tagger_folder, other).run(batches()), strict=True):
            shown = batch.attention_mask == 1
            np.testing.assert_allclose(ours[shown], theirs[shown], atol=1e-4)
    assert np.std(found[1]) > 0.05  # a graph that says the same of everything would agree with anything


def test_labels_of_texts_are_those_of_the_other_engines(classifier_folder: Path) -> None:
    found = list(opened(classifier_folder, "onnx").run(batches(1)))
    assert [each.shape for each in found] == [(rows, 5) for rows, _ in SHAPES]
    for ours, theirs in zip(found, opened(classifier_folder, "torch").run(batches(1)), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_batches_are_taken_ahead_and_no_more_than_needed(tagger_folder: Path) -> None:
    taken = 0

    def counted() -> Iterator[Batch]:
        nonlocal taken
        for batch in batches():
            taken += 1
            yield batch

    engine = opened(tagger_folder, "onnx", threads=2)
    run = engine.run(counted())
    first = next(run)
    assert taken == 3  # two in the works and one waiting
    assert first.shape == (*SHAPES[0], 5)
    run.close()  # type: ignore[attr-defined]
    assert taken == 3
    assert len(list(engine.run(batches()))) == len(SHAPES)  # who leaves early leaves nothing behind


def test_what_goes_wrong_reaches_the_caller(tagger_folder: Path) -> None:
    def broken() -> Iterator[Batch]:
        yield next(batches())
        raise ValueError("no more text")

    engine = opened(tagger_folder, "onnx", threads=2)
    with pytest.raises(ValueError, match="no more text"):
        list(engine.run(broken()))
    long = np.full((1, 500), 7)
    with pytest.raises(Exception, match=r"(?i)idx|index|out of|broadcast|dimension|axis"):
        list(engine.run([Batch(long, np.ones_like(long), np.zeros_like(long))]))
    assert len(list(engine.run(batches()))) == len(SHAPES)


def test_an_int8_graph_is_run_where_the_folder_has_one(tagger_folder: Path, tmp_path: Path) -> None:
    quantization = pytest.importorskip("onnxruntime.quantization")
    folder = tmp_path / "model"
    shutil.copytree(tagger_folder, folder)
    with pytest.raises(FolderError, match=ONNX_INT8):
        opened(folder, "onnx", "int8")
    quantization.quantize_dynamic(folder / ONNX, folder / ONNX_INT8)
    engine = opened(folder, "onnx", "int8")
    assert engine.precision == "int8"
    exact = list(opened(folder, "onnx").run(batches()))
    apart = [np.abs(one - other).max() for one, other in zip(engine.run(batches()), exact, strict=True)]
    assert 1e-4 < max(apart) < 0.5 * np.ptp(exact[1])


def test_what_cannot_be_run_is_refused(tagger_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="bf16"):
        opened(tagger_folder, "onnx", "bf16")
    with pytest.raises(UsageError, match="--device cpu"):
        opened(tagger_folder, "onnx", device="cuda")
    folder = tmp_path / "model"
    shutil.copytree(tagger_folder, folder)
    data = bytearray((folder / ONNX).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / ONNX).write_bytes(data)
    with pytest.raises(FolderError, match=r"model\.onnx: damaged \(SHA-256"):
        opened(folder, "onnx")
    (folder / ONNX).unlink()
    with pytest.raises(FolderError, match=r"no model\.onnx in it\. Type: tagline export .* --to onnx"):
        opened(folder, "onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"tagline\[onnx\]"):
        opened(tagger_folder, "onnx")


def test_a_graph_that_is_none_is_refused(tagger_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tagger_folder, folder)
    (folder / "tagline.json").unlink()
    (folder / ONNX).write_bytes(b"not a graph")
    with pytest.raises(FolderError, match="ONNX Runtime cannot load it"):
        opened(folder, "onnx")


def test_int8_is_never_taken_unasked(tagger_folder: Path) -> None:
    assert opened(tagger_folder, "auto", "auto").precision in ("bf16", "f32")
    with pytest.raises(FolderError, match=r"no int8 graph in it .* --to int8 --dev FILE"):
        opened(tagger_folder, "auto", "int8")
    with pytest.raises(UsageError, match="the torch engine has none"):
        opened(tagger_folder, "torch", "int8")
