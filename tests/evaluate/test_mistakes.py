"""Mistakes against the scores that they explain, on random corpora; confusions and suspects on small ones."""

from __future__ import annotations

from collections import Counter

from tests.evaluate.conftest import Corpora

from tagline.data.schemes import Scheme
from tagline.evaluate.mistakes import (
    NONE,
    Kind,
    Places,
    confident,
    confusion,
    find_mistakes,
    inconsistent,
)
from tagline.evaluate.spans import score_spans, strict_spans
from tagline.records import Sentence, Span


def places(lengths: list[int]) -> Places:
    return Places([Sentence.from_words(tuple("w" for _ in range(length)), line=1) for length in lengths])


def test_every_wrong_entity_is_in_exactly_one_mistake_and_no_right_one_is(legal_corpora: Corpora) -> None:
    kinds: Counter[Kind] = Counter()
    for gold_tags, predicted_tags in legal_corpora(Scheme.IOB2, 300):
        gold, predicted = strict_spans(gold_tags), strict_spans(predicted_tags)
        found = find_mistakes(gold, predicted, places([len(row) for row in gold_tags]))
        kinds.update(each.kind for each in found)
        score = score_spans(gold, predicted).overall
        for name, sides in (("gold", gold), ("predicted", predicted)):
            other = predicted if name == "gold" else gold
            wrong = Counter((row, span) for row, spans in enumerate(sides) for span in set(spans) - set(other[row]))
            listed = Counter((each.sentence, getattr(each, name)) for each in found if getattr(each, name))
            assert listed == wrong
        table = confusion(gold, found)
        assert sum(often for row in table.values() for often in row.values()) == score.correct + len(found)
        for label, row in table.items():
            meant = sum(span.label == label for spans in gold for span in spans)
            assert label == NONE or sum(row.values()) == meant
        for each in found:
            same_borders = each.gold and each.predicted and each.gold[1:] == each.predicted[1:]
            same_type = each.gold and each.predicted and each.gold.label == each.predicted.label
            expected = {
                (True, True): Kind.BOUNDARY if not same_borders else None,
                (True, False): Kind.MISSED,
                (False, True): Kind.INVENTED,
            }[each.gold is not None, each.predicted is not None]
            if each.gold and each.predicted and not same_type:
                expected = Kind.TYPE if same_borders else Kind.BOTH
            assert each.kind is expected
    assert set(kinds) == set(Kind)
    assert min(kinds.values()) > 20


def test_pairs_prefer_borders_then_type_then_overlap() -> None:
    gold = [[Span("A", 0, 2), Span("B", 2, 4), Span("C", 5, 8)]]
    predicted = [[Span("B", 0, 2), Span("B", 3, 5), Span("C", 5, 6), Span("D", 6, 8)]]
    found = find_mistakes(gold, predicted, places([8]))
    assert [(each.kind, each.gold, each.predicted) for each in found] == [
        (Kind.TYPE, Span("A", 0, 2), Span("B", 0, 2)),
        (Kind.BOUNDARY, Span("B", 2, 4), Span("B", 3, 5)),
        (Kind.BOUNDARY, Span("C", 5, 8), Span("C", 5, 6)),
        (Kind.INVENTED, None, Span("D", 6, 8)),
    ]
    assert confusion(gold, found) == {"A": {"B": 1}, "B": {"B": 1}, "C": {"C": 1}, NONE: {"D": 1}}


def test_lines_and_scores() -> None:
    gold, predicted = [[Span("A", 1, 2)]], [[Span("A", 3, 4)]]
    sentence = Sentence.from_words(("a", "b", "c", "d"), line=10)
    scores = {Span("A", 1, 2): 0.7, Span("A", 3, 4): 0.99}
    by_word = find_mistakes(gold, predicted, Places([sentence], True), lambda _, span: scores[span])
    assert [(each.kind, each.line, each.score) for each in by_word] == [
        (Kind.MISSED, 11, 0.7),
        (Kind.INVENTED, 13, 0.99),
    ]
    assert [each.line for each in find_mistakes(gold, predicted, Places([sentence]))] == [10, 10]
    (sure,) = confident(by_word)
    assert (sure.span, sure.other, sure.score, sure.line) == (Span(NONE, 3, 4), "A", 0.99, 13)
    assert [each.other for each in confident(by_word, 0.5)] == ["A", NONE]


def corpus(*rows: tuple[str, list[Span]]) -> tuple[list[list[Span]], Places]:
    sentences = [Sentence.from_words(tuple(text.split()), line=3 * at + 1) for at, (text, _) in enumerate(rows)]
    return [spans for _, spans in rows], Places(sentences, True)


def test_gold_that_disagrees_with_a_clear_majority_of_itself() -> None:
    gold, where = corpus(
        ("in Palo Alto", [Span("LOC", 1, 3)]),
        ("of Palo Alto", [Span("LOC", 1, 3)]),
        ("Palo Alto wins", [Span("ORG", 0, 2)]),
        ("to Palo Alto", [Span("LOC", 1, 3)]),
        ("the Palo Alto Post", [Span("ORG", 1, 4)]),  # inside a longer one: no vote
        ("palo alto here", []),  # another case: no vote
    )
    (found,) = inconsistent(gold, where)
    assert (found.sentence, found.line, found.span, found.other) == (2, 7, Span("ORG", 0, 2), "LOC")
    assert found.votes == {"LOC": 3, "ORG": 1}
    assert found.score == 0.75
    assert inconsistent(gold, where, least=4) == []
    more = [(("Palo", "Alto"), [Span("ORG", 0, 2)])] * 2
    assert inconsistent(gold, where, more) == []


def test_untagged_places_vote_too() -> None:
    rows = [("see Rome now", [Span("LOC", 1, 2)])] * 4 + [("see Rome again", [])]
    gold, where = corpus(*rows)
    (found,) = inconsistent(gold, where)
    assert (found.sentence, found.span, found.other, found.votes) == (4, Span(NONE, 1, 2), "LOC", {"LOC": 4, NONE: 1})
    gold, where = corpus(*[("see May now", list[Span]())] * 5, ("see May now", [Span("PER", 1, 2)]))
    (found,) = inconsistent(gold, where)
    assert (found.sentence, found.span, found.other) == (5, Span("PER", 1, 2), NONE)
