"""Judging a model that gives a number: correlations and errors, with their uncertainty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagline.errors import UsageError
from tagline.evaluate.inputs import check_finite, check_lengths
from tagline.evaluate.intervals import affordable, percentiles
from tagline.records import Problem

if TYPE_CHECKING:
    from rich.console import Console

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NumberReport:
    """The judgement on predicted numbers. A figure is 0 where it is undefined (no text; correlation with a constant).

    Attributes:
        pearson: linear correlation, in [-1, 1].
        spearman: correlation of the ranks, ties at their mean rank: the headline.
        mae: mean absolute error.
        rmse: root of the mean squared error.
        r2: share of the gold numbers' variance that is explained, at most 1; as in scikit-learn, where gold is
            constant 1 if every prediction is right, else 0.
        intervals: lower and upper bound of `pearson`, `spearman` and `rmse`: 95 % percentile bootstrap over texts,
            of 1,000 resamples, or fewer (at least 200) beyond 100,000 texts.
        texts: how many texts were judged.
        seconds: time that the prediction took, as the caller measured it.
    """

    pearson: float
    spearman: float
    mae: float
    rmse: float
    r2: float
    intervals: dict[str, tuple[float, float]]
    texts: int
    seconds: float

    @property
    def headline(self) -> tuple[str, float]:
        """Name and value of the figure that sums the report up."""
        return "spearman", self.spearman

    def to_json(self) -> dict[str, Any]:
        """The report as one JSON-ready object of Python numbers."""
        return {
            "task": "text-classification",
            "problem": Problem.REGRESSION.value,
            "pearson": self.pearson,
            "spearman": self.spearman,
            "mae": self.mae,
            "rmse": self.rmse,
            "r2": self.r2,
            "intervals": {name: list(bounds) for name, bounds in self.intervals.items()},
            "texts": self.texts,
            "seconds": self.seconds,
        }

    def render(self, console: Console) -> None:
        """Prints the figures to a rich console."""
        from rich.table import Table

        table = Table(title="Numbers")
        table.add_column("figure")
        table.add_column("value", justify="right")
        table.add_column("95 % interval", justify="right")
        rows = {"Pearson": "pearson", "Spearman": "spearman", "RMSE": "rmse", "MAE": "mae", "R2": "r2"}
        for title, name in rows.items():
            low, high = self.intervals.get(name, (None, None))
            bounds = "" if low is None else f"{low:.4f} to {high:.4f}"
            table.add_row(title, f"{getattr(self, name):.4f}", bounds)
        console.print(table)
        console.print(f"{self.texts:,} texts, {self.seconds:.1f} s.", highlight=False)


def evaluate_numbers(
    gold: NDArray[np.floating[Any]], predicted: NDArray[np.floating[Any]], seconds: float = 0.0
) -> NumberReport:
    """Judges predicted numbers against gold ones.

    Args:
        gold: (N,) finite numbers.
        predicted: (N,) finite numbers.
        seconds: time that the prediction took, for the report.

    Raises:
        UsageError: the shapes differ or are not (N,), or a number is not finite.
    """
    if gold.ndim != 1 or predicted.ndim != 1:
        raise UsageError(f"expected one number a text, got the shapes {gold.shape} and {predicted.shape}")
    check_lengths(len(gold), len(predicted))
    check_finite(gold, "gold numbers")
    check_finite(predicted, "predicted numbers")
    x, y = gold.astype(np.float64), predicted.astype(np.float64)
    texts = len(x)
    errors = x - y
    spread = float(np.sum((x - x.mean()) ** 2)) if texts and np.ptp(x) else 0.0  # of a constant, the mean is rounded
    squared = float(np.sum(errors**2))
    return NumberReport(
        pearson=pearson(x, y),
        spearman=pearson(midranks(x), midranks(y)),
        mae=float(np.mean(np.abs(errors))) if texts else 0.0,
        rmse=float(np.sqrt(squared / max(texts, 1))),
        r2=1 - squared / spread if spread else float(texts > 1 and not squared),
        intervals=_intervals(x, y),
        texts=texts,
        seconds=float(seconds),
    )


def pearson(x: Floats, y: Floats) -> float:
    """Linear correlation of two (N,) arrays, in [-1, 1]; 0 where one of them is constant or N is below 2."""
    if len(x) < 2 or np.all(x == x[0]) or np.all(y == y[0]):
        return 0.0
    x, y = x - x.mean(), y - y.mean()
    x, y = x / np.abs(x).max(), y / np.abs(y).max()  # so that no square overflows or vanishes
    return float(np.clip(np.dot(x / np.linalg.norm(x), y / np.linalg.norm(y)), -1, 1))


def midranks(values: Floats) -> Floats:
    """(N,) ranks from 1; equal values share the mean of theirs."""
    _, places, often = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(often) - (often - 1) / 2)[places]
    return ranks


def _intervals(x: Floats, y: Floats, seed: int = 0) -> dict[str, tuple[float, float]]:
    names, texts = ("pearson", "spearman", "rmse"), len(x)
    if not texts:
        return dict.fromkeys(names, (0.0, 0.0))
    order = np.lexsort((y, x))  # so that the order of the texts does not matter
    x, y = x[order], y[order]
    squared, rank_x, rank_y = (x - y) ** 2, _ranker(x), _ranker(y)
    x, y = _scaled(x), _scaled(y)
    random, figures = np.random.default_rng(seed), np.zeros((affordable(texts), len(names)))
    for row in figures:
        often = np.bincount(random.integers(texts, size=texts), minlength=texts).astype(np.float64)
        row[2] = np.sqrt(often @ squared / texts)
        row[1] = _weighted(rank_x(often), rank_y(often), often)
        row[0] = _weighted(x - often @ x / texts, y - often @ y / texts, often)
    return {name: percentiles(values) for name, values in zip(names, figures.T, strict=True)}


def _scaled(x: Floats) -> Floats:
    """The numbers within [-1, 1], so that no square overflows or vanishes."""
    x = x - x.mean()
    return x / (np.abs(x).max() or 1.0)


def _ranker(values: Floats) -> Callable[[Floats], Floats]:
    """Gives the midranks of values in a corpus where each comes up so many times, less the mean rank."""
    _, places = np.unique(values, return_inverse=True)
    size = int(places.max()) + 1

    def ranks(often: Floats) -> Floats:
        together = np.bincount(places, often, size)
        middle = np.cumsum(together) - (together - 1) / 2 - (len(often) + 1) / 2
        found: Floats = middle[places]
        return found

    return ranks


def _weighted(x: Floats, y: Floats, often: Floats) -> float:
    """Pearson correlation where each pair comes up `often` times, the mean being 0; 0 where x or y is constant."""
    wx, wy = often * x, often * y
    spread_x, spread_y = wx @ x, wy @ y
    # What a constant leaves is 0, or the square of a rounding error.
    if min(spread_x, spread_y) <= 1e-28 * len(often):
        return 0.0
    return float(np.clip((wx @ y) / np.sqrt(spread_x * spread_y), -1, 1))
