"""Several sets of answers on the same sentences or texts: figures, paired tests, and where they differ."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.data.schemes import Scheme
from tagline.evaluate.intervals import sentence_counts
from tagline.evaluate.significance import Difference, Figure, compare, macro_f1, mean, micro_f1, root_mean, values
from tagline.evaluate.spans import Tags, check_aligned, conlleval_spans, strict_spans
from tagline.records import Span

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """Two of the systems compared.

    Attributes:
        a: number of the first.
        b: number of the second.
        figures: differences by figure.
    """

    a: int
    b: int
    figures: dict[str, Difference]


@dataclass(frozen=True)
class Comparison:
    """What is said about S systems on N units (sentences or texts).

    Attributes:
        names: names of the systems.
        figures: (S,) values by figure.
        pairs: paired tests of every two systems.
        differing: numbers of the units, from 0, on which not all systems say the same.
        outcomes: for each of these, who is right: `only A right`, `none right`, ….
        lower_is_better: figures that count errors.
    """

    names: tuple[str, ...]
    figures: dict[str, tuple[float, ...]]
    pairs: list[Pair]
    differing: list[int]
    outcomes: list[str]
    lower_is_better: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """The figures and tests as JSON-ready objects."""
        return {
            "systems": {
                name: {figure: each[row] for figure, each in self.figures.items()}
                for row, name in enumerate(self.names)
            },
            "pairs": [
                {
                    "a": self.names[pair.a],
                    "b": self.names[pair.b],
                    "differences": {name: each.to_dict() for name, each in pair.figures.items()},
                }
                for pair in self.pairs
            ],
        }


def compare_tags(
    gold: Tags, systems: Sequence[Tags], names: Sequence[str], scheme: Scheme, rounds: int = 10_000, seed: int = 0
) -> Comparison:
    """Compares predicted tags.

    Figures: strict, conlleval and macro F1 (over the types of gold), word accuracy.

    Args:
        gold: tags of each sentence in `scheme`.
        systems: the same of each system.
        names: a name for each system, all different.
        scheme: scheme of all tags.
        rounds: random exchanges of each test.
        seed: the same seed gives the same result.

    Raises:
        UsageError: the tags are not those of the same words.
        SchemeError: a tag is not of the scheme.
    """
    for tags in systems:
        check_aligned(gold, tags)
    wanted, loose = strict_spans(gold, scheme, "gold"), conlleval_spans(gold, "gold")
    types = sorted({span.label for spans in wanted for span in spans})
    rows: list[dict[str, Floats]] = []
    for name, tags in zip(names, systems, strict=True):
        found = strict_spans(tags, scheme, name)
        right = [sum(a == b for a, b in zip(*pair, strict=True)) for pair in zip(gold, tags, strict=True)]
        words = np.array([right, [len(row) for row in gold]], np.float64).T
        rows.append(
            {
                "strict_f1": _array(sentence_counts(wanted, found)),
                "conlleval_f1": _array(sentence_counts(loose, conlleval_spans(tags, name))),
                "macro_f1": _by_type(wanted, found, types),
                "word_accuracy": words,
            }
        )
    figures: dict[str, Figure] = {
        "strict_f1": micro_f1, "conlleval_f1": micro_f1, "macro_f1": macro_f1, "word_accuracy": mean,
    }  # fmt: skip
    if not types:
        del figures["macro_f1"]
    same = [[tuple(row) for row in tags] for tags in (gold, *systems)]
    return _comparison(names, rows, figures, same, rounds, seed)


def compare_labels(
    gold: Sequence[Collection[str]],
    systems: Sequence[Sequence[Collection[str]]],
    names: Sequence[str],
    rounds: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compares labels of texts, one or several a text.

    Figures: accuracy (all labels right), macro F1 (over the labels of gold), and micro F1 where texts may have several.
    """
    labels = sorted({label for each in gold for label in each})
    places = {label: place for place, label in enumerate(labels)}
    several = any(len(each) != 1 for side in (gold, *systems) for each in side)
    wanted = _marks(gold, places)
    rows = []
    for answers in systems:
        found = _marks(answers, places)
        totals = [[len(set(a) & set(b)), len(b), len(a)] for a, b in zip(gold, answers, strict=True)]
        rows.append(
            {
                "accuracy": values([set(a) == set(b) for a, b in zip(gold, answers, strict=True)]),
                "macro_f1": np.hstack([wanted * found, found, wanted]),
                "micro_f1": np.array(totals, np.float64),
            }
        )
    figures: dict[str, Figure] = {"accuracy": mean, "macro_f1": macro_f1}
    if several:
        figures["micro_f1"] = micro_f1
    if not labels:
        del figures["macro_f1"]
    same: list[list[Any]] = [[frozenset(each) for each in side] for side in (gold, *systems)]
    return _comparison(names, rows, figures, same, rounds, seed)


