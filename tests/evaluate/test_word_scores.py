"""Scores over words: equal to scikit-learn, in figures and to the letter."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from itertools import chain

import pytest
from sklearn.metrics import accuracy_score, classification_report

from tagline.data.schemes import Scheme
from tagline.errors import UsageError
from tagline.evaluate.words import score_words

Tags = list[list[str]]
Corpora = Callable[[Scheme, int], Iterator[tuple[Tags, Tags]]]


def flat(sentences: Tags) -> list[str]:
    return list(chain.from_iterable(sentences))


@pytest.mark.parametrize("scheme", [Scheme.IOB2, Scheme.BILOU])
def test_equals_scikit_learn(scheme: Scheme, corpora: Corpora) -> None:
    without_o = 0
    for gold, predicted in corpora(scheme, 200):
        report = score_words(gold, predicted)
        truth, guess = flat(gold), flat(predicted)
        labels = sorted({*truth, *guess} - {"O"})
        assert list(report.tags) == labels
        assert report.accuracy == pytest.approx(accuracy_score(truth, guess))
        inside = [(tag, other) for tag, other in zip(truth, guess, strict=True) if tag != "O"]
        if inside:
            assert report.accuracy_without_o == pytest.approx(accuracy_score(*zip(*inside, strict=True)))
        if not labels:  # scikit-learn refuses to report on no class
            continue
        without_o += "O" not in {*truth, *guess}
        text = classification_report(truth, guess, labels=labels, digits=4, zero_division=0)
        if report.accuracy == 0:  # where no word is right scikit-learn prints the support as a float
            text = re.sub(r"(\d+)\.0$", r"  \1", text, flags=re.MULTILINE)
        assert report.render() == text
        theirs = classification_report(truth, guess, labels=labels, output_dict=True, zero_division=0)
        ours = {**report.tags, "macro avg": report.averages.macro, "weighted avg": report.averages.weighted}
        for name, score in ours.items():
            row = {**score.to_dict(), "f1-score": score.f1}
            assert {key: row[key] for key in theirs[name]} == pytest.approx(theirs[name], abs=1e-12)
    assert without_o > 5


def test_text_of_a_large_corpus_with_long_names_is_scikit_learns() -> None:
    chance = random.Random(5)
    tags = ["O", "B-a-very-long-label-of-an-entity", "I-a-very-long-label-of-an-entity", "B-é", "I-é"]
    gold = [chance.choices(tags, weights=[80, 5, 5, 5, 5], k=20) for _ in range(2000)]
    predicted = [[tag if chance.random() < 0.9 else chance.choice(tags) for tag in row] for row in gold]
    text = score_words(gold, predicted).render()
    assert text == classification_report(flat(gold), flat(predicted), labels=sorted(tags[1:]), digits=4)


def test_accuracy_without_o_looks_at_gold_only() -> None:
    report = score_words([["B-X", "I-X", "O", "O"]], [["B-X", "B-X", "B-X", "O"]])
    assert report.accuracy == 0.5
    assert report.accuracy_without_o == 0.5
    assert (report.tags["I-X"].precision, report.tags["I-X"].support) == (0.0, 1)
    assert report.to_dict()["tags"]["B-X"] == {"precision": 1 / 3, "recall": 1.0, "f1": 0.5, "support": 1}


@pytest.mark.parametrize("corpus", [[], [[]], [["O", "O"]]])
def test_nothing_to_find_is_reported_without_a_warning(corpus: Tags) -> None:
    report = score_words(corpus, corpus)
    assert report.accuracy == (1.0 if any(corpus) else 0.0)
    assert report.accuracy_without_o == 0.0
    assert "micro avg     0.0000    0.0000    0.0000         0\n" in report.render()


def test_misaligned_tags_are_named() -> None:
    with pytest.raises(UsageError, match="sentence 1: gold has 1 tags but the prediction has 2"):
        score_words([["O"]], [["O", "O"]])
