"""Thresholds against trying every one, and the quick macro F1 against scikit-learn."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from tagline.errors import UsageError
from tagline.evaluate.thresholds import macro_f1, tune_thresholds

Matrices = tuple[NDArray[np.bool_], NDArray[np.float64]]


@st.composite
def matrices(draw: st.DrawFn) -> Matrices:
    texts, labels = draw(st.integers(1, 12)), draw(st.integers(1, 3))
    cells = st.one_of(st.integers(0, 8).map(lambda place: place / 8), st.floats(0, 1))
    size = texts * labels
    gold = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    probabilities = draw(st.lists(cells, min_size=size, max_size=size))
    return np.reshape(gold, (texts, labels)), np.reshape(np.array(probabilities, float), (texts, labels))


def f1_at(gold: NDArray[np.bool_], probabilities: NDArray[np.float64], threshold: float) -> float:
    found = probabilities >= threshold
    return float(2 * (gold & found).sum() / max(1, gold.sum() + found.sum()))


def brute(gold: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> tuple[float, float]:
    """Best F1 over every way to cut, and how near 0.5 a half-way threshold reaches it."""
    values = sorted({0.0, *probabilities.tolist()})
    # Between neighbouring floats the middle falls on one of them; only the upper one parts them.
    cuts = [middle if (middle := (low + high) / 2) > low else high for low, high in pairwise(values)]
    cuts += [0.0] if probabilities.min() == 0 else []
    tried = [(f1_at(gold, probabilities, cut), -abs(cut - 0.5)) for cut in cuts]
    best = max(tried)
    return best[0], -best[1]


@given(matrices())
@settings(max_examples=200, deadline=None)
def test_thresholds_are_the_best_of_all(case: Matrices) -> None:
    gold, probabilities = case
    found = tune_thresholds(gold, probabilities)
    assert found.shape == (gold.shape[1],)
    assert found.dtype == np.float64
    for has, column, threshold in zip(gold.T, probabilities.T, found.tolist(), strict=True):
        if not has.any():
            assert threshold == 0.5
            continue
        best, distance = brute(has, column)
        assert f1_at(has, column, threshold) == pytest.approx(best, abs=1e-12)
        assert abs(threshold - 0.5) == pytest.approx(distance, abs=1e-12)


def test_thresholds_by_hand() -> None:
    gold = np.array([[1, 0, 1, 1], [1, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0]], bool)
    probabilities = np.array([[0.9, 0.9, 0.1, 0.7], [0.3, 0.2, 0.1, 0.7], [0.2, 0.2, 0.1, 0.7], [0.1, 0.1, 0.1, 0.7]])
    np.testing.assert_allclose(tune_thresholds(gold, probabilities), [0.25, 0.5, 0.05, 0.35])


def test_neighbouring_floats_are_kept_apart() -> None:
    low = 0.3
    high = float(np.nextafter(low, 1))
    threshold = tune_thresholds(np.array([[False], [True]]), np.array([[low], [high]]))
    assert low < threshold[0] <= high


def test_ties_take_the_threshold_nearest_a_half() -> None:
    gold = np.array([1, 0, 0, 1], bool)[:, None]  # cuts behind the first and behind the last text: F1 2/3 both
    assert tune_thresholds(gold, np.array([0.9, 0.6, 0.4, 0.02])[:, None])[0] == pytest.approx(0.75)
    assert tune_thresholds(gold, np.array([0.99, 0.98, 0.9, 0.8])[:, None])[0] == pytest.approx(0.4)


def test_half_precision_probabilities_and_no_text() -> None:
    gold, probabilities = np.array([[True], [False]]), np.array([[0.8], [0.2]], np.float32)
    assert tune_thresholds(gold, probabilities)[0] == pytest.approx(0.5)
    assert tune_thresholds(np.zeros((0, 2), bool), np.zeros((0, 2))).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("wrong", [np.array([[1.5]]), np.array([[np.nan]]), np.array([[-0.1]]), np.array([0.5])])
def test_what_is_no_probability_is_refused(wrong: NDArray[Any]) -> None:
    with pytest.raises(UsageError, match="thresholds need"):
        tune_thresholds(np.array([[True]]), wrong)


def test_a_large_corpus() -> None:
    random = np.random.default_rng(0)
    probabilities = random.random((100_000, 10))
    gold = random.random(probabilities.shape) < probabilities**2
    found = tune_thresholds(gold, probabilities)
    assert np.all((found > 0.3) & (found < 0.7))


@given(matrices())
@settings(max_examples=100, deadline=None)
def test_macro_f1_equals_scikit_learn(case: Matrices) -> None:
    gold, probabilities = case
    predicted = probabilities > 0.5
    columns = zip(gold.T, predicted.T, strict=True)
    each = [f1_score(wanted, found, zero_division=0) for wanted, found in columns]
    assert macro_f1(gold, predicted) == pytest.approx(float(np.mean(each)), abs=1e-12)
    if gold.shape[1] > 1:
        mean = f1_score(gold, predicted, average="macro", zero_division=0)
        assert macro_f1(gold, predicted) == pytest.approx(mean, abs=1e-12)
    assert macro_f1(gold[:0], predicted[:0]) == 0.0
