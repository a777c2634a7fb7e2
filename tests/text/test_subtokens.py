"""Words to sub-tokens, held against transformers' own tokenizers of every family."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.families import FAMILIES, LABELS, TEXT, Encoders, sentences
from tokenizers import Tokenizer

from tagline.errors import FolderError
from tagline.text import subtokens as module
from tagline.text.shapes import TYPES, shape_ids
from tagline.text.subtokens import SubTokenizer, spaced

ODD = [
    "U.S.-led", "don't", "'s", "@user", "#tag", "http://example.org/a?b=c", "ZÜRICH", "Zu\u0308rich", "Ǆ", "İ", "ß",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "北京", "नमस्ते", "a\u200bb", "\ufeffx",
    "x\x00y", "a\u00a0b", "two words", " led", "trailing ", "▁", "Ġ", "##ing", "[CLS]", "<s>", "``", "''", "½", "ﬁ",
    "…", "1996-08-30", "İstanbul", "naïve", "e\u0301", "\u0301",
]  # fmt: skip
# At least one family's tokenizer turns each of these into nothing.
NOTHING = ["\u200b", "\x00", "\ufeff", "\u00ad", "\u200d", "\ufe0f", "\u2028", " "]
ALPHABET = st.sampled_from([*sorted(set(TEXT) - set("\n")), "\u200d", "\u0301", "\x00", "\u00a0", "é", "İ"])
WORDS = st.lists(st.one_of(st.text(ALPHABET, min_size=1, max_size=12), st.text(min_size=1, max_size=6)), max_size=12)
Theirs = Callable[[list[str]], tuple[list[int], list[int | None]]]


@cache
def pair(folder: Path) -> tuple[SubTokenizer, Theirs]:
    """Tagline's tokenizer of an encoder, and transformers' of the folder of a model made from it."""
    from transformers import AutoTokenizer

    from tagline.models.encoders import load_for_tokens

    saved = folder.parent / f"{folder.name}-tokenizer"
    load_for_tokens(str(folder), LABELS).tokenizer.save_pretrained(saved)
    tokenizer: Any = AutoTokenizer.from_pretrained(saved)

    def theirs(words: list[str]) -> tuple[list[int], list[int | None]]:
        encoded = tokenizer(words, is_split_into_words=True, truncation=False, verbose=False)
        return encoded["input_ids"], encoded.word_ids()

    return SubTokenizer.from_file(folder / "tokenizer.json"), theirs


def check(folder: Path, words: list[str]) -> None:
    ours, theirs = pair(folder)
    ids, owners = theirs(words)
    pieces = ours(words)
    assert len(pieces) == len(words)
    for number, each in enumerate(pieces):
        expected = [token for token, owner in zip(ids, owners, strict=True) if owner == number]
        assert list(each.ids) == (expected or [ours.unknown])[: ours.longest], words[number]
        assert each.shortened == (len(expected) > ours.longest)
    framed = [token for token, owner in zip(ids, owners, strict=True) if owner is None]
    assert framed == [*ours.prefix, *ours.suffix]


@pytest.mark.parametrize("name", FAMILIES)
def test_ids_are_those_of_transformers(name: str, encoders: Encoders) -> None:
    folder = encoders(name)
    for words in [*sentences(), ODD, NOTHING, ["a", *NOTHING, "b"]]:
        check(folder, words)


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS)
def test_ids_of_any_words_are_those_of_transformers(name: str, encoders: Encoders, words: list[str]) -> None:
    check(encoders(name), words)


@pytest.mark.parametrize("name", FAMILIES)
def test_special_tokens_are_the_tokenizers_own(name: str, encoders: Encoders) -> None:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(encoders(name))
    ours, _ = pair(encoders(name))
    assert ours.prefix == (tokenizer.cls_token_id,)
    assert ours.suffix == (tokenizer.sep_token_id,)
    assert ours.specials == 2
    assert ours.pad == tokenizer.pad_token_id
    assert ours.unknown == tokenizer.unk_token_id
    assert ours.lowercases == (name in ("bert-uncased", "distilbert", "albert", "electra"))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_word_of_nothing_is_unknown_and_the_words_around_it_keep_their_place(name: str, encoders: Encoders) -> None:
    ours, _ = pair(encoders(name))
    for nothing in [*NOTHING, ""]:
        before, middle, after = ours(["Lisbon", nothing, "Oslo"])
        assert before == ours(["Lisbon"])[0]
        assert after == ours(["Oslo"])[0]
        assert len(middle.ids) >= 1
    assert ours([""])[0] == ((ours.unknown,), (0,), False)


def test_half_a_surrogate_pair_is_read_as_a_question_mark(encoders: Encoders) -> None:
    """JSON lets such words in; the tokenizer, which takes UTF-8, would stop."""
    ours, _ = pair(encoders("roberta"))
    assert ours(["a\ud83db"])[0].ids == ours(["a?b"])[0].ids


def test_the_cache_changes_nothing(encoders: Encoders, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [word for sentence in sentences() for word in sentence] * 2 + ODD + NOTHING
    file = encoders("bert-uncased") / "tokenizer.json"
    once = SubTokenizer.from_file(file, shapes=True)
    whole = once(words)
    assert once(words) == whole
    assert [piece for word in words for piece in once([word])] == whole
    monkeypatch.setattr(module, "_CACHE_WORDS", 5)
    small = SubTokenizer.from_file(file, shapes=True)
    assert [piece for start in range(0, len(words), 7) for piece in small(words[start : start + 7])] == whole
    assert len(small._cache) <= 5 + 7


def test_a_long_word_is_shortened_and_says_so(encoders: Encoders) -> None:
    file = encoders("roberta") / "tokenizer.json"
    whole, ours = SubTokenizer.from_file(file), SubTokenizer.from_file(file)
    ours.longest = 5
    words = ["xq" * (length // 2) + "z" * (length % 2) for length in range(1, 40)]
    assert {len(each.ids) for each in whole(words)} >= {4, 5, 6}
    for cut, full in zip(ours(words), whole(words), strict=True):
        assert not full.shortened
        assert cut.ids == full.ids[:5]
        assert len(cut.types) == len(cut.ids)
        assert cut.shortened == (len(full.ids) > 5)
    (endless,) = ours(["xq" * 5_000_000])
    assert endless.shortened
    assert endless.ids == ours(["xq" * 18])[0].ids


def test_segment_ids_carry_shapes_only_where_asked(encoders: Encoders) -> None:
    file = encoders("bert-uncased") / "tokenizer.json"
    words = [word for sentence in sentences() for word in sentence] + ODD
    plain, shaped = SubTokenizer.from_file(file)(words), SubTokenizer.from_file(file, shapes=True)(words)
    for word, without, with_shapes in zip(words, plain, shaped, strict=True):
        assert without.ids == with_shapes.ids
        assert set(without.types) == {0}
        first, rest = shape_ids(word)
        assert with_shapes.types == (first, *[rest] * (len(with_shapes.ids) - 1))
        assert 0 < first < rest < TYPES


def test_padding_and_truncation_of_the_file_are_switched_off(encoders: Encoders, tmp_path: Path) -> None:
    file = encoders("bert-uncased") / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.enable_padding(length=20)
    tokenizer.enable_truncation(3)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    changed, plain = SubTokenizer.from_file(tmp_path / "tokenizer.json"), SubTokenizer.from_file(file)
    assert changed(["Reykjavik", "a"]) == plain(["Reykjavik", "a"])
    assert (changed.prefix, changed.suffix) == (plain.prefix, plain.suffix)


def test_only_byte_level_tokenizers_get_a_space_before_words(encoders: Encoders) -> None:
    for name in FAMILIES:
        tokenizer = Tokenizer.from_file(str(encoders(name) / "tokenizer.json"))
        assert (spaced(tokenizer) is not tokenizer) == (name in ("roberta", "deberta", "modernbert"))


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"model": {}}', b"\xff\xfe", None])
def test_no_tokenizer_is_a_clear_error(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(
        FolderError, match=r"tokenizer.json: not a tokenizer that can be loaded .*Take the model folder"
    ):
        SubTokenizer.from_file(file)


def test_a_tokenizer_without_special_tokens_has_no_frame(encoders: Encoders) -> None:
    state = json.loads((encoders("bert-cased") / "tokenizer.json").read_text(encoding="utf-8"))
    state["post_processor"] = None
    bare = SubTokenizer(Tokenizer.from_str(json.dumps(state)))
    assert (bare.prefix, bare.suffix, bare.specials) == ((), (), 0)
