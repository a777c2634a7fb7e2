"""How far a score could move on another sample of the same sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tagline.errors import UsageError
from tagline.records import Span

Counts = Sequence[tuple[int, int, int]]


def sentence_counts(gold: Sequence[Iterable[Span]], predicted: Sequence[Iterable[Span]]) -> list[tuple[int, int, int]]:
    """Entities right, predicted and gold of each sentence."""
    pairs = [(set(wanted), set(found)) for wanted, found in zip(gold, predicted, strict=True)]
    return [(len(wanted & found), len(found), len(wanted)) for wanted, found in pairs]


def f1_interval(counts: Counts, resamples: int = 1000, level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Percentile bootstrap interval of micro F1, over sentences drawn with replacement.

    Args:
        counts: entities right, predicted and gold of each sentence.
        resamples: how many corpora of as many sentences are drawn.
        level: share of the resamples that the interval holds, in (0, 1).
        seed: the same seed gives the same interval.

    Returns:
        Lower and upper bound in [0, 1]; both 0 where there is no sentence or no entity.

    Raises:
        UsageError: `resamples` or `level` is out of range.
    """
    if resamples < 1 or not 0 < level < 1:
        raise UsageError(
            f"an interval of level {level} from {resamples} resamples was asked for; "
            "the level must lie between 0 and 1 and there must be at least one resample"
        )
    if not counts:
        return 0.0, 0.0
    # Sentences with equal counts are interchangeable: drawing how often each kind comes up is the same bootstrap,
    # in time and memory that hardly grow with the corpus. Sorted, so that the order of sentences does not matter.
    kinds = sorted(Counter(counts).items())
    shares = np.array([often for _, often in kinds]) / len(counts)
    drawn = np.random.default_rng(seed).multinomial(len(counts), shares, size=resamples)  # (resamples, kinds)
    correct, predicted, gold = (drawn @ np.array([kind for kind, _ in kinds])).T  # each (resamples,)
    scores = 2 * correct / np.maximum(predicted + gold, 1)
    return percentiles(scores, level)


def affordable(kinds: int) -> int:
    """Resamples for figures that cost time in proportion to `kinds`: 1,000, fewer beyond 100,000, at least 200."""
    return min(1000, max(200, 100_000_000 // max(kinds, 1)))


def percentiles(scores: NDArray[np.float64], level: float = 0.95) -> tuple[float, float]:
    """The bounds between which the middle `level` of the (R,) resampled scores lie."""
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
