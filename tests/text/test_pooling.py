"""Logits of windows to one answer, against plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.records import Problem
from tagline.text.pooling import Floats, pool, probabilities, sigmoid, softmax

Rows = list[list[float]]
LOGITS = st.floats(-50, 50, width=32)
ROWS = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(LOGITS, min_size=width, max_size=width), min_size=1, max_size=6)
)


def array(rows: Rows) -> Floats:
    return np.asarray(rows, dtype=np.float32)


def one_sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit > 0 else math.exp(logit) / (1 + math.exp(logit))


def one_softmax(row: list[float]) -> list[float]:
    top = max(row)
    total = math.fsum(math.exp(each - top) for each in row)
    return [math.exp(each - top) / total for each in row]


@given(ROWS)
def test_windows_are_pooled_label_by_label(rows: Rows) -> None:
    columns = list(zip(*rows, strict=True))
    np.testing.assert_allclose(pool(array(rows)), [math.fsum(each) / len(rows) for each in columns], atol=1e-5)
    np.testing.assert_array_equal(pool(array(rows), "max"), array([list(map(max, columns))])[0])
    assert pool(list(array(rows))).dtype == np.float32  # rows one by one, as the engines give them
    np.testing.assert_array_equal(pool(list(array(rows))), pool(array(rows)))


@given(ROWS)
def test_logits_become_probabilities(rows: Rows) -> None:
    logits = array(rows)
    single, several = (probabilities(logits, problem) for problem in (Problem.SINGLE, Problem.MULTI))
    np.testing.assert_allclose(single, [one_softmax(row) for row in rows], rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(several, [[one_sigmoid(each) for each in row] for row in rows], rtol=1e-5, atol=1e-12)
    assert single.dtype == several.dtype == np.float32
    assert probabilities(logits, Problem.REGRESSION) is logits
    np.testing.assert_array_equal(probabilities(logits[0], Problem.SINGLE), single[0])


@pytest.mark.parametrize("far", [100.0, 1e4, 3e38])
def test_far_logits_neither_warn_nor_fail(far: float) -> None:
    row = array([[-far, 0.0, far]])
    np.testing.assert_array_equal(sigmoid(row), array([[0.0, 0.5, 1.0]]))
    np.testing.assert_allclose(softmax(row), [[0.0, 0.0, 1.0]], atol=1e-40)
    np.testing.assert_array_equal(softmax(array([[far, far]])), array([[0.5, 0.5]]))
