"""Decoding against a search over every sequence of tags."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tagline.data.schemes import Scheme, allowed, prefixes, violations
from tagline.text.decoding import Decoder, viterbi

Floats = NDArray[np.float32]
ROWS = [(scheme, False) for scheme in Scheme] + [(Scheme.IO, True)]
SEEDS = st.integers(0, 2**32 - 1)


def tags(scheme: Scheme, bare: bool, types: str = "XY") -> list[str]:
    return ["O", *((kind if bare else f"{prefix}-{kind}") for kind in types for prefix in prefixes(scheme))]


def legal(sequence: tuple[int, ...], mask: NDArray[np.bool_]) -> bool:
    outer = len(mask) - 1
    return all(mask[before, after] for before, after in pairwise((outer, *sequence, outer)))


def best_by_search(emissions: Floats, mask: NDArray[np.bool_]) -> list[int]:
    words, labels = emissions.shape
    paths = [path for path in product(range(labels), repeat=words) if legal(path, mask)]
    return list(max(paths, key=lambda path: float(emissions[np.arange(words), list(path)].astype(np.float64).sum())))


@pytest.mark.parametrize(("scheme", "bare"), ROWS)
def test_viterbi_finds_the_best_legal_sequence(scheme: Scheme, bare: bool) -> None:
    labels = tags(scheme, bare, "X" if scheme in (Scheme.IOBES, Scheme.BILOU) else "XY")
    mask = allowed(labels, scheme, bare)
    random = np.random.default_rng(3)
    for words in (1, 2, 3, 4):
        for _ in range(25):
            emissions = random.normal(0, 3, (words, len(labels))).astype(np.float32)
            assert viterbi(emissions, mask).tolist() == best_by_search(emissions, mask)


def test_viterbi_over_arbitrary_moves() -> None:
    random = np.random.default_rng(4)
    for _ in range(200):
        mask = random.random((4, 4)) < 0.6
        emissions = random.normal(0, 1, (int(random.integers(1, 6)), 3)).astype(np.float32)
        paths = product(range(3), repeat=len(emissions))
        if any(legal(path, mask) for path in paths):
            assert viterbi(emissions, mask).tolist() == best_by_search(emissions, mask)
        else:
            assert viterbi(emissions, mask).tolist() == emissions.argmax(axis=1).tolist()


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.lists(st.integers(0, 12), max_size=8), st.sampled_from(ROWS))
def test_answers_are_legal_and_the_argmax_where_that_is_legal(
    seed: int, lengths: list[int], row: tuple[Scheme, bool]
) -> None:
    scheme, bare = row
    labels = tags(scheme, bare)
    emissions = np.random.default_rng(seed).normal(0, 3, (sum(lengths), len(labels))).astype(np.float32)
    decoder = Decoder(labels, scheme, bare)
    best, _ = decoder(emissions, lengths)
    start = 0
    for length in lengths:
        rows = slice(start, start + length)
        start += length
        named = [labels[tag] for tag in best[rows]]
        assert violations(named, scheme, bare) == []
        argmax = emissions[rows].argmax(axis=1)
        if not violations([labels[tag] for tag in argmax], scheme, bare):
            assert best[rows].tolist() == argmax.tolist()
        elif length:
            assert best[rows].tolist() == viterbi(emissions[rows], decoder.allowed).tolist()


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.lists(st.integers(0, 6), max_size=8), st.booleans())
def test_many_sentences_are_decoded_as_one_by_one(seed: int, lengths: list[int], constrained: bool) -> None:
    labels = tags(Scheme.IOBES, False)
    emissions = np.random.default_rng(seed).normal(0, 3, (sum(lengths), len(labels))).astype(np.float32)
    decoder = Decoder(labels, Scheme.IOBES, constrained=constrained)
    before = emissions.copy()
    best, scores = decoder(emissions, lengths)
    assert np.array_equal(emissions, before)
    alone = [decoder(part, [len(part)]) for part in np.split(emissions, np.cumsum(lengths))[:-1]]
    assert best.tolist() == [tag for tags_, _ in alone for tag in tags_.tolist()]
    assert np.array_equal(scores, np.concatenate([scores[:0], *(part for _, part in alone)]))


def test_unconstrained_takes_each_word_for_itself() -> None:
    labels = ("O", "B-X", "I-X")
    emissions = np.asarray([[0, 1, 3], [0, 1, 2], [5, 0, 0]], dtype=np.float32)
    free, _ = Decoder(labels, Scheme.IOB2, constrained=False)(emissions, [3])
    bound, _ = Decoder(labels, Scheme.IOB2)(emissions, [3])
    assert [labels[tag] for tag in free] == ["I-X", "I-X", "O"]
    assert [labels[tag] for tag in bound] == ["B-X", "I-X", "O"]


def test_scores_are_the_softmax_of_emissions_however_large() -> None:
    emissions = np.asarray([[1, 2, 3], [1000, 1000, -1000], [-80, -81, -80]], dtype=np.float32)
    _, scores = Decoder(("O", "B-X", "I-X"), Scheme.IOB2)(emissions, [1, 2])
    exact = np.exp(emissions.astype(np.float64) - emissions.max(axis=1, keepdims=True))
    np.testing.assert_allclose(scores, exact / exact.sum(axis=1, keepdims=True), rtol=1e-6)
    assert scores.dtype == np.float32


def test_nothing_to_decode() -> None:
    decoder = Decoder(("O", "B-X", "I-X"), Scheme.IOB2)
    for lengths in ([], [0], [0, 0]):
        best, scores = decoder(np.zeros((0, 3), dtype=np.float32), lengths)
        assert best.shape == (0,)
        assert scores.shape == (0, 3)


def test_labels_that_allow_no_sequence_give_the_argmax() -> None:
    """A folder of another maker may know only I-X and say IOB2."""
    best, _ = Decoder(("I-X", "I-Y"), Scheme.IOB2)(np.asarray([[1, 0], [0, 1]], dtype=np.float32), [2])
    assert best.tolist() == [0, 1]
