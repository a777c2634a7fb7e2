"""Where running text is cut into sentences, and which corpora ask for it."""

from __future__ import annotations

import re
from itertools import pairwise
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.text.sentences import holds_single_sentences, sentence_starts
from tagline.text.words import WordRules, WordSplitter


def cut(text: str) -> list[str]:
    split = WordSplitter(WordRules(abbreviations=("inc.",)))
    offsets = split(text)
    starts = [0, *sentence_starts(text, offsets, [text[a:b] for a, b in offsets]), len(offsets)]
    return [text[offsets[first][0] : offsets[last - 1][1]] for first, last in pairwise(starts) if last]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Anna came home.", "She slept."],
        ["Did it rain?", '"Never!"', "He left."],
        ["The U.S. Army sold it to Acme Inc. of Ohio.", "Nobody knew."],
        ["It was No. 5 of 7.", "Then it was 6."],
        ["He said (in May.)", "They went."],
        ["Well ... maybe it rains.", "Or not."],
        ["今日は雨。", "明日は晴れ。"],
        ["¿Dónde está?", "¿Quién viene?"],
    ],
)
def test_sentences_of_a_line(sentences: list[str]) -> None:
    glue = "" if sentences[0].endswith("。") else " "
    assert cut(glue.join(sentences)) == sentences


STOPS = [*"aB3.!?…。”)(\",'\n ", "U.S.", "3.5", "e\u0301", " "]


@given(st.lists(st.sampled_from(STOPS), max_size=14).map("".join))
def test_a_line_without_a_stop_is_not_searched_and_nothing_is_missed(text: str) -> None:
    found = cut(text)
    with mock.patch("tagline.text.sentences._STOP", re.compile("")):  # which finds a stop in any text
        assert cut(text) == found


def test_headlines_and_paragraphs_are_cut_but_wrapped_lines_are_not() -> None:
    text = (
        "STORM HITS COAST\n"
        "A storm hit the coast of Portugal on Monday, and the mayor of\n"
        "Porto said that two bridges were closed until the evening at\n"
        "the earliest.\n"
        "\n"
        "no one was hurt"
    )
    found = cut(text)
    assert found[0] == "STORM HITS COAST"
    assert found[1].startswith("A storm")
    assert found[1].endswith("earliest.")
    assert found[2:] == ["no one was hurt"]


@given(st.text(alphabet="aA.!?\"') \n1é。\u200d", max_size=60))
def test_starts_are_words_in_order(text: str) -> None:
    offsets = WordSplitter()(text)
    starts = sentence_starts(text, offsets, [text[a:b] for a, b in offsets])
    assert starts == sorted(set(starts))
    assert all(0 < start < len(offsets) for start in starts)


def test_a_corpus_tells_whether_its_examples_are_sentences() -> None:
    sentence, tweet = ("It", "rains", "."), ("Wow", "!", "It", "rains", ".")
    assert holds_single_sentences([sentence] * 11 + [tweet])
    assert not holds_single_sentences([sentence] * 5 + [tweet])
    assert WordRules.learn([sentence] * 20).split_sentences
    assert not WordRules.learn([tweet] * 20).split_sentences
