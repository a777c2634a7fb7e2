"""Texts and pairs as windows: equal to transformers' own tokenizers, and whole however long they are."""

from __future__ import annotations

import random
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.families import FAMILIES, TEXT, Encoders, tokenizer_of
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from tagline.errors import UsageError
from tagline.text import sequences as module
from tagline.text.sequences import SequenceEncoder, SequenceWindow, even_windows, fitted

LINES = [line for line in TEXT.splitlines() if line]
ODD = [
    "a", ".", " ", "\n", "\t x", "two\nlines", "double  space", " before and after ", "don't", "C'est l’été", "北京",
    "zero\u200bwidth", "no\u00a0break", "e\u0301", "😀 ok", "[SEP] said <mask> </s>", "w" * 130, "\x00 nul \ufffd",
]  # fmt: skip
GAPS = [" ", " ", " ", "  ", "   ", "\n", " \n", "\n\n", "\t", "\r\n", " \u00a0 ", "\u3000", ". ", "! ", "-"]


@cache
def plain(name: str) -> Any:
    """A family's tokenizer, trained once: no two trainings are the same."""
    return tokenizer_of(name)


def raw(name: str) -> Any:
    """The same, as `tokenizer.json` holds it."""
    return Tokenizer.from_str(plain(name).backend_tokenizer.to_str())


def numbers() -> Any:
    """Every number is a sub-token of that id; frames `[1000] A [1001] B [1002]`."""
    tokenizer = Tokenizer(models.WordLevel({**{str(n): n for n in range(1000)}, "[a]": 1000, "[b]": 1001, "[c]": 1002}))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[a]:0 $A:0 [b]:0", pair="[a]:0 $A:0 [b]:0 $B:1 [c]:1",
        special_tokens=[("[a]", 1000), ("[b]", 1001), ("[c]", 1002)],
    )  # fmt: skip
    tokenizer.add_tokens(["a"])  # frames are learned from these
    tokenizer.add_tokens(["b"])
    return tokenizer


def counted(start: int, length: int) -> str:
    return " ".join(str((start + n) % 1000) for n in range(length))


def only(encoder: SequenceEncoder, text: str, pair: str | None = None) -> SequenceWindow:
    """The one window that a text takes."""
    (encoded,) = encoder([(text, pair)])
    (window,) = encoded.windows
    assert window.ids.dtype == window.types.dtype == np.int64
    assert encoded.shortened == 0
    return window


@given(
    st.lists(st.booleans(), min_size=1, max_size=300),
    st.integers(2, 40).flatmap(lambda room: st.tuples(st.just(room), st.integers(0, room - 1))),
)
def test_windows_cover_a_text_evenly(begins: list[bool], sizes: tuple[int, int]) -> None:
    room, overlap = sizes
    total = len(begins)
    windows = even_windows(np.asarray(begins), room, overlap)
    assert windows[0][0] == 0
    assert windows[-1][1] == total
    lengths = [end - start for start, end in windows]
    assert 0 < min(lengths) <= max(lengths) <= room
    assert max(lengths) - min(lengths) <= overlap + 1
    for (start, end), (later, last) in pairwise(windows):
        assert 0 <= end - later <= overlap
        assert start < later
        assert end < last
    fewest = next(n for n in range(1, total + 1) if n * room - (n - 1) * overlap >= total)
    assert len(windows) == fewest


def test_windows_without_words_are_of_one_length() -> None:
    assert even_windows(np.zeros(20, dtype=np.bool_), 10, 2) == [(0, 8), (6, 14), (12, 20)]
    assert even_windows(np.zeros(18, dtype=np.bool_), 10, 2) == [(0, 10), (8, 18)]
    assert even_windows(np.zeros(10, dtype=np.bool_), 10, 2) == [(0, 10)]


@given(st.lists(st.integers(1, 3), min_size=20, max_size=80))
def test_windows_of_short_words_begin_and_end_with_one(words: list[int]) -> None:
    begins = np.concatenate([np.eye(1, length, dtype=np.bool_)[0] for length in words])
    windows = even_windows(begins, 30, 6)
    assert all(begins[start] for start, _ in windows)
    assert all(begins[end] for _, end in windows[:-1])


