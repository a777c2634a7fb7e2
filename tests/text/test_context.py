"""Document context: what stands around a sentence, and windows that show it without scoring it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.families import Encoders

from tagline.records import Sentence
from tagline.text.context import has_documents, stream_surroundings, surroundings
from tagline.text.features import WindowEncoder
from tagline.text.subtokens import SubTokenizer

WORDS = ["Maria", "Novak", "moved", "from", "Reykjavik", "unpronounceable", "weather", "to", "Oslo", "."]


def sentences(sizes: list[tuple[int, int]]) -> list[Sentence]:
    """Sentences of (words, document); every word is another."""
    made, at = [], 0
    for size, document in sizes:
        made.append(Sentence.from_words(tuple(f"w{at + each}" for each in range(size)), document=document))
        at += size
    return made


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=12), st.integers(0, 9))
def test_around_a_sentence_stands_its_document(drawn: list[tuple[int, bool]], most: int) -> None:
    document, sizes = 0, []
    for size, begins in drawn:
        document += begins
        sizes.append((size, document))
    given = sentences(sizes)
    found = list(surroundings(given, most))
    assert len(found) == len(given)
    for place, (before, after) in enumerate(found):
        if len({each.document for each in given}) == 1:
            assert not before
            assert not after
            continue
        own = [number for number, each in enumerate(given) if each.document == given[place].document]
        earlier = [word for number in own if number < place for word in given[number].words]
        later = [word for number in own if number > place for word in given[number].words]
        assert list(before) == earlier[max(0, len(earlier) - most) :]
        assert list(after) == later[:most]


PLACED = st.lists(st.tuples(st.integers(0, 4), st.sampled_from((None, 0, 0, 0, 1, 2))), max_size=40)


@given(PLACED, st.integers(1, 9), st.integers(0, 5))
def test_as_they_come_each_is_shown_the_same(drawn: list[tuple[int, int | None]], most: int, every: int) -> None:
    """Against all rows at once; what is held is bounded, and who begins at a border is given the same."""
    rows = [
        (number, document, [f"w{number}.{at}" for at in range(size)]) for number, (size, document) in enumerate(drawn)
    ]
    read: list[int] = []

    def source() -> Iterator[tuple[int, int | None, list[str]]]:
        for row in rows:
            read.append(row[0])
            yield row

    found: list[tuple[int, list[str], list[str]]] = []
    for number, before, after in stream_surroundings(source(), most, every):
        assert number == len(found)
        assert len(read) <= number + most + 2
        document = rows[number][1]
        start, end = number, number + 1
        while (
            document is not None and start > 0 and rows[start - 1][1] == document and not (every and start % every == 0)
        ):
            start -= 1
        while document is not None and end < len(rows) and rows[end][1] == document and end - number <= most:
            end += 1
        assert list(before) == [word for _, _, words in rows[start:number] for word in words][-most:]
        assert list(after) == [word for _, _, words in rows[number + 1 : end] for word in words][:most]
        found.append((number, list(before), list(after)))
    assert len(found) == len(rows)
    if every:
        for border in range(0, len(rows), every):
            again = [(n, list(b), list(a)) for n, b, a in stream_surroundings(iter(rows[border:]), most, every)]
            assert again == found[border:]


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=2, max_size=12), st.integers(1, 9))
def test_as_they_come_is_as_in_a_corpus(drawn: list[tuple[int, bool]], most: int) -> None:
    sizes = [(size, sum(begins for _, begins in drawn[: place + 1])) for place, (size, _) in enumerate(drawn)]
    given = sentences(sizes)
    found = [
        (list(before), list(after))
        for _, before, after in stream_surroundings(((each, each.document, each.words) for each in given), most)
    ]
    if has_documents(given):
        assert found == [(list(before), list(after)) for before, after in surroundings(given, most)]


def test_marks_of_documents() -> None:
    assert not has_documents([])
    assert not has_documents(sentences([(1, 3), (2, 3)]))
    assert has_documents(sentences([(1, 0), (2, 1)]))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_windows_show_whole_words_around_and_score_their_own(encoders: Encoders, data: st.DataObject) -> None:
    words = st.lists(st.sampled_from(WORDS), max_size=12)
    before, own, after = data.draw(words), data.draw(words), data.draw(words)
    context, length = data.draw(st.integers(0, 20)), data.draw(st.integers(20, 40))
    subtokens = SubTokenizer.from_file(encoders("bert-uncased") / "tokenizer.json", shapes=True)
    plain = WindowEncoder(subtokens, length)(own)
    encoder = WindowEncoder(subtokens, length, context=context)
    found = encoder(own, before, after)
    assert len(found.windows) == len(plain.windows)
    if not own:
        return
    sizes = {
        side: [len(each.ids) for each in subtokens(side_words)] for side, side_words in (("l", before), ("r", after))
    }
    frame = len(subtokens.prefix), len(subtokens.suffix)
    for number, (window, alone) in enumerate(zip(found.windows, plain.windows, strict=True)):
        assert len(window.ids) == len(window.types) <= length
        assert window.first == alone.first
        assert window.counts.tolist() == alone.counts.tolist()
        left = int(window.places[0] - alone.places[0])
        right = len(window.ids) - len(alone.ids) - left
        assert window.context == left + right
        inside = slice(frame[0] + left, len(window.ids) - frame[1] - right)
        ids = window.ids.tolist()
        assert ids[inside] == alone.ids.tolist()[frame[0] : len(alone.ids) - frame[1]]
        assert window.types[inside].tolist() == alone.types.tolist()[frame[0] : len(alone.ids) - frame[1]]
        shown_left = list(chain.from_iterable(each.ids for each in subtokens(before)))
        shown_right = list(chain.from_iterable(each.ids for each in subtokens(after)))
        assert ids[frame[0] : frame[0] + left] == shown_left[len(shown_left) - left :]
        assert ids[len(ids) - frame[1] - right : len(ids) - frame[1]] == shown_right[:right]
        # Whole words, no more than the context, and nothing at a border inside the text.
        lefts = [sum(sizes["l"][len(before) - count :]) for count in range(len(before) + 1)]
        rights = [sum(sizes["r"][:count]) for count in range(len(after) + 1)]
        assert left in (lefts if number == 0 else [0])
        assert right in (rights if number == len(found.windows) - 1 else [0])
        assert max(left, right) <= context
        spare = length - len(alone.ids)
        wanted = [
            max(each for each in ends if each <= min(context, spare)) if here else 0
            for ends, here in ((lefts, number == 0), (rights, number == len(found.windows) - 1))
        ]
        if sum(wanted) <= spare:
            assert [left, right] == wanted
        else:
            assert left + right <= spare
            assert right == max(each for each in rights if each <= min(context, spare - left))


def test_without_context_neighbours_are_not_looked_at(encoders: Encoders) -> None:
    subtokens = SubTokenizer.from_file(encoders("bert-uncased") / "tokenizer.json")
    encoder = WindowEncoder(subtokens, 40)
    one, other = encoder(WORDS, ["never"], ["seen"]).windows[0], encoder(WORDS).windows[0]
    assert one.ids.tolist() == other.ids.tolist()
    assert one.context == 0


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_side_may_take_what_the_other_lacks(encoders: Encoders, side: str) -> None:
    subtokens = SubTokenizer.from_file(encoders("bert-uncased") / "tokenizer.json")
    encoder = WindowEncoder(subtokens, 12, context=10)
    window = encoder(["to"], **{side: ["to"] * 30}).windows[0]
    assert len(window.ids) == 12
