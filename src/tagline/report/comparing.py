"""The report of a comparison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tagline.evaluate.comparison import Comparison
from tagline.evaluate.significance import Difference
from tagline.records import LabelledText, Sentence
from tagline.report.blocks import Block, Browser, Cell, Figure, Key, Note, Report, Section, Signed, Table, shown

FIGURES = {
    "strict_f1": "strict F1",
    "conlleval_f1": "F1 as conlleval",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "word_accuracy": "word accuracy",
    "accuracy": "accuracy",
    "mae": "mean absolute error",
    "rmse": "RMSE",
}
CLEAR = 0.05
TESTS = (
    "Two-sided paired approximate randomisation, and the 95 % interval of a paired bootstrap, over the units of the "
    "file. A p-value below 0.05 says that chance alone would rarely make so large a difference on this file; it says "
    "nothing of other files, and of many comparisons one in twenty falls below it by chance."
)


def comparison_report(comparison: Comparison, data: str, units: int, noun: str, items: dict[str, Any]) -> Report:
    """The report of a comparison.

    Args:
        comparison: figures, tests, and where the systems differ.
        data: name of the annotated file.
        units: how many sentences or texts it has.
        noun: what they are, in the plural.
        items: the page's data, from `word_items` or `text_items`.
    """
    name, values = next(iter(comparison.figures.items()))
    best = (min if name in comparison.lower_is_better else max)(range(len(values)), key=lambda row: values[row])
    first = comparison.pairs[0].figures[name]
    keys = [Key(each, shown(values[row]), FIGURES[name]) for row, each in enumerate(comparison.names)]
    keys.append(Key("p-value", p_value(first), f"{comparison.names[0]} against {comparison.names[1]}"))
    differing = f"{len(comparison.differing):,} of {units:,}"
    outcomes = Counter(comparison.outcomes).most_common()
    rows: list[tuple[Cell, ...]] = [(outcome, often) for outcome, often in outcomes]
    blocks: list[Block] = [Table(("outcome", noun), rows, f"Where they differ: {differing} {noun}")] if rows else []
    browser: list[Block] = [Browser("mistakes", noun)] if rows else [Note("They say the same everywhere.")]
    return Report(
        title=" against ".join(comparison.names),
        kind="Comparison",
        facts=[data, f"{units:,} {noun}", f"they differ on {len(comparison.differing):,}"],
        hero=(f"best {FIGURES[name]}: {comparison.names[best]}", Signed(values[best])),
        keys=keys,
        sections=[
            Section("scores", "Scores", [scores_table(comparison)], wide=True),
            Section("tests", "Differences", [*difference_tables(comparison), *blocks], TESTS),
            Section("differences", f"{noun.capitalize()} that are read differently", browser, wide=True),
        ],
        data=items,
    )


def scores_table(comparison: Comparison) -> Table:
    """Figures side by side."""
    rows: list[tuple[Cell, ...]] = [
        (name, *(Figure(values[row]) for values in comparison.figures.values()))
        for row, name in enumerate(comparison.names)
    ]
    return Table(("", *(FIGURES[name] for name in comparison.figures)), rows)


def difference_tables(comparison: Comparison) -> list[Table]:
    """The paired tests, one table a pair."""
    return [
        Table(
            ("figure", "difference, 95 % interval", "p-value", ""),
            [
                (
                    FIGURES[name],
                    Signed(each.difference, (each.low, each.high), plus=True),
                    p_value(each),
                    _verdict(each),
                )
                for name, each in pair.figures.items()
            ],
            f"{comparison.names[pair.b]} less {comparison.names[pair.a]}",
        )
        for pair in comparison.pairs
    ]


def p_value(difference: Difference) -> str:
    """The p-value as text."""
    return "< 0.001" if difference.p < 0.001 else f"{difference.p:.3f}"


def word_items(
    comparison: Comparison,
    sentences: Sequence[Sentence],
    gold: Sequence[Sequence[str]],
    systems: Sequence[Sequence[Sequence[str]]],
) -> dict[str, Any]:
    """The sentences that are read differently, for the page; see assets/items.js."""
    texts = [
        [list(sentences[row].words), list(gold[row]), [list(tags[row]) for tags in systems], row + 1,
         sentences[row].line]
        for row in comparison.differing
    ]  # fmt: skip
    return _items(comparison, texts, [], words=True)


def text_items(
    comparison: Comparison,
    texts: Sequence[LabelledText],
    gold: Sequence[Sequence[str]],
    systems: Sequence[Sequence[Sequence[str]]],
) -> dict[str, Any]:
    """The texts that are read differently, for the page; numbers are given as text."""
    types = sorted({label for side in (gold, *systems) for row in comparison.differing for label in side[row]})
    numbers = {label: place for place, label in enumerate(types)}
    rows = [
        [texts[row].text, texts[row].pair or 0, [numbers[label] for label in gold[row]],
         [[numbers[label] for label in side[row]] for side in systems], row + 1, texts[row].line]
        for row in comparison.differing
    ]  # fmt: skip
    return _items(comparison, rows, types, words=False)


def _items(comparison: Comparison, texts: list[list[Any]], types: list[str], words: bool) -> dict[str, Any]:
    return {
        "task": "compare",
        "words": words,
        "names": list(comparison.names),
        "types": types,
        "texts": texts,
        "items": {"mistakes": [[row, outcome] for row, outcome in enumerate(comparison.outcomes)]},
    }


def _verdict(difference: Difference) -> str:
    return "clear" if difference.p < CLEAR else "may be chance"
