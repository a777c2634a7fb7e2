"""What is said about a classifier on one corpus, for one label a text and for several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagline.evaluate.ranking import Rankings
from tagline.evaluate.scores import Averages, Score
from tagline.records import Problem

if TYPE_CHECKING:
    from rich.console import Console

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class _Report:
    """What both reports hold. Fractions in [0, 1]; 0 where there was nothing to divide.

    Attributes:
        classes: one score a class, in the order of the model's labels, those that only gold has behind them.
        averages: micro, macro and weighted average over `classes`.
        rankings: ROC-AUC and average precision; None without scores.
        unseen: labels in gold that the model does not know, and how many texts bear each; they count as missed.
        intervals: lower and upper bound of the report's main figures: 95 % percentile bootstrap over texts,
            of 1,000 resamples, or fewer (at least 200) beyond 100,000 pairs of gold and predicted labels that differ.
            Macro F1 is over the classes of the whole corpus; one that a resample lacks counts as 0.
        class_intervals: the same of each class's F1.
        texts: how many texts were judged.
        seconds: time that the prediction took, as the caller measured it.
    """

    classes: dict[str, Score]
    averages: Averages
    rankings: Rankings | None
    unseen: dict[str, int]
    intervals: dict[str, Interval]
    class_intervals: dict[str, Interval]
    texts: int
    seconds: float

    @property
    def headline(self) -> tuple[str, float]:
        """Name and value of the figure that sums the report up."""
        return "macro_f1", self.averages.macro.f1

    def _shared(self) -> dict[str, Any]:
        intervals = {name: list(bounds) for name, bounds in self.intervals.items()}
        by_class = {label: list(bounds) for label, bounds in self.class_intervals.items()}
        rankings = {} if self.rankings is None else self.rankings.classes
        return {
            **{name: each.to_dict() for name, each in self.averages._asdict().items()},
            "classes": {
                label: {**each.to_dict(), **(rankings[label]._asdict() if rankings else {})}
                for label, each in self.classes.items()
            },
            "ranking": None if self.rankings is None else self.rankings.to_dict(),
            "intervals": {**intervals, "classes": by_class},
            "unseen": dict(self.unseen),
            "texts": self.texts,
            "seconds": self.seconds,
        }


@dataclass(frozen=True, kw_only=True)
class ClassReport(_Report):
    """The judgement on predictions of one label a text.

    `classes` are those that gold or prediction has; `intervals` are of `accuracy`, `macro_f1` and `matthews`.

    Attributes:
        accuracy: share of the texts whose predicted label is the gold label.
        matthews: Matthews correlation, in [-1, 1]; 0 where gold or prediction has one class only.
        confusion: texts by gold and then by predicted label; pairs that do not occur are left out.
    """

    accuracy: float
    matthews: float
    confusion: dict[str, dict[str, int]]

    def matrix(self) -> NDArray[np.int64]:
        """(C, C) texts of each gold (row) and predicted (column) class, in the order of `classes`."""
        places = {label: place for place, label in enumerate(self.classes)}
        result = np.zeros((len(places), len(places)), np.int64)
        for gold, row in self.confusion.items():
            for predicted, texts in row.items():
                result[places[gold], places[predicted]] = texts
        return result

    def confusions(self) -> list[tuple[int, str, str]]:
        """Texts, gold label and predicted label of every mistake that occurs, the most frequent first."""
        found = ((often, gold, predicted) for gold, row in self.confusion.items() for predicted, often in row.items())
        return sorted((each for each in found if each[1] != each[2]), key=lambda each: (-each[0], each[1:]))

    def to_json(self) -> dict[str, Any]:
        """The report as one JSON-ready object of Python numbers."""
        return {
            "task": "text-classification",
            "problem": Problem.SINGLE.value,
            "accuracy": self.accuracy,
            "matthews": self.matthews,
            **self._shared(),
            "confusion": {gold: dict(row) for gold, row in self.confusion.items()},
        }

    def render(self, console: Console) -> None:
        """Prints the classes, the main figures and the confusions to a rich console."""
        from tagline.evaluate.class_tables import class_table, confusion_tables, ranking_lines, sentence

        console.print(class_table(self.classes, self.averages._asdict(), self.class_intervals, self.rankings))
        for part in confusion_tables(self):
            console.print(part, highlight=False)
        for line in (
            sentence("Accuracy", self.accuracy, self.intervals["accuracy"]),
            sentence("Macro F1", self.averages.macro.f1, self.intervals["macro_f1"]),
            sentence("Matthews correlation", self.matthews, self.intervals["matthews"]),
            *ranking_lines(self.rankings, self.unseen),
            f"{self.texts:,} texts, {self.seconds:.1f} s.",
        ):
            console.print(line, highlight=False, markup=False)


@dataclass(frozen=True, kw_only=True)
class LabelSetReport(_Report):
    """The judgement on predictions of any number of labels a text.

    `classes` are all labels of the model and of gold; `intervals` are of `micro_f1`, `macro_f1` and `exact_match`.

    Attributes:
        samples: mean over the texts of the scores of their labels; a text with no label on either side counts as 0.
        exact_match: share of the texts whose predicted labels are exactly the gold labels.
        hamming_loss: share of all (text, label) decisions that are wrong.
    """

    samples: Score
    exact_match: float
    hamming_loss: float

    def to_json(self) -> dict[str, Any]:
        """The report as one JSON-ready object of Python numbers."""
        return {
            "task": "text-classification",
            "problem": Problem.MULTI.value,
            "exact_match": self.exact_match,
            "hamming_loss": self.hamming_loss,
            "samples": self.samples.to_dict(),
            **self._shared(),
            "confusion": {label: self.confusion(label) for label in self.classes},
        }

    def confusion(self, label: str) -> dict[str, int]:
        """Texts that are true and false positives, false and true negatives of a label."""
        score = self.classes[label]
        false, missed = score.predicted - score.correct, score.support - score.correct
        return {
            "true_positives": score.correct,
            "false_positives": false,
            "false_negatives": missed,
            "true_negatives": self.texts - score.correct - false - missed,
        }

    def render(self, console: Console) -> None:
        """Prints the labels and the main figures to a rich console."""
        from tagline.evaluate.class_tables import class_table, ranking_lines, sentence

        averages = {**self.averages._asdict(), "samples": self.samples}
        console.print(class_table(self.classes, averages, self.class_intervals, self.rankings))
        for line in (
            sentence("Micro F1", self.averages.micro.f1, self.intervals["micro_f1"]),
            sentence("Macro F1", self.averages.macro.f1, self.intervals["macro_f1"]),
            sentence("Exact match", self.exact_match, self.intervals["exact_match"]),
            f"Hamming loss {self.hamming_loss:.4f}.",
            *ranking_lines(self.rankings, self.unseen),
            f"{self.texts:,} texts, {self.seconds:.1f} s.",
        ):
            console.print(line, highlight=False, markup=False)
