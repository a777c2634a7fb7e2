"""Precision, recall and F1 over words, one row a tag, as scikit-learn counts and prints them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import Any

from tagline.data.schemes import OUTSIDE
from tagline.evaluate.scores import Averages, Score, average
from tagline.evaluate.spans import Tags, check_aligned


@dataclass(frozen=True)
class WordReport:
    """Scores over words. Fractions in [0, 1]; 0 where there was nothing to divide.

    Attributes:
        tags: one score a tag other than O that gold or prediction has, in alphabetical order.
        averages: micro, macro and weighted average over `tags`.
        accuracy: share of all words whose predicted tag is the gold tag.
        accuracy_without_o: the same share among the words whose gold tag is not O. A word wrongly given a tag does
            not lower it, so it is the recall of the micro average.
        words: number of words.
        outside: whether O occurs in gold or prediction.
    """

    tags: dict[str, Score]
    averages: Averages
    accuracy: float
    accuracy_without_o: float
    words: int
    outside: bool

    def to_dict(self) -> dict[str, Any]:
        """`accuracy`, `accuracy_without_o` and `tags`, ready for JSON."""
        return {
            "accuracy": self.accuracy,
            "accuracy_without_o": self.accuracy_without_o,
            "tags": {tag: score.to_dict() for tag, score in self.tags.items()},
        }

    def render(self, digits: int = 4) -> str:
        """The text of `sklearn.metrics.classification_report(..., labels=TAGS, zero_division=0)`, O left out of TAGS.

        Like there, the micro average is called accuracy where no word has O, since they are then the same. Unlike
        there, support is a whole number even where no word at all is right.
        """
        width = max(len("weighted avg"), digits, *map(len, self.tags))
        heads = "".join(f" {head:>9}" for head in ("precision", "recall", "f1-score", "support"))
        lines = [" " * (width + 1) + heads, ""]
        lines += [_row(tag, score, width, digits) for tag, score in self.tags.items()]
        lines.append("")
        micro, macro, weighted = self.averages
        if self.tags and not self.outside:
            lines.append(f"{'accuracy':>{width}} {'':>10}{'':>10} {micro.f1:>9.{digits}f} {micro.support:>9}")
        else:
            lines.append(_row("micro avg", micro, width, digits))
        lines += [_row("macro avg", macro, width, digits), _row("weighted avg", weighted, width, digits), ""]
        return "\n".join(lines)


def score_words(gold: Tags, predicted: Tags) -> WordReport:
    """Scores of the tags of single words, prefixes and all.

    Args:
        gold: tags of each sentence; O is the only tag with a meaning of its own.
        predicted: tags of the same words.

    Raises:
        UsageError: gold and predicted have not the same sentences and words.
    """
    check_aligned(gold, predicted)
    pairs = Counter(zip(chain.from_iterable(gold), chain.from_iterable(predicted), strict=True))
    wanted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for (tag, guess), count in pairs.items():
        wanted[tag] += count
        found[guess] += count
    seen = {*wanted, *found}
    rows = {str(tag): Score.of(pairs[tag, tag], found[tag], wanted[tag]) for tag in sorted(seen) if tag != OUTSIDE}
    averages, words = average(rows), wanted.total()
    right = averages.micro.correct + pairs[OUTSIDE, OUTSIDE]
    return WordReport(rows, averages, right / words if words else 0.0, averages.micro.recall, words, OUTSIDE in seen)


def _row(name: str, score: Score, width: int, digits: int) -> str:
    values = "".join(f" {value:>9.{digits}f}" for value in (score.precision, score.recall, score.f1))
    return f"{name:>{width}} {values} {score.support:>9}"
