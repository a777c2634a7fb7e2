"""Sharing out texts so that every part has about the same mix of labels. Nothing here is left to chance.

Texts are given as places in a list, in an order that the caller has mixed; parts are numbers, the first one train.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

_TEXTS = ""  # stands among the labels for the texts themselves; no label is empty
_DIGITS = 9  # of a remainder; what differs further behind is rounding


def share_groups(groups: Sequence[Sequence[int]], shares: Sequence[float]) -> dict[int, int]:
    """The part of every place, each group shared out by itself with the largest-remainder method.

    A group's number in a part differs from `share * len(group)` by less than one. Where remainders are equal, the part
    that is furthest behind over all groups gets the place. A part that would stay empty although its share is not 0
    gets one place of the first part, from a group that has one to give; without such a group it stays empty.

    Args:
        groups: places, each in one group.
        shares: of the parts; they add up to 1.
    """
    owed = [0.0] * len(shares)
    counts = []
    for group in groups:
        exact = [share * len(group) for share in shares]
        owed = [before + each for before, each in zip(owed, exact, strict=True)]
        counts.append(_largest_remainder(exact, len(group), owed))
        owed = [before - each for before, each in zip(owed, counts[-1], strict=True)]
    _fill_empty(counts, groups, shares)
    return {
        place: part
        for group, count in zip(groups, counts, strict=True)
        for place, part in zip(group, (part for part, times in enumerate(count) for _ in range(times)), strict=True)
    }


def _largest_remainder(exact: Sequence[float], total: int, owed: Sequence[float]) -> list[int]:
    # a product such as 0.1 * 30 may fall just below the whole number
    count = [math.floor(round(each, _DIGITS)) for each in exact]
    remainders = [round(each - whole, _DIGITS) for each, whole in zip(exact, count, strict=True)]
    order = sorted(range(len(exact)), key=lambda part: (-remainders[part], count[part] - round(owed[part], _DIGITS)))
    for part in order[: total - sum(count)]:
        count[part] += 1
    return count


def _fill_empty(counts: list[list[int]], groups: Sequence[Sequence[int]], shares: Sequence[float]) -> None:
    for part, share in enumerate(shares):
        if share == 0 or any(count[part] for count in counts):
            continue
        # a group that got no less than its exact share of train is still within one of it afterwards
        able = [
            at
            for at, (count, group) in enumerate(zip(counts, groups, strict=True))
            if count[0] > 1 and count[0] >= round(shares[0] * len(group), _DIGITS)
        ]
        if able:
            giver = max(able, key=lambda at: len(groups[at]))
            counts[giver][0] -= 1
            counts[giver][part] += 1


def share_labels(
    labels: Sequence[frozenset[str]],
    shares: Sequence[float],
    order: Sequence[int],
    fixed: Collection[str],
    weights: Weights | None = None,
) -> dict[int, int]:
    """The part of every place, by iterative stratification: Sechidis, Tsoumakas and Vlahavas (2011), "On the
    stratification of multi-label data".

    The label with the fewest texts left is dealt out first, each of its texts to the part that lacks most of this
    label, among equals to the one that lacks most texts. The time is in proportion to the number of labels of all
    texts, plus the square of the number of different labels.

    Args:
        labels: of every place.
        shares: of the parts; they add up to 1.
        order: the places, mixed.
        fixed: labels whose texts all go to the first part.
        weights: where a place stands for several texts that stay together; None: every place is one text.
    """
    dealer = _Dealer(labels, shares, order, weights or Weights.ones(labels))
    usable = [part for part, share in enumerate(shares) if share > 0]
    for place in order:
        if not labels[place].isdisjoint(fixed):
            dealer.put(place, 0)
    left = dealer.left
    while left:
        # the name decides among equals, so that the order of the texts does not
        label = min(left, key=lambda each: (left[each], each))
        lacks = dealer.lacks[label]
        for place in dealer.holders[label]:
            if place not in dealer.parts:
                dealer.put(place, max(usable, key=lambda part: (round(lacks[part], _DIGITS), dealer.room[part])))
        del left[label]
    for place in order:
        if place not in dealer.parts:
            dealer.put(place, max(usable, key=lambda part: dealer.room[part]))
    dealer.fill_empty(usable, order, fixed)
    return dealer.parts


@dataclass(frozen=True, slots=True)
class Weights:
    """How much a place counts.

    Attributes:
        sizes: how many texts each place stands for.
        labels: how often each of its labels stands there.
    """

    sizes: Sequence[int]
    labels: Sequence[Mapping[str, int]]

    @classmethod
    def ones(cls, labels: Sequence[frozenset[str]]) -> Weights:
        """Every place is one text."""
        return cls([1] * len(labels), [dict.fromkeys(each, 1) for each in labels])


class _Dealer:
    """What the parts still lack while texts are dealt out.

    Attributes:
        holders: the places of each label.
        left: how many of them are not dealt out, for labels that are not done.
        lacks: how many texts of a label each part still lacks.
        room: how many texts each part still lacks.
        parts: the part of every place that is dealt out.
    """

    def __init__(
        self, labels: Sequence[frozenset[str]], shares: Sequence[float], order: Sequence[int], weights: Weights
    ) -> None:
        self._labels, self._weights = labels, weights
        self.holders: dict[str, list[int]] = {}
        for place in order:
            for label in labels[place]:
                self.holders.setdefault(label, []).append(place)
        for label, places in self.holders.items():  # what is heavy first, while there is room; equals stay mixed
            places.sort(key=lambda place: -weights.labels[place][label])
        self.left = {label: len(places) for label, places in self.holders.items()}
        totals = {label: sum(weights.labels[each][label] for each in held) for label, held in self.holders.items()}
        self.lacks = {label: [share * total for share in shares] for label, total in totals.items()}
        self.room = [share * sum(weights.sizes[place] for place in order) for share in shares]
        self.parts: dict[int, int] = {}

    def put(self, place: int, part: int) -> None:
        self.parts[place] = part
        self.room[part] -= self._weights.sizes[place]
        for label in self._labels[place]:
            self.lacks[label][part] -= self._weights.labels[place][label]
            if label in self.left:
                self.left[label] -= 1

    def fill_empty(self, usable: Sequence[int], order: Sequence[int], fixed: Collection[str]) -> None:
        """Gives a part that got nothing a text from train, while train has two and one is not held there."""
        for part in usable:
            if part in self.parts.values():
                continue
            train = [place for place in order if self.parts[place] == 0]
            able = [place for place in train if self._labels[place].isdisjoint(fixed)]
            if able and len(train) > 1:
                self.parts[able[0]] = part


def share_heavy(weights: Weights, shares: Sequence[float], order: Sequence[int]) -> dict[int, int]:
    """The part of every place where places are large, such as documents: all labels are looked at together.

    The place that holds most of some label, or most texts, is dealt out first, each to the part where the squared
    distances of all labels and of the texts from their shares fall most. Small places come last and even things out.

    Args:
        weights: how many texts and labels each place holds.
        shares: of the parts; they add up to 1.
        order: the places, mixed; it decides among equals.
    """
    totals = Counter({_TEXTS: sum(weights.sizes)})
    for count in weights.labels:
        totals.update(count)
    held = [
        [(_TEXTS, size / totals[_TEXTS]), *((label, times / totals[label]) for label, times in count.items())]
        for size, count in zip(weights.sizes, weights.labels, strict=True)
    ]
    lacks = {label: list(shares) for label in totals}
    usable = [part for part, share in enumerate(shares) if share > 0]
    parts: dict[int, int] = {}

    def change(place: int, part: int) -> float:
        return round(sum(share * (share - 2 * lacks[label][part]) for label, share in held[place]), 3 * _DIGITS)

    for place in sorted(order, key=lambda each: -max(share for _, share in held[each])):  # stable: equals stay mixed
        part = min(usable, key=lambda part: change(place, part))
        parts[place] = part
        for label, share in held[place]:
            lacks[label][part] -= share
    return parts
