"""Scores of classified texts: equal to scikit-learn, on drawn cases and on the hard ones."""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rich.console import Console
from sklearn import metrics

from tagline.errors import UsageError
from tagline.evaluate import ClassReport, LabelSetReport, Score, evaluate_label_sets, evaluate_labels

Single = tuple[list[str], list[str], list[str], NDArray[np.float64]]
Several = tuple[list[list[str]], list[list[str]], list[str], NDArray[np.float64]]
EXACT = 1e-12


@st.composite
def single(draw: st.DrawFn, unseen: bool = True) -> Single:
    """Few labels and coarse scores, so that classes are missing on either side and scores tie."""
    labels = [f"l{place}" for place in range(draw(st.integers(1, 5)))]
    texts = draw(st.integers(1, 25))
    gold = draw(st.lists(st.sampled_from([*labels, *(["odd", "a new one"] if unseen else [])]), min_size=texts))[:texts]
    predicted = draw(st.lists(st.sampled_from(labels), min_size=texts, max_size=texts))
    cells = draw(st.lists(st.integers(0, 4), min_size=texts * len(labels), max_size=texts * len(labels)))
    return gold, predicted, labels, np.reshape(np.array(cells) / 4, (texts, len(labels)))


@st.composite
def several(draw: st.DrawFn) -> Several:
    labels = [f"l{place}" for place in range(draw(st.integers(1, 5)))]
    texts = draw(st.integers(1, 25))
    some = st.lists(st.sampled_from(labels), max_size=3)
    more = st.lists(st.sampled_from([*labels, "odd"]), max_size=3)
    gold = draw(st.lists(draw(st.sampled_from([some, more])), min_size=texts, max_size=texts))
    predicted = draw(st.lists(some, min_size=texts, max_size=texts))
    cells = draw(st.lists(st.integers(0, 4), min_size=texts * len(labels), max_size=texts * len(labels)))
    return gold, predicted, labels, np.reshape(np.array(cells) / 4, (texts, len(labels)))


