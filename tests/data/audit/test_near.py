"""Near duplicates against all pairs; signatures against their definition."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.data.audit import near
from tagline.data.audit.near import find_near, rows_of
from tagline.data.audit.parts import Part
from tagline.data.audit.shingles import HASHES, SIZE, Shingles
from tagline.data.corpus import read_corpus
from tagline.errors import UsageError

WORDS = [
    f"{first}{second}{number}" for first in ("bo", "ka", "tri") for second in ("lan", "mer") for number in range(40)
]


def shingles(text: str) -> set[str]:
    return {text[at : at + SIZE] for at in range(max(1, len(text) - SIZE + 1))}


def jaccard(one: str, other: str) -> float:
    first, second = shingles(one), shingles(other)
    return len(first & second) / len(first | second)


def all_pairs(texts: list[str], groups: list[int], threshold: float) -> set[tuple[int, int]]:
    """Every text with every group in which an earlier text is at least so similar."""
    sets = [shingles(text) for text in texts]
    found = set()
    for second, later in enumerate(sets):
        for first, earlier in enumerate(sets[:second]):
            if min(len(earlier), len(later)) >= threshold * max(len(earlier), len(later)):
                both = len(earlier & later)
                if both >= threshold * (len(earlier) + len(later) - both):
                    found.add((second, groups[first]))
    return found


def variants(count: int, seed: int) -> list[str]:
    """Sentences, half of them others with up to three words changed; all different."""
    rng = random.Random(seed)
    texts: list[str] = []
    while len(texts) < count:
        words = rng.choice(texts).split() if texts and rng.random() < 0.5 else rng.choices(WORDS, k=rng.randint(5, 25))
        for _ in range(rng.randint(0, 3)):
            words[rng.randrange(len(words))] = rng.choice(WORDS)
        if (text := " ".join(words)) not in texts:
            texts.append(text)
    return texts


@pytest.mark.parametrize("threshold", [0.5, 0.65, 0.8, 0.9])
def test_finds_what_comparing_all_pairs_finds(threshold: float) -> None:
    texts = variants(300, seed=3)
    groups = [0] * 150 + [1] * 90 + [2] * 60
    expected = all_pairs(texts, groups, threshold)
    found = find_near(texts, groups, threshold)
    reported = {(pair.second, groups[pair.first]) for pair in found}
    assert len(expected) > 10
    assert reported <= expected
    assert len(reported) >= 0.995 * len(expected)
    assert len(reported) == len(found)
    for pair in found:
        assert pair.first < pair.second
        assert pair.similarity == pytest.approx(jaccard(texts[pair.first], texts[pair.second]))


def test_real_sentences_against_all_pairs(data_dir: Path) -> None:
    part = Part("train", read_corpus(data_dir / "conll2003" / "test.txt"))
    texts = [key for key, size in zip(dict.fromkeys(part.keys), part.sizes, strict=False) if len(key) > 25 and size][
        :600
    ]
    expected = {second for second, _ in all_pairs(texts, [0] * len(texts), 0.8)}
    assert expected
    assert {pair.second for pair in find_near(texts, [0] * len(texts))} == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet="abcß你\ud800 ", max_size=12), unique=True, max_size=14), st.integers(0, 13))
def test_short_and_odd_texts_never_give_a_false_pair(texts: list[str], border: int) -> None:
    groups = [int(place >= border) for place in range(len(texts))]
    found = find_near(texts, groups, 0.6)
    assert {(pair.second, groups[pair.first]) for pair in found} <= all_pairs(texts, groups, 0.6)


def test_signatures_estimate_the_similarity() -> None:
    texts = variants(50, seed=5)
    signatures = Shingles(texts).signatures()
    assert signatures.shape == (50, HASHES)
    pairs = list(combinations(range(50), 2))
    errors = [
        float((signatures[one] == signatures[other]).mean()) - jaccard(texts[one], texts[other]) for one, other in pairs
    ]
    assert abs(float(np.mean(errors))) < 0.01
    assert max(map(abs, errors)) < 0.25


def test_signatures_do_not_depend_on_the_neighbours() -> None:
    texts = variants(30, seed=6)
    whole = Shingles(texts).signatures()
    for place, text in enumerate(texts):
        assert (Shingles([text]).signatures()[0] == whole[place]).all()
        assert len(Shingles([text]).of(0)) == len(shingles(text))


def test_bands_let_at_most_one_pair_in_a_thousand_escape() -> None:
    for threshold in (0.5, 0.6, 0.7, 0.8, 0.9):
        rows = rows_of(threshold)
        assert (1 - threshold**rows) ** (HASHES // rows) <= 0.001


def test_a_corpus_of_templates_stays_linear(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        f"the train from platform {number} to the city leaves at {number % 24} sharp today" for number in range(4000)
    ]
    judge, judged = near._Search._judge, [0, 0]
    for place, count in enumerate((500, 4000)):

        def counted(self: Any, left: Any, right: Any, place: int = place) -> Any:
            judged[place] += len(left)
            return judge(self, left, right)

        monkeypatch.setattr(near._Search, "_judge", counted)
        assert len(find_near(texts[:count], [0] * count)) > 0.9 * count
    assert judged[1] < 16 * judged[0]  # pairs looked at, of eight times the texts; all pairs would be 64 times as many


@pytest.mark.parametrize("threshold", [0.39, 1.01, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(UsageError, match=r"--near is .*from 0\.4 to 1"):
        find_near(["a", "b"], [0, 0], threshold)


def test_nothing_is_near_nothing() -> None:
    assert find_near([], []) == []
    assert find_near(["alone"], [0]) == []
