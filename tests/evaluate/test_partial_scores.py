"""The four ways of matching equal nervaluate on random corpora."""

from __future__ import annotations

import pytest
from nervaluate.evaluator import Evaluator
from tests.evaluate.conftest import LABELS, Corpora

from tagline.data.schemes import Scheme
from tagline.evaluate.partial import Matching, PartialScore, score_partial
from tagline.evaluate.spans import conlleval, conlleval_spans
from tagline.records import Span

THEIRS = {"strict": "strict", "exact": "exact", "partial": "partial", "type": "ent_type"}
FIELDS = ("correct", "incorrect", "partial", "missed", "spurious", "precision", "recall", "f1")


def fields(each: object) -> tuple[float, ...]:
    return tuple(getattr(each, name) for name in FIELDS)


def test_every_figure_is_nervaluates(corpora: Corpora) -> None:
    seen = dict.fromkeys(FIELDS, 0)
    for gold, predicted in corpora(Scheme.IOB2, 400):
        ours = score_partial(conlleval_spans(gold), conlleval_spans(predicted))
        theirs = Evaluator(gold, predicted, LABELS, "list").evaluate()
        for way, report in ours.items():
            other = THEIRS[way.value]
            assert fields(report.overall) == pytest.approx(fields(theirs["overall"][other]))
            assert set(report.types) == set(theirs["entities"])
            for label, score in report.types.items():
                assert fields(score) == pytest.approx(fields(theirs["entities"][label][other]))
            for name in FIELDS:
                seen[name] += getattr(report.overall, name) > 0
    assert all(often > 50 for often in seen.values()), seen


def test_long_entities_of_which_hardly_a_word_is_covered() -> None:
    """nervaluate wants one per cent of the gold entity."""
    gold = [["B-X"] + ["I-X"] * 149]
    for covered in (1, 2):
        predicted = [["B-X"] + ["I-X"] * (covered - 1) + ["O"] * (150 - covered)]
        ours = score_partial(conlleval_spans(gold), conlleval_spans(predicted))[Matching.PARTIAL].overall
        theirs = Evaluator(gold, predicted, ["X"], "list").evaluate()["overall"]["partial"]
        assert fields(ours) == pytest.approx(fields(theirs))
        assert ours.partial == covered - 1


def test_strict_is_the_conlleval_score(corpora: Corpora) -> None:
    for gold, predicted in corpora(Scheme.IOBES, 60):
        ours = score_partial(conlleval_spans(gold), conlleval_spans(predicted))[Matching.STRICT]
        other = conlleval(gold, predicted)
        assert ours.overall.f1 == pytest.approx(other.overall.f1)
        assert ours.overall.recall == pytest.approx(other.overall.recall)


def test_the_fields_and_the_empty_corpus() -> None:
    found = score_partial([[Span("A", 0, 2)], []], [[Span("B", 1, 2)], [Span("B", 0, 1)]])
    assert found[Matching.PARTIAL].overall == PartialScore(0, 0, 1, 0, 1, 0.25, 0.5, pytest.approx(1 / 3))  # type: ignore[arg-type]
    assert found[Matching.TYPE].overall.incorrect == 1
    assert found[Matching.STRICT].types["A"].missed == 1
    assert set(found[Matching.STRICT].to_dict()) == {*FIELDS, "types"}
    assert score_partial([], [])[Matching.EXACT].overall.f1 == 0
