"""Pictures of what is in annotated files, as SVG for a page with its own colours. They need matplotlib (`plots`)."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tagline.data.description import Description, Lengths
from tagline.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Stand-ins: the page gives each its colour, one for light and one for dark.
COLOURS = {
    "ink": "#010101",
    "soft": "#020202",
    "rule": "#030303",
    "outside": "#040404",
    "warn": "#050505",
    "page": "#060606",
    **{f"c{number}": f"#0101{number:02x}" for number in range(2, 10)},
}
SERIES = [COLOURS[name] for name in COLOURS if name.startswith("c")]
_TYPES = SERIES[3:] + SERIES[:3]  # other colours than those of the files
MOST = 40  # types or classes that are drawn; the others stand in the table
_WIDTH = 9.0  # inches
_LETTER = 0.0095  # width of a letter as a share of a bar, on the safe side
_LONGEST = 28  # characters of a name on an axis


def draw_labels(found: Sequence[Description]) -> str:
    """Entities by type, or texts by class: one bar a file, as shares, with the numbers."""
    labels = _labels(found)
    height = max(1.0, len(labels) * (0.16 + 0.19 * len(found))) + 0.35
    return _svg(lambda figure: _bars(figure.subplots(), found, labels), height, "labels")


def draw_words(found: Sequence[Description]) -> str:
    """Words by type: above with O, which nearly all words have, below without."""

    def draw(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharey=True)
        labels = _labels(found)
        _stacked(upper, found, labels, outside=True)
        _stacked(lower, found, labels, outside=False)
        upper.invert_yaxis()  # the lower one follows

    return _svg(draw, 2 * (0.65 + 0.34 * len(found)), "words")


def draw_lengths(found: Sequence[Description], lengths: Sequence[Lengths], unit: str, window: int = 0) -> str:
    """Histograms of lengths, one above the other on one scale, with the median, the 95th percentile and the window.

    Args:
        found: the files.
        lengths: of each file.
        unit: what is counted.
        window: where a line shows how much fits; 0 draws none.
    """

    def draw(figure: Figure) -> None:
        rows = figure.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
        right = max(each.edges[-1] for each in lengths)
        for number, (axes, each, length) in enumerate(zip(rows, found, lengths, strict=True)):
            _histogram(axes, Path(each.path).name, length, SERIES[number % len(SERIES)])
            if 0 < window <= right:
                axes.axvline(window, color=COLOURS["warn"], linewidth=1.2)
                axes.text(window, 0.74 * axes.get_ylim()[1], f" window {window}", color=COLOURS["warn"], fontsize=8)
            axes.set_xlim(0, right)
        rows[-1].set_xlabel(unit, color=COLOURS["soft"])

    return _svg(draw, 0.4 + 1.4 * len(found), f"lengths {unit}")


def _labels(found: Sequence[Description]) -> list[str]:
    return list(dict.fromkeys(label.label for each in found for label in each.labels))[:MOST]


def _bars(axes: Axes, found: Sequence[Description], labels: Sequence[str]) -> None:
    thick = 0.8 / len(found)
    largest = max((label.share for each in found for label in each.labels), default=1.0)
    for number, each in enumerate(found):
        counts = {label.label: label for label in each.labels}
        shares = [counts[label].share if label in counts else 0.0 for label in labels]
        places = np.arange(len(labels)) + (number - (len(found) - 1) / 2) * thick
        name = Path(each.path).name
        axes.barh(places, shares, height=thick * 0.86, color=SERIES[number % len(SERIES)], label=name)
        for place, label, share in zip(places, labels, shares, strict=True):
            text = f"{counts[label].count:,} · {100 * share:.1f} %" if label in counts else "none"
            colour = COLOURS["soft"] if label in counts else COLOURS["warn"]
            axes.text(share + largest * 0.012, place, text, va="center", fontsize=8, color=colour)
    axes.set_yticks(np.arange(len(labels)), [_short(label) for label in labels], color=COLOURS["ink"])
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlim(0, largest * 1.16)
    axes.set_xticks([])
    _plain(axes)


def _stacked(axes: Axes, found: Sequence[Description], labels: Sequence[str], outside: bool) -> None:
    for row, each in enumerate(found):
        words = {label.label: label.words for label in each.labels}
        parts = [(label, words.get(label, 0), _TYPES[n % len(_TYPES)]) for n, label in enumerate(labels)]
        if outside:
            parts.insert(0, ("O", each.outside, COLOURS["outside"]))
        total, at = sum(count for _, count, _ in parts) or 1, 0.0
        for label, count, colour in parts:
            share = count / total
            axes.barh(row, share, left=at, height=0.72, color=colour, edgecolor=COLOURS["page"], linewidth=1.5)
            texts = (f"{_short(label)} {100 * share:.1f} %", _short(label), "")
            text = next(each for each in texts if len(each) * _LETTER <= share)
            ink = COLOURS["ink"] if label == "O" else COLOURS["page"]
            axes.text(at + share / 2, row, text, ha="center", va="center", fontsize=8, color=ink)
            at += share
    axes.set_yticks(range(len(found)), [_short(Path(each.path).name) for each in found], color=COLOURS["ink"])
    axes.set_xlim(0, 1)
    axes.set_xticks([])
    title = "all words" if outside else "words inside entities"
    axes.set_title(title, loc="left", fontsize=9, color=COLOURS["soft"], pad=4)
    _plain(axes)


def _histogram(axes: Axes, name: str, lengths: Lengths, colour: str) -> None:
    edges = np.asarray(lengths.edges)
    shares = np.asarray(lengths.counts) / max(1, sum(lengths.counts))
    axes.bar(edges[:-1], shares, width=np.diff(edges) * 0.92, align="edge", color=colour)
    top = float(shares.max()) * 1.25
    axes.set_ylim(0, top)
    marks = ((lengths.median, "median", "-"), (lengths.p95, "95 %", (0, (4, 3))))
    for value, text, style in marks:
        axes.axvline(value, ymax=0.86, color=COLOURS["ink"], linewidth=0.9, linestyle=style)
        axes.text(value, top * 0.9, f" {text} {value:g}", color=COLOURS["ink"], fontsize=8, va="bottom")
    about = f"longest {lengths.longest:,}, line {lengths.longest_line:,}"
    axes.set_title(_short(name), loc="left", fontsize=9, fontweight="bold", color=COLOURS["ink"], pad=5)
    axes.set_title(about, loc="right", fontsize=8, color=COLOURS["soft"], pad=5)
    axes.set_yticks([])
    _plain(axes)
    axes.spines["bottom"].set_visible(True)
    axes.spines["bottom"].set_color(COLOURS["rule"])
    axes.tick_params(axis="x", colors=COLOURS["soft"])


def _plain(axes: Axes) -> None:
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_facecolor("none")


def _short(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def _svg(draw: Callable[[Figure], None], height: float, name: str) -> str:
    """An `<svg>` whose colours and font are the page's.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("drawing a page", "plots") from None
    # the salt keeps the ids of several pictures on one page apart; no date, so that the same file gives the same page
    settings: Any = {"text.parse_math": False, "svg.fonttype": "none", "svg.hashsalt": name, "font.size": 9}
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # the browser has it
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r"font-family: [^;\"]*", "font-family: inherit", text)
    text = re.sub(r"(font: (?:[\w.]+ )*?[\d.]+px) [^;\"]*", r"\1 var(--font)", text)
    for role, colour in COLOURS.items():
        text = text.replace(colour, f"var(--{role})")
    return text
