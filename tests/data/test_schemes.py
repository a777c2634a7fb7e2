"""Tag schemes: against an oracle written independently, against seqeval, and as properties."""

from __future__ import annotations

import re
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, IOBES, Entities, auto_detect

from tagline.data.schemes import Scheme, allowed, convert, detect, spans, split_tag, tags_of, violations
from tagline.errors import SchemeError
from tagline.records import Span

LABELS = ["PER", "geo-loc", "product", "B-cell", "I", "O"]
SEQEVAL = {Scheme.IOB2: IOB2, Scheme.IOBES: IOBES}


@st.composite
def sentences(draw: st.DrawFn, touching: bool = True) -> tuple[list[Span], int]:
    """Entities that do not overlap, and the length of their sentence; without `touching` a gap behind each."""
    found: list[Span] = []
    at = 0
    for _ in range(draw(st.integers(0, 5))):
        start = at + draw(st.integers(0, 2))
        end = start + draw(st.integers(1, 4))
        found.append(Span(draw(st.sampled_from(LABELS)), start, end))
        at = end + (0 if touching else 1)
    return found, at + draw(st.integers(0, 2)) + (not found)


# One regular expression per scheme over a string of prefixes tells which sentences of ONE label are legal.
LEGAL = {
    Scheme.IO: r"[OI]*",
    Scheme.IOB1: r"(O+|I+(BI*)*)*",  # B only behind an entity that touches
    Scheme.IOB2: r"(O|BI*)*",
    Scheme.IOBES: r"(O|S|BI*E)*",
    Scheme.BILOU: r"(O|U|BI*L)*",
}


@pytest.mark.parametrize("scheme", list(Scheme))
def test_violations_are_empty_exactly_for_the_regular_language_of_the_scheme(scheme: Scheme) -> None:
    prefixes = "O" + "".join(letter for letter in scheme.value if letter in "IBESLU")
    for length in range(1, 6):
        for letters in product(dict.fromkeys(prefixes), repeat=length):
            tags = [letter if letter == "O" else f"{letter}-X" for letter in letters]
            legal = re.fullmatch(LEGAL[scheme], "".join(letters)) is not None
            assert (violations(tags, scheme) == []) is legal, tags


def oracle(tags: list[str], scheme: Scheme) -> list[Span]:
    """Conlleval's rules with two flags a word, written without any table."""
    found: list[Span] = []
    start: int | None = None
    for place, tag in enumerate([*tags, "O"]):
        before = tags[place - 1] if place else "O"
        closes = before != "O" and (tag == "O" or tag[2:] != before[2:] or tag[0] in "BSU" or before[0] in "ESLU")
        if closes:
            assert start is not None
            found.append(Span(before[2:], start, place))
            start = None
        if tag != "O" and start is None:
            start = place
    return found


@pytest.mark.parametrize("scheme", list(Scheme))
def test_spans_of_any_tags_equal_the_oracle(scheme: Scheme) -> None:
    letters = [letter for letter in scheme.value if letter != "O" and letter.isalpha()]
    kinds = ["O", *(f"{letter}-{label}" for letter in letters for label in ("X", "Y-z"))]
    for length in range(1, 4 if len(kinds) > 6 else 6):
        for tags in product(kinds, repeat=length):
            assert spans(tags, scheme) == oracle(list(tags), scheme), tags


@pytest.mark.parametrize("scheme", [each for each in Scheme if each is not Scheme.IO])
@given(drawn=sentences())
def test_spans_to_tags_to_spans_is_identity(scheme: Scheme, drawn: tuple[list[Span], int]) -> None:
    entities, length = drawn
    tags = tags_of(entities, length, scheme)
    assert spans(tags, scheme) == entities
    assert violations(tags, scheme) == []


@given(drawn=sentences(touching=False))
def test_io_and_plain_labels_keep_entities_that_do_not_touch(drawn: tuple[list[Span], int]) -> None:
    entities, length = drawn
    assert spans(tags_of(entities, length, Scheme.IO), Scheme.IO) == entities
    plain = [span for span in entities if span.label != "O"]  # a plain label O could not be told from no label
    assert spans(tags_of(plain, length, Scheme.IO, bare=True), Scheme.IO, bare=True) == plain


@pytest.mark.parametrize("target", list(Scheme))
@pytest.mark.parametrize("source", list(Scheme))
@given(drawn=sentences(), apart=sentences(touching=False))
def test_conversion_between_all_pairs_loses_nothing_or_raises(
    source: Scheme, target: Scheme, drawn: tuple[list[Span], int], apart: tuple[list[Span], int]
) -> None:
    entities, length = apart if source is Scheme.IO else drawn
    tags = tags_of(entities, length, source)
    touch = any(a.end == b.start and a.label == b.label for a, b in pairwise(entities))
    if target is Scheme.IO and touch:
        with pytest.raises(SchemeError, match="touch; scheme IO would merge them"):
            convert(tags, source, target)
        return
    there = convert(tags, source, target)
    assert spans(there, target) == entities
    assert convert(there, target, source) == tags


