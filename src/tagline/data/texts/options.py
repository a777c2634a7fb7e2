"""How to read a file of labelled texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tagline.errors import UsageError
from tagline.records import Problem

# Names that are known without options, in the order of preference and without regard to case; a text with its pair.
TEXT_NAMES: Mapping[str, str] = {
    "text": "text_pair",
    "sentence": "",
    "sentence1": "sentence2",
    "premise": "hypothesis",
    "question1": "question2",
}
LABEL_NAMES = ("label", "labels", "score")
SCORE_NAME = "score"

Column = int | str | None


@dataclass(frozen=True, slots=True)
class TextOptions:
    """How to read a file of labelled texts. The defaults fit files whose columns have the usual names.

    Attributes:
        format: `tsv`, `csv`, `jsonl` or `parquet`; None tells it by the file's name, and failing that takes a file
            with a tab in its first line for TSV.
        text_column: name, or number from 0 (a negative one counts from the end), of the text. None: `text`,
            `sentence`, `sentence1`, `premise` or `question1`.
        pair_column: the same for the second text. None: the known pair of the text (`text_pair`, `sentence2`,
            `hypothesis`, `question2`) where the file has it, else the texts are single.
        label_column: the same for the label. None: `label`, `labels` or `score`.
        header: whether the first row of a TSV or CSV names the columns; None tells it.
        quotes: whether `"` quotes a field or is an ordinary character. None: it does in CSV, it does not in TSV.
        problem: what is asked of a text; None tells it by the labels.
        label_separator: what stands between the labels of a cell that has several.
        label_names: a file with one name a line; labels that are whole numbers stand for its lines, from 0.
    """

    format: str | None = None
    text_column: Column = None
    pair_column: Column = None
    label_column: Column = None
    header: bool | None = None
    quotes: bool | None = None
    problem: Problem | None = None
    label_separator: str | None = None
    label_names: Path | None = None


def check_options(options: TextOptions) -> None:
    """Refuses options that do not go together.

    Raises:
        UsageError: an empty separator; a separator or names for numbers; a separator for single labels.
    """
    if options.label_separator == "":
        raise UsageError("the label separator is empty; give the characters between two labels, for example ,")
    if options.label_separator is not None and options.problem not in (None, Problem.MULTI):
        raise UsageError(
            f"a label separator ({options.label_separator!r}) cuts a cell into several labels, but the problem is "
            f"{options.problem.value}; leave one of the two out"
        )
    if options.label_names is not None and options.problem is Problem.REGRESSION:
        raise UsageError("label names do not fit a regression, whose labels are numbers; leave one of the two out")
