"""Words from raw text: where they stand, what stays together, what a corpus teaches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tagline.text.words import WordRules, WordSplitter

EVERY_RULE = WordRules(True, True, True, list_numbers=True, abbreviations=("inc.", "st.", "vs."))
RULES = [WordRules(), EVERY_RULE, WordRules(True, False), WordRules(False, False, True)]
SPLITTERS = [WordSplitter(rules) for rules in RULES]
# Letters, digits and everything that the pattern treats by itself, so that they meet often.
MARKS = (
    "a Z é 北 ก ั ह ि 1 23 . , ' ’ - _ / & ; : ) ( @ # $ ! ? < 3 * ^ \" + = 8 n't 's http:// www. &amp; U.S. ... \n \t  "
    "\u200d \u200b \ufe0f \u0301 \U0001f468 \U0001f469 \U0001f3fd \U0001f1e9 \U0001f1ea \u00ad \x00 \x1c \u2028 \ud800"
)
PIECES = st.sampled_from([piece or " " for piece in MARKS.split(" ")])
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=25).map("".join))


def split(text: str, rules: WordRules | None = None) -> list[str]:
    return [text[start:end] for start, end in WordSplitter(rules or WordRules())(text)]


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_words_tile_everything_but_whitespace(text: str) -> None:
    for splitter in SPLITTERS:
        offsets = splitter(text)
        assert all(start < end for start, end in offsets)
        assert all(end <= start for (_, end), (start, _) in pairwise(offsets))
        covered = {place for start, end in offsets for place in range(start, end)}
        assert covered == {place for place, char in enumerate(text) if not char.isspace()}


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_whitespace_parts_words_whatever_kind_it_is(texts: list[str]) -> None:
    parts = [part for text in texts for part in text.split()]
    rules = WordRules(True, True, True, abbreviations=("inc.",))
    for space in (" ", "\n", "\u00a0", "\u3000\t"):
        assert split(space.join(parts), rules) == [word for part in parts for word in split(part, rules)]


@settings(max_examples=300, deadline=None)
@example("a 3.\tb")  # a number of a list stands where a line begins, not where a part does
@example("3. b")
@given(st.lists(TEXTS, max_size=3).map(" ".join))
def test_remembered_parts_are_split_as_the_whole_text(text: str) -> None:
    for splitter in SPLITTERS:  # which remember what they split in other examples
        assert splitter(text) == [match.span() for match in splitter._pattern.finditer(text)]


def test_few_parts_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagline.text.words._KEPT_PARTS", 3)
    splitter = WordSplitter()
    text = "Oslo, Rome, Bonn, Oslo, Kiev " + "x" * 65
    assert [text[start:end] for start, end in splitter(text)] == [
        "Oslo", ",", "Rome", ",", "Bonn", ",", "Oslo", ",", "Kiev", "x" * 65,
    ]  # fmt: skip
    assert 0 < len(splitter._parts) <= 3
    assert all(len(part) <= 64 for part in splitter._parts)


WHOLE = [
    "U.S.", "U.S.-led", "1996-08-30", "10,000", "6-4", "3.5", "...", "--", "!!!", ":)", ":-(", ";)", "<3", "^_^", "-_-",
    "@user", "@user_1", "#tag", "e-mail", "O'Brien", "O’Brien", "AT&T", "F-16", "5th", "B2B", "J.", "&amp;", "&#39;",
    "info@example.com", "first.last+tag@mail.example.co.uk", "http://example.org/a?b=c&d=1#top", "www.example.com",
    "https://x.io/(a)b", "C$", "US$", "rock'n'roll", "and/or",
]  # fmt: skip


@pytest.mark.parametrize("word", WHOLE)
def test_stays_one_word_alone_and_in_a_sentence(word: str) -> None:
    assert split(word) == [word]
    assert split(f"so {word} there") == ["so", word, "there"]
    assert split(f"so {word} there", WordRules(True, True)) == ["so", word, "there"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(U.S.)", ["(", "U.S.", ")"]),
        ('He said: "No."', ["He", "said", ":", '"', "No", ".", '"']),
        ("see http://t.co/ab1, or (www.a.org).", ["see", "http://t.co/ab1", ",", "or", "(", "www.a.org", ")", "."]),
        ("write to a.b@c.org.", ["write", "to", "a.b@c.org", "."]),
        ("RT @user: hi", ["RT", "@user", ":", "hi"]),
        ("10,000, not 6-4.", ["10,000", ",", "not", "6-4", "."]),
        ("$100 or C$100", ["$", "100", "or", "C$", "100"]),
        ("Ke$ha", ["Ke", "$", "ha"]),
        ("ended 1996.", ["ended", "1996", "."]),
        ("cut sho d... and on", ["cut", "sho", "d", "...", "and", "on"]),
        ("(aged 8)", ["(", "aged", "8", ")"]),
        ("J. Smith", ["J.", "Smith"]),
        ("one,two;three", ["one", ",", "two", ";", "three"]),
        ("'quoted'", ["'", "quoted", "'"]),
        ("wow!!! really??", ["wow", "!!!", "really", "??"]),
        ("a -- b – c", ["a", "--", "b", "–", "c"]),
        ("-5 and +5%", ["-5", "and", "+5", "%"]),
    ],
)
def test_parts_punctuation_from_words(text: str, words: list[str]) -> None:
    assert split(text) == words


@pytest.mark.parametrize(
    ("text", "whole", "parted"),
    [
        ("don't", ["don't"], ["do", "n't"]),
        ("DON'T", ["DON'T"], ["DO", "N'T"]),
        ("don’t", ["don’t"], ["do", "n’t"]),
        ("I'm we've", ["I'm", "we've"], ["I", "'m", "we", "'ve"]),
        ("they'll you'd", ["they'll", "you'd"], ["they", "'ll", "you", "'d"]),
        ("can't've", ["can't've"], ["ca", "n't", "'ve"]),
        ("he\u0301'll", ["he\u0301'll"], ["he\u0301", "'ll"]),
        ("O'Reilly", ["O'Reilly"], ["O'Reilly"]),
    ],
)
def test_contractions_by_the_corpus_habit(text: str, whole: list[str], parted: list[str]) -> None:
    assert split(text, WordRules(split_contractions=False)) == whole
    assert split(text, WordRules(split_contractions=True)) == parted


@pytest.mark.parametrize(
    ("text", "whole", "parted"),
    [
        ("Germany's", ["Germany's"], ["Germany", "'s"]),
        ("GERMANY’S", ["GERMANY’S"], ["GERMANY", "’S"]),
        ("cafe\u0301's", ["cafe\u0301's"], ["cafe\u0301", "'s"]),
        ("U.S.'s", ["U.S.", "'", "s"], ["U.S.", "'s"]),
    ],
)
def test_possessives_by_the_corpus_habit(text: str, whole: list[str], parted: list[str]) -> None:
    assert split(text, WordRules(split_possessives=False)) == whole
    assert split(text, WordRules(split_possessives=True)) == parted


def test_other_habits() -> None:
    assert split("#tag #", WordRules(split_hashtags=True)) == ["#", "tag", "#"]
    text = "3. Ann Lee\n12. Bo Ray 4. x"
    assert split(text) == ["3", ".", "Ann", "Lee", "12", ".", "Bo", "Ray", "4", ".", "x"]
    assert split(text, WordRules(list_numbers=True)) == ["3.", "Ann", "Lee", "12.", "Bo", "Ray", "4", ".", "x"]
    assert split("1996.", WordRules(list_numbers=True)) == ["1996", "."]
    assert split("3.", WordRules(list_numbers=True)) == ["3", "."]
    assert split("Kestrel Inc. won.") == ["Kestrel", "Inc", ".", "won", "."]
    assert split("Kestrel INC. won.", WordRules(abbreviations=("inc.",))) == ["Kestrel", "INC.", "won", "."]
    assert split("zinc. Incx", WordRules(abbreviations=("inc.",))) == ["zinc", ".", "Incx"]


@pytest.mark.parametrize(
    "word",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # family
        "\U0001f469\U0001f3fd\u200d\U0001f680",  # astronaut with a skin tone
        "\U0001f44d\U0001f3ff",
        "\u2764\ufe0f\u200d\U0001f525",  # heart on fire
        "\U0001f1e9\U0001f1ea",  # flag
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # flag of Scotland
        "1\ufe0f\u20e3",  # keycap
        "cafe\u0301",
        "soft\u00adhyphen",
        "zero\u200bwidth",
        "a\u200db",
        "नमस्ते",
        "हिन्दी",
        "สวัสดี",
        "ที่",
        "مرحبا",
        "مُحَمَّد",
        "שָׁלוֹם",
        "தமிழ்",
        "မြန်မာ",
        "ភាសាខ្មែរ",
        "Việt",
        "Ελλάδα",
        "Київ",
        "カタカナ",
    ],
)
def test_what_a_reader_sees_as_one_stays_one(word: str) -> None:
    assert split(word) == [word]
    assert split(f"x {word}, y") == ["x", word, ",", "y"]


def test_scripts_without_spaces_and_odd_characters() -> None:
    assert split("北京市在中国。") == ["北", "京", "市", "在", "中", "国", "。"]
    assert split("𠮷野家は東京") == ["𠮷", "野", "家", "は", "東", "京"]
    assert split("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7") == ["\U0001f1e9\U0001f1ea", "\U0001f1eb\U0001f1f7"]
    assert split("good\U0001f44d\U0001f44d") == ["good", "\U0001f44d", "\U0001f44d"]
    assert split("a\x00b") == ["a", "\x00", "b"]
    assert split("\u200b \u0301") == ["\u200b", "\u0301"]
    assert split("") == split(" \n\u00a0\u2028\x1c") == []


def habits(rules: WordRules) -> tuple[bool | tuple[str, ...], ...]:
    return (
        rules.split_contractions, rules.split_possessives, rules.split_hashtags, rules.list_numbers, rules.abbreviations
    )  # fmt: skip


def test_learn_takes_the_habits_of_the_corpus() -> None:
    parted = [["1.", "I", "do", "n't"], ["2.", "Germany", "'s", "St.", "St.", "#", "tag", "."], ["He", "'s", "in"]]
    assert habits(WordRules.learn(parted)) == (True, True, True, True, ("st.",))
    whole = [["1", ".", "I", "don't"], ["Germany's", "#tag", "St", ".", "I'm"], ["it's", "end."]]
    assert habits(WordRules.learn(whole)) == (False, False, False, False, ())


def test_learn_goes_by_the_majority_and_keeps_the_defaults_where_a_corpus_is_silent() -> None:
    assert habits(WordRules.learn([])) == habits(WordRules.learn([["plain", "words"]])) == habits(WordRules())
    assert not WordRules.learn([["don't"], ["ca", "n't"], ["won't"]]).split_contractions
    assert WordRules.learn([["don’t"], ["ca", "n’t"], ["wo", "n’t"]]).split_contractions
    rules = WordRules.learn([["Inc.", "end."]] * 3 + [["end"]] * 4 + [["once."]])
    assert rules.abbreviations == ("inc.",)  # "end" is mostly bare; "once." was seen once


def test_learn_takes_any_iterable_once() -> None:
    assert WordRules.learn(words for words in [("do", "n't")]).split_contractions


@pytest.mark.parametrize("rules", RULES)
def test_rules_survive_being_written(rules: WordRules) -> None:
    assert WordRules.from_dict(json.loads(json.dumps(rules.to_dict()))) == rules
    values = rules.to_dict()
    del values["list_numbers"]  # a folder of an earlier Tagline
    assert not WordRules.from_dict(values).list_numbers


ADVERSARIES = [
    "+", "-", "a", ".", "@", "a.", "'", "a'", "'a", "n't", "an'", "1", "1.", "1-", "a-", "-a", "#", "&", "&a", "&#1",
    "*", "!", "<3", ":", ":-", "^_", "_", "http://", "http://.", "www.", ".a@", "a@a.", "a@a", "a@-", "\u200d",
    "\u0301", "\U0001f468\u200d", "\U0001f1e9", "北", "北'", "+1", "1:", "ก", "s'", "@a", "A.B", "(", "’", "$", "a$",
    " ", "a/", "1..", "\n1.", "a n", "北n'",
]  # fmt: skip
_TIMED = """
import json, sys
from tagline.text.words import WordRules, WordSplitter
splitter = WordSplitter(WordRules(True, True, True, list_numbers=True, abbreviations=("inc.", "a.")))
for unit in json.load(sys.stdin):
    text = unit * (60_000 // len(unit))
    assert sum(end - start for start, end in splitter(text)) == sum(not char.isspace() for char in text)
"""


def test_time_is_linear_in_any_text() -> None:
    """Quadratic time would take minutes for one of these texts; linear time takes a tenth of a second."""
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", _TIMED],
        input=json.dumps(ADVERSARIES),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=paths,
    )
    assert done.returncode == 0, done.stderr