@given(st.integers(0, 40), st.integers(0, 40), st.integers(2, 30))
def test_pairs_are_shortened_as_tokenizers_do(first: int, second: int, room: int) -> None:
    tokenizer = numbers()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A:0", pair="$A:0 $B:1", special_tokens=[])
    tokenizer.enable_truncation(room, strategy="longest_first")
    kinds = tokenizer.encode(counted(0, first), counted(500, second)).type_ids
    assert fitted(first, second, room) == (kinds.count(0), kinds.count(1))


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_ids_and_types_are_those_of_transformers(family: Any, encoders: Encoders) -> None:
    from transformers import AutoTokenizer

    theirs: Any = AutoTokenizer.from_pretrained(encoders(family.name))
    known = 2 if family.segments else 1
    encoder = SequenceEncoder(Tokenizer.from_str(theirs.backend_tokenizer.to_str()), 500, segments=known)
    assert encoder.pad == theirs.pad_token_id
    texts = [*LINES, *ODD, ""]
    pairs: list[tuple[str, str | None]] = [(text, None) for text in texts]
    pairs += [(text, texts[-number]) for number, text in enumerate(texts)]
    paired: set[int] = set()
    for (text, pair), encoded in zip(pairs, encoder(pairs), strict=True):
        # As a batch: alone, transformers takes a pair whose second text is empty for a single text.
        expected = theirs([text], None if pair is None else [pair], return_token_type_ids=True)
        (window,) = encoded.windows
        assert window.ids.tolist() == expected["input_ids"][0], (text, pair)
        assert window.types.tolist() == [min(kind, known - 1) for kind in expected["token_type_ids"][0]], (text, pair)
        paired.update(window.types.tolist() if pair else [])
    assert paired == set(range(known))


@pytest.mark.parametrize("name", FAMILIES)
def test_pairs_that_do_not_fit_are_those_of_transformers(name: str) -> None:
    theirs = plain(name)
    short, middle, long = LINES[0][:20], LINES[1], " ".join(LINES[:5])
    cases = [(short, long), (long, short), (long, long), (middle, long), (long, middle), ("", long), (long, "")]
    for length in (12, 25, 40, 61):
        encoder = SequenceEncoder(raw(name), length, segments=2)
        for case, encoded in zip(cases, encoder(cases), strict=True):
            first, second = ([each] for each in case)
            (full,) = theirs(first, second)["input_ids"]
            (cut,) = theirs(first, second, truncation="longest_first", max_length=length)["input_ids"]
            (window,) = encoded.windows
            assert window.ids.tolist() == cut
            assert encoded.shortened == len(full) - len(cut) > 0


def test_frames_and_segments_of_a_pair() -> None:
    window = only(SequenceEncoder(numbers(), 20), "5 6 7", "8 9")
    assert window.ids.tolist() == [1000, 5, 6, 7, 1001, 8, 9, 1002]
    assert window.types.tolist() == [0, 0, 0, 0, 0, 1, 1, 1]
    clipped = only(SequenceEncoder(numbers(), 20, segments=1), "5 6 7", "8 9")
    assert clipped.types.tolist() == [0] * 8


def test_long_texts_are_read_whole_in_windows() -> None:
    encoder = SequenceEncoder(numbers(), 34)
    assert (encoder.room, encoder.overlap) == (32, 4)
    (encoded,) = encoder([(counted(0, 500), None)])
    assert encoded.shortened == 0
    seen: list[int] = []
    for window in encoded.windows:
        assert (window.ids[0], window.ids[-1]) == (1000, 1001)
        assert len(window.ids) == len(window.types) <= 34
        inner = window.ids[1:-1].tolist()
        shared = len(seen) - inner[0]
        assert 0 <= shared <= 4
        seen += inner[shared:]
    assert seen == list(range(500))


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("kind", ["latin", "han"])
def test_windows_of_long_texts_begin_with_a_word(name: str, kind: str) -> None:
    # A Han character may take more than one sub-token, so that this text proves to be long only when it is encoded.
    text = " ".join(LINES[:4] * 5) if kind == "latin" else "北京 東京 " * 30
    tokenizer = raw(name)
    encoder = SequenceEncoder(tokenizer, 64, overlap=24)
    assert (len(text) > 3 * encoder.room) is (kind == "latin")
    whole = tokenizer.encode(text, add_special_tokens=False)
    (encoded,) = encoder([(text, None)])
    assert len(encoded.windows) > 1
    begins = np.asarray([0, *(n for n, (one, two) in enumerate(pairwise(whole.word_ids), 1) if one != two)])
    before = len(only(encoder, "").ids) - 1  # all special tokens but the last come first
    expected = even_windows(np.isin(np.arange(len(whole.ids)), begins), encoder.room, 24)
    found = [window.ids[before:-1].tolist() for window in encoded.windows]
    assert found == [whole.ids[start:end] for start, end in expected]
    assert np.mean([start in begins for start, _ in expected]) > 0.9


