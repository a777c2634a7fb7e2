"""Small corpora of labelled texts."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from tagline.data.texts.corpus import TextCorpus
from tagline.records import LabelledText, Problem

WORDS = ["Maria", "Peter", "moved", "from", "Lisbon", "Oslo", "the", "weather", "rain", "snow", "and", "came", "near"]


def corpus(texts: Iterable[LabelledText], problem: Problem = Problem.SINGLE, path: str = "train.tsv") -> TextCorpus:
    """A corpus as if read from a file, lines numbered from 1."""
    numbered = tuple(
        LabelledText(each.text, each.pair, each.labels, each.score, line) for line, each in enumerate(texts, 1)
    )
    paired = any(each.pair is not None for each in numbered)
    empty = sum(not (each.text.strip() or (each.pair or "").strip()) for each in numbered)
    return TextCorpus(numbered, problem, path, "tsv", "0" * 64, paired, empty)


def labelled(*labels: str, path: str = "train.tsv") -> TextCorpus:
    """One text a label."""
    return corpus([LabelledText(f"text {number}", labels=(label,)) for number, label in enumerate(labels)], path=path)


def toy(kind: str, count: int, seed: int) -> TextCorpus:
    """A problem that a tiny encoder can learn.

    Args:
        kind: `single` (which of two words stands in the text), `several` (which of three), `regression` (how many times
            a word does), `pairs` (whether the words of the two texts are the same: neither alone tells anything).
        count: how many texts.
        seed: of the texts.
    """
    chance = random.Random(seed)
    made = []
    for number in range(count):
        filling = chance.choices(WORDS, k=chance.randint(2, 6))
        if kind == "pairs":
            colours = [chance.choice(["red", "blue"]) for _ in range(2)]
            label = "same" if colours[0] == colours[1] else "other"
            made.append(LabelledText(colours[0], colours[1], labels=(label,)))
        elif kind == "single":
            label = chance.choice(["bad", "good"])
            made.append(LabelledText(_mixed(chance, [*filling, label]), labels=(label,)))
        elif kind == "several":
            labels = tuple(label for label in ("green", "old", "tall") if chance.random() < 0.4)
            made.append(LabelledText(_mixed(chance, [*filling, *labels]), labels=labels))
        else:
            times = number % 5
            made.append(LabelledText(_mixed(chance, [*filling, *["more"] * times]), score=100.0 + 20 * times))
    problems = {"several": Problem.MULTI, "regression": Problem.REGRESSION}
    return corpus(made, problems.get(kind, Problem.SINGLE), f"{kind}.jsonl")


def _mixed(chance: random.Random, words: Sequence[str]) -> str:
    return " ".join(chance.sample(words, len(words)))
