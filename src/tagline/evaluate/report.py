"""Everything that is said about a tagger on one corpus: entities, words, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tagline.data.schemes import Scheme
from tagline.evaluate.intervals import f1_interval, sentence_counts
from tagline.evaluate.scores import Score
from tagline.evaluate.spans import (
    SpanReport,
    Tags,
    check_aligned,
    conlleval_spans,
    score_spans,
    strict_spans,
)
from tagline.evaluate.words import WordReport, score_words

if TYPE_CHECKING:
    from rich.console import Console


class Row(NamedTuple):
    """A row of the table that `TokenReport.table` gives."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class TokenReport:
    """The judgement on predicted tags.

    Attributes:
        strict: entities tagged as the scheme says (seqeval's strict mode): the headline.
        conlleval: entities as the CoNLL script reads them, broken tags repaired.
        words: scores of the words' tags.
        sentences: how many sentences were judged.
        seconds: time that the prediction took, as the caller measured it.
        intervals: lower and upper bound of the strict micro F1, 95 % bootstrap over sentences.
    """

    strict: SpanReport
    conlleval: SpanReport
    words: WordReport
    sentences: int
    seconds: float
    intervals: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        """The report as one JSON-ready object of Python numbers."""
        return {
            "task": "token-classification",
            "strict": self.strict.overall.to_dict(),
            "strict_interval": list(self.intervals),
            "conlleval": self.conlleval.overall.to_dict(),
            "types": {label: score.to_dict() for label, score in self.strict.types.items()},
            "macro": self.strict.macro.to_dict(),
            "weighted": self.strict.weighted.to_dict(),
            "words": self.words.to_dict(),
            "sentences": self.sentences,
            "seconds": self.seconds,
        }

    def table(self) -> list[Row]:
        """One row a type, then `micro avg`, `macro avg`, `weighted avg` (all strict) and `conlleval` (its micro)."""
        types = [_row(label, score) for label, score in self.strict.types.items()]
        return [
            *types,
            _row("micro avg", self.strict.overall),
            _row("macro avg", self.strict.macro),
            _row("weighted avg", self.strict.weighted),
            _row("conlleval", self.conlleval.overall),
        ]

    def render(self, console: Console) -> None:
        """Prints the table, the interval and the words' accuracy to a rich console."""
        from rich.table import Table
        from rich.text import Text

        table = Table(title="Entities")
        table.add_column("type")
        for head in ("precision", "recall", "F1", "support"):
            table.add_column(head, justify="right")
        rows, types = self.table(), len(self.strict.types)
        for place, row in enumerate(rows, 1):
            figures = (f"{value:.4f}" for value in (row.precision, row.recall, row.f1))
            # Text, since a type's name may look like markup.
            table.add_row(Text(row.name), *figures, f"{row.support:,}", end_section=place in (types, len(rows) - 1))
        console.print(table)
        low, high = self.intervals
        words = self.words
        for line in (
            f"Strict F1 {self.strict.overall.f1:.4f}, 95 % interval {low:.4f} to {high:.4f}.",
            f"Word accuracy {words.accuracy:.4f}; {words.accuracy_without_o:.4f} where gold is not O.",
            f"{self.sentences:,} sentences, {words.words:,} words, {self.seconds:.1f} s.",
        ):
            console.print(line, highlight=False)


def evaluate_tags(gold: Tags, predicted: Tags, scheme: Scheme = Scheme.IOB2, seconds: float = 0.0) -> TokenReport:
    """Judges predicted tags against gold ones.

    Args:
        gold: tags of each sentence in `scheme`; plain labels without prefixes are converted by the caller first.
        predicted: tags of the same words in the same scheme.
        scheme: scheme of both.
        seconds: time that the prediction took, for the report.

    Raises:
        UsageError: gold and predicted have not the same sentences and words.
        SchemeError: a tag is not of the scheme.
    """
    check_aligned(gold, predicted)
    wanted, found = strict_spans(gold, scheme, "gold"), strict_spans(predicted, scheme, "predicted")
    return TokenReport(
        strict=score_spans(wanted, found),
        conlleval=score_spans(conlleval_spans(gold, "gold"), conlleval_spans(predicted, "predicted")),
        words=score_words(gold, predicted),
        sentences=len(gold),
        seconds=float(seconds),
        intervals=f1_interval(sentence_counts(wanted, found)),
    )


def _row(name: str, score: Score) -> Row:
    return Row(name, score.precision, score.recall, score.f1, score.support)
