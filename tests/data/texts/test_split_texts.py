"""Splits: nothing in two parts, nothing lost, labels in their shares, and the same every time."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.data.audit.parts import Part
from tagline.data.texts.corpus import TextCorpus
from tagline.data.texts.reading import TextOptions, read_texts
from tagline.data.texts.splits import Split, split_texts
from tagline.errors import UsageError
from tagline.records import LabelledText, Problem

Shares = tuple[float, float, float]
SHARES: list[Shares] = [(0.8, 0.1, 0.1), (0.6, 0.3, 0.1), (0.5, 0.5, 0.0), (0.7, 0.0, 0.3), (1.0, 0.0, 0.0)]
words = st.sampled_from(["Straße", "STRASSE", " a  b", "a b", "ﬁn", "fin", "x", "y\tz", "", "İ", "q"])


def corpus_of(texts: list[LabelledText], problem: Problem = Problem.SINGLE) -> TextCorpus:
    numbered = tuple(replace(each, line=line) for line, each in enumerate(texts, start=1))
    return TextCorpus(numbered, problem, "a.tsv", "tsv", "0" * 64)


def labelled(counts: dict[str, int]) -> TextCorpus:
    texts = [LabelledText(f"{label} {number}", None, (label,)) for label in counts for number in range(counts[label])]
    random.Random(5).shuffle(texts)
    return corpus_of(texts)


def find_overlap(known: TextCorpus, judged: TextCorpus) -> int:
    """How many texts of `judged` stand in `known`."""
    keys = set(Part("train", known).keys)
    return sum(key in keys for key in Part("test", judged).keys)


def parts(split: Split) -> tuple[TextCorpus, TextCorpus, TextCorpus]:
    return split.train, split.dev, split.test


def lines(split: Split) -> list[list[int]]:
    return [[each.line for each in part.texts] for part in parts(split)]


def check_whole(corpus: TextCorpus, split: Split) -> None:
    every = [line for part in lines(split) for line in part]
    assert len(set(every)) == len(every) == len(corpus.texts) - split.removed
    assert all(part == sorted(part) for part in lines(split))
    for one, other in [(split.train, split.dev), (split.train, split.test), (split.dev, split.test)]:
        assert find_overlap(one, other) == find_overlap(other, one) == 0
    for each in parts(split):
        assert (each.path, each.fingerprint, each.problem) == (corpus.path, corpus.fingerprint, corpus.problem)
    kept = corpus_of([corpus.texts[line - 1] for line in sorted(every)])
    assert find_overlap(kept, corpus) == len(corpus.texts)


@given(
    st.lists(st.tuples(words, st.none() | words, st.sampled_from("uvw")), max_size=25),
    st.sampled_from(SHARES),
    st.integers(0, 3),
)
def test_parts_are_disjoint_and_whole(rows: list[tuple[str, str | None, str]], shares: Shares, seed: int) -> None:
    texts = [LabelledText(text, pair, (label,)) for text, pair, label in rows]
    filler = [LabelledText(f"filler {number}", None, ("u",)) for number in range(40)]
    corpus = corpus_of(texts + filler)
    split = split_texts(corpus, shares, seed)
    check_whole(corpus, split)
    assert [bool(part.texts) for part in parts(split)] == [share > 0 for share in shares]
    assert lines(split) == lines(split_texts(corpus, shares, seed))


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 40), min_size=1),
    st.sampled_from(SHARES),
    st.integers(0, 3),
)
def test_each_label_is_within_one_text_of_its_share(counts: dict[str, int], shares: Shares, seed: int) -> None:
    corpus = labelled({**counts, "big": 60})
    split = split_texts(corpus, shares, seed)
    needed = sum(share > 0 for share in shares)
    assert split.single == tuple(sorted(label for label, count in counts.items() if count < needed))
    for part, share in zip(parts(split), shares, strict=True):
        found = Counter(label for each in part.texts for label in each.labels)
        for label, count in counts.items():
            if label in split.single:
                assert found[label] == (count if part is split.train else 0)
            else:
                assert abs(found[label] - share * count) < 1 + 1e-9


@settings(max_examples=40)
@given(
    st.lists(st.frozensets(st.sampled_from("abcde"), max_size=3), min_size=60, max_size=200),
    st.sampled_from(SHARES),
    st.integers(0, 3),
)
def test_several_labels(rows: list[frozenset[str]], shares: Shares, seed: int) -> None:
    texts = [LabelledText(f"text {number}", None, tuple(sorted(row))) for number, row in enumerate(rows)]
    corpus = corpus_of(texts, Problem.MULTI)
    split = split_texts(corpus, shares, seed)
    check_whole(corpus, split)
    assert [bool(part.texts) for part in parts(split)] == [share > 0 for share in shares]
    for label in split.single:
        assert all(label not in each.labels for part in parts(split)[1:] for each in part.texts)
    assert lines(split) == lines(split_texts(corpus, shares, seed))


def test_several_labels_keep_their_shares() -> None:
    draw = random.Random(3)
    kinds = [("a", 0.5), ("b", 0.3), ("c", 0.1), ("rare", 0.02)]
    texts = [
        LabelledText(f"text {number}", None, tuple(kind for kind, often in kinds if draw.random() < often))
        for number in range(2000)
    ]
    split = split_texts(corpus_of(texts, Problem.MULTI))
    total = Counter(label for each in texts for label in each.labels)
    for part, share in zip(parts(split), (0.8, 0.1, 0.1), strict=True):
        found = Counter(label for each in part.texts for label in each.labels)
        assert abs(len(part.texts) - share * 2000) <= 10
        for label, count in total.items():
            assert abs(found[label] - share * count) <= 2


@given(st.lists(st.floats(-5, 5), min_size=60, max_size=150), st.integers(0, 3))
def test_numbers_are_shared_out_by_their_size(scores: list[float], seed: int) -> None:
    texts = [LabelledText(f"text {number}", None, (), score) for number, score in enumerate(scores)]
    corpus = corpus_of(texts, Problem.REGRESSION)
    split = split_texts(corpus, (0.6, 0.2, 0.2), seed)
    check_whole(corpus, split)
    middle = sorted(scores)[len(scores) // 2]
    for part, share in zip(parts(split), (0.6, 0.2, 0.2), strict=True):
        bins = len(scores) // 20
        low = sum((each.score or 0) < middle for each in part.texts)
        exact = share * sum(score < middle for score in scores)
        # a bin is off by less than one text, and one bin may lie on both sides of the middle
        assert abs(low - exact) <= bins + 21 * share
        assert abs(len(part.texts) - share * len(scores)) < bins


def test_dev_gets_no_end_of_a_bin() -> None:
    texts = [LabelledText(f"text {number}", None, (), float(number)) for number in range(4000)]
    split = split_texts(corpus_of(texts, Problem.REGRESSION))
    for part in parts(split):
        assert abs(sum((each.score or 0) % 20 for each in part.texts) / len(part.texts) - 9.5) < 1


def test_duplicates_are_counted_and_conflicts_too() -> None:
    texts = [LabelledText(f"text {number}", "pair", ("x",)) for number in range(30)]
    again = [
        LabelledText("TEXT\u00a0 1", "ｐａｉｒ", ("x",)),
        LabelledText("text 2 ", "pair", ("y",)),
        LabelledText("text 2 ", None, ("x",)),
    ]
    corpus = corpus_of(texts + again)
    split = split_texts(corpus)
    assert (split.removed, split.conflicting, split.single) == (2, 1, ("y",))
    check_whole(corpus, split)
    several = [LabelledText("a", None, ("x", "y")), LabelledText("A", None, ("y", "x")), LabelledText("a", None, ())]
    several += [LabelledText(f"text {number}", None, ("x",)) for number in range(30)]
    split = split_texts(corpus_of(several, Problem.MULTI))
    assert (split.removed, split.conflicting) == (2, 1)


def test_the_seed_decides_and_the_order_of_the_file_does_not() -> None:
    corpus = labelled({"a": 50, "b": 30})
    turned = replace(corpus, texts=corpus.texts[::-1])
    first, second = split_texts(corpus, seed=1), split_texts(turned, seed=1)
    assert [set(part.texts) for part in parts(first)] == [set(part.texts) for part in parts(second)]
    assert lines(first) != lines(split_texts(corpus, seed=2))
    # the default split of these texts, so that a change of the method is noticed
    assert [len(part) for part in lines(split_texts(corpus))] == [64, 8, 8]


def test_many_small_labels_fill_dev_and_test_alike() -> None:
    split = split_texts(labelled({f"label {number}": 5 for number in range(40)}))
    assert [len(part.texts) for part in parts(split)] == [160, 20, 20]
    assert split.single == ()


def test_empty_texts_are_counted_in_their_part() -> None:
    corpus = corpus_of([LabelledText(f"text {number}", None, ("x",)) for number in range(30)])
    corpus = replace(corpus, texts=(*corpus.texts, LabelledText(" ", None, ("x",)), LabelledText("", None, ("x",))))
    split = split_texts(corpus)
    assert sum(part.empty for part in parts(split)) == 1
    assert split.removed == 1


def test_small_corpora_fill_every_part_or_say_why_not() -> None:
    assert [len(part) for part in lines(split_texts(labelled({"a": 5})))] == [3, 1, 1]
    for counts in ({"a": 3}, {"a": 2, "b": 2}, {"a": 1}):
        with pytest.raises(UsageError, match="too few texts for 3 parts: none is left for"):
            split_texts(labelled(counts))
    few = corpus_of([LabelledText(f"text {number}", None, ("x",)) for number in range(4)], Problem.MULTI)
    assert [len(part) for part in lines(split_texts(few))] == [2, 1, 1]
    assert [len(part) for part in lines(split_texts(labelled({"a": 1}), (1.0, 0.0, 0.0)))] == [1, 0, 0]


@pytest.mark.parametrize(
    ("shares", "seed", "message"),
    [
        ((0.8, 0.1, 0.2), 1, r"add up to 1.1; expected 1"),
        ((1.2, -0.1, -0.1), 1, "expected three numbers"),
        ((0.0, 0.5, 0.5), 1, "train above 0"),
        ((float("nan"), 0.5, 0.5), 1, "expected three numbers"),
        ((0.8, 0.1, 0.1), -1, "seed -1; expected 0 or more"),
    ],
)
def test_shares_and_seeds_that_cannot_be(shares: Shares, seed: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        split_texts(labelled({"a": 50}), shares, seed)


def test_sms_spam(data_dir: Path) -> None:
    path = data_dir / "sms-spam" / "SMSSpamCollection"
    corpus = read_texts(path, TextOptions(text_column=1, label_column=0))
    split = split_texts(corpus)
    check_whole(corpus, split)
    assert split.removed > 400
    for part, share in zip(parts(split), (0.8, 0.1, 0.1), strict=True):
        spam = sum(each.labels == ("spam",) for each in part.texts)
        assert abs(spam - share * 642) < 1
    assert find_overlap(corpus, split.test) == len(split.test.texts)


def test_goemotions(data_dir: Path) -> None:
    folder = data_dir / "goemotions"
    names = folder / "labels.txt"
    corpus = read_texts(
        folder / "train.tsv", TextOptions(text_column=0, label_column=1, label_separator=",", label_names=names)
    )
    split = split_texts(corpus)
    check_whole(corpus, split)
    total = Counter(label for part in parts(split) for each in part.texts for label in each.labels)
    for part, share in zip(parts(split), (0.8, 0.1, 0.1), strict=True):
        found = Counter(label for each in part.texts for label in each.labels)
        assert all(abs(found[label] - share * count) <= 2 for label, count in total.items())
        assert abs(len(part.texts) / sum(len(each.texts) for each in parts(split)) - share) < 0.005