def quiet(function: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """scikit-learn's answer without its warnings; ours warns of nothing, or these tests fail."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*given, **named)


def check_scores(classes: dict[str, Score], gold: Any, predicted: Any, labels: Any) -> None:
    rows = quiet(metrics.precision_recall_fscore_support, gold, predicted, labels=labels, average=None, zero_division=0)
    mine = np.array([(each.precision, each.recall, each.f1, each.support) for each in classes.values()])
    np.testing.assert_allclose(mine.T, rows, rtol=0, atol=EXACT)


def check_average(score: Score, gold: Any, predicted: Any, kind: str) -> None:
    found = quiet(metrics.precision_recall_fscore_support, gold, predicted, average=kind, zero_division=0)
    assert (score.precision, score.recall, score.f1) == pytest.approx(found[:3], abs=EXACT)


def check_ranking(found: tuple[float | None, float | None], gold: Any, scores: Any) -> None:
    auc, precision = found
    sides = len(set(np.asarray(gold).tolist()))
    if np.any(gold):
        assert precision == pytest.approx(metrics.average_precision_score(gold, scores), abs=EXACT)
    else:
        assert precision is None
    if sides == 2:
        assert auc == pytest.approx(metrics.roc_auc_score(gold, scores), abs=EXACT)
    else:
        assert auc is None


def check_single(case: Single) -> ClassReport:
    gold, predicted, labels, scores = case
    report = evaluate_labels(gold, predicted, labels, scores)
    every = list(report.classes)
    assert set(every) == {*gold, *predicted}
    assert every == [label for label in (*labels, *sorted({*gold} - {*labels})) if label in every]
    check_scores(report.classes, gold, predicted, every)
    for kind, score in report.averages._asdict().items():
        check_average(score, gold, predicted, kind)
    assert report.accuracy == pytest.approx(metrics.accuracy_score(gold, predicted), abs=EXACT)
    assert report.matthews == pytest.approx(quiet(metrics.matthews_corrcoef, gold, predicted), abs=EXACT)
    assert report.matrix().tolist() == quiet(metrics.confusion_matrix, gold, predicted, labels=every).tolist()
    assert report.rankings is not None
    for place, label in enumerate(labels):
        check_ranking(report.rankings.classes[label], np.array(gold) == label, scores[:, place])
    check_report(report)
    return report


def check_several(case: Several) -> LabelSetReport:
    gold, predicted, labels, scores = case
    report = evaluate_label_sets(gold, predicted, labels, scores)
    every = [*labels, *sorted({label for each in gold for label in each} - {*labels})]
    assert list(report.classes) == every
    # A column that nobody has keeps scikit-learn from taking one label for a problem of two classes.
    wanted, found = (np.array([[name in each for name in every] for each in side], int) for side in (gold, predicted))
    if len(every) > 1:
        check_scores(report.classes, wanted, found, None)
        for kind, score in {**report.averages._asdict(), "samples": report.samples}.items():
            check_average(score, wanted, found, kind)
        assert report.hamming_loss == pytest.approx(metrics.hamming_loss(wanted, found), abs=EXACT)
        assert report.exact_match == pytest.approx(metrics.accuracy_score(wanted, found), abs=EXACT)
        matrices = metrics.multilabel_confusion_matrix(wanted, found)
        for label, matrix in zip(every, matrices.tolist(), strict=True):
            names = [["true_negatives", "false_positives"], ["false_negatives", "true_positives"]]
            assert [[report.confusion(label)[name] for name in row] for row in names] == matrix
    assert report.rankings is not None
    assert report.rankings.micro is not None
    for place, label in enumerate(labels):
        check_ranking(report.rankings.classes[label], wanted[:, place], scores[:, place])
    check_ranking(report.rankings.micro, wanted[:, : len(labels)].ravel(), scores.ravel())
    check_report(report)
    return report


def check_report(report: ClassReport | LabelSetReport) -> None:
    said = report.to_json()
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert report.headline == ("macro_f1", report.averages.macro.f1)
    for low, high in (*report.intervals.values(), *report.class_intervals.values()):
        assert -1 <= low <= high <= 1


@given(single())
@settings(max_examples=150, deadline=None)
def test_one_label_equals_scikit_learn(case: Single) -> None:
    check_single(case)


@given(several())
@settings(max_examples=150, deadline=None)
def test_several_labels_equal_scikit_learn(case: Several) -> None:
    check_several(case)


@given(single(unseen=False))
@settings(max_examples=80, deadline=None)
def test_the_means_of_the_rankings_equal_scikit_learn(case: Single) -> None:
    gold, predicted, labels, scores = case
    rankings = evaluate_labels(gold, predicted, labels, scores).rankings
    assert rankings is not None
    if len(labels) == 2:
        check_ranking((rankings.roc_auc, rankings.classes["l1"][1]), np.array(gold) == "l1", scores[:, 1])
    elif len(labels) > 2 and set(gold) == set(labels):
        shares = (scores + 0.01) / (scores + 0.01).sum(axis=1, keepdims=True)  # scikit-learn takes nothing else
        rankings = evaluate_labels(gold, predicted, labels, shares).rankings
        assert rankings is not None
        auc = metrics.roc_auc_score(gold, shares, multi_class="ovr", average="macro")
        assert rankings.roc_auc == pytest.approx(auc, abs=EXACT)
        assert rankings.average_precision == pytest.approx(metrics.average_precision_score(gold, shares), abs=EXACT)


def test_several_labels_means_of_rankings_equal_scikit_learn() -> None:
    random = np.random.default_rng(3)
    wanted, scores = random.random((80, 4)) < 0.3, random.random((80, 4)).round(1)
    names = ["a", "b", "c", "d"]
    gold = [[names[place] for place in np.flatnonzero(row)] for row in wanted]
    rankings = evaluate_label_sets(gold, gold, names, scores).rankings
    assert rankings is not None
    assert rankings.roc_auc == pytest.approx(metrics.roc_auc_score(wanted, scores, average="macro"), abs=EXACT)
    macro = metrics.average_precision_score(wanted, scores, average="macro")
    assert rankings.average_precision == pytest.approx(macro, abs=EXACT)
    # A label without gold is left out of the means, and said.
    more = evaluate_label_sets(gold, gold, [*names, "e"], np.c_[scores, scores[:, 0]])
    assert more.rankings is not None
    assert more.rankings.roc_auc == rankings.roc_auc
    assert more.rankings.average_precision == rankings.average_precision
    assert more.to_json()["ranking"]["left_out"] == ["e"]
    assert more.to_json()["classes"]["e"]["average_precision"] is None


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        ("abcab", "abbab"),  # c never predicted
        ("aabb", "abca"),  # c absent from gold
        ("aaaa", "aaaa"),  # one class only, right
        ("aaaa", "bbbb"),  # one class only, wrong
        ("aaaa", "abab"),
        ("xyxy", "abab"),  # nothing that the model knows
        ("a", "a"),
    ],
)
def test_hard_cases_with_tied_scores(gold: str, predicted: str) -> None:
    scores = np.full((len(gold), 3), 1 / 3)
    report = check_single((list(gold), list(predicted), ["a", "b", "c"], scores))
    assert report.unseen == {label: gold.count(label) for label in sorted({*gold} - {*"abc"})}
    check_several(([[each] for each in gold], [[each] for each in predicted], ["a", "b", "c"], scores))


def test_no_text_gives_zeros_and_none() -> None:
    one = evaluate_labels([], [], ["a", "b"], np.zeros((0, 2)))
    assert (one.accuracy, one.matthews, one.averages.macro.f1, one.classes, one.confusion) == (0, 0, 0, {}, {})
    assert one.matrix().shape == (0, 0)
    more = evaluate_label_sets([], [], ["a", "b"], np.zeros((0, 2)))
    assert (more.exact_match, more.hamming_loss, more.samples.f1, more.averages.micro.f1) == (0, 0, 0, 0)
    for report in (one, more):
        check_report(report)
        assert report.rankings is not None
        assert report.rankings.roc_auc is report.rankings.average_precision is None
        assert set(report.intervals.values()) == {(0.0, 0.0)}
        report.render(Console(quiet=True))


def test_without_scores_there_is_no_ranking() -> None:
    assert evaluate_labels(["a", "b"], ["a", "a"], ["a", "b"]).to_json()["ranking"] is None
    assert evaluate_label_sets([["a"], []], [[], []], ["a", "b"]).to_json()["ranking"] is None


def test_what_the_report_on_one_label_says() -> None:
    gold, predicted = [*"aaabbbccz"], [*"aabbbaccc"]
    said = evaluate_labels(gold, predicted, ["a", "b", "c"], np.eye(9, 3), seconds=2).to_json()
    assert (said["task"], said["problem"]) == ("text-classification", "single_label_classification")
    assert said["confusion"] == {"a": {"a": 2, "b": 1}, "b": {"a": 1, "b": 2}, "c": {"c": 2}, "z": {"c": 1}}
    assert (said["texts"], said["seconds"], said["unseen"]) == (9, 2.0, {"z": 1})
    assert set(said["intervals"]) == {"accuracy", "macro_f1", "matthews", "classes"}
    assert said["classes"]["c"] | {"roc_auc": 0, "average_precision": 0} == {
        "precision": 2 / 3,
        "recall": 1.0,
        "f1": 0.8,
        "support": 2,
        "roc_auc": 0,
        "average_precision": 0,
    }


def printed(report: ClassReport | LabelSetReport) -> str:
    file = io.StringIO()
    report.render(Console(file=file, width=80))
    return file.getvalue()


def test_what_is_printed_of_one_label() -> None:
    gold, predicted = [*"aaabbbccz"], [*"aabbbaccc"]
    text = printed(evaluate_labels(gold, predicted, ["a", "b", "c"], np.eye(9, 3)))
    assert re.search(r"│c +│ +0.6667│1.0000│0.8000│0\.\d{3}–1.000│", text)
    assert "gold ╲ predicted" in text
    assert re.search(r"│ a +│ +2 │ +1 │ +0 │ +0 │", text)
    assert "Accuracy 0.6667, 95 % interval" in text
    assert "Gold labels that the model does not know count as missed" in text
    assert "9 texts, 0.0 s." in text
    markup = ["[red]a", "[/]"]
    assert "[red]a" in printed(evaluate_labels(markup, markup, markup))


def test_many_classes_show_their_most_frequent_confusions() -> None:
    names = [f"c{place:02}" for place in range(20)]
    gold = [name for place, name in enumerate(names) for _ in range(place + 1)]
    text = printed(evaluate_labels(gold, ["c00"] * len(gold), names))
    assert "Confusion matrix" not in text
    rows = re.findall(r"│ (c\d\d) +│ c00 +│ +(\d+) │ +100.0% │", text)
    assert rows == [(f"c{place:02}", str(place + 1)) for place in range(19, 7, -1)]
    assert "7 more pairs of classes are confused, in 35 texts." in text


def test_what_is_printed_of_several_labels() -> None:
    gold, predicted = [["a"], ["a", "b"], []], [["a"], ["a"], ["b"]]
    text = printed(evaluate_label_sets(gold, predicted, ["a", "b", "no"], np.eye(3)))
    for said in ("samples avg", "Exact match 0.3333", "Hamming loss 0.2222.", "leave them out: no."):
        assert said in text


@pytest.mark.parametrize("function", [evaluate_labels, evaluate_label_sets])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"predicted": ["a"]}, "gold has 2 texts but the prediction has 1"),
        ({"predicted": ["a", "q"]}, "the label 'q', which is none of the 2 labels that can be predicted: a, b"),
        ({"labels": ["a", "b", "a"]}, "'a' stands there twice"),
        ({"labels": []}, "there are none"),
        ({"scores": np.zeros((2, 3))}, r"shape \(2, 3\); expected \(2, 2\)"),
        ({"scores": np.array([[0, 1], [0, np.nan]])}, "the scores of text 2 hold nan"),
    ],
)
def test_bad_input_is_a_sentence(function: Any, changes: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"gold": ["a", "b"], "predicted": ["a", "b"], "labels": ["a", "b"], **changes}
    if function is evaluate_label_sets:
        given |= {side: [[label] for label in given[side]] for side in ("gold", "predicted")}
    with pytest.raises(UsageError, match=said):
        function(**given)


def test_a_string_is_no_list_of_labels() -> None:
    with pytest.raises(UsageError, match="the predicted labels of text 2 are a string, 'ab'"):
        evaluate_label_sets([["a"], ["b"]], [["a"], "ab"], ["a", "b"])


def naive(
    gold: list[Any], predicted: list[Any], figure: Callable[[list[Any], list[Any]], float]
) -> tuple[float, float]:
    random, texts = np.random.default_rng(7), len(gold)
    drawn = (random.integers(texts, size=texts) for _ in range(1000))
    values = [figure([gold[place] for place in rows], [predicted[place] for place in rows]) for rows in drawn]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def tallied(gold: Any, predicted: Any, classes: int) -> NDArray[Any]:
    """(N, N) counts of gold and predicted classes, given by number."""
    places = classes * np.asarray(gold) + np.asarray(predicted)
    return np.bincount(places, minlength=classes * classes).reshape(classes, classes)


def f1s(table: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(2 * table.diagonal() / np.maximum(1, table.sum(0) + table.sum(1)))


def matthews(table: NDArray[Any]) -> float:
    wanted, found, count = table.sum(1), table.sum(0), table.sum()
    apart = (count**2 - wanted @ wanted) * (count**2 - found @ found)
    return float((table.trace() * count - wanted @ found) / np.sqrt(apart))


def test_intervals_are_those_of_the_plain_bootstrap() -> None:
    random, names = np.random.default_rng(1), ["a", "b", "c"]
    gold = random.choice(names, 150, p=[0.6, 0.3, 0.1]).tolist()
    predicted = [label if random.random() < 0.8 else str(random.choice(names)) for label in gold]
    report = evaluate_labels(gold, predicted, names)
    figures: dict[str, Callable[[NDArray[Any]], float]] = {  # scikit-learn's take a minute for 4,000 samples
        "accuracy": lambda table: float(table.trace() / table.sum()),
        "macro_f1": lambda table: float(f1s(table).mean()),
        "matthews": matthews,
    }
    wanted, found = ([names.index(label) for label in side] for side in (gold, predicted))
    whole = tallied(wanted, found, 3)
    assert figures["macro_f1"](whole) == pytest.approx(metrics.f1_score(gold, predicted, average="macro"))
    assert matthews(whole) == pytest.approx(metrics.matthews_corrcoef(gold, predicted))
    for name, figure in figures.items():
        expected = naive(wanted, found, lambda g, p, figure=figure: figure(tallied(g, p, 3)))  # type: ignore[misc]
        assert report.intervals[name] == pytest.approx(expected, abs=0.02)
    f1 = naive(wanted, found, lambda g, p: float(f1s(tallied(g, p, 3))[1]))
    assert report.class_intervals["b"] == pytest.approx(f1, abs=0.02)
    # The order of the texts does not matter.
    assert evaluate_labels(gold[::-1], predicted[::-1], names).to_json() == report.to_json()


def binary_f1(gold: Any, predicted: Any, axis: int | None = None) -> NDArray[Any]:
    """F1 over all of the (N, L) booleans, or of each column."""
    wanted, found = np.array(gold), np.array(predicted)
    return np.asarray(2 * (wanted & found).sum(axis) / np.maximum(1, wanted.sum(axis) + found.sum(axis)))


def test_intervals_of_several_labels_are_those_of_the_plain_bootstrap() -> None:
    random, names = np.random.default_rng(2), ["a", "b", "c", "d"]
    wanted = random.random((150, 4)) < [0.5, 0.3, 0.2, 0.1]
    found = wanted ^ (random.random((150, 4)) < 0.15)
    gold, predicted = ([[names[place] for place in np.flatnonzero(row)] for row in side] for side in (wanted, found))
    report = evaluate_label_sets(gold, predicted, names)
    figures: dict[str, Callable[[Any, Any], float]] = {
        "micro_f1": lambda g, p: float(binary_f1(g, p).item()),
        "macro_f1": lambda g, p: float(binary_f1(g, p, axis=0).mean()),
        "exact_match": lambda g, p: float((np.array(g) == np.array(p)).all(axis=1).mean()),
    }
    for name in ("micro", "macro"):
        assert figures[f"{name}_f1"](wanted, found) == pytest.approx(metrics.f1_score(wanted, found, average=name))
    for name, figure in figures.items():
        assert report.intervals[name] == pytest.approx(naive(list(wanted), list(found), figure), abs=0.02)
    f1 = naive(list(wanted), list(found), lambda g, p: float(binary_f1(g, p, axis=0)[1]))
    assert report.class_intervals["b"] == pytest.approx(f1, abs=0.02)
    assert evaluate_label_sets(gold[::-1], predicted[::-1], names).intervals == report.intervals


def test_blocks_of_resamples_draw_what_one_block_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    random, names = np.random.default_rng(5), [*"abcdef"]
    gold, predicted = random.choice(names, (2, 300)).tolist()
    whole = evaluate_labels(gold, predicted, names)
    monkeypatch.setattr("tagline.evaluate.resampling._CELLS", 100)
    assert evaluate_labels(gold, predicted, names).to_json() == whole.to_json()


def test_a_large_corpus() -> None:
    random, names = np.random.default_rng(6), [f"c{place}" for place in range(20)]
    wanted = random.integers(20, size=200_000)
    found = np.where(random.random(len(wanted)) < 0.8, wanted, random.integers(20, size=len(wanted)))
    gold, predicted = ([names[place] for place in side] for side in (wanted, found))
    low, high = evaluate_labels(gold, predicted, names).intervals["accuracy"]
    assert 0 < high - low < 0.01
