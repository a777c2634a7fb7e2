"""Best paths and marginals against a search over every path."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tagline.data.schemes import Scheme, allowed, prefixes, violations
from tagline.text import chains
from tagline.text.chains import best_paths, marginals, moves_of, softmax
from tagline.text.decoding import Decoder

Doubles = NDArray[np.float64]
SEEDS = st.integers(0, 2**32 - 1)


def sums(emissions: NDArray[np.float32], moves: Doubles) -> dict[tuple[int, ...], float]:
    """The sum of every path of a sentence."""
    words, labels = emissions.shape
    outer = labels
    return {
        path: float(emissions[np.arange(words), list(path)].astype(np.float64).sum())
        + sum(float(moves[before, after]) for before, after in pairwise((outer, *path, outer)))
        for path in product(range(labels), repeat=words)
    }


@settings(max_examples=80, deadline=None)
@given(SEEDS, st.integers(1, 3), st.lists(st.integers(0, 5), min_size=1, max_size=6), st.floats(0.3, 1.0))
def test_paths_and_marginals_are_those_of_a_search(seed: int, labels: int, lengths: list[int], share: float) -> None:
    random = np.random.default_rng(seed)
    emissions = random.normal(0, 2, (sum(lengths), labels)).astype(np.float32)
    moves = moves_of(random.random((labels + 1, labels + 1)) < share, random.normal(0, 2, (labels + 1, labels + 1)))
    best, scores = best_paths(emissions, lengths, moves), marginals(emissions, lengths, moves)
    start = 0
    for length in lengths:
        rows = slice(start, start + length)
        start += length
        if not length:
            continue
        found = sums(emissions[rows], moves)
        if max(found.values()) == -np.inf:
            assert best[rows].tolist() == emissions[rows].argmax(axis=1).tolist()
            np.testing.assert_allclose(scores[rows], softmax(emissions[rows]), rtol=1e-5)
            continue
        assert found[tuple(best[rows].tolist())] == pytest.approx(max(found.values()), abs=1e-9)
        paths, values = list(found), np.asarray(list(found.values()))
        weights = np.exp(values - values.max())
        expected = np.zeros((length, labels))
        for path, weight in zip(paths, weights / weights.sum(), strict=True):
            expected[np.arange(length), list(path)] += weight
        np.testing.assert_allclose(scores[rows], expected, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.lists(st.integers(0, 30), max_size=12), st.integers(1, 200))
def test_groups_and_batch_mates_change_nothing(seed: int, lengths: list[int], group: int) -> None:
    random = np.random.default_rng(seed)
    emissions = random.normal(0, 3, (sum(lengths), 4)).astype(np.float32)
    moves = moves_of(random.random((5, 5)) < 0.7, random.normal(0, 1, (5, 5)))
    best, scores = best_paths(emissions, lengths, moves), marginals(emissions, lengths, moves)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chains, "_GROUP", group)
        assert np.array_equal(best_paths(emissions, lengths, moves), best)
        assert np.array_equal(marginals(emissions, lengths, moves), scores)
    start = 0
    for length in lengths:
        rows = slice(start, start + length)
        start += length
        assert np.array_equal(best_paths(emissions[rows], [length], moves), best[rows])
        assert np.array_equal(marginals(emissions[rows], [length], moves), scores[rows])


def test_a_long_sentence_keeps_its_probabilities() -> None:
    random = np.random.default_rng(1)
    emissions = random.normal(0, 30, (5000, 3)).astype(np.float32)
    scores = marginals(emissions, [5000], moves_of(np.ones((4, 4), dtype=np.bool_), random.normal(0, 5, (4, 4))))
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from(list(Scheme)), st.lists(st.integers(0, 9), max_size=6))
def test_learned_moves_decide_but_never_against_the_scheme(seed: int, scheme: Scheme, lengths: list[int]) -> None:
    labels = ["O", *(f"{prefix}-{kind}" for kind in "XY" for prefix in sorted(prefixes(scheme)))]
    random = np.random.default_rng(seed)
    emissions = random.normal(0, 1, (sum(lengths), len(labels))).astype(np.float32)
    learned = random.normal(0, 5, (len(labels) + 1, len(labels) + 1))
    learned[~allowed(labels, scheme)] = 100.0  # whatever stands there does not count
    decoder = Decoder(labels, scheme, transitions=learned)
    best, scores = decoder(emissions, lengths)
    assert np.array_equal(best, best_paths(emissions, lengths, moves_of(allowed(labels, scheme), learned)))
    free, same = Decoder(labels, scheme, constrained=False, transitions=learned)(emissions, lengths)
    assert np.array_equal(free, scores.argmax(axis=1))
    assert np.array_equal(same, scores)
    start = 0
    for length in lengths:
        assert not violations([labels[tag] for tag in best[start : start + length]], scheme)
        start += length


def test_transitions_overrule_emissions() -> None:
    emissions = np.asarray([[1, 0, 0], [0, 2, 0]], dtype=np.float32)
    learned = np.zeros((4, 4))
    learned[0, 1] = -5  # from O to B-X
    labels = ("O", "B-X", "I-X")
    assert Decoder(labels, Scheme.IOB2)(emissions, [2])[0].tolist() == [0, 1]
    best, scores = Decoder(labels, Scheme.IOB2, transitions=learned.tolist())(emissions, [2])
    assert best.tolist() == [1, 1]
    assert scores.shape == (2, 3)


def test_transitions_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(3, 3\); expected \(4, 4\)"):
        Decoder(("O", "B-X", "I-X"), Scheme.IOB2, transitions=np.zeros((3, 3)))
