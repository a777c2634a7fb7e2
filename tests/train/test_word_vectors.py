"""Word vectors of one's own: the same each time, near where words keep the same company."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from tests.cli.support import call, refused

from tagline.data.vectors import read_vectors
from tagline.errors import DataError, MissingExtraError, UsageError
from tagline.train.word_vectors import METHODS, VectorSettings, train_vectors

pytest.importorskip("gensim", reason="the extra vectors is not installed")
SENTENCES = [["I", "live", "in", city, "with", pet] for city in ("Oslo", "Lima") for pet in ("cats", "dogs")] * 30


@pytest.mark.parametrize("method", METHODS)
def test_the_same_each_time(method: str) -> None:
    settings = VectorSettings(method, dimensions=8, epochs=3)
    passes: list[float] = []
    found = train_vectors(SENTENCES, settings, passes.append)
    again = train_vectors(SENTENCES, settings)
    assert passes == [1, 1, 1]
    assert found.words == again.words
    assert np.array_equal(found.matrix, again.matrix)
    assert found.matrix.shape == (8, 8)
    assert "oslo" in found.words
    other = train_vectors(SENTENCES, VectorSettings(method, dimensions=8, epochs=3, seed=14))
    assert not np.array_equal(found.matrix, other.matrix)


def test_words_of_like_company_are_near() -> None:
    text = [["in", city, "it", "rains"] for city in ("Oslo", "Lima")] + [
        ["my", pet, "eats", "fish"] for pet in ("cats", "dogs")
    ]
    found = train_vectors(text * 60, VectorSettings(dimensions=16, epochs=40))
    unit = found.matrix / np.linalg.norm(found.matrix, axis=1, keepdims=True)
    row = {word: unit[place] for place, word in enumerate(found.words)}
    assert row["oslo"] @ row["lima"] > row["oslo"] @ row["dogs"]


def test_settings_and_words_that_do_not_fit() -> None:
    with pytest.raises(UsageError, match="--method is 'glove'; accepted are skipgram, cbow, fasttext"):
        VectorSettings("glove")
    with pytest.raises(UsageError, match="--min-count is 0; expected at least 1"):
        VectorSettings(min_count=0)
    with pytest.raises(DataError, match="no word occurs 1000 times"):
        train_vectors(SENTENCES, VectorSettings(min_count=1000))


def test_without_gensim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(MissingExtraError, match=r"pip install \"tagline\[vectors\]\""):
        train_vectors(SENTENCES, VectorSettings())


def test_the_command(tmp_path: Path) -> None:
    corpus, target = tmp_path / "train.conll", tmp_path / "vectors.txt"
    corpus.write_text("\n\n".join("\n".join(f"{word} O" for word in each) for each in SENTENCES) + "\n")
    done = call("vectors", corpus, "-o", target, "--dimensions", 5, "--epochs", 2)
    assert done.code == 0, done
    assert f"8 vectors of 5 dimensions from 720 words: {target}" in done.err
    found = read_vectors(target)
    assert found.matrix.shape == (8, 5)
    assert "Oslo" not in found.words
    refused(call("vectors", corpus, "-o", target), "is there already", "--overwrite")
    assert call("vectors", corpus, "-o", target, "--overwrite", "--cased", "--epochs", 1).code == 0
    assert "Oslo" in read_vectors(target).words
    refused(call("vectors", tmp_path / "none", "-o", tmp_path / "x"), str(tmp_path / "none"))
