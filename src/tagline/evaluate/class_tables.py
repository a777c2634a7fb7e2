"""The tables and sentences in which a classifier's report is printed. Imports rich, so only where one is printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from tagline.evaluate.inputs import shorten
from tagline.evaluate.ranking import Ranking, Rankings
from tagline.evaluate.scores import Score

if TYPE_CHECKING:
    from tagline.evaluate.class_reports import ClassReport

MATRIX, PAIRS = 12, 12  # classes up to which the whole matrix is shown, else the most frequent confusions


def class_table(
    classes: Mapping[str, Score],
    averages: Mapping[str, Score],
    intervals: Mapping[str, tuple[float, float]],
    rankings: Rankings | None,
) -> Table:
    """One row a class with the interval of its F1, and below a line the averages."""
    table = Table(title="Classes", padding=(0, 0 if rankings else 1))
    table.add_column("class")
    heads = ["precision", "recall", "F1", "F1 95 %", *(["AUC", "AP"] if rankings else []), "support"]
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for place, (label, score) in enumerate(classes.items(), 1):
        low, high = intervals[label]
        each = rankings.classes[label] if rankings else None
        row = _row(label, score, f"{low:.3f}–{high:.3f}", each)
        table.add_row(*row, end_section=place == len(classes))
    for name, score in averages.items():
        each = _average_ranking(name, rankings) if rankings else None
        table.add_row(*_row(f"{name} avg", score, "", each))
    return table


def confusion_tables(report: ClassReport) -> Iterator[Table | Text]:
    """The confusion matrix, or of many classes the most frequent confusions and how many more there are."""
    if len(report.classes) > MATRIX:
        yield from _frequent(report)
        return
    if not report.classes:
        return
    matrix = report.matrix()
    table = Table(title="Confusion matrix")
    table.add_column("gold ╲ predicted")
    for label in report.classes:
        table.add_column(Text(label), justify="right", overflow="fold")
    for place, (label, row) in enumerate(zip(report.classes, matrix.tolist(), strict=True)):
        cells = (Text(f"{texts:,}", "bold" if column == place else "") for column, texts in enumerate(row))
        table.add_row(Text(label), *cells)
    yield table


def _frequent(report: ClassReport) -> Iterator[Table | Text]:
    pairs = report.confusions()
    table = Table(title="Most frequent confusions")
    for head in ("gold", "predicted"):
        table.add_column(head)
    for head in ("texts", "of gold"):
        table.add_column(head, justify="right")
    for texts, gold, predicted in pairs[:PAIRS]:
        share = f"{texts / report.classes[gold].support:.1%}"
        table.add_row(Text(gold), Text(predicted), f"{texts:,}", share)
    yield table
    rest = pairs[PAIRS:]
    if rest:
        yield Text(f"{len(rest):,} more pairs of classes are confused, in {sum(each[0] for each in rest):,} texts.")


def sentence(name: str, value: float, interval: tuple[float, float]) -> str:
    """A figure with its interval."""
    return f"{name} {value:.4f}, 95 % interval {interval[0]:.4f} to {interval[1]:.4f}."


def ranking_lines(rankings: Rankings | None, unseen: Mapping[str, int]) -> Iterator[str]:
    """ROC-AUC and average precision, what they leave out, and the labels that the model does not know."""
    if rankings:
        yield f"ROC-AUC {_figure(rankings.roc_auc)}, average precision {_figure(rankings.average_precision)}."
        absent = [name for name, each in rankings.classes.items() if each.average_precision is None]
        absent = [name for name in absent if name not in unseen]
        everywhere = [name for name in rankings.left_out if rankings.classes[name].average_precision is not None]
        if absent:
            yield f"No text has these labels in gold, so the two leave them out: {shorten(absent)}."
        if everywhere:
            yield f"Every text has these labels in gold, so ROC-AUC leaves them out: {shorten(everywhere)}."
    if unseen:
        left_out = "; the two leave them out" if rankings else ""
        yield (
            f"Gold labels that the model does not know count as missed{left_out}: {shorten(list(unseen))} "
            f"({sum(unseen.values()):,} in all)."
        )


def _row(name: str, score: Score, interval: str, ranking: Ranking | None) -> list[Text | str]:
    # Text, since the name of a class may look like markup.
    figures = [f"{value:.4f}" for value in (score.precision, score.recall, score.f1)]
    ranks = [] if ranking is None else [_figure(value) for value in ranking]
    return [Text(name), *figures, interval, *ranks, f"{score.support:,}"]


def _average_ranking(name: str, rankings: Rankings) -> Ranking:
    if name == "macro":
        return Ranking(rankings.roc_auc, rankings.average_precision)
    return (name == "micro" and rankings.micro) or Ranking(None, None)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
