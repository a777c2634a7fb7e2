"""A batch that comes alone has all threads, says the same, and stands in nobody's way."""

from __future__ import annotations

import gc
import shutil
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tagline.engines import EngineSettings, open_engine
from tagline.engines.openvino import OpenVinoEngine
from tagline.folder import GRAPH_WEIGHTS, ModelFolder
from tagline.records import Batch


def batch(rows: int, length: int, seed: int = 1) -> Batch:
    ids = np.random.default_rng(seed).integers(5, 60, (rows, length))
    return Batch(ids, np.ones_like(ids), np.zeros_like(ids))


@pytest.fixture
def engine(tagger_folder: Path) -> OpenVinoEngine:
    made = open_engine(ModelFolder.open(tagger_folder), EngineSettings("openvino", "f32", "cpu", 2))
    assert isinstance(made, OpenVinoEngine)
    return made


def test_it_says_the_same(engine: OpenVinoEngine) -> None:
    batches = [batch(rows, length) for rows, length in ((1, 1), (1, 9), (3, 17), (7, 40))]
    together = list(engine.run(batches))
    for _ in range(3):
        for given, expected in zip(batches, together, strict=True):
            (found,) = engine.run([given])
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert list(engine.run([])) == []


def test_it_is_made_for_the_second_batch(engine: OpenVinoEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    real = engine._alone._compile

    def counted() -> object:
        made.append(1)
        return real()

    monkeypatch.setattr(engine._alone, "_compile", counted)
    for wanted in (0, 1, 1):
        list(engine.run([batch(1, 9)]))
        assert len(made) == wanted


def test_beside_a_run_it_is_left_to_the_streams(engine: OpenVinoEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagline.engines.openvino._APART", 0.0)  # that runs met a moment ago is another test's matter
    for _ in range(2):
        list(engine.run([batch(1, 9)]))

    def many() -> Iterator[Batch]:
        yield batch(2, 9)
        yield batch(2, 9)
        assert engine._alone.take() is None
        assert len(list(engine.run([batch(1, 5)]))) == 1
        yield batch(2, 9)

    assert len(list(engine.run(many()))) == 3
    left = engine.run([batch(2, 9), batch(2, 9), batch(2, 9)])
    next(left)
    left.close()  # type: ignore[attr-defined]
    assert engine._alone.take() is not None
    assert engine._alone.take() is None
    engine._alone.give_back()


def test_many_threads_with_single_batches(engine: OpenVinoEngine) -> None:
    given = [batch(1 + seed % 3, 5 + seed % 30, seed) for seed in range(200)]
    expected = list(engine.run(given))
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda each: next(iter(list(engine.run([each])))), given))
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-6)


def test_what_cannot_be_compiled_does_not_block_the_next(engine: OpenVinoEngine) -> None:
    def broken() -> None:
        raise RuntimeError("no memory")

    real = engine._alone._compile
    engine._alone._compile = broken
    list(engine.run([batch(1, 9)]))
    with pytest.raises(RuntimeError, match="no memory"):
        list(engine.run([batch(1, 9)]))
    engine._alone._compile = real
    assert len(list(engine.run([batch(1, 9)]))) == 1


def test_it_does_not_keep_the_engine(tagger_folder: Path) -> None:
    """The weights stay mapped as long as the engine lives: it must not wait for the garbage collector."""
    made = open_engine(ModelFolder.open(tagger_folder), EngineSettings("openvino", "f32", "cpu", 2))
    for _ in range(3):
        list(made.run([batch(1, 9)]))
    known = weakref.ref(made)
    gc.disable()
    try:
        del made
        assert known() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("how", ["replaced", "deleted", "elsewhere"])
def test_what_becomes_of_the_folder_is_nothing_to_a_loaded_model(
    tagger_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tagger_folder, folder)
    monkeypatch.chdir(tmp_path)
    engine = open_engine(ModelFolder.open("model"), EngineSettings("openvino", "f32", "cpu", 2))
    assert isinstance(engine, OpenVinoEngine)
    given = batch(1, 9)
    (expected,) = engine.run([given])
    if how == "elsewhere":
        monkeypatch.chdir("/")
    else:
        shutil.rmtree(folder)
    if how == "replaced":  # by a model that says something else
        shutil.copytree(tagger_folder, folder)
        weights = np.fromfile(folder / GRAPH_WEIGHTS, dtype=np.uint8)
        weights[len(weights) // 2 :] = 0
        weights.tofile(folder / GRAPH_WEIGHTS)
    for _ in range(3):
        (found,) = engine.run([given])
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert (engine._alone.take() is not None) == (how == "elsewhere")
