"""Splitting one file of labelled texts into training, development and test parts."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tagline.data.normal import normal
from tagline.data.texts.corpus import TextCorpus
from tagline.data.texts.stratify import share_groups, share_labels
from tagline.errors import UsageError
from tagline.records import LabelledText, Problem

SHARES = (0.8, 0.1, 0.1)
_BIN = 20  # texts in a quantile bin of a regression, about


@dataclass(frozen=True, slots=True)
class Split:
    """A corpus in three parts, without duplicates; the order inside a part is that of the file.

    Attributes:
        train: what to train on.
        dev: what to choose settings on; empty where its share is 0.
        test: what to judge on; empty where its share is 0.
        removed: texts left out because the same text stands before them.
        conflicting: how many of those had another label than the first.
        single: labels with fewer texts than there are parts (none at all where only duplicates had the label); all
            their texts are in train.
    """

    train: TextCorpus
    dev: TextCorpus
    test: TextCorpus
    removed: int
    conflicting: int
    single: tuple[str, ...]


def split_texts(corpus: TextCorpus, shares: tuple[float, float, float] = SHARES, seed: int = 13) -> Split:
    """Splits a corpus into train, dev and test so that every part has about the same mix of labels.

    Texts that are the same but for case, white space and compatible forms of characters (NFKC) are first removed down
    to the first one, so that no text stands in two parts. Single labels are shared out label by label (each label's
    share of a part is within one text of the exact one), several labels by iterative stratification, numbers in bins
    of neighbouring values. The same corpus, shares and seed give the same split.

    Args:
        corpus: the texts.
        shares: of train, dev and test; they add up to 1, train above 0.
        seed: of the choice, 0 or more.

    Raises:
        UsageError: shares that do not add up to 1 or are negative, a negative seed, or too few texts for the parts.
    """
    check_shares(shares, seed)
    kept, removed, conflicting = _without_duplicates(corpus.texts)
    parts = sum(share > 0 for share in shares)
    counts = Counter(label for each in kept for label in each.labels)
    single = tuple(label for label in corpus.labels if counts[label] < parts)
    chosen = _assign(kept, corpus.problem, shares, frozenset(single), seed)
    train, dev, test = (
        tuple(each for place, each in enumerate(kept) if chosen[place] == part) for part in range(len(shares))
    )
    for name, texts, share in zip(("train", "dev", "test"), (train, dev, test), shares, strict=True):
        if share and not texts:
            raise UsageError(
                f"{corpus.path} has too few texts for {parts} parts: none is left for {name} (of {len(kept)} that "
                f"differ; labels with fewer than {parts} stay in train). Give more texts, or files of your own for "
                "the parts"
            )
    return Split(_part(corpus, train), _part(corpus, dev), _part(corpus, test), removed, conflicting, single)


def check_shares(shares: Sequence[float], seed: int) -> None:
    """Refuses what is no division into train, dev and test.

    Raises:
        UsageError: shares that do not add up to 1 or are negative, train without a share, a negative seed.
    """
    if len(shares) != 3 or not all(math.isfinite(share) and share >= 0 for share in shares) or not shares[0] > 0:
        raise UsageError(f"shares {shares}; expected three numbers from 0 to 1 for train, dev and test, train above 0")
    if abs(sum(shares) - 1) > 1e-6:
        raise UsageError(f"shares {shares} add up to {sum(shares):g}; expected 1, for example 0.8 0.1 0.1")
    if seed < 0:
        raise UsageError(f"seed {seed}; expected 0 or more")


def _key(each: LabelledText) -> tuple[str, str | None]:
    return normal(each.text), None if each.pair is None else normal(each.pair)


def _without_duplicates(texts: Sequence[LabelledText]) -> tuple[list[LabelledText], int, int]:
    """The first text of each kind, how many were left out, and how many of those had another label."""
    first: dict[tuple[str, str | None], LabelledText] = {}
    conflicting = 0
    for each in texts:
        before = first.setdefault(_key(each), each)
        conflicting += (set(before.labels), before.score) != (set(each.labels), each.score)
    return list(first.values()), len(texts) - len(first), conflicting


def _part(corpus: TextCorpus, texts: tuple[LabelledText, ...]) -> TextCorpus:
    empty = sum(not each.text.strip() and not (each.pair or "").strip() for each in texts)
    return replace(corpus, texts=texts, empty=empty)


def _assign(
    texts: Sequence[LabelledText], problem: Problem, shares: Sequence[float], single: frozenset[str], seed: int
) -> dict[int, int]:
    """The part (0 train, 1 dev, 2 test) of every place in `texts`."""
    order = _mixed(texts, seed)
    if problem is Problem.MULTI:
        return share_labels([frozenset(each.labels) for each in texts], shares, order, single)
    if problem is Problem.REGRESSION:
        by_score = sorted(order, key=lambda place: texts[place].score or 0.0)  # stable: equals stay mixed
        bins = max(1, len(order) // _BIN)
        cuts = [len(order) * number // bins for number in range(bins + 1)]
        # mixed again inside the bin, or dev would always get the upper end of it
        rank = {place: number for number, place in enumerate(order)}
        groups = [sorted(by_score[start:end], key=rank.__getitem__) for start, end in pairwise(cuts)]
        return share_groups(groups, shares)
    by_label: dict[str, list[int]] = {}
    for place in order:
        by_label.setdefault(texts[place].labels[0], []).append(place)
    shared = share_groups([by_label[label] for label in sorted(by_label) if label not in single], shares)
    return shared | {place: 0 for label in single for place in by_label.get(label, ())}


def _mixed(texts: Sequence[LabelledText], seed: int) -> list[int]:
    """The places in an order that only the seed and the texts decide: not their order, and no generator's version."""

    def drawn(place: int) -> bytes:
        key = "\0".join(part for part in (str(seed), *_key(texts[place])) if part is not None)
        return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    return sorted(range(len(texts)), key=drawn)
