"""Reports made from tags, labels and numbers, without a model."""

from __future__ import annotations

import random

from tagline.data.schemes import Scheme
from tagline.evaluate import evaluate_label_sets, evaluate_labels, evaluate_numbers, evaluate_tags
from tagline.evaluate.mistakes import Places
from tagline.evaluate.text_details import text_details
from tagline.evaluate.token_details import TrainEntities, token_details
from tagline.records import Classification, Label, LabelledText, Problem, Sentence, Span
from tagline.report.blocks import Report
from tagline.report.entities import Source, entity_report
from tagline.report.texts import text_report

EVIL = '</script><script>window.broken=1</script><img src=x onerror="window.broken=2"><!--'
"""A word that tries to leave the data, and then the document's text."""


def sentences(count: int) -> tuple[list[Sentence], list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Sentences with gold and predicted tags; all five kinds of mistakes come in turn, every sixth is right."""
    words = ("Ada", "Lovelace", "of", "Acme", "Works", "met", EVIL, "in", "Oslo", "again")
    gold = ("B-PER", "I-PER", "O", "B-ORG", "I-ORG", "O", "O", "O", "B-LOC", "O")
    answers = {
        "boundary": ("B-PER", "O", "O", "B-ORG", "I-ORG", "O", "O", "O", "B-LOC", "O"),
        "type": ("B-PER", "I-PER", "O", "B-LOC", "I-LOC", "O", "O", "O", "B-LOC", "O"),
        "both": ("B-PER", "I-PER", "O", "B-LOC", "O", "O", "O", "O", "B-LOC", "O"),
        "missed": ("B-PER", "I-PER", "O", "B-ORG", "I-ORG", "O", "O", "O", "O", "O"),
        "invented": ("B-PER", "I-PER", "O", "B-ORG", "I-ORG", "O", "O", "O", "B-LOC", "B-LOC"),
        "right": gold,
    }
    made = [
        Sentence.from_words((*words[:-1], f"again{row}"), gold, line=11 * row + 1) for row in range(count)
    ]  # fmt: skip
    kinds = list(answers.values())
    return made, [gold] * count, [kinds[row % 6] for row in range(count)]


def entity_page(count: int = 60, train: bool = False) -> Report:
    """A report on `count` sentences; five of every six hold one mistake."""
    made, gold, predicted = sentences(count)
    places = Places(made, by_word=True)

    def score(row: int, span: Span) -> float:
        return 0.99 if span.label == "LOC" and row % 2 else 0.5 + (row * 7 + span.start) % 40 / 100

    known = TrainEntities.of(made[:2], Scheme.IOB2) if train else None
    details = token_details(gold, predicted, places, score, Scheme.IOB2, known)
    report = evaluate_tags(gold, predicted, Scheme.IOB2, 1.5)
    return entity_report(
        Source("my <model>", "test & co.conll", "train.conll" if train else ""), report, details, places
    )


def _texts(count: int) -> list[LabelledText]:
    return [
        LabelledText(f"Text {row} {EVIL}", "second" if row % 2 else None, (), float(row % 5), row + 1)
        for row in range(count)
    ]


def label_page(count: int = 40) -> Report:
    """One label a text; a quarter is wrong, and some of that with a high score."""
    chance = random.Random(1)
    names = ["good", "bad", "<odd>"]
    texts = [LabelledText(each.text, each.pair, (chance.choice(names),), line=each.line) for each in _texts(count)]
    answers = []
    for row, text in enumerate(texts):
        first = text.labels[0] if row % 4 else names[(names.index(text.labels[0]) + 1) % 3]
        top = 0.97 if row % 8 == 0 else 0.6
        rest = [Label(name, (1 - top) / 2) for name in names if name != first]
        scores = (Label(first, top), *rest)
        answers.append(Classification(text.text, text.pair, Problem.SINGLE, scores, (first,)))
    report = evaluate_labels([text.labels[0] for text in texts], [each.label for each in answers], names, seconds=1.0)
    return text_report(Source("m", "d.tsv"), report, text_details(texts, answers), texts, answers)


def sets_page(count: int = 40) -> Report:
    """Several labels a text."""
    chance = random.Random(2)
    names = ["a", "b", "c"]
    texts, answers = [], []
    for each in _texts(count):
        gold = tuple(name for name in names if chance.random() < 0.4)
        found = tuple(name for name in names if (name in gold) == (chance.random() < 0.8))
        scores = tuple(
            Label(name, 0.9 if name in found else 0.2) for name in sorted(names, key=lambda n: n not in found)
        )
        texts.append(LabelledText(each.text, each.pair, gold, line=each.line))
        answers.append(Classification(each.text, each.pair, Problem.MULTI, scores, found))
    report = evaluate_label_sets([text.labels for text in texts], [each.labels for each in answers], names)
    return text_report(Source("m", "d.jsonl"), report, text_details(texts, answers), texts, answers)


def number_page(count: int = 40) -> Report:
    """A number a text."""
    import numpy as np

    texts = _texts(count)
    values = [(text.score or 0.0) + (row % 7 - 3) / 4 for row, text in enumerate(texts)]
    answers = [
        Classification(text.text, text.pair, Problem.REGRESSION, (Label("score", value),), ())
        for text, value in zip(texts, values, strict=True)
    ]
    report = evaluate_numbers(np.array([text.score for text in texts]), np.array(values))
    return text_report(Source("m", "d.csv"), report, text_details(texts, answers), texts, answers)
