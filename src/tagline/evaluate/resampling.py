"""Bootstrap over classified texts: counts of each class in resampled corpora, and the figures that follow from them.

Texts with equal gold and predicted labels are interchangeable, so it is drawn how often each such kind comes up: the
same bootstrap, in time and memory that hardly grow with the corpus.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tagline.evaluate.intervals import affordable

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
_CELLS = 4_000_000  # numbers held at a time


@dataclass(frozen=True)
class Marks:
    """Which kinds of text bear which classes, as pairs in the order of the classes.

    Attributes:
        kinds: (M,) number of the kind.
        classes: (M,) number of the class, never falling.
    """

    kinds: NDArray[np.intp]
    classes: NDArray[np.intp]

    @classmethod
    def of(cls, matrix: NDArray[np.bool_]) -> Marks:
        """The true cells of a (K, C) matrix."""
        classes, kinds = np.nonzero(matrix.T)
        return cls(kinds, classes)

    @cached_property
    def groups(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The classes that occur, and where in the pairs each begins."""
        classes, starts = np.unique(self.classes, return_index=True)
        return classes, starts

    def totals(self, draws: Whole, size: int) -> Floats:
        """(R, size) texts of each class, from (R, K) draws of the kinds."""
        result = np.zeros((len(draws), size))
        classes, starts = self.groups
        if classes.size:
            result[:, classes] = np.add.reduceat(draws[:, self.kinds], starts, axis=1)
        return result


@dataclass(frozen=True)
class Totals:
    """What figures are computed from, of R corpora and C classes.

    Attributes:
        right: (R, C) texts that bear the class in gold and prediction.
        predicted: (R, C) texts that bear it in the prediction.
        gold: (R, C) texts that bear it in gold.
        exact: (R,) texts whose gold and predicted labels are the same.
        texts: texts of each corpus.
    """

    right: Floats
    predicted: Floats
    gold: Floats
    exact: Floats
    texts: int

    @cached_property
    def f1(self) -> Floats:
        """(R, C) F1 of each class; 0 where the class does not occur."""
        return np.asarray(2 * self.right / np.maximum(self.predicted + self.gold, 1), np.float64)

    def accuracy(self) -> Floats:
        """(R,) share of the texts whose labels are exactly right."""
        return self.exact / max(self.texts, 1)

    def micro_f1(self) -> Floats:
        """(R,) F1 of the summed counts."""
        right, sizes = self.right.sum(1), self.predicted.sum(1) + self.gold.sum(1)
        return np.asarray(2 * right / np.maximum(sizes, 1), np.float64)

    def macro_f1(self, classes: int) -> Floats:
        """(R,) mean F1 over so many classes: those of the whole corpus, whether or not one occurs in this one."""
        return np.asarray(self.f1.sum(1) / max(classes, 1), np.float64)

    def matthews(self) -> Floats:
        """(R,) Matthews correlation, of texts with one label each; 0 where one side has one class only."""
        texts = float(self.texts)
        both = self.exact * texts - np.sum(self.gold * self.predicted, axis=1)
        spread = (texts**2 - np.sum(self.predicted**2, axis=1)) * (texts**2 - np.sum(self.gold**2, axis=1))
        return np.asarray(np.where(spread > 0, both / np.sqrt(np.where(spread > 0, spread, 1.0)), 0.0))


Figure = Callable[[Totals], Floats]


@dataclass(frozen=True)
class Kinds:
    """The texts of a corpus gathered by gold and predicted labels: K kinds, C classes.

    Attributes:
        often: (K,) texts of each kind.
        gold: the classes of each kind in gold.
        predicted: the classes of each kind in the prediction.
        right: the classes that both have.
        exact: (K,) whether gold and prediction are the same.
        classes: C.
    """

    often: Whole
    gold: Marks
    predicted: Marks
    right: Marks
    exact: NDArray[np.bool_]
    classes: int

    @classmethod
    def of_cells(cls, gold: NDArray[np.intp], predicted: NDArray[np.intp], often: Whole, classes: int) -> Kinds:
        """Kinds from the filled cells of a confusion matrix: (K,) numbers of the classes and of texts."""
        every = np.arange(len(often))
        exact = gold == predicted

        def marks(chosen: NDArray[np.intp], of: NDArray[np.intp]) -> Marks:
            order = np.argsort(of[chosen], kind="stable")
            return Marks(chosen[order], of[chosen][order])

        return cls(
            often, marks(every, gold), marks(every, predicted), marks(np.flatnonzero(exact), gold), exact, classes
        )

    @classmethod
    def of_sets(cls, gold: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Kinds:
        """Kinds from the (N, C) labels of the texts, C at least 1."""
        classes = gold.shape[1]
        packed = np.packbits(np.hstack([gold, predicted]), axis=1)
        # A row of bytes as one value, since unique rows of a matrix are found many times slower.
        rows, often = np.unique(packed.view(np.dtype((np.void, packed.shape[1]))).ravel(), return_counts=True)
        bits = rows.view(np.uint8).reshape(len(rows), packed.shape[1])
        cells = np.unpackbits(bits, axis=1, count=2 * classes).astype(bool)
        wanted, found = cells[:, :classes], cells[:, classes:]
        exact = np.all(wanted == found, axis=1)
        return cls(often, Marks.of(wanted), Marks.of(found), Marks.of(wanted & found), exact, classes)

    def totals(self, draws: Whole) -> Totals:
        """The counts of R corpora in which the kinds come up as often as `draws` (R, K) says."""
        right, predicted, gold = (each.totals(draws, self.classes) for each in (self.right, self.predicted, self.gold))
        exact = draws[:, self.exact].sum(axis=1).astype(np.float64)
        return Totals(right, predicted, gold, exact, int(self.often.sum()))

    def whole(self) -> Totals:
        """The counts of the corpus itself, as one row."""
        return self.totals(self.often[None])

    def resample(self, figures: Mapping[str, Figure], resamples: int | None = None, seed: int = 0) -> dict[str, Floats]:
        """Figures of corpora of as many texts, drawn with replacement; there must be a text.

        Args:
            figures: what to compute, by name; each gives an array whose first axis is the corpora.
            resamples: how many corpora are drawn; None for 1,000, or fewer (at least 200) beyond 100,000 kinds.
            seed: the same seed gives the same corpora.

        Returns:
            The arrays of the figures, as long as corpora were drawn.
        """
        texts, random = int(self.often.sum()), np.random.default_rng(seed)
        shares, resamples = self.often / texts, resamples or affordable(len(self.often))
        widest = max(len(self.often), len(self.gold.kinds), len(self.predicted.kinds), self.classes)
        block = max(1, _CELLS // widest)
        parts: dict[str, list[Floats]] = {name: [] for name in figures}
        for start in range(0, resamples, block):
            totals = self.totals(random.multinomial(texts, shares, size=min(block, resamples - start)))
            for name, figure in figures.items():
                parts[name].append(figure(totals))
        return {name: np.concatenate(part) for name, part in parts.items()}
