"""Comparisons against the reports of the single systems; what lies behind a classifier's score."""

from __future__ import annotations

import pytest
from tests.evaluate.conftest import Corpora

from tagline.data.schemes import Scheme
from tagline.errors import UsageError
from tagline.evaluate import conlleval, evaluate_label_sets, evaluate_labels, strict
from tagline.evaluate.comparison import compare_labels, compare_numbers, compare_tags
from tagline.evaluate.text_details import text_details
from tagline.records import Classification, Label, LabelledText, Problem


def test_figures_of_tags_are_those_of_the_reports(corpora: Corpora) -> None:
    for (gold, first), (_, _) in zip(corpora(Scheme.IOB2, 30), corpora(Scheme.IOB2, 30), strict=True):
        second = [list(reversed(row)) for row in first]
        found = compare_tags(gold, [first, second], ["A", "B"], Scheme.IOB2, 200)
        for row, tags in enumerate((first, second)):
            assert found.figures["strict_f1"][row] == pytest.approx(strict(gold, tags).overall.f1)
            assert found.figures["conlleval_f1"][row] == pytest.approx(conlleval(gold, tags).overall.f1)
        assert found.differing == [row for row in range(len(gold)) if first[row] != second[row]]
        (pair,) = found.pairs
        for name, each in pair.figures.items():
            assert (each.a, each.b) == found.figures[name]


def test_figures_of_labels_and_who_is_right() -> None:
    gold, a, b = list("xxyyzz"), list("xxyyzx"), list("xyyxzy")
    found = compare_labels([(each,) for each in gold], [[(each,) for each in side] for side in (a, b)], ["A", "B"])
    for row, side in enumerate((a, b)):
        report = evaluate_labels(gold, side, ["x", "y", "z"])
        assert found.figures["accuracy"][row] == pytest.approx(report.accuracy)
        assert found.figures["macro_f1"][row] == pytest.approx(report.averages.macro.f1)
    assert "micro_f1" not in found.figures
    assert dict(zip(found.differing, found.outcomes, strict=True)) == {
        1: "only A right", 3: "only A right", 5: "none right",
    }  # fmt: skip
    assert found.to_json()["pairs"][0]["differences"]["accuracy"]["p"] == 0.5


def test_several_labels_have_a_micro_f1() -> None:
    gold: list[tuple[str, ...]] = [("x", "y"), (), ("y",)]
    sides: list[list[tuple[str, ...]]] = [[("x",), ("y",), ("y",)], [("x", "y"), (), ("y",)]]
    found = compare_labels(gold, sides, ["A", "B"])
    report = evaluate_label_sets(gold, sides[0], ["x", "y"])
    assert found.figures["micro_f1"][0] == pytest.approx(report.averages.micro.f1)
    assert found.figures["micro_f1"][1] == 1
    assert found.outcomes == ["only B right"] * 2


def test_three_systems_and_numbers() -> None:
    found = compare_numbers([1.0, 2.0], [[1.0, 2.0], [1.5, 2.0], [3.0, 2.0]], ["A", "B", "C"])
    assert found.figures["mae"] == (0.0, 0.25, 1.0)
    assert [(pair.a, pair.b) for pair in found.pairs] == [(0, 1), (0, 2), (1, 2)]
    assert (found.differing, found.outcomes) == ([0], ["A nearer"])
    assert "mae" in found.lower_is_better


def test_other_words_are_refused() -> None:
    with pytest.raises(UsageError, match="sentence 1: gold has 2 tags"):
        compare_tags([["O", "O"]], [[["O"]]], ["A"], Scheme.IOB2)


def answer(problem: Problem, text: str, labels: tuple[str, ...], **scores: float) -> Classification:
    ranked = tuple(Label(name, score) for name, score in sorted(scores.items(), key=lambda item: -item[1]))
    return Classification(text, None, problem, ranked, labels)


def test_wrong_and_doubtful_labels() -> None:
    rows = (("Fine day", "good"), ("fine  DAY", "bad"), ("fine day", "good"), ("Rain", "bad"), ("Sun", "bad"))
    texts = [LabelledText(text, None, (label,)) for text, label in rows]
    answers = [answer(Problem.SINGLE, each.text, ("good",), good=0.96, bad=0.04) for each in texts]
    found = text_details(texts, answers, train={"rain \0"})
    assert [(each.kind, each.text, each.score) for each in found.mistakes] == [
        ("wrong", row, 0.96) for row in (1, 3, 4)
    ]
    assert [(each.reason, each.text, each.other) for each in found.suspects] == [
        ("confident", 1, ("good",)), ("confident", 3, ("good",)), ("confident", 4, ("good",)),
        ("inconsistent", 1, ("good",)),
    ]  # fmt: skip
    assert found.calibration is not None
    assert found.calibration.error == pytest.approx(0.96 - 2 / 5)
    assert [(each.name, each.texts) for each in found.groups["text_length"]] == [("0–5", 5)]


def test_labels_missed_and_invented() -> None:
    texts = [LabelledText("a", None, ("x", "y")), LabelledText("b", None, ()), LabelledText("c", None, ("x",))]
    answers = [
        answer(Problem.MULTI, "a", ("x",), x=0.9, y=0.2),
        answer(Problem.MULTI, "b", ("x",), x=0.7, y=0.1),
        answer(Problem.MULTI, "c", ("y",), x=0.01, y=0.6),
    ]
    found = text_details(texts, answers, bound=0.9)
    assert [(each.kind, each.score) for each in found.mistakes] == [
        ("missed", 0.8), ("invented", 0.7), ("swapped", 0.99),
    ]  # fmt: skip
    assert [each.text for each in found.suspects] == [2]
    assert found.calibration is not None
    assert found.calibration.count == 6
