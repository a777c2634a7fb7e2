"""The report on a tagger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tagline.evaluate.breakdown import Group
from tagline.evaluate.calibration import Calibration
from tagline.evaluate.mistakes import NONE, Kind, Mistake, Places, Suspect
from tagline.evaluate.partial import Matching
from tagline.evaluate.report import TokenReport
from tagline.evaluate.scores import Score
from tagline.evaluate.token_details import TokenDetails
from tagline.records import Sentence, Span
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
    Stack,
    Table,
    shown,
)
from tagline.report.charts import reliability_chart

KINDS = {
    Kind.BOUNDARY: "wrong boundary",
    Kind.TYPE: "wrong type",
    Kind.BOTH: "wrong boundary and type",
    Kind.MISSED: "missed",
    Kind.INVENTED: "invented",
}
WAYS = {
    Matching.STRICT: "borders and type",
    Matching.EXACT: "borders, whatever the type",
    Matching.PARTIAL: "borders; an overlap counts half",
    Matching.TYPE: "type, with any overlap",
}
GROUPS = {
    "novelty": ("Seen in training or not", "entity in train"),
    "train_frequency": ("How often seen in training", "times in train"),
    "entity_length": ("Length of the entity", "words"),
    "sentence_length": ("Length of the sentence", "words"),
}
HOW_TO = (
    "Seen against unseen entities, and scores by frequency in training, are left out: the training file is not known. "
    "Add --train FILE to tagline evaluate to get them."
)
_MOST = 40  # types up to which the whole confusion is shown


@dataclass(frozen=True)
class Source:
    """What was judged on what.

    Attributes:
        model: name of the model.
        data: name of the annotated file.
        train: name of the training file; empty where it was not given.
        warnings: what a reader must know first.
        calibration: what `tagline.json` says of the temperature that was fitted on dev; empty where none was.
    """

    model: str
    data: str
    train: str = ""
    warnings: list[str] = field(default_factory=list)
    calibration: Mapping[str, float] = field(default_factory=dict)


def entity_report(source: Source, report: TokenReport, details: TokenDetails, places: Places) -> Report:
    """The report on a tagger.

    Args:
        source: names.
        report: the scores.
        details: what lies behind them.
        places: the sentences.
    """
    strict, words = report.strict.overall, report.words
    calibration = details.calibration
    keys = [
        Key("precision", shown(strict.precision), f"{strict.correct:,} of {strict.predicted:,} predicted"),
        Key("recall", shown(strict.recall), f"{strict.correct:,} of {strict.support:,} in gold"),
        Key("F1 as conlleval", shown(report.conlleval.overall.f1), "broken tags repaired"),
        Key("partial F1", shown(details.partial[Matching.PARTIAL].overall.f1), "an overlap counts half"),
        Key("word accuracy", shown(words.accuracy), f"{shown(words.accuracy_without_o)} where gold is not O"),
    ]
    if calibration is not None and calibration.count:
        keys.append(Key("calibration error", shown(calibration.error), f"mean score {calibration.score:.3f}"))
    return Report(
        title=f"{source.model} on {source.data}",
        kind="Named entities",
        facts=[
            f"{report.sentences:,} sentences",
            f"{words.words:,} words",
            f"{strict.support:,} entities",
            f"read in {report.seconds:.1f} s",
            *([f"training file {source.train}"] if source.train else []),
        ],
        hero=("Strict F1", Figure(strict.f1, report.intervals)),
        keys=keys,
        sections=_sections(source, report, details),
        data=_data(details, places),
        warnings=source.warnings,
    )


def calibration_sections(source: Source, calibration: Calibration | None, of: str) -> list[Section]:
    """The reliability of the scores, and what calibration on dev has done for them; nothing without answers."""
    if calibration is None or not calibration.count:
        return []
    blocks: list[Block] = [reliability_chart(calibration, of)]
    facts = source.calibration
    if facts:
        blocks.append(
            Note(
                f"On dev, when the model was trained: expected calibration error {facts['ece_before']:.4f} before and "
                f"{facts['ece_after']:.4f} after its head was divided by the temperature {facts['temperature']:.3f}; "
                f"negative log-likelihood {facts['dev_nll_before']:.4f} before, {facts['dev_nll_after']:.4f} after."
            )
        )
    return [Section("calibration", "Calibration", blocks)]


def _sections(source: Source, report: TokenReport, details: TokenDetails) -> list[Section]:
    groups: list[Block] = [
        Table((head, "recall", "F1", "gold", "predicted"), [_group(each) for each in details.groups[name]], title)
        for name, (title, head) in GROUPS.items()
        if name in details.groups
    ]
    if "novelty" not in details.groups:
        groups.append(Note(HOW_TO))
    sections = [
        Section("types", "Types", [_types(report, details)], wide=True),
        Section("matching", "What counts as found", [_ways(details), _ways_by_type(details)], wide=True),
        Section("errors", "What goes wrong", [_anatomy(report, details), *_confusion(details)], wide=True),
        Section("groups", "Where it is hard", groups),
    ]
    sections += calibration_sections(source, details.calibration, "predicted entities")
    lead = f"{len(details.mistakes):,} mistakes. Above a word the model's answer, below it gold."
    sections.append(Section("mistakes", "Mistakes", [Browser("mistakes", "mistakes")], lead, wide=True))
    lead = (
        "Places to read again: the model disagrees with a score of at least 0.95, or the same words are tagged "
        "otherwise in most of their places. Many of them are right as they are."
    )
    doubt: list[Block] = [Browser("doubtful", "places")] if details.suspects else [Note("No place looks doubtful.")]
    sections.append(Section("gold", "The gold may be wrong here", doubt, lead if details.suspects else "", wide=True))
    return sections


def _types(report: TokenReport, details: TokenDetails) -> Table:
    strict = report.strict
    averages = (("micro", strict.overall), ("macro", strict.macro), ("weighted", strict.weighted))
    rows = [_scores(each.name, each.score, each.interval) for each in details.types]
    rows += [
        _scores(f"{name} average", score, report.intervals if name == "micro" else None) for name, score in averages
    ]
    heads = ("type", "precision", "recall", "F1, 95 % interval", "gold", "predicted")
    return Table(heads, rows, totals=3)


def _scores(name: str, score: Score, interval: tuple[float, float] | None) -> tuple[Cell, ...]:
    f1 = Figure(score.f1, interval)
    return name, Figure(score.precision), Figure(score.recall), f1, score.support, score.predicted


def _group(each: Group) -> tuple[Cell, ...]:
    score: Score = each.score
    return each.name, Figure(score.recall), Figure(score.f1, each.interval), score.support, score.predicted


def _ways(details: TokenDetails) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for way, report in details.partial.items():
        each = report.overall
        rows.append(
            (way.value, WAYS[way], Figure(each.precision), Figure(each.recall), Figure(each.f1), each.correct,
             each.incorrect, each.partial, each.missed, each.spurious)
        )  # fmt: skip
    heads = ("way", "right is", "precision", "recall", "F1", "correct", "incorrect", "partial", "missed", "spurious")
    return Table(
        heads, rows, "All types, four ways", "As nervaluate counts; entities are read as conlleval reads them."
    )


def _ways_by_type(details: TokenDetails) -> Table:
    labels = list(details.partial[Matching.STRICT].types)
    rows: list[tuple[Cell, ...]] = [
        (label, *(Figure(details.partial[way].types[label].f1) for way in Matching)) for label in labels
    ]
    return Table(("type", *(way.value for way in Matching)), rows, "F1 by type, four ways")


def _anatomy(report: TokenReport, details: TokenDetails) -> Stack:
    counts = details.kinds()
    parts = [Part("right", report.strict.overall.correct, "right")]
    parts += [Part(name, counts[kind.value], kind.value, kind.value) for kind, name in KINDS.items()]
    return Stack("Entities of gold and model, by what became of them", parts)


def _confusion(details: TokenDetails) -> list[Block]:
    table = details.confusion
    note = "Borders aside. A row is what gold says, a column what the model says; none: no entity there."
    columns = [each for each in {column for row in table.values() for column in row} if each != NONE]
    names = sorted({*columns, *(each for each in table if each != NONE)})
    if len(names) > _MOST:
        pairs = [(n, a, b) for a, row in table.items() for b, n in row.items() if a != b]
        rows: list[tuple[Cell, ...]] = [(a, b, n) for n, a, b in sorted(pairs, key=lambda each: (-each[0], each[1:]))]
        return [Table(("gold", "predicted", "entities"), rows[:_MOST], "Most frequent confusions", note)]
    every = (*names, NONE)
    counts = [[table.get(row, {}).get(column, 0) for column in every] for row in every]
    return [Heat(every, every, counts, "Types held against each other", note)] if names else []


def _data(details: TokenDetails, places: Places) -> dict[str, Any]:
    """What the browsers show; see assets/items.js. Sentences without mistake and doubt are left out."""
    types = sorted({span.label for spans in (*details.gold, *details.predicted) for span in spans})
    numbers = {label: place for place, label in enumerate(types)} | {NONE: -1}
    used = sorted({each.sentence for each in details.mistakes} | {each.sentence for each in details.suspects})
    rows = {number: row for row, number in enumerate(used)}

    def flat(spans: Sequence[Span]) -> list[int]:
        return [value for span in spans for value in (numbers[span.label], span.start, span.end)]

    texts = [
        [*_text(places.sentences[number]), flat(details.gold[number]), flat(details.predicted[number]), number + 1]
        for number in used
    ]
    return {
        "task": "entities",
        "types": types,
        "texts": texts,
        "items": {
            "mistakes": [_mistake(each, rows, numbers) for each in details.mistakes],
            "doubtful": [_suspect(each, rows, numbers) for each in details.suspects],
        },
    }


def _text(sentence: Sentence) -> tuple[list[str], list[str] | int]:
    """The words, and what stands between them; 0 where that is one space each."""
    if sentence.text == " ".join(sentence.words):
        return list(sentence.words), 0
    words = [sentence.text[start:end] for start, end in sentence.offsets]
    ends = [0, *(end for _, end in sentence.offsets)]
    starts = [*(start for start, _ in sentence.offsets), len(sentence.text)]
    return words, [sentence.text[end:start] for end, start in zip(ends, starts, strict=True)]


def _span(span: Span | None, numbers: dict[str, int]) -> list[int] | int:
    return 0 if span is None else [numbers[span.label], span.start, span.end]


def _mistake(each: Mistake, rows: dict[int, int], numbers: dict[str, int]) -> list[Any]:
    score = None if each.score is None else round(each.score, 4)
    kind = each.kind.value
    return [rows[each.sentence], kind, _span(each.gold, numbers), _span(each.predicted, numbers), score, each.line]


def _suspect(each: Suspect, rows: dict[int, int], numbers: dict[str, int]) -> list[Any]:
    gold = 0 if each.span.label == NONE else _span(each.span, numbers)
    other = 0 if each.other == NONE else _span(each.span._replace(label=each.other), numbers)
    return [rows[each.sentence], each.reason, gold, other, round(each.score, 4), each.line, each.votes]
