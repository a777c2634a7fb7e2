"""The pictures of a report: what stands in them, whole or not at all, and without matplotlib a sentence."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tagline.errors import MissingExtraError, OutputError, UsageError
from tagline.evaluate import ClassReport, evaluate_label_sets, evaluate_labels
from tagline.evaluate.pictures import draw_confusion, draw_label_scores

pytest.importorskip("matplotlib", reason="needs the extra plots")


def report(size: int, texts: int = 400) -> ClassReport:
    random, names = np.random.default_rng(size), [f"class {place}" for place in range(size)]
    gold = [names[place] for place in random.integers(size, size=texts)] + names
    predicted = [label if random.random() < 0.8 else str(random.choice(names)) for label in gold]
    return evaluate_labels(gold, predicted, names)


def words(path: Path) -> list[str]:
    """The texts of an SVG."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text("utf-8"))


@pytest.mark.parametrize("size", [2, 13, 60])
def test_a_confusion_matrix_holds_its_names_and_counts(tmp_path: Path, size: int) -> None:
    judged = report(size)
    draw_confusion(judged, tmp_path / "matrix.svg")
    found = words(tmp_path / "matrix.svg")
    counts = judged.matrix()
    assert sorted(word for word in found if word.isdigit() and word != "0") == sorted(map(str, counts[counts > 0]))
    assert all(found.count(label) == 2 for label in judged.classes)
    assert any(f"{judged.accuracy:.1%}" in word for word in found)
    assert [path.name for path in tmp_path.iterdir()] == ["matrix.svg"]


def test_one_report_gives_one_file(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw_confusion(report(3), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_more_classes_than_cells_can_hold_counts_of(tmp_path: Path) -> None:
    judged = report(61)
    draw_confusion(judged, tmp_path / "matrix.svg")
    assert not [word for word in words(tmp_path / "matrix.svg") if word.isdigit() and word != "0"]


def test_a_png_has_an_inch_and_more_a_side(tmp_path: Path) -> None:
    draw_confusion(report(2), tmp_path / "matrix.PNG")
    data = (tmp_path / "matrix.PNG").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert min(struct.unpack(">II", data[16:24])) > 400


def test_odd_names_are_drawn_as_they_are(tmp_path: Path) -> None:
    names = ["$x_1", "a" * 60, "b$", "漢字"]
    draw_confusion(evaluate_labels(names, names, names), tmp_path / "matrix.svg")
    found = words(tmp_path / "matrix.svg")
    assert {"$x_1", "b$", "漢字", "a" * 39 + "…"} <= set(found)


def test_label_scores_hold_names_scores_and_support(tmp_path: Path) -> None:
    gold, predicted = [["a"], ["a", "b"], ["a"], ["b"]], [["a"], ["a"], ["a"], ["b"]]
    draw_label_scores(evaluate_label_sets(gold, predicted, ["b", "a", "$none"]), tmp_path / "bars.svg")
    found = words(tmp_path / "bars.svg")
    assert {"a", "b", "$none", "100.0%", "66.7%", "0.0%", "macro 55.6%"} <= set(found)
    assert [word for word in found if word in ("2", "3", "0")] == ["0", "2", "3"]


def test_what_cannot_be_drawn_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'.pdf'; a picture is written as .png or .svg"):
        draw_confusion(report(2), tmp_path / "matrix.pdf")
    with pytest.raises(UsageError, match="up to 400 classes; the report has 401"):
        draw_confusion(report(401), tmp_path / "matrix.png")
    with pytest.raises(UsageError, match="nothing to draw"):
        draw_confusion(evaluate_labels([], [], ["a"]), tmp_path / "matrix.png")
    with pytest.raises(OutputError, match="its folder does not exist"):
        draw_confusion(report(2), tmp_path / "none" / "matrix.png")
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"tagline\[plots\]"):
        draw_confusion(report(2), tmp_path / "matrix.png")


def test_settings_and_pyplot_are_left_alone(tmp_path: Path) -> None:
    code = f"""
import sys
import matplotlib
from pathlib import Path
from tagline.evaluate import evaluate_labels
from tagline.evaluate.pictures import draw_confusion
names = [name for name in matplotlib.rcParams if name != "backend"]  # reading that one imports pyplot
before = [matplotlib.rcParams[name] for name in names]
draw_confusion(evaluate_labels(["a"], ["a"], ["a", "b"]), Path({str(tmp_path / "matrix.png")!r}))
assert [matplotlib.rcParams[name] for name in names] == before
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "matrix.png").stat().st_size > 1000
