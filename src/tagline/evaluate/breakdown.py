"""Scores of entities by what makes them hard: length, length of the sentence, how often they were seen in training."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from tagline.evaluate.intervals import f1_interval
from tagline.evaluate.scores import Score
from tagline.records import Span

Spans = Sequence[Sequence[Span]]
Words = Sequence[Sequence[str]]
Seen = Counter[tuple[tuple[str, ...], str]]
"""How often words stand with a type in the training file."""
SEEN, OTHER_TYPE, UNSEEN = "seen", "seen with another type", "unseen"
_ENTITY, _SENTENCE, _OFTEN = (1, 2, 3, 4), (5, 10, 20, 30, 50), (0, 1, 4, 9, 49)  # upper bounds of the groups


class Group(NamedTuple):
    """One group of entities.

    Attributes:
        name: what they share.
        score: their score; a prediction belongs to the group that its own words and type put it in.
        interval: 95 % bootstrap interval of the F1, over the sentences that have such an entity in gold or prediction.
    """

    name: str
    score: Score
    interval: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Scores and interval, ready for JSON."""
        return {**self.score.to_dict(), "predicted": self.score.predicted, "f1_interval": list(self.interval)}


def by_entity_length(gold: Spans, predicted: Spans) -> list[Group]:
    """Groups by the entity's words: 1, 2, 3, 4, 5 and more."""
    return group(gold, predicted, lambda _, span: bisect_left(_ENTITY, span.end - span.start), _names(_ENTITY, 1))


def by_sentence_length(gold: Spans, predicted: Spans, words: Words) -> list[Group]:
    """Groups by the sentence's words: up to 5, 10, 20, 30, 50, and more."""
    return group(gold, predicted, lambda row, _: bisect_left(_SENTENCE, len(words[row])), _names(_SENTENCE, 1))


def count_surfaces(words: Words, gold: Spans) -> Seen:
    """How often each entity's words stand with its type."""
    return Counter(
        (tuple(row[span.start : span.end]), span.label)
        for row, spans in zip(words, gold, strict=True)
        for span in spans
    )


def by_novelty(gold: Spans, predicted: Spans, words: Words, seen: Seen) -> list[Group]:
    """Groups: seen in training with this type, seen with others only, unseen."""
    surfaces = {surface for surface, _ in seen}

    def place(row: int, span: Span) -> int:
        surface = tuple(words[row][span.start : span.end])
        return 0 if (surface, span.label) in seen else 1 if surface in surfaces else 2

    return group(gold, predicted, place, [SEEN, OTHER_TYPE, UNSEEN])


def by_frequency(gold: Spans, predicted: Spans, words: Words, seen: Seen) -> list[Group]:
    """Groups by how often the words stand with the type in training: 0, 1, 2–4, 5–9, 10–49, 50 and more."""

    def place(row: int, span: Span) -> int:
        return bisect_left(_OFTEN, seen.get((tuple(words[row][span.start : span.end]), span.label), 0))

    return group(gold, predicted, place, _names(_OFTEN, 0))


def by_type(gold: Spans, predicted: Spans) -> list[Group]:
    """One group a type, in alphabetical order."""
    names = sorted({span.label for spans in (*gold, *predicted) for span in spans})
    places = {name: place for place, name in enumerate(names)}
    return group(gold, predicted, lambda _, span: places[span.label], names)


def group(gold: Spans, predicted: Spans, place: Callable[[int, Span], int], names: Sequence[str]) -> list[Group]:
    """Scores by group.

    Args:
        gold: entities of each sentence.
        predicted: entities of the same sentences.
        place: number of an entity's group, by the number of its sentence; equal entities must get equal ones.
        names: names of the groups.

    Returns:
        The groups that gold or prediction has, in the order of `names`.
    """
    kinds: dict[int, Counter[tuple[int, int, int]]] = defaultdict(Counter)
    for row, (wanted, found) in enumerate(zip(gold, predicted, strict=True)):
        counts: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
        for column, spans in enumerate((set(wanted).intersection(found), found, wanted)):
            for span in spans:
                counts[place(row, span)][column] += 1
        for number, (right, guessed, meant) in counts.items():
            kinds[number][right, guessed, meant] += 1
    return [_group(names[number], kinds[number]) for number in sorted(kinds)]


def _group(name: str, kinds: Counter[tuple[int, int, int]]) -> Group:
    right, guessed, meant = (sum(kind[at] * often for kind, often in kinds.items()) for at in range(3))
    # Sentences without the group are left out: a corpus drawn without any of its entities would count as 0.
    return Group(name, Score.of(right, guessed, meant), f1_interval([*kinds.elements()]))


def _names(bounds: Iterable[int], least: int) -> list[str]:
    """`1`, `2`, …; `2–4`, …; the last one `50+`."""
    names = []
    for bound in bounds:
        names.append(str(bound) if bound == least else f"{least}–{bound}")
        least = bound + 1
    return [*names, f"{least}+"]
