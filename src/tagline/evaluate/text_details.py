"""What lies behind a classifier's score: calibration, groups, mistakes, doubtful gold."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tagline.evaluate.calibration import Calibration
from tagline.evaluate.intervals import percentiles
from tagline.evaluate.mistakes import SURE
from tagline.records import Classification, LabelledText, Problem

_LENGTHS = (5, 10, 20, 50, 100, 200)  # upper bounds of the groups, in words


class Share(NamedTuple):
    """Texts with something in common.

    Attributes:
        name: what they share.
        texts: how many.
        value: share of them with exactly the gold labels (of a regression: their mean absolute error).
        interval: 95 % bootstrap interval of `value`, over texts.
    """

    name: str
    texts: int
    value: float
    interval: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """The figures, ready for JSON."""
        return {"texts": self.texts, "value": self.value, "interval": list(self.interval)}


class TextMistake(NamedTuple):
    """A text with wrong labels.

    Attributes:
        kind: `wrong` (single label), `missed`, `invented` or `swapped` (several labels).
        text: number of the text, from 0.
        score: of a single label its score; of several the highest score of a wrong decision: of an invented label its
            probability, of a missed one 1 less its probability.
    """

    kind: str
    text: int
    score: float


class TextSuspect(NamedTuple):
    """Gold labels that may be wrong.

    Attributes:
        reason: `confident` (the model says otherwise and is sure) or `inconsistent` (the same text has other labels).
        text: number of the text, from 0.
        other: the labels that the model or the other texts have.
        score: the model's score, or the share of the equal texts (this one left out) with `other`.
    """

    reason: str
    text: int
    other: tuple[str, ...]
    score: float


@dataclass(frozen=True)
class TextDetails:
    """What a report on texts shows beside the scores.

    Attributes:
        problem: what was asked.
        calibration: of the given label's score, or of all decisions on several labels; None for a regression.
        mistakes: every text with wrong labels; none for a regression.
        suspects: gold that may be wrong.
        groups: by `text_length` in words, and where the training file is known by `novelty`.
    """

    problem: Problem
    calibration: Calibration | None
    mistakes: list[TextMistake]
    suspects: list[TextSuspect]
    groups: dict[str, list[Share]]

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON-ready objects, to stand beside those of the report."""
        kinds, reasons = Counter(each.kind for each in self.mistakes), Counter(each.reason for each in self.suspects)
        groups = {name: {each.name: each.to_dict() for each in rows} for name, rows in self.groups.items()}
        if self.problem is Problem.REGRESSION:
            return {"groups": groups}
        return {
            "calibration": None if self.calibration is None else self.calibration.to_dict(),
            "mistakes": dict(kinds),
            "groups": groups,
            "doubtful_gold": {reason: reasons[reason] for reason in ("confident", "inconsistent")},
        }


def text_details(
    texts: Sequence[LabelledText],
    answers: Sequence[Classification],
    train: Collection[str] | None = None,
    bound: float = SURE,
) -> TextDetails:
    """Looks behind the score.

    Args:
        texts: the annotated texts.
        answers: the model's answers with the scores of all labels.
        train: the texts of the training file as `text_key` gives them, where it is known.
        bound: score from which a disagreement is called confident.
    """
    problem = answers[0].problem
    single, regression = problem is Problem.SINGLE, problem is Problem.REGRESSION
    pairs = list(zip(texts, answers, strict=True))
    if regression:
        values = np.array([abs((text.score or 0.0) - answer.score) for text, answer in pairs])
        mistakes: list[TextMistake] = []
    else:
        values = np.array([set(text.labels) == set(answer.labels) for text, answer in pairs], np.float64)
        mistakes = [_mistake(row, *pairs[row]) for row in np.flatnonzero(values == 0).tolist()]
    groups = {"text_length": _grouped(texts, values, _length, _length_name)}
    if train is not None:
        known = train
        groups["novelty"] = _grouped(texts, values, lambda text: text_key(text) not in known, _novelty_name)
    suspects = [] if regression else _suspects(texts, answers, mistakes, bound)
    calibration = None if regression else _calibration(pairs, single)
    return TextDetails(problem, calibration, mistakes, suspects, groups)


