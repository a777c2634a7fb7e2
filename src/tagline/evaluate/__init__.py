"""How good a tagger is: scores over entities and over words, with their uncertainty."""

from __future__ import annotations

from tagline.evaluate.report import TokenReport, evaluate_tags
from tagline.evaluate.scores import Score
from tagline.evaluate.spans import SpanReport, conlleval, strict
from tagline.evaluate.words import WordReport, score_words

__all__ = ["Score", "SpanReport", "TokenReport", "WordReport", "conlleval", "evaluate_tags", "score_words", "strict"]
