"""Scores of predicted numbers: equal to scikit-learn and scipy."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rich.console import Console
from scipy import stats
from sklearn import metrics

from tagline.errors import UsageError
from tagline.evaluate import evaluate_numbers

numbers = st.one_of(st.integers(0, 5).map(float), st.floats(-1e6, 1e6).map(lambda number: round(number, 3)))


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=30))
@settings(max_examples=150, deadline=None)
def test_figures_equal_scikit_learn_and_scipy(pairs: list[tuple[float, float]]) -> None:
    gold, predicted = np.array(pairs).T
    report = evaluate_numbers(gold, predicted)
    assert report.mae == pytest.approx(metrics.mean_absolute_error(gold, predicted), rel=1e-12)
    assert report.rmse == pytest.approx(metrics.root_mean_squared_error(gold, predicted), rel=1e-12)
    if np.ptp(gold):
        assert report.r2 == pytest.approx(metrics.r2_score(gold, predicted), rel=1e-9, abs=1e-9)
    else:
        assert report.r2 == float(np.array_equal(gold, predicted))
    if np.ptp(gold) and np.ptp(predicted):
        assert report.pearson == pytest.approx(stats.pearsonr(gold, predicted).statistic, abs=1e-9)
        assert report.spearman == pytest.approx(stats.spearmanr(gold, predicted).statistic, abs=1e-9)
    else:
        assert report.pearson == report.spearman == 0
    said = report.to_json()
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert report.headline == ("spearman", report.spearman)
    for low, high in report.intervals.values():
        assert low <= high


def test_intervals_are_those_of_the_plain_bootstrap() -> None:
    random = np.random.default_rng(0)
    gold = random.integers(0, 6, 120) * 1.0
    predicted = (gold + random.normal(size=120) * 1.5).round(1)
    report = evaluate_numbers(gold, predicted)
    figures: dict[str, Callable[[Any, Any], float]] = {
        "pearson": lambda g, p: float(stats.pearsonr(g, p).statistic),
        "spearman": lambda g, p: float(stats.spearmanr(g, p).statistic),
        "rmse": lambda g, p: float(metrics.root_mean_squared_error(g, p)),
    }
    drawn = [random.integers(120, size=120) for _ in range(1000)]
    for name, figure in figures.items():
        values = [figure(gold[rows], predicted[rows]) for rows in drawn]
        assert report.intervals[name] == pytest.approx(np.quantile(values, [0.025, 0.975]).tolist(), abs=0.03)
    assert evaluate_numbers(gold[::-1], predicted[::-1]).intervals == report.intervals


def test_one_resample_gives_the_figures_of_its_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagline.evaluate.numbers.affordable", lambda texts: 1)
    random = np.random.default_rng(1)
    gold = np.sort(random.integers(0, 4, 40) + 1e6)  # sorted, as the resampling does, and far from 0
    predicted = random.random(40) * 3 + 1e6
    rows = np.random.default_rng(0).integers(40, size=40)
    predicted = predicted[np.lexsort((predicted, gold))]
    found = evaluate_numbers(gold, predicted).intervals
    assert found["pearson"][0] == pytest.approx(stats.pearsonr(gold[rows], predicted[rows]).statistic, abs=1e-9)
    assert found["spearman"][0] == pytest.approx(stats.spearmanr(gold[rows], predicted[rows]).statistic, abs=1e-12)
    assert found["rmse"][0] == pytest.approx(metrics.root_mean_squared_error(gold[rows], predicted[rows]), rel=1e-12)


def test_few_texts_and_constants_give_zeros() -> None:
    for texts in (0, 1):
        report = evaluate_numbers(np.zeros(texts), np.zeros(texts))
        assert (report.pearson, report.spearman, report.mae, report.rmse, report.r2) == (0, 0, 0, 0, 0)
        assert set(report.intervals.values()) == {(0.0, 0.0)}
    constant = evaluate_numbers(np.full(9, 0.1), np.full(9, 0.1))
    assert (constant.r2, constant.pearson) == (1, 0)
    # Resamples without the one text that differs are constant.
    outlier = evaluate_numbers(np.array([0.1] * 9 + [5]), np.array([0.3] * 9 + [7]))
    assert outlier.pearson == pytest.approx(1)
    assert outlier.intervals["pearson"] == pytest.approx((0, 1))


def test_what_is_printed() -> None:
    file = io.StringIO()
    evaluate_numbers(np.arange(4.0), np.array([0.0, 1, 3, 2]), 1.25).render(Console(file=file, width=80))
    assert "│ Spearman │ 0.8000 │" in file.getvalue()
    assert "4 texts, 1.2 s." in file.getvalue()


@pytest.mark.parametrize(
    ("gold", "predicted", "said"),
    [
        (np.zeros(2), np.zeros(3), "gold has 2 texts but the prediction has 3"),
        (np.zeros(2), np.array([0, np.inf]), "the predicted numbers of text 2 hold inf"),
        (np.array([np.nan]), np.zeros(1), "the gold numbers of text 1 hold nan"),
        (np.zeros((2, 1)), np.zeros(2), r"one number a text, got the shapes \(2, 1\) and \(2,\)"),
    ],
)
def test_bad_input_is_a_sentence(gold: NDArray[Any], predicted: NDArray[Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        evaluate_numbers(gold, predicted)
