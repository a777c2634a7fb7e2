"""Drawings as SVG whose colours are the page's (classes, not values), so that light and dark need one drawing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagline.evaluate.calibration import Calibration
from tagline.report.blocks import Chart, Figure, Signed, Table

_SIDE, _LEFT, _TOP, _BELOW = 300, 44, 12, 62  # pixels of the plot and its margins
_HATCH = (
    '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<line x1="0" y1="0" x2="0" y2="5" class="hatch"/></pattern></defs>'
)
_DOTS = 1200  # texts up to which each is a dot, else the plot is shaded by cells


def reliability_chart(calibration: Calibration, of: str) -> Chart:
    """Score against accuracy by bins, and how many answers each bin holds."""
    filled = [each for each in calibration.bins if each.answers]
    most = max(each.answers for each in filled)
    parts = [_HATCH, *_frame("score", "share that is right"), _line(0, 0, 1, 1, "ideal")]
    for each in filled:
        middle = (each.low + each.high) / 2
        said = (
            f"score {each.low:.2f} to {each.high:.2f}: {each.answers:,} answers, mean score {each.score:.3f}, "
            f"right {each.accuracy:.1%}"
        )
        over = "over" if each.score > each.accuracy else "under"
        x, width = _x(each.low) + 1, _x(each.high) - _x(each.low) - 2
        top, bottom = sorted((_y(each.accuracy), _y(each.score)))
        parts.append(
            f'<g><title>{said}</title><rect class="bar" x="{x:.1f}" y="{_y(each.accuracy):.1f}" width="{width:.1f}" '
            f'height="{_SIDE + _TOP - _y(each.accuracy):.1f}"/><rect class="gap {over}" x="{x:.1f}" y="{top:.1f}" '
            f'width="{width:.1f}" height="{bottom - top:.1f}"/>'
            f'<circle class="dot" cx="{_x(middle):.1f}" cy="{_y(each.accuracy):.1f}" r="3"/>'
            f'<rect class="count" x="{x:.1f}" y="{_SIDE + _TOP + 42:.1f}" width="{width:.1f}" '
            f'height="{max(1.0, 20 * each.answers / most):.1f}"/></g>'
        )
    table = Table(
        ("score", "answers", "mean score", "right"),
        [(f"{b.low:.2f}–{b.high:.2f}", b.answers, Figure(b.score), Figure(b.accuracy)) for b in filled],
    )
    note = (
        f"Expected calibration error {calibration.error:.4f} over {calibration.count:,} {of}: mean score "
        f"{calibration.score:.3f}, right {calibration.accuracy:.3f}. Hatched: the distance from the score; below: how "
        "many answers there are."
    )
    return Chart(_svg(parts, "Reliability diagram", 30), "Can scores be taken at their word?", table, note)


def scatter_chart(gold: NDArray[np.float64], predicted: NDArray[np.float64]) -> Chart:
    """Predicted against gold numbers; of many texts shaded cells."""
    low, high = float(min(gold.min(), predicted.min())), float(max(gold.max(), predicted.max()))
    span = (high - low) or 1.0
    low, span = low - 0.04 * span, 1.08 * span
    x, y = (gold - low) / span, (predicted - low) / span
    parts = [*_frame("gold", "predicted", (low, low + span)), _line(0, 0, 1, 1, "ideal")]
    if len(gold) <= _DOTS:
        dots = zip(x.tolist(), y.tolist(), gold.tolist(), predicted.tolist(), strict=True)
        parts += [
            f'<circle class="point" cx="{_x(a):.1f}" cy="{_y(b):.1f}" r="3"><title>gold {g:.4g}, predicted {p:.4g}'
            "</title></circle>"
            for a, b, g, p in dots
        ]
    else:
        parts += _shaded(x, y)
    edges = np.linspace(gold.min(), gold.max(), 6)
    places = np.clip(np.searchsorted(edges, gold, "right") - 1, 0, 4)
    rows = []
    for place in range(5):
        here = places == place
        if here.any():
            error = predicted[here] - gold[here]
            name = f"{edges[place]:.3g} to {edges[place + 1]:.3g}"
            said, off = Signed(float(predicted[here].mean())), Signed(float(error.mean()), plus=True)
            rows.append((name, int(here.sum()), said, off, Signed(float(np.abs(error).mean()))))
    table = Table(("gold", "texts", "mean predicted", "mean error", "mean absolute error"), rows)
    return Chart(_svg(parts, "Scatter plot"), "Predicted against gold", table, "On the line, the prediction is right.")


def residual_chart(errors: NDArray[np.float64]) -> Chart:
    """How the errors (predicted − gold) are spread."""
    reach = float(np.abs(errors).max()) or 1.0
    counts, edges = np.histogram(errors, bins=21, range=(-reach, reach))
    most = -(-max(int(counts.max()), 1) // 4) * 4  # so that the ticks are whole numbers
    parts = [*_frame("predicted − gold", "texts", (-reach, reach), (0, most)), _line(0.5, 0, 0.5, 1, "ideal")]
    for count, low, high in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        left, right = ((each + reach) / (2 * reach) for each in (low, high))
        top = _y(count / most)
        parts.append(
            f'<rect class="bar solid" x="{_x(left) + 0.5:.1f}" y="{top:.1f}" width="{_x(right) - _x(left) - 1:.1f}" '
            f'height="{_SIDE + _TOP - top:.1f}"><title>{low:+.3g} to {high:+.3g}: {count:,} texts</title></rect>'
        )
    bins = zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
    table = Table(("error", "texts"), [(f"{low:+.3g} to {high:+.3g}", n) for low, high, n in bins if n])
    note = (
        f"Mean error {errors.mean():+.4f}: "
        + ("predictions are too high" if errors.mean() > 0 else "predictions are too low")
        + " on the whole."
    )
    return Chart(_svg(parts, "Histogram of errors"), "How far off?", table, note)


def _shaded(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[str]:
    cells, _, _ = np.histogram2d(x, y, bins=36, range=((0, 1), (0, 1)))
    most, parts = cells.max(), []
    for column, row in np.argwhere(cells):
        count = int(cells[column, row])
        parts.append(
            f'<rect class="cell" x="{_x(column / 36):.1f}" y="{_y((row + 1) / 36):.1f}" width="{_SIDE / 36 + 0.3:.2f}" '
            f'height="{_SIDE / 36 + 0.3:.2f}" opacity="{0.15 + 0.85 * (count / most) ** 0.5:.2f}">'
            f"<title>{count:,} texts</title></rect>"
        )
    return parts


def _x(share: float) -> float:
    return _LEFT + share * _SIDE


def _y(share: float) -> float:
    return _TOP + (1 - share) * _SIDE


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line class="{style}" x1="{_x(x1):.1f}" y1="{_y(y1):.1f}" x2="{_x(x2):.1f}" y2="{_y(y2):.1f}"/>'


def _frame(
    x_name: str, y_name: str, x_range: tuple[float, float] = (0, 1), y_range: tuple[float, float] | None = None
) -> list[str]:
    """Grid, numbers and names of the axes."""
    y_range = y_range or x_range
    parts = []
    for step in range(5):
        share = step / 4
        parts += [_line(share, 0, share, 1, "grid"), _line(0, share, 1, share, "grid")]
        for value, place in (
            (_tick(x_range, share), f'x="{_x(share):.1f}" y="{_SIDE + _TOP + 16}" text-anchor="middle"'),
            (_tick(y_range, share), f'x="{_LEFT - 7}" y="{_y(share) + 4:.1f}" text-anchor="end"'),
        ):
            parts.append(f"<text {place}>{value}</text>")
    middle = _TOP + _SIDE / 2
    parts.append(f'<text class="axis" x="{_x(0.5)}" y="{_SIDE + _TOP + 34}" text-anchor="middle">{x_name}</text>')
    parts.append(
        f'<text class="axis" transform="translate(11 {middle}) rotate(-90)" text-anchor="middle">{y_name}</text>'
    )
    return parts


def _tick(ends: tuple[float, float], share: float) -> str:
    value = ends[0] + share * (ends[1] - ends[0])
    return f"{value:.3g}"


def _svg(parts: Sequence[str], label: str, more: int = 0) -> str:
    width, height = _LEFT + _SIDE + 14, _TOP + _SIDE + _BELOW - 20 + more
    body = "".join(parts)
    return f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{body}</svg>'
