"""Files of word vectors: every form read as it was written, every damage said."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.data.vectors import WordVectors, cover, read_vectors, write_vectors
from tagline.errors import DataError, OutputError

WORDS = ("the", "Oslo", "oslo", "zürich", "北京", "-", "1996")
MATRIX = np.random.default_rng(1).normal(0, 1, (len(WORDS), 4)).astype(np.float32)


def binary(words: tuple[str, ...], matrix: np.ndarray, ends: bytes = b"\n") -> bytes:
    """As word2vec writes with -binary 1."""
    rows = (word.encode() + b" " + row.astype("<f4").tobytes() + ends for word, row in zip(words, matrix, strict=True))
    return f"{len(words)} {matrix.shape[1]}\n".encode() + b"".join(rows)


def glove(words: tuple[str, ...], matrix: np.ndarray) -> bytes:
    return "".join(
        f"{word} {' '.join(map(repr, row.tolist()))}\n" for word, row in zip(words, matrix, strict=True)
    ).encode()


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("form", ["word2vec", "glove", "binary", "binary without line ends", "gzip"])
def test_every_form_is_read(tmp_path: Path, form: str) -> None:
    path = tmp_path / "vectors"
    if form == "word2vec":
        write_vectors(path, WORDS, MATRIX)
    elif form == "glove":
        put(path, glove(WORDS, MATRIX))
    elif form == "gzip":
        put(path, gzip.compress(glove(WORDS, MATRIX)))
    else:
        put(path, binary(WORDS, MATRIX, b"" if "without" in form else b"\n"))
    found = read_vectors(path)
    assert found.words == WORDS
    assert found.matrix.dtype == np.float32
    np.testing.assert_allclose(found.matrix, MATRIX, rtol=1e-5)
    assert found.path == str(path)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.integers(1, 9), st.integers(0, 2**31))
def test_binary_is_never_taken_for_text(
    tmp_path_factory: pytest.TempPathFactory, count: int, width: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    words = tuple(f"w{number}" for number in range(count))
    matrix = random.normal(0, 1, (count, width)).astype(np.float32)
    path = put(tmp_path_factory.mktemp("binary") / "v.bin", binary(words, matrix))
    found = read_vectors(path)
    assert found.words == words
    assert np.array_equal(found.matrix, matrix)


def test_glove_has_words_with_spaces(tmp_path: Path) -> None:
    found = read_vectors(put(tmp_path / "v.txt", b"the 1 2 3\n. . . 4 5 6\nat name@domain.com 7 8 9\n"))
    assert found.words == ("the", ". . .", "at name@domain.com")
    assert found.matrix.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_the_first_of_two_counts_and_only_what_is_wanted_is_kept(tmp_path: Path) -> None:
    path = put(tmp_path / "v.txt", b"a 1 1\nb 2 2\na 3 3\nc 4 4\nDear 5 5\nrare 6 6\n")
    assert read_vectors(path).matrix[0].tolist() == [1, 1]
    assert read_vectors(path, most=2, needed={"dear"}).words == ("a", "b", "Dear")


def test_lower_case_words_find_their_own_vector_first() -> None:
    vectors = WordVectors(WORDS, MATRIX)
    assert vectors.rows(lowercase=False)["Oslo"] == 1
    lower = vectors.rows(lowercase=True)
    assert lower["oslo"] == 2
    assert "Oslo" not in lower
    assert WordVectors(("Oslo", "OSLO"), MATRIX[:2]).rows(lowercase=True) == {"oslo": 0}


def test_hits_and_misses() -> None:
    found = cover({"the": 5, "oslo": 2, "kestrel": 3}, {"the", "oslo", "other"})
    assert (found.hits, found.misses, found.running_hits, found.running) == (2, 1, 7, 10)
    assert found.missing == ("kestrel",)
    assert str(found) == (
        "2 of 3 different words have a vector, 70.0 % of the running words; 1 have none, such as kestrel"
    )
    assert cover({}, {"the"}).share == 0.0


def test_fingerprints_tell_vectors_apart() -> None:
    assert WordVectors(WORDS, MATRIX).fingerprint == WordVectors(WORDS, MATRIX.copy(), "elsewhere").fingerprint
    assert WordVectors(WORDS, MATRIX).fingerprint != WordVectors(WORDS, MATRIX + 1).fingerprint


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "begins with ''"),
        (b"hello\n", "begins with 'hello'"),
        (b"0 5\n", "0 words of 5 dimensions"),
        (b"the 1 2\nof 1\n", "line 2: expected a word and 2 numbers, got 'of 1'"),
        (b"the 1 2\nof 1 x\n", "line 2: expected a word and 2 numbers"),
        (b"the 1 nan\n", "line 1: expected a word and 2 numbers"),
        (b"3 2\nthe 1 2\nof 3 4\n", "holds 2 vectors, its first line says 3"),
        (binary(WORDS, MATRIX)[:-9], "breaks off in the vector of word 7 of 7"),
        (binary(WORDS, MATRIX)[:30], "breaks off"),
        (binary(WORDS[:1], np.full((1, 4), np.inf, dtype=np.float32)), "not finite"),
        (gzip.compress(glove(WORDS, MATRIX))[:-20], "cannot be read"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    path = put(tmp_path / "v", content)
    with pytest.raises(DataError) as caught:
        read_vectors(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_no_file_and_no_place(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read_vectors(tmp_path / "none")
    with pytest.raises(DataError, match="directory"):
        read_vectors(tmp_path)
    with pytest.raises(OutputError):
        write_vectors(tmp_path / "no" / "where", WORDS, MATRIX)