def compare_numbers(
    gold: Sequence[float], systems: Sequence[Sequence[float]], names: Sequence[str], rounds: int = 10_000, seed: int = 0
) -> Comparison:
    """Compares predicted numbers. Figures: mean absolute error and root mean squared error."""
    errors = [np.asarray(each, np.float64) - np.asarray(gold, np.float64) for each in systems]
    rows = [{"mae": values(np.abs(each)), "rmse": values(each**2)} for each in errors]
    nearest = np.argmin(np.abs(np.stack(errors)), axis=0)
    found = _comparison(names, rows, {"mae": mean, "rmse": root_mean}, [], rounds, seed)
    spread = np.ptp(np.stack(errors), axis=0)
    order = [row for row in np.argsort(-spread, kind="stable").tolist() if spread[row] > 0]
    outcomes = [f"{names[int(nearest[row])]} nearer" for row in order]
    return replace(found, differing=order, outcomes=outcomes, lower_is_better=frozenset({"mae", "rmse"}))


def _comparison(
    names: Sequence[str],
    rows: Sequence[dict[str, Floats]],
    figures: dict[str, Figure],
    sides: Sequence[Sequence[Any]],
    rounds: int,
    seed: int,
) -> Comparison:
    pairs = [
        Pair(a, b, {name: compare(rows[a][name], rows[b][name], each, rounds, seed) for name, each in figures.items()})
        for a, b in combinations(range(len(names)), 2)
    ]
    figures_of = {
        name: tuple(float(each(row[name].sum(axis=0)[None])[0]) for row in rows) for name, each in figures.items()
    }
    differing, outcomes = [], []
    for number, (wanted, *found) in enumerate(zip(*sides, strict=True)):
        if any(each != found[0] for each in found):
            differing.append(number)
            outcomes.append(_outcome([name for name, each in zip(names, found, strict=True) if each == wanted]))
    return Comparison(tuple(names), figures_of, pairs, differing, outcomes)


def _outcome(right: Sequence[str]) -> str:
    if not right:
        return "none right"
    return f"only {right[0]} right" if len(right) == 1 else f"{' and '.join(right)} right"


def _array(counts: Sequence[tuple[int, int, int]]) -> Floats:
    return np.array(counts, np.float64).reshape(-1, 3)


def _by_type(gold: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]], types: Sequence[str]) -> Floats:
    """(N, 3 C) entities right, predicted and gold of each type."""
    places = {label: place for place, label in enumerate(types)}
    table = np.zeros((len(gold), 3 * len(types)))
    for row, (wanted, found) in enumerate(zip(gold, predicted, strict=True)):
        for part, spans in enumerate((set(wanted).intersection(found), found, wanted)):
            for span in spans:
                if span.label in places:
                    table[row, part * len(types) + places[span.label]] += 1
    return table


def _marks(sides: Sequence[Collection[str]], places: dict[str, int]) -> Floats:
    table = np.zeros((len(sides), len(places)))
    for row, each in enumerate(sides):
        table[row, [places[label] for label in each if label in places]] = 1
    return table
