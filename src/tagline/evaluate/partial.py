"""Entities scored by how they miss: strict, exact borders, partial overlap, and type; equal to nervaluate.

Entities are read as conlleval reads them. Predictions are taken in order; each is matched with the gold entity that is
the same, else with the first one that it overlaps and that is still free (`type`: of those with its label the one whose
borders are nearest). By type, only the entities of that type are held against each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tagline.records import Span

Spans = Sequence[Span]
Counts = tuple[int, int, int, int, int]
_LEAST = 1.0  # per cent of a gold entity that must be covered to count as an overlap


class Matching(str, Enum):
    """What makes a prediction right."""

    STRICT = "strict"  # borders and type
    EXACT = "exact"  # borders
    PARTIAL = "partial"  # borders; an overlap counts half
    TYPE = "type"  # type, with any overlap


@dataclass(frozen=True)
class PartialScore:
    """Counts and fractions of one way of matching; fractions are 0 where there was nothing to divide.

    Attributes:
        correct: predictions that are right.
        incorrect: predictions matched with a gold entity and wrong.
        partial: predictions that only overlap (of `partial` alone).
        missed: gold entities without a prediction.
        spurious: predictions without a gold entity.
        precision: `(correct + partial / 2) / predictions`.
        recall: `(correct + partial / 2) / gold entities`.
        f1: their harmonic mean.
    """

    correct: int
    incorrect: int
    partial: int
    missed: int
    spurious: int
    precision: float
    recall: float
    f1: float

    @classmethod
    def of(cls, counts: Sequence[int]) -> PartialScore:
        """The score of correct, incorrect, partial, missed and spurious."""
        correct, incorrect, partial, missed, spurious = counts
        right, matched = correct + 0.5 * partial, correct + incorrect + partial
        precision = right / (matched + spurious) if matched + spurious else 0.0
        recall = right / (matched + missed) if matched + missed else 0.0
        f1 = 2 * (precision * recall) / (precision + recall) if precision + recall else 0.0
        return cls(correct, incorrect, partial, missed, spurious, precision, recall, f1)

    def to_dict(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class PartialReport:
    """One way of matching over a corpus.

    Attributes:
        overall: all types together.
        types: one score a type that gold or prediction has, in alphabetical order.
    """

    overall: PartialScore
    types: dict[str, PartialScore]

    def to_dict(self) -> dict[str, Any]:
        """The scores, ready for JSON."""
        return {**self.overall.to_dict(), "types": {label: each.to_dict() for label, each in self.types.items()}}


def score_partial(gold: Sequence[Spans], predicted: Sequence[Spans]) -> dict[Matching, PartialReport]:
    """Scores of predicted entities in all four ways.

    Args:
        gold: entities of each sentence, in order, without overlaps.
        predicted: entities of the same sentences, likewise.
    """
    every = [0] * 5, [0] * 5, [0] * 5, [0] * 5
    types: dict[str, tuple[list[int], ...]] = defaultdict(lambda: ([0] * 5, [0] * 5, [0] * 5, [0] * 5))
    for wanted, found in zip(gold, predicted, strict=True):
        _add(every, wanted, found)
        for label in {span.label for span in (*wanted, *found)}:
            ours = [span for span in wanted if span.label == label], [span for span in found if span.label == label]
            _add(types[label], *ours)
    return {
        way: PartialReport(
            PartialScore.of(every[place]), {label: PartialScore.of(types[label][place]) for label in sorted(types)}
        )
        for place, way in enumerate(Matching)
    }


def _add(totals: Sequence[list[int]], gold: Spans, predicted: Spans) -> None:
    if gold == predicted:  # nothing overlaps with anything but itself
        for counts in totals:
            counts[0] += len(gold)
        return
    for counts, match in zip(totals, _MATCHERS, strict=True):
        for place, value in enumerate(match(gold, predicted)):
            counts[place] += value


def _overlaps(found: Span, wanted: Span) -> bool:
    common = min(found.end, wanted.end) - max(found.start, wanted.start)
    return common > 0 and common / (wanted.end - wanted.start) * 100 >= _LEAST


def _borders(found: Span, wanted: Span) -> bool:
    return found.start == wanted.start and found.end == wanted.end


def _by_identity(same: Callable[[Span, Span], bool], half: bool) -> Callable[[Spans, Spans], Counts]:
    """Matches what is the same, else the first overlap, which counts as partial or as incorrect."""

    def match(gold: Spans, predicted: Spans) -> Counts:
        free = list(gold)
        correct = overlapping = 0
        for found in predicted:
            hit = next((wanted for wanted in free if same(found, wanted)), None)
            correct += hit is not None
            if hit is None:
                hit = next((wanted for wanted in free if _overlaps(found, wanted)), None)
                overlapping += hit is not None
            if hit is not None:
                free.remove(hit)
        spurious = len(predicted) - correct - overlapping
        return correct, 0 if half else overlapping, overlapping if half else 0, len(free), spurious

    return match


def _by_type(gold: Spans, predicted: Spans) -> Counts:
    free = list(gold)
    correct = incorrect = 0
    for found in predicted:
        near = [wanted for wanted in free if _overlaps(found, wanted)]
        same = [wanted for wanted in near if wanted.label == found.label]
        if same:
            hit = min(same, key=lambda wanted: abs(found.start - wanted.start) + abs(found.end - wanted.end))
            correct += 1
        elif near:
            hit = near[0]
            incorrect += 1
        else:
            continue
        free.remove(hit)
    return correct, incorrect, 0, len(free), len(predicted) - correct - incorrect


_MATCHERS = (
    _by_identity(lambda found, wanted: found == wanted, half=False),
    _by_identity(_borders, half=False),
    _by_identity(_borders, half=True),
    _by_type,
)