def text_key(text: LabelledText) -> str:
    """What two texts share that say the same: their words, case aside."""
    return " ".join((text.text + "\0" + (text.pair or "")).casefold().split())


def _mistake(row: int, text: LabelledText, answer: Classification) -> TextMistake:
    if answer.problem is Problem.SINGLE:
        return TextMistake("wrong", row, answer.score)
    scores = {each.label: each.score for each in answer.scores}
    missed, invented = set(text.labels) - set(answer.labels), set(answer.labels) - set(text.labels)
    sure = [1 - scores.get(label, 0.0) for label in missed] + [scores[label] for label in invented]
    kind = "swapped" if missed and invented else "missed" if missed else "invented"
    return TextMistake(kind, row, max(sure))


def _calibration(pairs: Sequence[tuple[LabelledText, Classification]], single: bool) -> Calibration:
    """Of one label: is the label right that was given this score; of several: does a label hold that has this score."""
    if single:
        return Calibration.of([min(a.score, 1.0) for _, a in pairs], [a.label in t.labels for t, a in pairs])
    scores = [min(each.score, 1.0) for _, answer in pairs for each in answer.scores]
    return Calibration.of(scores, [each.label in text.labels for text, answer in pairs for each in answer.scores])


def _suspects(
    texts: Sequence[LabelledText], answers: Sequence[Classification], mistakes: Sequence[TextMistake], bound: float
) -> list[TextSuspect]:
    sure = [each for each in mistakes if each.score >= bound]
    found = [TextSuspect("confident", each.text, answers[each.text].labels, each.score) for each in sure]
    found.sort(key=lambda each: -each.score)
    same: dict[str, list[int]] = defaultdict(list)
    for row, text in enumerate(texts):
        same[text_key(text)].append(row)
    other_labels = []
    for rows in same.values():
        counts = Counter(tuple(sorted(texts[row].labels)) for row in rows)
        for row in rows if len(counts) > 1 else ():
            mine = tuple(sorted(texts[row].labels))
            other, often = max(((key, n) for key, n in counts.items() if key != mine), key=lambda item: item[1])
            if often >= counts[mine]:  # a lone copy stands against as lone a one: either may be wrong
                other_labels.append(TextSuspect("inconsistent", row, other, often / (len(rows) - 1)))
    return found + sorted(other_labels, key=lambda each: -each.score)


def _grouped(
    texts: Sequence[LabelledText],
    values: np.ndarray[Any, np.dtype[np.float64]],
    place: Callable[[LabelledText], int],
    name: Callable[[int], str],
) -> list[Share]:
    rows: dict[int, list[int]] = defaultdict(list)
    for row, text in enumerate(texts):
        rows[int(place(text))].append(row)
    found = []
    for number in sorted(rows):
        part = values[rows[number]]
        # A sum of draws of equal values is a binomial; errors are drawn one by one.
        kinds, often = np.unique(part, return_counts=True)
        rounds = min(1000, max(200, 20_000_000 // len(kinds)))
        drawn = np.random.default_rng(0).multinomial(len(part), often / len(part), size=rounds) @ kinds / len(part)
        found.append(Share(name(number), len(part), float(part.mean()), percentiles(drawn)))
    return found


def _length(text: LabelledText) -> int:
    return bisect_left(_LENGTHS, len(text.text.split()) + len((text.pair or "").split()))


def _length_name(number: int) -> str:
    if number == len(_LENGTHS):
        return f"{_LENGTHS[-1] + 1}+"
    return f"{_LENGTHS[number - 1] + 1 if number else 0}–{_LENGTHS[number]}"


def _novelty_name(number: int) -> str:
    return "not in train" if number else "also in train"