def spaced(count: int) -> str:
    """Words of our text with white space of every kind between them."""
    chance = random.Random(4)
    words = " ".join(LINES).split()
    return "".join(chance.choice(words) + chance.choice(GAPS) for _ in range(count))


@pytest.mark.parametrize("name", FAMILIES)
def test_pieces_of_a_long_text_give_the_ids_of_the_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = spaced(2000)
    whole = plain(name)(text)["input_ids"]
    for size in (200, 331, 1000):  # no word is longer than half of it
        monkeypatch.setattr(module, "_PIECE", size)
        assert only(SequenceEncoder(raw(name), 10**6), text).ids.tolist() == whole


@pytest.mark.parametrize("name", ["bert-uncased", "roberta", "xlm-roberta"])
def test_texts_longer_than_a_piece(name: str) -> None:
    text = spaced(20_000)
    assert len(text) > 3 * module._PIECE
    tokenizer = raw(name)
    assert only(SequenceEncoder(raw(name), 10**6), text).ids.tolist() == tokenizer.encode(text).ids
    both = only(SequenceEncoder(raw(name), 10**6), text, text)
    assert both.ids.tolist() == tokenizer.encode(text, text).ids


def test_a_long_text_without_white_space_is_read_whole() -> None:
    text = "北京" * module._PIECE
    (encoded,) = SequenceEncoder(raw("bert-uncased"), 64, overlap=0)([(text, None)])
    assert sum(len(window.ids) - 2 for window in encoded.windows) == len(text)
    assert len({len(window.ids) for window in encoded.windows}) <= 2


@pytest.mark.parametrize("name", ["bert-uncased", "roberta", "modernbert"])
def test_an_empty_text_is_a_window_of_special_tokens(name: str) -> None:
    theirs = plain(name)
    encoder = SequenceEncoder(raw(name), 32)
    assert only(encoder, "").ids.tolist() == theirs("")["input_ids"]
    assert only(encoder, "", "").ids.tolist() == theirs([""], [""])["input_ids"][0]


@pytest.mark.parametrize("name", ["bert-uncased", "roberta", "xlm-roberta"])
def test_lone_surrogates_are_replaced(name: str) -> None:
    encoder = SequenceEncoder(raw(name), 200)
    texts: list[tuple[str, str | None]] = [("Maria \ud83d\ude00 x", None), ("well", None), ("a", "\udfff"), ("", None)]
    clean: list[tuple[str, str | None]] = [("Maria \ufffd\ufffd x", None), ("well", None), ("a", "\ufffd"), ("", None)]
    for one, other in zip(encoder(texts), encoder(clean), strict=True):
        assert one.windows[0].ids.tolist() == other.windows[0].ids.tolist()
    long = " ".join(LINES) * 3
    (one,), (other,) = encoder([(long + "\ud800", None)]), encoder([(long + "\ufffd", None)])
    assert [window.ids.tolist() for window in one.windows] == [window.ids.tolist() for window in other.windows]


def test_texts_are_taken_as_they_come_and_keep_their_order() -> None:
    taken = 0

    def texts() -> Any:
        nonlocal taken
        for number in range(2000):
            taken += 1
            yield counted(number, number % 7), counted(number, 2) if number % 3 else None

    for number, encoded in enumerate(SequenceEncoder(numbers(), 40)(texts())):
        assert taken <= number + 256
        own = [n for n in encoded.windows[0].ids.tolist() if n < 1000]
        pair = [(number + n) % 1000 for n in range(2)] if number % 3 else []
        assert own == [(number + n) % 1000 for n in range(number % 7)] + pair


def test_what_the_file_pads_and_cuts_is_neither_here() -> None:
    tokenizer = numbers()
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=16)
    assert len(only(SequenceEncoder(tokenizer, 64), counted(0, 30)).ids) == 32


@pytest.mark.parametrize(
    ("length", "overlap", "message"),
    [
        (4, None, "--set window=4; expected at least 5"),
        (10, 8, "--set overlap=8; expected 0 to 7, less than the window"),
        (10, -1, "--set overlap=-1; expected 0 to 7"),
    ],
)
def test_windows_that_cannot_be(length: int, overlap: int | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SequenceEncoder(numbers(), length, overlap)
