"""A classifier held against annotated texts, through the same road as any text."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.data.texts.corpus import TextCorpus
from tagline.errors import UsageError
from tagline.evaluate.class_reports import ClassReport, LabelSetReport
from tagline.evaluate.classes import evaluate_label_sets, evaluate_labels, evaluate_numbers
from tagline.evaluate.numbers import NumberReport
from tagline.evaluate.thresholds import tune_thresholds
from tagline.predict.classifier import Classifier, ReadText
from tagline.records import Classification, Problem
from tagline.text.pooling import probabilities

TextReport = ClassReport | LabelSetReport | NumberReport


@dataclass(frozen=True)
class TextJudgement:
    """Scores and what they were computed from.

    Attributes:
        report: the scores.
        answers: the model's answer to each text, with all labels' scores.
        unknown: labels of the corpus that the model does not know; they count as missed.
        windows: windows that the texts took together.
        shortened: pairs of which a part did not fit the window.
        thresholds: of several labels: those in force, by label.
    """

    report: TextReport
    answers: list[Classification]
    unknown: tuple[str, ...]
    windows: int
    shortened: int
    thresholds: dict[str, float]


def judge_texts(
    classifier: Classifier,
    corpus: TextCorpus,
    progress: Callable[[int], None] | None = None,
    tune: bool = False,
) -> TextJudgement:
    """Labels a corpus and scores the answers.

    Args:
        classifier: the model.
        corpus: annotated texts.
        progress: is called with 1 after each text.
        tune: first set the thresholds of several labels to what is best on this corpus, which must not be the one that
            the model is reported on.

    Raises:
        UsageError: the corpus asks for another thing than the model answers.
    """
    check_fits(classifier, corpus)
    started = time.perf_counter()
    read: list[ReadText] = []
    for each in classifier.read((each.text, each.pair) for each in corpus.texts):
        read.append(each)
        if progress is not None:
            progress(1)
    seconds = time.perf_counter() - started
    scores = probabilities(np.stack([each.logits for each in read]), classifier.problem)
    if tune and classifier.problem is Problem.MULTI:
        classifier.thresholds = tune_thresholds(_several(corpus, classifier.labels), scores)
    answers = [classifier.decide(each, None) for each in read]
    known = set(classifier.labels)
    return TextJudgement(
        report=_report(classifier, corpus, answers, scores, seconds),
        answers=answers,
        unknown=() if classifier.problem is Problem.REGRESSION else tuple(sorted(set(corpus.labels) - known)),
        windows=sum(each.windows for each in read),
        shortened=sum(each.shortened > 0 for each in read),
        thresholds=dict(zip(classifier.labels, classifier.thresholds.tolist(), strict=True)),
    )


def check_fits(classifier: Classifier, corpus: TextCorpus) -> None:
    """Raises `UsageError` unless the corpus asks for what the model answers."""
    paired = classifier.folder.manifest.paired
    if paired is not None and paired != corpus.paired:
        raise UsageError(
            f"the model reads pairs and {corpus.path} holds single texts; name the second text with --pair-column"
            if paired
            else f"the model reads single texts and {corpus.path} holds pairs; leave --pair-column away"
        )
    if corpus.problem is not classifier.problem:
        raise UsageError(
            f"the model was trained for {classifier.problem.value} and {corpus.path} is read as "
            f"{corpus.problem.value}; say how to read it with --problem single, multi or regression, --label-column "
            "and --label-separator"
        )


def _report(
    classifier: Classifier,
    corpus: TextCorpus,
    answers: list[Classification],
    scores: NDArray[np.float32],
    seconds: float,
) -> TextReport:
    labels = classifier.labels
    if classifier.problem is Problem.REGRESSION:
        gold: NDArray[Any] = np.asarray([each.score for each in corpus.texts], dtype=np.float64)
        return evaluate_numbers(gold, scores[:, 0].astype(np.float64), seconds)
    if classifier.problem is Problem.MULTI:
        return evaluate_label_sets(
            [each.labels for each in corpus.texts], [each.labels for each in answers], labels, scores, seconds
        )
    return evaluate_labels(
        [each.labels[0] for each in corpus.texts], [each.label for each in answers], labels, scores, seconds
    )


def _several(corpus: TextCorpus, labels: tuple[str, ...]) -> NDArray[np.bool_]:
    place = {label: number for number, label in enumerate(labels)}
    gold = np.zeros((len(corpus.texts), len(labels)), dtype=np.bool_)
    for row, each in enumerate(corpus.texts):
        gold[row, [place[label] for label in each.labels if label in place]] = True
    return gold
