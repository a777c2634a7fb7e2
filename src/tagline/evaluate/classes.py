"""Judging a classifier that gives one label or several. Every figure equals scikit-learn's of that name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.evaluate.class_reports import ClassReport, Interval, LabelSetReport
from tagline.evaluate.inputs import Bools, Classes, check_inputs, check_sets
from tagline.evaluate.intervals import percentiles
from tagline.evaluate.numbers import evaluate_numbers
from tagline.evaluate.ranking import Rankings, rank, rank_all
from tagline.evaluate.resampling import Figure, Kinds, Totals
from tagline.evaluate.scores import Score, average

__all__ = ["evaluate_label_sets", "evaluate_labels", "evaluate_numbers"]

Floats = NDArray[np.floating[Any]]


def evaluate_labels(
    gold: Sequence[str],
    predicted: Sequence[str],
    labels: Sequence[str],
    scores: Floats | None = None,
    seconds: float = 0.0,
) -> ClassReport:
    """Judges predictions of one label a text.

    Averages go over the classes that gold or prediction has, as scikit-learn's do. With two labels, and no other in
    gold, the second is the positive one and its ROC-AUC that of the report.

    Args:
        gold: label of each text; one that is not in `labels` counts as missed.
        predicted: label given to each text, out of `labels`.
        labels: the model's labels, in its order.
        scores: (N, L) finite scores of all labels; without them there is neither ROC-AUC nor average precision.
        seconds: time that the prediction took, for the report.

    Raises:
        UsageError: lengths or shapes differ, a label is named twice or none is, a predicted label is none of
            `labels`, or a score is not finite.
    """
    check_inputs(len(gold), len(predicted), labels, scores)
    classes = Classes.of(Counter(gold), set(predicted), labels)
    size, names = len(classes.names), classes.names
    wanted, found = classes.numbers(gold), classes.numbers(predicted)
    cells, often = np.unique(wanted * size + found, return_counts=True)
    kinds = Kinds.of_cells(cells // size, cells % size, often, size)
    confusion: dict[str, dict[str, int]] = {}
    for cell, count in zip(cells.tolist(), often.tolist(), strict=True):
        confusion.setdefault(names[cell // size], {})[names[cell % size]] = count
    whole = kinds.whole()
    rows = {label: each for label, each in _scores(names, whole).items() if each.support + each.predicted}
    positive = labels[1] if len(labels) == 2 and not classes.unseen else None
    figures: dict[str, Figure] = {
        "accuracy": Totals.accuracy,
        "macro_f1": lambda totals: totals.macro_f1(len(rows)),
        "matthews": Totals.matthews,
    }
    intervals, by_class = _intervals(kinds, figures, classes)
    return ClassReport(
        classes=rows,
        averages=average(rows),
        rankings=None if scores is None else _rank_labels(wanted, scores, classes, positive),
        unseen=classes.unseen,
        intervals=intervals,
        class_intervals={label: by_class[label] for label in rows},
        texts=len(gold),
        seconds=float(seconds),
        accuracy=float(whole.accuracy()[0]),
        matthews=float(whole.matthews()[0]),
        confusion=confusion,
    )


def evaluate_label_sets(
    gold: Sequence[Collection[str]],
    predicted: Sequence[Collection[str]],
    labels: Sequence[str],
    scores: Floats | None = None,
    seconds: float = 0.0,
) -> LabelSetReport:
    """Judges predictions of any number of labels a text.

    Averages go over all of `labels` and those that only gold has, as scikit-learn's do over the columns of its label
    matrix; a label that neither gold nor prediction has counts as 0.

    Args:
        gold: labels of each text; those that are not in `labels` count as missed.
        predicted: labels given to each text, out of `labels`.
        labels: the model's labels, in its order.
        scores: (N, L) finite scores of all labels; without them there is neither ROC-AUC nor average precision.
        seconds: time that the prediction took, for the report.

    Raises:
        UsageError: lengths or shapes differ, a label is named twice or none is, labels are not in a collection, a
            predicted label is none of `labels`, or a score is not finite.
    """
    check_inputs(len(gold), len(predicted), labels, scores)
    check_sets(gold, predicted)
    # A label that stands twice in one text counts once.
    classes = Classes.of(Counter(chain.from_iterable(map(set, gold))), set(chain.from_iterable(predicted)), labels)
    wanted, found = classes.matrix(gold), classes.matrix(predicted)
    kinds = Kinds.of_sets(wanted, found)
    whole = kinds.whole()
    rows = _scores(classes.names, whole)
    figures: dict[str, Figure] = {
        "micro_f1": Totals.micro_f1,
        "macro_f1": lambda totals: totals.macro_f1(len(rows)),
        "exact_match": Totals.accuracy,
    }
    intervals, by_class = _intervals(kinds, figures, classes)
    return LabelSetReport(
        classes=rows,
        averages=average(rows),
        rankings=None if scores is None else _rank_sets(wanted, scores, classes),
        unseen=classes.unseen,
        intervals=intervals,
        class_intervals=by_class,
        texts=len(gold),
        seconds=float(seconds),
        samples=_samples(wanted, found),
        exact_match=float(whole.accuracy()[0]),
        hamming_loss=float(np.count_nonzero(wanted != found) / max(wanted.size, 1)),
    )


def _scores(names: Sequence[str], whole: Totals) -> dict[str, Score]:
    counts = (part[0].astype(np.int64).tolist() for part in (whole.right, whole.predicted, whole.gold))
    return {name: Score.of(*each) for name, *each in zip(names, *counts, strict=True)}


def _samples(wanted: Bools, found: Bools) -> Score:
    """Mean over the texts of the precision, recall and F1 of their labels; 0 for a text without labels."""
    right, given, meant = (np.count_nonzero(each, axis=1) for each in (wanted & found, found, wanted))
    if not len(wanted):
        return Score.of(0, 0, 0)
    return Score(
        float(np.mean(right / np.maximum(given, 1))),
        float(np.mean(right / np.maximum(meant, 1))),
        float(np.mean(2 * right / np.maximum(given + meant, 1))),
        int(meant.sum()),
        int(right.sum()),
        int(given.sum()),
    )


def _rank_labels(wanted: NDArray[np.int64], scores: Floats, classes: Classes, positive: str | None) -> Rankings:
    known = {name: rank(wanted == place, scores[:, place]) for place, name in enumerate(classes.known)}
    return rank_all(classes.with_unseen(known), positive)


def _rank_sets(wanted: Bools, scores: Floats, classes: Classes) -> Rankings:
    known = {name: rank(wanted[:, place], scores[:, place]) for place, name in enumerate(classes.known)}
    micro = rank(wanted[:, : len(known)].ravel(), scores.ravel())
    return rank_all(classes.with_unseen(known), micro=micro)


def _intervals(
    kinds: Kinds, figures: Mapping[str, Figure], classes: Classes
) -> tuple[dict[str, Interval], dict[str, Interval]]:
    """Intervals of the figures and of each class's F1; (0, 0) where there is no text."""
    # A class that only gold has is never predicted: its F1 is 0 in every corpus that is drawn.
    by_class: dict[str, Interval] = dict.fromkeys(classes.names, (0.0, 0.0))
    if not kinds.often.size:
        return dict.fromkeys(figures, (0.0, 0.0)), by_class
    known = len(classes.known)
    drawn = kinds.resample({**figures, "": lambda totals: totals.f1[:, :known]})
    by_class.update(zip(classes.known, map(percentiles, drawn.pop("").T), strict=True))
    return {name: percentiles(values) for name, values in drawn.items()}, by_class