@pytest.mark.parametrize("scheme", list(SEQEVAL))
@given(drawn=sentences())
def test_legal_tags_have_the_entities_of_seqeval_strict(scheme: Scheme, drawn: tuple[list[Span], int]) -> None:
    entities = [span._replace(label=span.label.replace("-", "_")) for span in drawn[0]]  # seqeval splits at dashes
    tags = tags_of(entities, drawn[1], scheme)
    theirs = [each.to_tuple()[1:] for each in Entities([tags], SEQEVAL[scheme]).entities[0]]
    assert [(span.label, span.start, span.end) for span in spans(tags, scheme)] == theirs
    if scheme is Scheme.IOB2:
        assert [(label, start, end + 1) for label, start, end in get_entities(tags)] == theirs
    if {tag[0] for tag in tags} >= set("BIES") and scheme is Scheme.IOBES:
        assert auto_detect([tags]) is IOBES
        assert detect([tags]) == (Scheme.IOBES, False)


@pytest.mark.parametrize("scheme", list(Scheme))
def test_detect_finds_the_scheme_of_a_generated_corpus(scheme: Scheme) -> None:
    shapes = [([Span("PER", 0, 2), Span("geo-loc", 2, 3)], 4), ([Span("PER", 1, 4)], 4), ([], 3)]
    if scheme is not Scheme.IO:
        shapes.append(([Span("PER", 0, 3), Span("PER", 3, 4)], 5))
    assert detect(tags_of(entities, length, scheme) for entities, length in shapes) == (scheme, False)


@given(st.lists(st.lists(st.sampled_from(["O", "product", "geo-loc", "LOC", "T-cell", "b-cell"])), max_size=5))
def test_plain_labels_are_never_mangled(rows: list[list[str]]) -> None:
    assert detect(rows) == (Scheme.IO, True)
    for tags in rows:
        assert {span.label for span in spans(tags, Scheme.IO, bare=True)} == set(tags) - {"O"}


def test_a_label_with_dashes_keeps_them() -> None:
    assert split_tag("B-B-cell", Scheme.IOB2) == ("B", "B-cell")
    assert split_tag("B-cell", Scheme.IO, bare=True) == ("I", "B-cell")
    assert spans(["B-geo-loc", "I-geo-loc"], Scheme.IOB2) == [Span("geo-loc", 0, 2)]


@pytest.mark.parametrize(
    ("rows", "tag", "words"),
    [
        ([["B-PER", "LOC"]], "LOC", "'LOC' has no prefix but 'B-PER' has one"),
        ([["B-X", "E-X", "U-X"]], "E-X", "belong to no one scheme"),
        ([["S-X", "L-X"]], "S-X", "'S-X' is not of BILOU"),
    ],
)
def test_detect_names_the_tag_that_does_not_fit(rows: list[list[str]], tag: str, words: str) -> None:
    with pytest.raises(SchemeError, match=re.escape(words)) as caught:
        detect(rows)
    assert caught.value.tag == tag


def test_broken_iob_goes_to_the_scheme_with_fewer_violations() -> None:
    assert detect([["I-X", "O"]] * 3 + [["B-X", "O"]]) == (Scheme.IOB1, False)
    assert detect([["B-X", "O"]] * 3 + [["I-X", "O", "I-X"]]) == (Scheme.IOB2, False)


@pytest.mark.parametrize(
    "bad", [[Span("X", 0, 3)], [Span("X", 1, 1)], [Span("X", -1, 1)], [Span("X", 0, 2), Span("Y", 1, 2)]]
)
def test_entities_that_no_sentence_can_hold_are_refused(bad: list[Span]) -> None:
    with pytest.raises(SchemeError, match=r"does not lie within|overlap"):
        tags_of(bad, 2, Scheme.IOB2)


@pytest.mark.parametrize("scheme", list(Scheme))
def test_the_mask_allows_exactly_the_sentences_without_violations(scheme: Scheme) -> None:
    letters = [letter for letter in scheme.value if letter != "O" and letter.isalpha()]
    kinds = ["O", *(f"{letter}-{label}" for letter in letters for label in "XY")]
    mask = allowed(kinds, scheme)
    edge = len(kinds)
    for places in product(range(edge), repeat=3):
        path = (edge, *places, edge)
        legal = all(mask[a, b] for a, b in pairwise(path))
        assert legal is (violations([kinds[place] for place in places], scheme) == [])
