"""Windows of sub-tokens: every word is scored once, at the place of its first sub-token."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.families import Encoders, sentences

from tagline.text.features import WindowEncoder
from tagline.text.gazetteer import Gazetteer
from tagline.text.subtokens import SubTokenizer

NAMES = ["bert-uncased", "roberta", "deberta-v2"]
POOL = [*(word for sentence in sentences() for word in sentence), "\u200b", "", "xq" * 40, "北京"]
TEXTS = st.lists(st.sampled_from(POOL), max_size=60)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=TEXTS, length=st.integers(6, 40), share=st.floats(0, 0.99), shapes=st.booleans())
def test_merging_windows_gives_every_word_its_first_sub_token(
    name: str, encoders: Encoders, words: list[str], length: int, share: float, shapes: bool
) -> None:
    subtokens = SubTokenizer.from_file(encoders(name) / "tokenizer.json", shapes)
    encoder = WindowEncoder(subtokens, length, int(share * (length - 2)))
    pieces = subtokens(words)
    encoded = encoder(words)
    assert encoded.shortened == sum(each.shortened for each in pieces)
    scored: list[int] = []
    for window in encoded.windows:
        assert len(window.ids) == len(window.types) <= length
        assert window.ids[0] == subtokens.prefix[0]
        assert window.ids[-1] == subtokens.suffix[0]
        assert window.types[0] == window.types[-1] == 0
        for place, count in zip(window.places.tolist(), window.counts.tolist(), strict=True):
            piece = pieces[len(scored)]
            assert window.first + place >= 0
            assert tuple(window.ids[place : place + count]) == piece.ids
            assert tuple(window.types[place : place + count]) == piece.types
            scored.append(window.ids[place])
    assert scored == [piece.ids[0] for piece in pieces]
    firsts = [window.first for window in encoded.windows]
    assert firsts == np.cumsum([0, *(len(window.places) for window in encoded.windows)])[:-1].tolist()


def test_a_text_that_fits_is_one_window_as_transformers_frames_it(encoders: Encoders) -> None:
    subtokens = SubTokenizer.from_file(encoders("bert-uncased") / "tokenizer.json")
    words = sentences()[1]
    (window,) = WindowEncoder(subtokens, 200)(words).windows
    pieces = subtokens(words)
    assert window.ids.tolist() == [
        *subtokens.prefix,
        *chain.from_iterable(each.ids for each in pieces),
        *subtokens.suffix,
    ]
    assert window.first == 0
    assert window.counts.tolist() == [len(each.ids) for each in pieces]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(TEXTS, max_size=6),
    length=st.integers(6, 90),
    shapes=st.booleans(),
    names=st.none()
    | st.lists(st.tuples(st.lists(st.sampled_from(POOL), max_size=3), st.sampled_from("AB")), max_size=4),
)
def test_texts_together_are_what_each_is_on_the_long_road(
    name: str,
    encoders: Encoders,
    texts: list[list[str]],
    length: int,
    shapes: bool,
    names: list[tuple[list[str], str]] | None,
) -> None:
    subtokens = SubTokenizer.from_file(encoders(name) / "tokenizer.json", shapes)
    gazetteer = None if names is None else Gazetteer.count(names, ["A", "B"])
    long = WindowEncoder(
        subtokens, length, context=1, gazetteer=gazetteer
    )  # alone in their documents: nothing is shown
    together = WindowEncoder(subtokens, length, gazetteer=gazetteer).alone(texts)
    assert len(together) == len(texts)
    for text, short in zip(texts, together, strict=True):
        expected = long(text)
        assert short.shortened == expected.shortened
        for one, other in zip(short.windows, expected.windows, strict=True):
            assert (one.first, one.context) == (other.first, 0)
            for array, same in zip((*one[:2], *one[3:5]), (*other[:2], *other[3:5]), strict=True):
                assert array.dtype == same.dtype
                assert array.tolist() == same.tolist()


def test_windows_show_words_of_their_neighbours(encoders: Encoders) -> None:
    subtokens = SubTokenizer.from_file(encoders("bert-uncased") / "tokenizer.json")
    windows = WindowEncoder(subtokens, 12, 4)([","] * 50).windows
    assert all(len(window.ids) == 12 for window in windows[:-1])
    assert [int(window.places[0]) - 1 for window in windows] == [0, *[2] * (len(windows) - 1)]


def test_no_words_no_windows(encoders: Encoders) -> None:
    subtokens = SubTokenizer.from_file(encoders("bert-uncased") / "tokenizer.json")
    assert WindowEncoder(subtokens, 12)([]) == ([], 0)


def test_default_overlap_is_a_quarter_and_words_leave_room_for_progress(encoders: Encoders) -> None:
    file = encoders("roberta") / "tokenizer.json"
    encoder = WindowEncoder(SubTokenizer.from_file(file), 42)
    assert (encoder.room, encoder.overlap) == (40, 10)
    assert encoder.subtokens.longest == 30
    encoded = encoder(["xq" * 100] * 20)
    assert encoded.shortened == 20
    assert len(encoded.windows) == 20
    assert WindowEncoder(SubTokenizer.from_file(file), 42, 0).subtokens.longest == 40
    assert WindowEncoder(SubTokenizer.from_file(file), 42, 39).subtokens.longest == 1
    assert WindowEncoder(SubTokenizer.from_file(file), 512).subtokens.longest == 48
