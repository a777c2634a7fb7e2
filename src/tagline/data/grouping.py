"""Splitting one annotated file so that what belongs together stays together: copies, and whole documents."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tagline.data.audit.near import find_near
from tagline.data.audit.overlap import counted_from
from tagline.data.audit.parts import Part
from tagline.data.texts.splits import SHARES, check_shares
from tagline.data.texts.stratify import Weights, share_heavy, share_labels
from tagline.errors import UsageError
from tagline.records import LabelledText, Sentence

PARTS = ("train", "dev", "test")
_HEAVY = 4  # units of a group on average from which on one label at a time is not enough
_BINS = 10  # of the numbers of a regression, equally full


@dataclass(frozen=True, slots=True)
class Grouping:
    """A file in three parts.

    Attributes:
        parts: of every sentence or text its part: 0 train, 1 dev, 2 test.
        groups: how many groups were dealt out, each whole.
        largest: units of the largest group.
        documents: how many documents the file has; 0 where it does not mark them.
    """

    parts: tuple[int, ...]
    groups: int
    largest: int
    documents: int


def share_out(
    part: Part, shares: tuple[float, float, float] = SHARES, seed: int = 13, near: float | None = None
) -> Grouping:
    """Deals a file out to train, dev and test, stratified by the entity types or by the labels.

    Texts with one normal form stay in one part. So do whole documents where the file marks them; then sentences of
    fewer than five words may repeat, or headlines would tie all documents together. Small groups are dealt out by
    iterative stratification (the rarest type first, each group to the part that lacks most of it), documents by all
    types at once. The same file, shares and seed give the same parts.

    Args:
        part: the file.
        shares: of train, dev and test; they add up to 1.
        seed: of the order, 0 or more.
        near: texts at least so similar (Jaccard, 0.4 to 1) stay together, too; None: only copies do.

    Raises:
        UsageError: shares that do not add up to 1, a negative seed, or too few groups for the parts.
    """
    check_shares(shares, seed)
    groups = _groups(part, near)
    borders = part.score_borders(_BINS)
    counts = [_counts(part, group, borders) for group in groups]
    weights = Weights([len(group) for group in groups], counts)
    order = _mixed(part, groups, seed)
    if len(part.units) >= _HEAVY * len(groups):
        dealt = share_heavy(weights, shares, order)
    else:
        dealt = share_labels([frozenset(count) for count in counts], shares, order, (), weights)
    _fill_empty(dealt, [len(group) for group in groups], shares)
    parts = [0] * len(part.units)
    for number, group in enumerate(groups):
        for unit in group:
            parts[unit] = dealt[number]
    for number, share in enumerate(shares):
        if share and number not in parts:
            raise UsageError(
                f"{part.path} has only {len(groups)} groups of {part.noun} that stay together (copies, documents); "
                f"none is left for {PARTS[number]}. Give more data, or fewer parts, for example --shares 90/10/0"
            )
    return Grouping(tuple(parts), len(groups), max(map(len, groups)), _documents(part))


def _fill_empty(dealt: dict[int, int], sizes: Sequence[int], shares: Sequence[float]) -> None:
    """Gives a part that got nothing the smallest group of the part that has most groups, where that has two."""
    for number, share in enumerate(shares):
        if not share or number in dealt.values():
            continue
        giver, held = Counter(dealt.values()).most_common(1)[0]
        if held > 1:
            own = (group for group, of in dealt.items() if of == giver)
            dealt[min(own, key=lambda group: (sizes[group], group))] = number


def _documents(part: Part) -> int:
    found = {unit.document for unit in part.units if isinstance(unit, Sentence)}
    return len(found) if len(found) > 1 else 0


def _groups(part: Part, near: float | None) -> list[list[int]]:
    """Units that stay together, each group and all groups in the file's order."""
    owner = list(range(len(part.units)))

    def root(unit: int) -> int:
        while owner[unit] != unit:
            owner[unit] = owner[owner[unit]]
            unit = owner[unit]
        return unit

    def tie(one: int, other: int) -> None:
        first, second = sorted((root(one), root(other)))
        owner[second] = first

    documents = _documents(part) > 0
    least = counted_from(part) if documents else 0
    heads: dict[int, int] = {}
    firsts: dict[str, int] = {}
    for number, unit in enumerate(part.units):
        if documents and isinstance(unit, Sentence):
            tie(heads.setdefault(unit.document, number), number)
        if part.sizes[number] >= least:
            tie(firsts.setdefault(part.keys[number], number), number)
    if near is not None:
        distinct = [number for number in firsts.values() if part.sizes[number] >= least]
        for pair in find_near([part.keys[number] for number in distinct], [0] * len(distinct), near):
            tie(distinct[pair.first], distinct[pair.second])
    groups: dict[int, list[int]] = {}
    for number in range(len(owner)):
        groups.setdefault(root(number), []).append(number)
    return list(groups.values())


def _counts(part: Part, group: Sequence[int], borders: Sequence[float]) -> Counter[str]:
    """How often each type or label stands in a group; of a regression, each tenth of the numbers."""
    count: Counter[str] = Counter()
    for number in group:
        unit = part.units[number]
        if isinstance(unit, LabelledText) and unit.score is not None:
            count[str(bisect_right(borders, unit.score))] += 1
        else:
            count.update(part.labels(number))
    return count


def _mixed(part: Part, groups: Sequence[Sequence[int]], seed: int) -> list[int]:
    """The groups in an order that only the seed and the texts decide: not their order, and no generator's version."""

    def drawn(number: int) -> bytes:
        keys = sorted({part.keys[unit] for unit in groups[number]})
        return hashlib.blake2b("\n".join((str(seed), *keys)).encode("utf-8", "surrogatepass"), digest_size=16).digest()

    return sorted(range(len(groups)), key=drawn)
