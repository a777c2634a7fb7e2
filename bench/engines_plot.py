"""The picture of what `engines.py` measured."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def speeds(peers: Mapping[str, Any]) -> dict[str, list[float]]:
    """Sub-tokens a second of each peer in each round."""
    return {name: [each["subtokens"] / seconds for seconds in each["seconds"]] for name, each in peers.items()}


def plot(rates: Mapping[str, Sequence[float]], ours: set[str], target: Path) -> None:
    """Medians as bars, smallest to largest as a line.

    Args:
        rates: sub-tokens a second of each peer in each round.
        ours: peers that stand out.
        target: the PNG.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    names = sorted(rates, key=lambda name: statistics.median(rates[name]))
    middles = [statistics.median(rates[name]) for name in names]
    low = [middle - min(rates[name]) for name, middle in zip(names, middles, strict=True)]
    high = [max(rates[name]) - middle for name, middle in zip(names, middles, strict=True)]
    colours = ["#c2410c" if name in ours else "#94a3b8" for name in names]
    figure, axes = pyplot.subplots(figsize=(9, 0.42 * len(names) + 1.2))
    axes.barh(names, middles, xerr=[low, high], color=colours, ecolor="#334155", capsize=2)
    for row, (middle, more) in enumerate(zip(middles, high, strict=True)):
        axes.text(middle + more, row, f"  {middle:,.0f}", va="center", fontsize=8)
    axes.set_xlim(0, 1.15 * max(middle + more for middle, more in zip(middles, high, strict=True)))
    axes.set_xlabel("sub-tokens a second, CoNLL-2003 test, text in, entities out")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(target, dpi=130)
    pyplot.close(figure)
