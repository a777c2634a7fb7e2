"""Calibration against a plain loop over the bins."""

from __future__ import annotations

import random

import pytest

from tagline.errors import UsageError
from tagline.evaluate.calibration import Calibration, expected_calibration_error, reliability


def naive(scores: list[float], correct: list[bool], bins: int) -> float:
    """The definition, word for word."""
    error = 0.0
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        here = [at for at, score in enumerate(scores) if low < score <= high or (score == 0 and number == 0)]
        if here:
            gap = sum(correct[at] for at in here) / len(here) - sum(scores[at] for at in here) / len(here)
            error += len(here) / len(scores) * abs(gap)
    return error


@pytest.mark.parametrize("bins", [1, 7, 15])
def test_the_error_is_that_of_the_definition(bins: int) -> None:
    chance = random.Random(bins)
    for _ in range(50):
        scores = [chance.random() for _ in range(chance.randint(1, 60))]
        correct = [chance.random() < score for score in scores]
        assert expected_calibration_error(scores, correct, bins) == pytest.approx(naive(scores, correct, bins))


def test_borders_belong_to_the_bin_below_and_every_answer_to_one() -> None:
    bins = reliability([0.0, 0.5, 0.500001, 1.0], [False, True, True, True], 2)
    assert [(each.low, each.high, each.answers) for each in bins] == [(0.0, 0.5, 2), (0.5, 1.0, 2)]
    assert bins[0].accuracy == 0.5
    assert bins[0].score == 0.25


def test_sure_and_right_has_no_error_and_sure_and_wrong_all() -> None:
    assert expected_calibration_error([1.0] * 5, [True] * 5) == 0
    assert expected_calibration_error([1.0] * 5, [False] * 5) == 1
    assert expected_calibration_error([], []) == 0
    whole = Calibration.of([0.8, 0.8, 0.8, 0.8], [True, True, True, False])
    assert whole.error == pytest.approx(0.05)
    assert whole.score == pytest.approx(0.8)
    assert (whole.accuracy, whole.count) == (0.75, 4)
    assert len(whole.to_dict()["bins"]) == 1


@pytest.mark.parametrize(
    ("scores", "correct", "bins", "said"),
    [
        ([0.5], [True, False], 15, "one score an answer"),
        ([1.5], [True], 15, "between 0 and 1, got 1.5"),
        ([float("nan")], [True], 15, "between 0 and 1"),
        ([0.5], [True], 0, "at least 1 bin"),
    ],
)
def test_what_is_refused(scores: list[float], correct: list[bool], bins: int, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        reliability(scores, correct, bins)
