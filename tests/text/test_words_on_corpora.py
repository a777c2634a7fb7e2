"""Raw text against gold words: corpora are joined as a person would write them and split again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tagline.data.corpus import read_corpus
from tagline.text.words import WordRules, WordSplitter

CLOSING = {*".,;:!?%)]}…", "...", "n't", "'s", "'m", "'re", "'ve", "'ll", "'d"}
OPENING = set("([{$")


def written(words: tuple[str, ...]) -> tuple[str, list[tuple[int, int]]]:
    """The words without the spaces that a person leaves out, and where each stands."""
    text, offsets, glued, quoted = "", [], True, False
    for word in words:
        closes, opens = word.lower() in CLOSING, word in OPENING
        if word == '"':
            closes, opens, quoted = quoted, not quoted, not quoted
        if not glued and not closes:
            text += " "
        offsets.append((len(text), len(text) + len(word)))
        text, glued = text + word, opens
    return text, offsets


def test_written_leaves_out_the_right_spaces() -> None:
    words = ("He", "said", ":", '"', "I", "do", "n't", "(", "now", ")", '"', "$", "5", ".")
    text, offsets = written(words)
    assert text == 'He said: "I don\'t (now)" $5.'
    assert tuple(text[start:end] for start, end in offsets) == words


@pytest.mark.parametrize(
    ("learned", "measured", "least"),
    [
        ("conll2003/train.txt", "conll2003/train.txt", 0.995),
        ("conll2003/train.txt", "conll2003/valid.txt", 0.995),
        ("wnut16/train.txt", "wnut16/train.txt", 0.98),
        ("wnut16/train.txt", "wnut16/dev.txt", 0.98),
        ("conll2002-es/esp.train", "conll2002-es/esp.testa", 0.99),
    ],
)
def test_gold_words_come_back(data_dir: Path, learned: str, measured: str, least: float) -> None:
    splitter = WordSplitter(WordRules.learn(each.words for each in read_corpus(data_dir / learned).sentences))
    found = total = 0
    for sentence in read_corpus(data_dir / measured).sentences:
        text, gold = written(sentence.words)
        found += len(set(gold) & set(splitter(text)))
        total += len(gold)
    assert found / total >= least, f"{found / total:.4f} of the words"


def test_corpora_teach_their_known_habits(data_dir: Path) -> None:
    def learn(name: str) -> WordRules:
        return WordRules.learn(each.words for each in read_corpus(data_dir / name).sentences)

    news, tweets, spanish = learn("conll2003/train.txt"), learn("wnut16/train.txt"), learn("conll2002-es/esp.train")
    assert (news.split_contractions, news.split_possessives, news.list_numbers) == (True, True, True)
    assert {"dr.", "mrs.", "vs."} <= set(news.abbreviations)
    assert (tweets.split_contractions, tweets.split_hashtags) == (False, False)
    assert (spanish.split_contractions, "etc." in spanish.abbreviations) == (False, True)
