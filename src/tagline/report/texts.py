"""The reports on a classifier: one label, several labels, a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tagline.evaluate.class_reports import ClassReport, LabelSetReport
from tagline.evaluate.numbers import NumberReport
from tagline.evaluate.text_details import Share, TextDetails
from tagline.records import Classification, LabelledText
from tagline.report.blocks import (
    Block,
    Browser,
    Cell,
    Figure,
    Heat,
    Key,
    Note,
    Part,
    Report,
    Section,
    Signed,
    Stack,
    Table,
    shown,
)
from tagline.report.charts import residual_chart, scatter_chart
from tagline.report.entities import Source, calibration_sections

_MOST = 40  # classes up to which the whole confusion is shown
_BEST = 5  # labels whose scores are shown with a text
HOW_TO = (
    "Texts that also stand in the training file are not told apart: the file is not known. Add --train FILE to "
    "tagline evaluate to see them."
)
KINDS = {
    "wrong": "wrong label",
    "missed": "labels missed",
    "invented": "labels invented",
    "swapped": "labels missed and invented",
}


def text_report(
    source: Source,
    report: ClassReport | LabelSetReport | NumberReport,
    details: TextDetails,
    texts: Sequence[LabelledText],
    answers: Sequence[Classification],
) -> Report:
    """The report on a classifier.

    Args:
        source: names.
        report: the scores.
        details: what lies behind them.
        texts: the annotated texts.
        answers: the model's answers, with all labels' scores.
    """
    if isinstance(report, NumberReport):
        return _numbers(source, report, details, texts, answers)
    single = isinstance(report, ClassReport)
    if isinstance(report, ClassReport):
        hero, keys = ("Macro F1", Figure(report.averages.macro.f1, report.intervals["macro_f1"])), _single_keys(report)
    else:
        hero, keys = ("Macro F1", Figure(report.averages.macro.f1, report.intervals["macro_f1"])), _multi_keys(report)
    if details.calibration is not None:
        keys.append(Key("calibration error", shown(details.calibration.error)))
    return Report(
        title=f"{source.model} on {source.data}",
        kind="Labelled texts" if single else "Texts with several labels",
        facts=_facts(source, report.texts, report.seconds, f"{len(report.classes):,} labels"),
        hero=hero,
        keys=keys,
        sections=_sections(source, report, details),
        data=_data(details, texts, answers),
        warnings=source.warnings,
    )


def _facts(source: Source, texts: int, seconds: float, *more: str) -> list[str]:
    train = [f"training file {source.train}"] if source.train else []
    return [f"{texts:,} texts", *more, f"read in {seconds:.1f} s", *train]


def _single_keys(report: ClassReport) -> list[Key]:
    return [
        Key("accuracy", shown(report.accuracy), _between(report.intervals["accuracy"])),
        Key("Matthews correlation", shown(report.matthews), _between(report.intervals["matthews"])),
        Key("weighted F1", shown(report.averages.weighted.f1)),
        *_ranking_keys(report),
    ]


def _multi_keys(report: LabelSetReport) -> list[Key]:
    return [
        Key("micro F1", shown(report.averages.micro.f1), _between(report.intervals["micro_f1"])),
        Key("all labels right", shown(report.exact_match), _between(report.intervals["exact_match"])),
        Key("Hamming loss", shown(report.hamming_loss), "share of wrong decisions"),
        *_ranking_keys(report),
    ]


def _ranking_keys(report: ClassReport | LabelSetReport) -> list[Key]:
    rankings = report.rankings
    if rankings is None or rankings.roc_auc is None:
        return []
    precision = rankings.average_precision
    return [Key("ROC-AUC", shown(rankings.roc_auc), "" if precision is None else f"average precision {precision:.4f}")]


def _between(interval: tuple[float, float]) -> str:
    return f"95 %: {interval[0]:.3f}–{interval[1]:.3f}"


def _sections(source: Source, report: ClassReport | LabelSetReport, details: TextDetails) -> list[Section]:
    lead = f"{len(details.mistakes):,} texts with a wrong label."
    sections = [
        Section("labels", "Labels", [_classes(report)], wide=True),
        Section("errors", "What goes wrong", [*_anatomy(report, details), *_confusion(report)], wide=True),
        Section("groups", "Where it is hard", _groups(details.groups, "exactly right")),
    ]
    of = "labels given" if isinstance(report, ClassReport) else "decisions on a label"
    sections += calibration_sections(source, details.calibration, of)
    sections.append(Section("mistakes", "Mistakes", [Browser("mistakes", "mistakes")], lead, wide=True))
    lead = (
        "Texts to read again: the model disagrees with a score of at least 0.95, or the same text stands elsewhere "
        "with other labels. Many of them are right as they are."
    )
    doubt: list[Block] = [Browser("doubtful", "texts")] if details.suspects else [Note("No text looks doubtful.")]
    sections.append(Section("gold", "The gold may be wrong here", doubt, lead if details.suspects else "", wide=True))
    return sections


def _classes(report: ClassReport | LabelSetReport) -> Table:
    ranks = report.rankings.classes if report.rankings else {}
    rows: list[tuple[Cell, ...]] = []
    for label, score in report.classes.items():
        f1 = Figure(score.f1, report.class_intervals[label])
        more = [_figure(value) for value in ranks[label]] if ranks else []
        rows.append((label, Figure(score.precision), Figure(score.recall), f1, *more, score.support, score.predicted))
    for name, each in report.averages._asdict().items():
        more = ["" for _ in range(2)] if ranks else []
        rows.append(
            (f"{name} average", Figure(each.precision), Figure(each.recall), Figure(each.f1), *more, each.support,
             each.predicted)
        )  # fmt: skip
    heads = (
        "label",
        "precision",
        "recall",
        "F1, 95 % interval",
        *(("AUC", "AP") if ranks else ()),
        "gold",
        "predicted",
    )
    return Table(heads, rows, totals=3)


def _figure(value: float | None) -> Cell:
    return "–" if value is None else Figure(value)


def _anatomy(report: ClassReport | LabelSetReport, details: TextDetails) -> list[Block]:
    counts: dict[str, int] = {}
    for each in details.mistakes:
        counts[each.kind] = counts.get(each.kind, 0) + 1
    styles = {"wrong": "type", "missed": "missed", "invented": "invented", "swapped": "both"}
    parts = [Part("right", report.texts - len(details.mistakes), "right")]
    parts += [Part(name, counts[kind], styles[kind], kind) for kind, name in KINDS.items() if kind in counts]
    return [Stack("Texts by what became of them", parts)]


def _confusion(report: ClassReport | LabelSetReport) -> list[Block]:
    if isinstance(report, LabelSetReport):
        rows: list[tuple[Cell, ...]] = [
            (
                label,
                *(report.confusion(label)[name] for name in ("true_positives", "false_positives", "false_negatives")),
            )
            for label in report.classes
        ]
        return [Table(("label", "right", "invented", "missed"), rows, "Decisions by label")]
    names = tuple(report.classes)
    if len(names) <= _MOST:
        note = "A row is what gold says, a column what the model says."
        return [Heat(names, names, report.matrix().tolist(), "Labels held against each other", note)]
    pairs: list[tuple[Cell, ...]] = [(gold, predicted, texts) for texts, gold, predicted in report.confusions()[:_MOST]]
    return [Table(("gold", "predicted", "texts"), pairs, "Most frequent confusions")]


def _groups(groups: Mapping[str, list[Share]], value: str) -> list[Block]:
    titles = {"novelty": ("Also in the training file or not", "text"), "text_length": ("Length of the text", "words")}
    blocks: list[Block] = []
    for name, (title, head) in titles.items():
        if name in groups:
            small = value != "mean absolute error"
            rows: list[tuple[Cell, ...]] = [
                (
                    each.name,
                    Figure(each.value, each.interval) if small else Signed(each.value, each.interval),
                    each.texts,
                )
                for each in groups[name]
            ]
            blocks.append(Table((head, value, "texts"), rows, title))
    return blocks if "novelty" in groups else [*blocks, Note(HOW_TO)]


def _data(details: TextDetails, texts: Sequence[LabelledText], answers: Sequence[Classification]) -> dict[str, Any]:
    """What the browsers show; see assets/items.js. Texts without mistake and doubt are left out."""
    labels = sorted({label for text in texts for label in text.labels} | {s.label for s in answers[0].scores})
    numbers = {label: place for place, label in enumerate(labels)}
    used = sorted({each.text for each in details.mistakes} | {each.text for each in details.suspects})
    rows = {number: row for row, number in enumerate(used)}

    def text(number: int) -> list[Any]:
        gold, answer = texts[number], answers[number]
        shown_labels = {*gold.labels, *answer.labels, *(each.label for each in answer.scores[:_BEST])}
        scores = [(numbers[s.label], round(s.score, 4)) for s in answer.scores if s.label in shown_labels]
        sides = [[numbers[label] for label in side.labels] for side in (gold, answer)]
        return [gold.text, gold.pair or 0, *sides, scores, number + 1, gold.line]

    return {
        "task": "labels",
        "types": labels,
        "texts": [text(number) for number in used],
        "items": {
            "mistakes": [[rows[each.text], each.kind, round(each.score, 4)] for each in details.mistakes],
            "doubtful": [
                [rows[each.text], each.reason, round(each.score, 4), [numbers[label] for label in each.other]]
                for each in details.suspects
            ],
        },
    }


def _numbers(
    source: Source,
    report: NumberReport,
    details: TextDetails,
    texts: Sequence[LabelledText],
    answers: Sequence[Classification],
) -> Report:
    gold = np.array([text.score or 0.0 for text in texts])
    predicted = np.array([answer.score for answer in answers])
    spearman, low_high = report.spearman, report.intervals
    keys = [
        Key("Pearson", shown(report.pearson), _between(low_high["pearson"])),
        Key("RMSE", shown(report.rmse), _between(low_high["rmse"])),
        Key("mean absolute error", shown(report.mae)),
        Key("R²", shown(report.r2), "share of the variance explained"),
    ]
    items = np.argsort(-np.abs(predicted - gold), kind="stable").tolist()
    data = {
        "task": "numbers",
        "types": [],
        "texts": [
            [text.text, text.pair or 0, round(text.score or 0.0, 4), round(answer.score, 4), row + 1, text.line]
            for row, (text, answer) in enumerate(zip(texts, answers, strict=True))
        ],
        "items": {"mistakes": [[row, "high" if predicted[row] > gold[row] else "low"] for row in items]},
    }
    charts: list[Block] = [scatter_chart(gold, predicted), residual_chart(predicted - gold)]
    return Report(
        title=f"{source.model} on {source.data}",
        kind="Texts with a number",
        facts=_facts(source, report.texts, report.seconds),
        hero=("Spearman correlation", Figure(spearman, low_high["spearman"])),
        keys=keys,
        sections=[
            Section("scatter", "Predicted and gold", charts),
            Section("groups", "Where it is hard", _groups(details.groups, "mean absolute error")),
            Section("mistakes", "Texts", [Browser("mistakes", "texts")], "The largest errors first.", wide=True),
        ],
        data=data,
        warnings=source.warnings,
    )
