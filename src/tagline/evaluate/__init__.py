"""How good a model is: scores over entities, words and texts, with their uncertainty."""

from __future__ import annotations

from tagline.evaluate.class_reports import ClassReport, LabelSetReport
from tagline.evaluate.classes import evaluate_label_sets, evaluate_labels
from tagline.evaluate.numbers import NumberReport, evaluate_numbers
from tagline.evaluate.report import TokenReport, evaluate_tags
from tagline.evaluate.scores import Score
from tagline.evaluate.spans import SpanReport, conlleval, strict
from tagline.evaluate.words import WordReport, score_words

__all__ = [
    "ClassReport",
    "LabelSetReport",
    "NumberReport",
    "Score",
    "SpanReport",
    "TokenReport",
    "WordReport",
    "conlleval",
    "evaluate_label_sets",
    "evaluate_labels",
    "evaluate_numbers",
    "evaluate_tags",
    "score_words",
    "strict",
]
