"""Paired tests against brute force over every exchange and plain resampling."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from tagline.errors import UsageError
from tagline.evaluate.significance import (
    Figure,
    bootstrap_difference,
    compare,
    macro_f1,
    mean,
    micro_f1,
    randomisation_test,
    root_mean,
    values,
)

Floats = NDArray[np.float64]


def counts(random: np.random.Generator, units: int, classes: int = 1) -> tuple[Floats, Floats]:
    """Rows of right, predicted and gold of two systems."""
    gold = random.integers(0, 3, (units, classes))
    sides = []
    for _ in range(2):
        predicted = random.integers(0, 3, (units, classes))
        right = np.minimum(np.minimum(gold, predicted), random.integers(0, 3, (units, classes)))
        sides.append(np.hstack([right, predicted, gold]).astype(np.float64))
    return sides[0], sides[1]


def brute(a: Floats, b: Floats, figure: Figure) -> float:
    """Share of all exchanges of units that give a difference at least as large."""

    def gap(first: Floats, second: Floats) -> float:
        return abs(float(figure(second.sum(0)[None])[0] - figure(first.sum(0)[None])[0]))

    observed, hits = gap(a, b), 0
    for choice in product([False, True], repeat=len(a)):
        swap = np.array(choice)[:, None]
        hits += gap(np.where(swap, b, a), np.where(swap, a, b)) >= observed - 1e-12
    return float(hits / 2 ** len(a))


@pytest.mark.parametrize(("figure", "classes"), [(micro_f1, 1), (macro_f1, 3)])
def test_p_values_are_those_of_all_exchanges(figure: Figure, classes: int) -> None:
    random = np.random.default_rng(5)
    for _ in range(12):
        a, b = counts(random, 8, classes)
        expected = brute(a, b, figure)
        p, exact = randomisation_test(a, b, figure, 256)
        assert exact
        assert p == pytest.approx(expected)
        drawn, exact = randomisation_test(a, b, figure, 255 if np.any(a != b, axis=1).all() else 1)
        assert not exact or expected == 1
        if not exact and np.any(a != b, axis=1).all():
            assert drawn == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 255))


def test_many_draws_come_near_all_exchanges_for_means_too() -> None:
    random = np.random.default_rng(3)
    for figure in (mean, root_mean):
        a, b = values(random.random(14)), values(random.random(14) * 1.2)
        drawn, exact = randomisation_test(a, b, figure, 16_000, seed=1)
        assert not exact
        assert drawn == pytest.approx(brute(a, b, figure), abs=0.015)


def test_equal_units_are_exchanged_one_by_one() -> None:
    """Nine equal units that only A reads right: under the hypothesis a fair coin is thrown nine times."""
    a, b = values([True] * 9 + [False] * 3), values([False] * 12)
    assert randomisation_test(a, b, mean)[0] == 2 / 2**9
    drawn, exact = randomisation_test(np.repeat(a, 3, 0), np.repeat(b, 3, 0), mean, 2_000)
    assert not exact
    assert drawn == 1 / 2001


def test_the_interval_is_that_of_plain_paired_resampling() -> None:
    random = np.random.default_rng(9)
    a, b = counts(random, 60)
    found = []
    for _ in range(4000):
        rows = random.integers(60, size=60)
        found.append(float(micro_f1(b[rows].sum(0)[None])[0] - micro_f1(a[rows].sum(0)[None])[0]))
    low, high = np.quantile(found, [0.025, 0.975])
    ours = bootstrap_difference(a, b, micro_f1, 4000, seed=2)
    assert ours[0] == pytest.approx(low, abs=0.012)
    assert ours[1] == pytest.approx(high, abs=0.012)


def test_a_comparison_says_what_it_found() -> None:
    a, b = values([1, 0, 0, 0, 0, 0, 0, 0, 0, 1]), values([1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    found = compare(a, b, mean)
    assert (found.a, found.b) == (0.2, 1.0)
    assert found.difference == pytest.approx(0.8)
    assert found.p == 2 / 2**8
    assert found.exact
    assert 0.4 < found.low < 0.8 < found.high <= 1
    assert compare(a, b, mean) == found
    same = compare(a, a, mean)
    assert (same.difference, same.low, same.high, same.p) == (0, 0, 0, 1)


def test_a_large_corpus_takes_little_time_and_memory() -> None:
    random = np.random.default_rng(0)
    a, b = counts(random, 100_000)
    found = compare(a, b, micro_f1)
    assert found.low < found.difference < found.high


@pytest.mark.parametrize(("a", "b", "rounds"), [((3, 2), (2, 2), 9), ((0, 2), (0, 2), 9), ((2, 2), (2, 2), 0)])
def test_what_is_refused(a: tuple[int, int], b: tuple[int, int], rounds: int) -> None:
    with pytest.raises(UsageError, match="a paired test needs"):
        compare(np.zeros(a), np.zeros(b), mean, rounds)
