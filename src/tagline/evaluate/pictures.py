"""Pictures of a classifier's report, as PNG or SVG. They need matplotlib (the extra `plots`)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagline.data.atomic import atomic_write
from tagline.errors import MissingExtraError, UsageError
from tagline.evaluate.class_reports import ClassReport, LabelSetReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, RULE = "#1b2733", "#66727f", "#dfe4e9"
RIGHT = ("#f3f8fa", "#9ccbd6", "#2e8ba3", "#0d4f66")  # shares of a class that were found
WRONG = ("#ffffff", "#fbd9b5", "#ee9150", "#b63d16")  # shares that were taken for another
SUFFIXES = (".png", ".svg")
FULL, MOST = 60, 400  # beyond so many classes cells hold no counts, and nothing is drawn
LONGEST = 40  # characters of a class's name on an axis


def draw_confusion(report: ClassReport, path: Path) -> None:
    """Draws the confusion matrix: rows are gold, columns predicted, colours the shares of the row, cells hold counts.

    Names beyond 40 characters end in an ellipsis; beyond 60 classes the cells are colours only.

    Args:
        report: a report of at least one text and at most 400 classes.
        path: the picture, ending in .png or .svg; an earlier file is replaced.

    Raises:
        MissingExtraError: matplotlib is not installed.
        UsageError: the path ends otherwise, or the report has no text or too many classes.
        OutputError: the file cannot be written.
    """
    if len(report.classes) > MOST:
        raise UsageError(f"a confusion matrix is drawn of up to {MOST} classes; the report has {len(report.classes)}")
    _save(path, report.texts, lambda figure: _confusion(report, figure))


def draw_label_scores(report: LabelSetReport, path: Path) -> None:
    """Draws the F1 of each label as a bar with its 95 % interval, the best on top, its support beside it.

    Args:
        report: a report of at least one text.
        path: the picture, ending in .png or .svg; an earlier file is replaced.

    Raises:
        MissingExtraError: matplotlib is not installed.
        UsageError: the path ends otherwise, or the report has no text.
        OutputError: the file cannot be written.
    """
    _save(path, report.texts, lambda figure: _label_scores(report, figure))


def _save(path: Path, texts: int, draw: Callable[[Figure], None]) -> None:
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"{path} ends in {suffix or 'nothing'!r}; a picture is written as .png or .svg")
    if not texts:
        raise UsageError("there is no text in the report, so there is nothing to draw")
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("drawing a picture", "plots") from None
    # A class's name may hold a dollar sign, which is no formula; SVG keeps text as text, and no date, so that the same
    # report gives the same file.
    settings: Any = {"text.parse_math": False, "svg.fonttype": "none", "svg.hashsalt": "tagline", "font.size": 9}
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a box stands for it
        figure = Figure(facecolor="white")
        FigureCanvasAgg(figure)
        draw(figure)
        with atomic_write(path, "wb") as file:
            stamp: dict[str, Any] = {"metadata": {"Date": None}} if suffix == ".svg" else {"dpi": 160}
            figure.savefig(file, format=suffix[1:], bbox_inches="tight", pad_inches=0.25, **stamp)


def _confusion(report: ClassReport, figure: Figure) -> None:
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    counts = report.matrix()
    size = len(counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    # Inches: large cells for few classes, then room for the counts, then only for a name beside each row.
    cell = max(0.34, min(6.5 / size, 1.5 / (1 + 0.15 * size))) if size <= FULL else max(0.1, 20 / size)
    side = cell * size
    figure.set_size_inches(side + 2, side + 2)
    axes = figure.add_axes((1 / (side + 2), 1 / (side + 2), side / (side + 2), side / (side + 2)))
    diagonal = np.eye(size, dtype=bool)
    maps = [LinearSegmentedColormap.from_list(name, list(colours)) for name, colours in (("r", RIGHT), ("w", WRONG))]
    # Mistakes are seldom half of a class: their colours are spread over a shorter scale, so that they are seen.
    scales = Normalize(0, 1), Normalize(0, max(0.2, float(shares[~diagonal].max(initial=0))))
    images = [
        axes.imshow(np.ma.array(shares, mask=mask), cmap=each, norm=scale, aspect="equal")
        for mask, each, scale in ((~diagonal, maps[0], scales[0]), (diagonal, maps[1], scales[1]))
    ]
    _grid(axes, size, [_shorten(label) for label in report.classes], cell)
    if size <= FULL:
        _write_counts(axes, counts, np.where(diagonal, shares, scales[1](shares)), side / size)
    mistakes = counts.sum() - np.trace(counts)
    _head(
        axes,
        "Confusion matrix",
        f"{report.texts:,} texts, {mistakes:,} mistaken · accuracy {report.accuracy:.1%} · "
        f"macro F1 {report.averages.macro.f1:.1%}\ncolours: share of the gold class",
        side,
    )
    for place, (image, title) in enumerate(zip(images, ("found", "mistaken"), strict=True)):
        _scale(figure, axes, image, title, place)


def _grid(axes: Axes, size: int, names: Sequence[str], cell: float) -> None:
    points = float(np.clip(cell * 20, 6, 10))
    lines = np.arange(size + 1) - 0.5
    axes.set_xticks(np.arange(size), names, fontsize=points, color=INK)
    axes.set_yticks(np.arange(size), names, fontsize=points, color=INK)
    # Level names where they fit above each other's cells, else upright ones.
    if max(map(len, names)) * points * 0.6 / 72 > cell * 0.95:
        axes.tick_params(axis="x", labelrotation=90 if cell < 0.4 else 45)
        for text in axes.get_xticklabels():
            text.set_horizontalalignment("center" if cell < 0.4 else "right")
            text.set_rotation_mode("default" if cell < 0.4 else "anchor")
    axes.set_xticks(lines, minor=True)
    axes.set_yticks(lines, minor=True)
    axes.grid(which="minor", color=RULE, linewidth=0.8 if size <= 30 else 0.4)
    axes.tick_params(which="both", length=0, pad=5)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted", color=SOFT, labelpad=8)
    axes.set_ylabel("gold", color=SOFT, labelpad=8)


def _write_counts(axes: Axes, counts: NDArray[np.int64], depth: NDArray[Any], cell: float) -> None:
    for row, column in np.argwhere(counts):
        count = f"{counts[row, column]:,}"
        points = float(np.clip(cell * 72 * 0.85 / (0.7 * len(count)), 4, min(11, cell * 23)))
        axes.text(
            column,
            row,
            count,
            ha="center",
            va="center",
            fontsize=points,
            color="white" if depth[row, column] > 0.55 else INK,
            fontweight="bold" if row == column else "normal",
        )


def _head(axes: Axes, title: str, below: str, height: float) -> None:
    """A title with a line below it; `height` of the axes in inches keeps the distances the same at every size."""
    large = float(np.clip(height / 8, 1, 2))
    up = 1 + 0.13 * large / height
    lift = (0.24 + 0.17 * below.count("\n")) * large / height
    where: dict[str, Any] = {"transform": axes.transAxes, "linespacing": 1.35}
    axes.text(0, up + lift, title, fontsize=14 * large, fontweight="bold", color=INK, **where)
    axes.text(0, up, below, fontsize=9 * large, color=SOFT, **where)


def _scale(figure: Figure, axes: Axes, image: Any, title: str, place: int) -> None:
    width, height = figure.get_size_inches()
    box = axes.get_position()
    tall = min((box.height - 0.6 / height) / 2, 1.6 / height)
    top = box.y1 - (place + 1) * tall - (place * 0.4 + 0.16) / height
    bar = figure.add_axes((box.x1 + 0.25 / width, top, 0.12 / width, tall))
    colours = figure.colorbar(image, cax=bar)
    colours.outline.set_visible(False)
    colours.set_ticks([0, image.norm.vmax])
    colours.ax.set_yticklabels(["0", f"{image.norm.vmax:.0%}"])
    colours.ax.tick_params(length=0, labelsize=8, labelcolor=SOFT, pad=4)
    colours.ax.text(0, 1 + 0.09 / (tall * height), title, transform=colours.ax.transAxes, fontsize=8, color=INK)


def _label_scores(report: LabelSetReport, figure: Figure) -> None:
    order = sorted(report.classes, key=lambda label: (report.classes[label].f1, report.classes[label].support))
    scores = np.array([report.classes[label].f1 for label in order])
    bounds = np.array([report.class_intervals[label] for label in order])
    height = max(0.27 * len(order), 1.2)
    figure.set_size_inches(7.5, height + 1.4)
    axes = figure.add_axes((0.22, 0.6 / (height + 1.4), 0.66, height / (height + 1.4)))
    places = np.arange(len(order))
    axes.barh(places, np.ones(len(order)), height=0.66, color="#f1f4f6")
    axes.barh(places, scores, height=0.66, color=RIGHT[2])
    axes.hlines(places, bounds[:, 0], bounds[:, 1], color=INK, linewidth=1.1)
    for place, label in enumerate(order):
        score = report.classes[label]
        axes.text(1.1, place, f"{score.f1:.1%}", ha="right", va="center", color=INK, fontweight="bold")
        axes.text(1.23, place, f"{score.support:,}", ha="right", va="center", color=SOFT)
    for x, title in ((1.1, "F1"), (1.23, "support")):
        axes.text(x, len(order) - 0.3, title, ha="right", va="bottom", color=SOFT, fontsize=8)
    macro = report.averages.macro.f1
    axes.axvline(macro, color=WRONG[3], linewidth=1, linestyle=(0, (4, 3)))
    axes.text(macro, -0.75, f"macro {macro:.1%}", ha="center", va="top", color=WRONG[3], fontsize=8)
    axes.set_yticks(places, [_shorten(label) for label in order], color=INK)
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.6, len(order) - 0.4)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figures = f"micro F1 {report.averages.micro.f1:.1%} · exact match {report.exact_match:.1%}"
    _head(axes, "F1 of each label", f"{report.texts:,} texts · {figures} · lines: 95 % intervals", height)


def _shorten(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
