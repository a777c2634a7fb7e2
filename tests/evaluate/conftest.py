"""Random corpora for the tests of the scores: legal, broken and nearly right, of one and of many sentences."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from tagline.data.schemes import Scheme, prefixes, tags_of
from tagline.records import Span

LABELS = ["PER", "geo-loc", "a-b-c", "X"]
Tags = list[list[str]]
Corpora = Callable[[Scheme, int], Iterator[tuple[Tags, Tags]]]


def _legal(chance: random.Random, scheme: Scheme, length: int, labels: list[str]) -> list[str]:
    spans: list[Span] = []
    place = 0
    while place < length:
        end = min(length, place + chance.randint(1, 3))
        if chance.random() < 0.6:
            label = chance.choice(labels)
            # Neighbours of one label would be one entity in IO.
            if scheme is not Scheme.IO or not spans or spans[-1].end < place or spans[-1].label != label:
                spans.append(Span(label, place, end))
        place = end
    return tags_of(spans, length, scheme)


def _broken(chance: random.Random, scheme: Scheme, length: int, labels: list[str]) -> list[str]:
    every = ["O", *(f"{prefix}-{label}" for prefix in prefixes(scheme) for label in labels)]
    return [chance.choice(every) for _ in range(length)]


def _noisy(chance: random.Random, scheme: Scheme, gold: list[str], labels: list[str]) -> list[str]:
    other = _broken(chance, scheme, len(gold), labels)
    return [tag if chance.random() < 0.8 else guess for tag, guess in zip(gold, other, strict=True)]


def _corpus(chance: random.Random, scheme: Scheme, legal_only: bool) -> tuple[Tags, Tags]:
    labels = LABELS[: chance.randint(1, len(LABELS))]
    gold: Tags = []
    predicted: Tags = []
    for _ in range(chance.choice([1, 1, 2, 3, 6])):
        length = chance.randint(1, 10)
        make = _legal if legal_only or chance.random() < 0.5 else _broken
        tags = make(chance, scheme, length, labels)
        gold.append(tags)
        if legal_only:
            same = chance.random() < 0.3
            predicted.append(list(tags) if same else _legal(chance, scheme, length, labels))
        else:
            follow = chance.random() < 0.7
            predicted.append(
                _noisy(chance, scheme, tags, labels) if follow else _broken(chance, scheme, length, labels)
            )
    return gold, predicted


@pytest.fixture
def corpora() -> Corpora:
    """`corpora(scheme, count)`: pairs of gold and predicted tags, about half of the gold and most guesses broken."""

    def make(scheme: Scheme, count: int) -> Iterator[tuple[Tags, Tags]]:
        chance = random.Random(f"{scheme.value} any")
        return (_corpus(chance, scheme, False) for _ in range(count))

    return make


@pytest.fixture
def legal_corpora() -> Corpora:
    """`legal_corpora(scheme, count)`: the same, with legal tags on both sides."""

    def make(scheme: Scheme, count: int) -> Iterator[tuple[Tags, Tags]]:
        chance = random.Random(f"{scheme.value} legal")
        return (_corpus(chance, scheme, True) for _ in range(count))

    return make
