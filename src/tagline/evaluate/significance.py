"""Whether one set of answers is better than another on the same texts, or only luckier.

Both tests are paired: unit n (a sentence, a text) was read by A and by B. What a figure needs of a unit is a row of K
counts that add up over units, so a figure of a corpus is a function of summed rows. Units with equal rows are
interchangeable, and it is drawn how often each kind is swapped or taken: the same tests in far less time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.errors import UsageError
from tagline.evaluate.intervals import percentiles

Floats = NDArray[np.float64]
Figure = Callable[[Floats], Floats]
"""(R, K) summed rows to (R,) figures."""
_CELLS = 4_000_000  # numbers held at a time
_WORK = 400_000_000  # numbers drawn at most, unless that would be fewer than 500 rounds


@dataclass(frozen=True)
class Difference:
    """One figure of A and B on the same units.

    Attributes:
        a: the figure of A.
        b: the figure of B.
        difference: `b - a`.
        low: lower bound of the paired bootstrap interval of the difference.
        high: upper bound.
        p: two-sided p-value of the approximate randomisation test: how often a difference at least as large comes up
            where A and B are exchanged at random, unit by unit.
        exact: whether p was computed over all exchanges, there being few.
    """

    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    exact: bool

    def to_dict(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return asdict(self)


def compare(a: Floats, b: Floats, figure: Figure, rounds: int = 10_000, seed: int = 0) -> Difference:
    """Figures, interval and p-value of the difference.

    Args:
        a: (N, K) rows of A, one a unit, N at least 1.
        b: (N, K) rows of B for the same units.
        figure: what is computed from summed rows.
        rounds: random exchanges, and a tenth as many resamples (at least 1,000); fewer, but at least 500, where the
            work would go on for minutes.
        seed: the same seed gives the same result.

    Raises:
        UsageError: the shapes differ, there is no unit, or `rounds` is below 1.
    """
    _check(a, b, rounds)
    p, exact = randomisation_test(a, b, figure, rounds, seed)
    low, high = bootstrap_difference(a, b, figure, max(1000, rounds // 10), seed=seed)
    first, second = (float(figure(each.sum(axis=0)[None])[0]) for each in (a, b))
    return Difference(first, second, second - first, low, high, p, exact)


def randomisation_test(a: Floats, b: Floats, figure: Figure, rounds: int = 10_000, seed: int = 0) -> tuple[float, bool]:
    """Two-sided p-value of the paired randomisation test, and whether it is exact.

    All 2**M exchanges are counted where the M units that differ allow no more than `rounds` of them; else `rounds`
    are drawn, and the p-value is (hits + 1) / (rounds + 1). Arguments and errors as in `compare`.
    """
    _check(a, b, rounds)
    total_a, total_b = a.sum(axis=0), b.sum(axis=0)
    observed = abs(float(figure(total_b[None])[0] - figure(total_a[None])[0]))
    change = b - a
    change = change[np.any(change != 0, axis=1)]
    if not len(change):
        return 1.0, True
    exact = len(change) < 40 and 2 ** len(change) <= rounds
    hits = done = 0
    for moved in _all_exchanges(change) if exact else _random_exchanges(change, rounds, seed):
        found = np.abs(figure(total_b - moved) - figure(total_a + moved))
        hits += int(np.count_nonzero(found >= observed - 1e-12))
        done += len(found)
    return (hits / done, True) if exact else ((hits + 1) / (done + 1), False)


def bootstrap_difference(
    a: Floats, b: Floats, figure: Figure, resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of `figure(b) - figure(a)`, over units drawn with replacement, both rows together.

    Arguments and errors as in `compare`; `level` is the share of the resamples that the interval holds.
    """
    _check(a, b, resamples)
    kinds, often = np.unique(np.hstack([a, b]), axis=0, return_counts=True)
    width, random, units = a.shape[1], np.random.default_rng(seed), len(a)
    found = []
    for size in _blocks(_affordable(resamples, len(kinds)), max(len(kinds), 2 * width)):
        totals = random.multinomial(units, often / units, size=size) @ kinds
        found.append(figure(totals[:, width:]) - figure(totals[:, :width]))
    return percentiles(np.concatenate(found), level)


def micro_f1(totals: Floats) -> Floats:
    """F1 from rows of (right, predicted, gold)."""
    return np.asarray(2 * totals[:, 0] / np.maximum(totals[:, 1] + totals[:, 2], 1), np.float64)


def macro_f1(totals: Floats) -> Floats:
    """Mean F1 of C classes, from rows of C right, then C predicted, then C gold; a class that is absent counts as 0."""
    right, predicted, gold = np.split(totals, 3, axis=1)
    return np.asarray(np.mean(2 * right / np.maximum(predicted + gold, 1), axis=1), np.float64)


def mean(totals: Floats) -> Floats:
    """Mean of a value a unit, from rows of (value, 1): accuracy, mean absolute error."""
    return np.asarray(totals[:, 0] / np.maximum(totals[:, 1], 1), np.float64)


def root_mean(totals: Floats) -> Floats:
    """Root of `mean`: the root of the mean squared error."""
    return np.sqrt(mean(totals))


def values(each: Sequence[float] | Sequence[bool] | NDArray[Any]) -> Floats:
    """(N, 2) rows for `mean` from one value a unit."""
    column = np.asarray(each, np.float64)
    return np.stack([column, np.ones_like(column)], axis=1)


def _check(a: Floats, b: Floats, rounds: int) -> None:
    if a.ndim != 2 or a.shape != b.shape or not len(a):
        raise UsageError(f"a paired test needs the same units twice, at least one; got shapes {a.shape} and {b.shape}")
    if rounds < 1:
        raise UsageError(f"a paired test needs at least 1 round, got {rounds}")


def _affordable(rounds: int, kinds: int) -> int:
    return min(rounds, max(500, _WORK // max(kinds, 1)))


def _blocks(rounds: int, width: int) -> Iterator[int]:
    size = max(1, _CELLS // max(width, 1))
    for start in range(0, rounds, size):
        yield min(size, rounds - start)


def _all_exchanges(change: Floats) -> Iterator[Floats]:
    """(R, K) what every choice of units moves from B to A."""
    count = 2 ** len(change)
    step = max(1, _CELLS // len(change))
    for start, stop in pairwise([*range(0, count, step), count]):
        numbers = np.arange(start, stop)[:, None]
        yield (numbers >> np.arange(len(change)) & 1).astype(np.float64) @ change


def _random_exchanges(change: Floats, rounds: int, seed: int) -> Iterator[Floats]:
    kinds, often = np.unique(change, axis=0, return_counts=True)
    random = np.random.default_rng(seed)
    for size in _blocks(_affordable(rounds, len(kinds)), len(kinds)):
        # Of `often` equal units a binomial number is exchanged.
        yield random.binomial(often, 0.5, size=(size, len(kinds))).astype(np.float64) @ kinds
