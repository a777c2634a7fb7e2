"""Scores by group against those of the corpus cut down to the group."""

from __future__ import annotations

from collections import Counter

from tests.evaluate.conftest import Corpora

from tagline.data.schemes import Scheme
from tagline.evaluate.breakdown import (
    by_entity_length,
    by_frequency,
    by_novelty,
    by_sentence_length,
    by_type,
    count_surfaces,
)
from tagline.evaluate.spans import score_spans, strict_spans
from tagline.records import Span

SPANS = list[list[Span]]


def test_types_are_those_of_the_report_and_groups_add_up(legal_corpora: Corpora) -> None:
    for gold_tags, predicted_tags in legal_corpora(Scheme.IOB2, 40):
        gold, predicted = strict_spans(gold_tags), strict_spans(predicted_tags)
        whole = score_spans(gold, predicted)
        types = by_type(gold, predicted)
        assert {each.name: each.score for each in types} == whole.types
        for groups in (types, by_entity_length(gold, predicted), by_sentence_length(gold, predicted, gold_tags)):
            for field in ("correct", "predicted", "support"):
                assert sum(getattr(each.score, field) for each in groups) == getattr(whole.overall, field)
            for each in groups:
                assert 0 <= each.interval[0] <= each.score.f1 + 1e-9
                assert each.interval[1] >= each.score.f1 - 1e-9 or len(gold) < 4


def test_lengths_of_entities_and_sentences() -> None:
    gold: SPANS = [[Span("A", 0, 1), Span("A", 1, 3)], [Span("A", 0, 7)], []]
    predicted: SPANS = [[Span("A", 0, 1), Span("A", 1, 2)], [Span("A", 0, 7)], [Span("A", 0, 1)]]
    words = [["w"] * 5, ["w"] * 11, ["w"] * 51]
    lengths = {each.name: each.score for each in by_entity_length(gold, predicted)}
    assert {name: (s.correct, s.predicted, s.support) for name, s in lengths.items()} == {
        "1": (1, 3, 1), "2": (0, 0, 1), "5+": (1, 1, 1),
    }  # fmt: skip
    sentences = {each.name: each.score for each in by_sentence_length(gold, predicted, words)}
    assert {name: (s.correct, s.predicted, s.support) for name, s in sentences.items()} == {
        "1–5": (1, 2, 2), "11–20": (1, 1, 1), "51+": (0, 1, 0),
    }  # fmt: skip


def test_seen_and_unseen_by_surface_and_type() -> None:
    train = count_surfaces([["New", "York"], ["Rome"]], [[Span("LOC", 0, 2)], [Span("LOC", 0, 1)]])
    assert train == Counter({(("New", "York"), "LOC"): 1, (("Rome",), "LOC"): 1})
    train[("New", "York"), "LOC"] = 7
    words = [["New", "York", "and", "Rome", "in", "rome"]]
    gold: SPANS = [[Span("LOC", 0, 2), Span("ORG", 3, 4), Span("LOC", 5, 6)]]
    predicted: SPANS = [[Span("LOC", 0, 2), Span("LOC", 3, 4)]]
    novelty = {each.name: each.score for each in by_novelty(gold, predicted, words, train)}
    assert {name: (s.correct, s.predicted, s.support) for name, s in novelty.items()} == {
        "seen": (1, 2, 1), "seen with another type": (0, 0, 1), "unseen": (0, 0, 1),
    }  # fmt: skip
    often = {each.name: each.score for each in by_frequency(gold, predicted, words, train)}
    assert {name: (s.correct, s.predicted, s.support) for name, s in often.items()} == {
        "0": (0, 0, 2), "1": (0, 1, 0), "5–9": (1, 1, 1),
    }  # fmt: skip
    assert set(by_novelty(gold, predicted, words, train)[0].to_dict()) == {
        "precision", "recall", "f1", "support", "predicted", "f1_interval",
    }  # fmt: skip
