"""Scores over entities: equal to seqeval, conlleval, nervaluate and to oracles that share no code with ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import nervaluate
import pytest
import seqeval.metrics
import seqeval.scheme

from tagline.data.schemes import Scheme, spans
from tagline.errors import SchemeError, UsageError
from tagline.evaluate.scores import Score
from tagline.evaluate.spans import SpanReport, conlleval, conlleval_spans, strict, strict_spans
from tagline.records import Span

Tags = list[list[str]]
Corpora = Callable[[Scheme, int], Iterator[tuple[Tags, Tags]]]
SEQEVAL = {
    Scheme.IOB1: seqeval.scheme.IOB1,
    Scheme.IOB2: seqeval.scheme.IOB2,
    Scheme.IOBES: seqeval.scheme.IOBES,
    Scheme.BILOU: seqeval.scheme.BILOU,
}
# What each reading takes as an entity of one label, over the sentence written as one letter a word: the prefix where
# the word has the label, o for O, b for a beginning of another label, x for any other word.
STRICT = {
    Scheme.IO: r"I+",
    Scheme.IOB1: r"(?<=[BI])BI+|(?<=[BI])B(?!b)|I+",
    Scheme.IOB2: r"BI*",
    Scheme.IOBES: r"BI*E|S",
    Scheme.BILOU: r"BI*L|U",
}
LENIENT = r"[BI]I*[EL]?|[ELSU]"


def oracle_spans(tags: list[str], pattern: str) -> set[Span]:
    found = set()
    for label in {tag[2:] for tag in tags} - {""}:
        letters = ("o" if tag == "O" else tag[0] if tag[2:] == label else "b" if tag[0] == "B" else "x" for tag in tags)
        found |= {Span(label, *match.span()) for match in re.finditer(pattern, "".join(letters))}
    return found


def oracle_counts(gold: Tags, predicted: Tags, pattern: str) -> dict[str, tuple[int, int, int]]:
    wanted = {(row, span) for row, tags in enumerate(gold) for span in oracle_spans(tags, pattern)}
    found = {(row, span) for row, tags in enumerate(predicted) for span in oracle_spans(tags, pattern)}
    count = {}
    for label in sorted({span.label for _, span in wanted | found}):
        mine, theirs = ({each for each in side if each[1].label == label} for side in (found, wanted))
        count[label] = (len(mine & theirs), len(mine), len(theirs))
    return count


def counts(report: SpanReport) -> dict[str, tuple[int, int, int]]:
    return {label: (score.correct, score.predicted, score.support) for label, score in report.types.items()}


def assert_equals_seqeval(report: SpanReport, theirs: dict[str, dict[str, Any]]) -> None:
    ours = {
        **report.types,
        "micro avg": report.overall,
        "macro avg": report.macro,
        "weighted avg": report.weighted,
    }
    assert list(ours) == list(theirs)
    for name, row in theirs.items():
        score = ours[name]
        assert (score.precision, score.recall, score.f1) == pytest.approx(
            (row["precision"], row["recall"], row["f1-score"]), abs=1e-12
        )
        assert score.support == row["support"]


def has_entities(report: SpanReport) -> bool:
    """seqeval cannot average over no type at all."""
    if not report.types:
        assert report.overall == report.macro == report.weighted == Score(0.0, 0.0, 0.0, 0, 0, 0)
    return bool(report.types)


@pytest.mark.parametrize("scheme", SEQEVAL)
def test_strict_equals_seqeval_on_legal_and_broken_tags(scheme: Scheme, corpora: Corpora) -> None:
    compared = 0
    for gold, predicted in corpora(scheme, 800):
        report = strict(gold, predicted, scheme)
        if has_entities(report):
            theirs = seqeval.metrics.classification_report(
                gold, predicted, mode="strict", scheme=SEQEVAL[scheme], output_dict=True, zero_division=0
            )
            assert_equals_seqeval(report, theirs)
            compared += 1
    assert compared > 700


@pytest.mark.parametrize("scheme", SEQEVAL)
def test_strict_spans_equal_seqeval_entities(scheme: Scheme, corpora: Corpora) -> None:
    for gold, predicted in corpora(scheme, 500):
        for tags in gold + predicted:
            theirs = seqeval.scheme.Entities([tags], SEQEVAL[scheme]).entities[0]
            assert strict_spans([tags], scheme) == [[Span(each.tag, each.start, each.end) for each in theirs]]


@pytest.mark.parametrize("scheme", Scheme)
def test_strict_equals_the_oracle(scheme: Scheme, corpora: Corpora) -> None:
    for gold, predicted in corpora(scheme, 1000):
        assert counts(strict(gold, predicted, scheme)) == oracle_counts(gold, predicted, STRICT[scheme])


@pytest.mark.parametrize("scheme", Scheme)
def test_conlleval_equals_seqeval_default_mode(scheme: Scheme, corpora: Corpora) -> None:
    for gold, predicted in corpora(scheme, 800):
        report = conlleval(gold, predicted)
        if has_entities(report):
            # seqeval's default mode does not know L and U.
            known = [[[re.sub("^L", "E", re.sub("^U", "S", tag)) for tag in tags] for tags in side]
                     for side in (gold, predicted)]  # fmt: skip
            theirs = seqeval.metrics.classification_report(*known, output_dict=True, zero_division=0)
            assert_equals_seqeval(report, theirs)


@pytest.mark.parametrize("scheme", Scheme)
def test_conlleval_equals_the_oracle_and_the_schemes_own_reading(scheme: Scheme, corpora: Corpora) -> None:
    for gold, predicted in corpora(scheme, 1000):
        assert counts(conlleval(gold, predicted)) == oracle_counts(gold, predicted, LENIENT)
        assert conlleval_spans(gold) == [spans(tags, scheme) for tags in gold]


@pytest.mark.parametrize("scheme", [Scheme.IO, Scheme.IOB1, Scheme.IOB2, Scheme.IOBES])
def test_conlleval_equals_the_port_of_the_script(scheme: Scheme, corpora: Corpora) -> None:
    script = pytest.importorskip("conlleval", reason="the package conlleval is not installed")
    for gold, predicted in corpora(scheme, 800):
        lines = []
        for tags, guesses in zip(gold, predicted, strict=True):
            lines += [f"word {tag} {guess}" for tag, guess in zip(tags, guesses, strict=True)] + [""]
        # Like the script it counts what stands after the last empty line only with one more O.
        theirs = script.evaluate(lines)
        report = conlleval(gold, predicted)
        rows = theirs["slots"]["chunks"]
        found = {label: tuple(row["stats"][key] for key in ("correct", "pred", "gold")) for label, row in rows.items()}
        assert counts(report) == found
        overall = theirs["overall"]["chunks"]
        if overall["stats"]["pred"]:  # where nothing was predicted it calls the precision 1
            evals = overall["evals"]
            assert (report.overall.precision, report.overall.recall, report.overall.f1) == pytest.approx(
                (evals["prec"], evals["rec"], evals["f1"])
            )


def test_strict_equals_nervaluate_on_legal_tags(legal_corpora: Corpora) -> None:
    for gold, predicted in legal_corpora(Scheme.IOB2, 1000):
        labels = sorted({tag[2:] for tags in gold + predicted for tag in tags} - {""})
        theirs = nervaluate.Evaluator(gold, predicted, tags=labels, loader="list").evaluate()["overall"]["strict"]
        ours = strict(gold, predicted).overall
        assert (ours.correct, ours.predicted, ours.support) == (theirs.correct, theirs.actual, theirs.possible)
        assert (ours.precision, ours.recall, ours.f1) == pytest.approx((theirs.precision, theirs.recall, theirs.f1))


@pytest.mark.parametrize("scheme", Scheme)
def test_both_readings_agree_on_legal_tags(scheme: Scheme, legal_corpora: Corpora) -> None:
    for gold, predicted in legal_corpora(scheme, 500):
        assert strict(gold, predicted, scheme) == conlleval(gold, predicted)
        assert strict_spans(gold, scheme) == [spans(tags, scheme) for tags in gold]


@pytest.mark.parametrize(
    ("scheme", "tags", "expected"),
    [
        (Scheme.IOB2, "O I-X B-X", [Span("X", 2, 3)]),
        (Scheme.IOB2, "B-X I-Y I-X", [Span("X", 0, 1)]),
        (Scheme.IOB2, "I-X I-X O", []),
        (Scheme.IOB1, "O B-X I-X", [Span("X", 2, 3)]),
        (Scheme.IOB1, "I-X B-X B-Y", [Span("X", 0, 1)]),
        (Scheme.IOBES, "B-X I-X O S-X", [Span("X", 3, 4)]),
        (Scheme.IOBES, "B-X B-X E-X I-X", [Span("X", 1, 3)]),
        (Scheme.BILOU, "B-X L-Y U-X L-X", [Span("X", 2, 3)]),
        (Scheme.IO, "I-X I-X I-Y O I-Y", [Span("X", 0, 2), Span("Y", 2, 3), Span("Y", 4, 5)]),
    ],
)
def test_strict_reading_of_broken_tags(scheme: Scheme, tags: str, expected: list[Span]) -> None:
    assert strict_spans([tags.split()], scheme) == [expected]


def test_sentences_do_not_run_into_each_other() -> None:
    assert strict_spans([["B-X"], ["I-X"]]) == [[Span("X", 0, 1)], []]
    assert conlleval_spans([["B-X"], ["I-X"]]) == [[Span("X", 0, 1)], [Span("X", 0, 1)]]


def test_lenient_counts_what_strict_does_not() -> None:
    gold, predicted = [["B-X", "I-X", "O"]], [["I-X", "I-X", "O"]]
    assert strict(gold, predicted).overall == Score(0.0, 0.0, 0.0, support=1, correct=0, predicted=0)
    assert conlleval(gold, predicted).overall == Score(1.0, 1.0, 1.0, support=1, correct=1, predicted=1)


@pytest.mark.parametrize("corpus", [[], [[]], [["O", "O"], []]])
def test_nothing_to_find_scores_zero_without_a_warning(corpus: Tags) -> None:
    for report in (strict(corpus, corpus), conlleval(corpus, corpus)):
        assert not has_entities(report)


def test_a_score_says_itself_in_json_names() -> None:
    assert Score.of(1, 2, 4).to_dict() == {"precision": 0.5, "recall": 0.25, "f1": pytest.approx(1 / 3), "support": 4}


@pytest.mark.parametrize("score", [strict, conlleval])
def test_misaligned_tags_are_named(score: Callable[[Any, Any], SpanReport]) -> None:
    with pytest.raises(UsageError, match="sentence 2: gold has 3 tags but the prediction has 2"):
        score([["O"], ["O", "O", "O"]], [["O"], ["O", "O"]])
    with pytest.raises(UsageError, match="gold has 2 sentences but the prediction has 1"):
        score([["O"], ["O"]], [["O"]])
    with pytest.raises(UsageError, match="sentence 1 is a string, 'B-X'"):
        score(["B-X", "O"], ["B-X", "O"])


def test_foreign_tags_are_named_with_their_sentence() -> None:
    with pytest.raises(SchemeError, match="predicted tags, sentence 2: tag 'E-X' is not of scheme IOB2"):
        strict([["O"], ["O"]], [["O"], ["E-X"]])
    with pytest.raises(SchemeError, match="gold tags, sentence 1: tag 'product'"):
        conlleval([["product"]], [["O"]])


def test_fifty_thousand_words_at_once(corpora: Corpora) -> None:
    gold: Tags = []
    predicted: Tags = []
    for one, other in corpora(Scheme.IOB2, 4000):
        gold += one
        predicted += other
    assert sum(map(len, gold)) > 50_000
    assert counts(strict(gold, predicted)) == oracle_counts(gold, predicted, STRICT[Scheme.IOB2])
    assert counts(conlleval(gold, predicted)) == oracle_counts(gold, predicted, LENIENT)
