"""Options that several commands share, and how they become settings."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagline.errors import UsageError

if TYPE_CHECKING:
    from tagline.data.corpus import Corpus, ReadOptions
    from tagline.data.schemes import Scheme
    from tagline.data.texts.options import TextOptions
    from tagline.engines.base import EngineSettings
    from tagline.records import Problem

Model = Annotated[Path, typer.Argument(help="Model folder, or a name (tagline models lists them).", show_default=False)]
Format = Annotated[
    str | None,
    typer.Option("--format", help="Format of the input, where its name does not tell it.", show_default=False),
]
WordColumn = Annotated[
    str | None,
    typer.Option(help="Column of the words: a name, or a number from 0 (-1 is the last).", show_default=False),
]
TagColumn = Annotated[
    str | None, typer.Option(help="Column of the tags, likewise. Default: the last.", show_default=False)
]
SchemeOption = Annotated[
    str | None,
    typer.Option("--scheme", help="Tag scheme of the files: IO, IOB1, IOB2, IOBES, BILOU. Default: told by a rule."),
]
Strict = Annotated[bool, typer.Option("--strict", help="Take a broken tag sequence as an error, not as a warning.")]
EngineOption = Annotated[str, typer.Option("--engine", help="auto, openvino, onnx or torch.")]
Precision = Annotated[str, typer.Option(help="auto, bf16, f32 or int8 (made by tagline export).")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Threads = Annotated[int, typer.Option(help="Processor threads; 0 takes the cores there are.")]
BatchTokens = Annotated[
    int | None, typer.Option(help="Most sub-tokens of a batch; what suits the device where none is said.")
]
Task = Annotated[
    str | None,
    typer.Option(
        help="token-classification or sequence-classification. Default: told by the file's columns.",
        show_default=False,
    ),
]
Encoder = Annotated[
    str | None,
    typer.Option(
        help="minilm, a folder, a hub name, or bilstm: not pretrained (bilstm-notebook: small). Default: minilm.",
        show_default=False,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any other setting as NAME=VALUE, e.g. scheduler=cosine."),
]
TextColumn = Annotated[
    str | None,
    typer.Option(help="Column of the text: a name, or a number from 0 (-1 is the last).", show_default=False),
]
PairColumn = Annotated[str | None, typer.Option(help="Column of a second text, likewise.", show_default=False)]
LabelColumn = Annotated[str | None, typer.Option(help="Column of the label or score, likewise.", show_default=False)]
Header = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header", help="Whether the first row of a table names its columns.", show_default=False
    ),
]
Quotes = Annotated[
    str | None, typer.Option(help='Quotes in a table: csv ("a, b" is one field) or literal.', show_default=False)
]
ProblemOption = Annotated[
    str | None,
    typer.Option("--problem", help="single, multi (several labels) or regression. Default: told by the labels."),
]
LabelSeparator = Annotated[
    str | None, typer.Option(help="What parts the labels of a cell with several, e.g. ','.", show_default=False)
]
LabelNames = Annotated[
    Path | None, typer.Option(help="File of label names, one a line, for labels that are numbers.", show_default=False)
]
Argmax = Annotated[bool, typer.Option("--argmax", help="Take each word's best tag for itself, not the best sequence.")]


def column(value: str | None) -> int | str | None:
    """A column by number or by name."""
    if value is None:
        return None
    try:
        return int(value)
    except ValueError:
        return value


def scheme(value: str | None, option: str = "--scheme") -> Scheme | None:
    """A scheme by its name, in whatever case; `option` is what messages call it."""
    from tagline.data.schemes import Scheme

    if value is None:
        return None
    try:
        return Scheme(value.upper())
    except ValueError:
        names = ", ".join(each.value for each in Scheme)
        raise UsageError(f"{option} is {value!r}; accepted are {names}") from None


TASKS = {
    "token-classification": "token-classification",
    "sequence-classification": "text-classification",
    "text-classification": "text-classification",
}


def task(value: str | None, given: str, file: Path) -> str:
    """The task by its name; else told by whether options of texts were given, or by the file."""
    from tagline.data.texts.sniff import holds_labelled_texts

    if value is not None:
        if value not in TASKS:
            raise UsageError(f"--task is {value!r}; accepted are token-classification and sequence-classification")
        if given and TASKS[value] == "token-classification":
            raise UsageError(f"{given} is for texts with labels; leave it away, or type --task sequence-classification")
        return TASKS[value]
    return TASKS["text-classification" if given or holds_labelled_texts(file) else "token-classification"]


@dataclass(frozen=True)
class WordReading:
    """Options of `ReadOptions` that only tagged words have, as they were typed."""

    word_column: WordColumn = None
    tag_column: TagColumn = None
    scheme: SchemeOption = None

    def given(self) -> str:
        """The first option that was typed, or nothing."""
        return _first_given(self, ("word_column", "tag_column", "scheme"))

    def options(self, form: str | None = None, strict: bool = False) -> ReadOptions:
        """How annotated files are read; `form` is the format, None where the name tells it."""
        from tagline.data.corpus import ReadOptions

        return ReadOptions(form, column(self.word_column), column(self.tag_column), scheme(self.scheme), strict)


UNTOLD_WORDS = WordReading()
"""Nothing was typed."""


@dataclass(frozen=True)
class TextReading:
    """Options of `TextOptions` beside the format, as they were typed."""

    text_column: TextColumn = None
    pair_column: PairColumn = None
    label_column: LabelColumn = None
    header: Header = None
    quotes: Quotes = None
    problem: ProblemOption = None
    label_separator: LabelSeparator = None
    label_names: LabelNames = None

    def given(self) -> str:
        """The first option that only texts have, or nothing."""
        names = ("text_column", "pair_column", "label_column", "problem", "label_separator", "label_names")
        return _first_given(self, names)

    def options(self, form: str | None = None) -> TextOptions:
        """How labelled texts are read; `form` is the format, None where the name tells it."""
        from tagline.data.texts.options import TextOptions

        return TextOptions(
            format=form,
            text_column=column(self.text_column),
            pair_column=column(self.pair_column),
            label_column=column(self.label_column),
            header=self.header,
            quotes=quotes(self.quotes),
            problem=problem(self.problem),
            label_separator=self.label_separator,
            label_names=self.label_names,
        )


UNTOLD = TextReading()
"""Nothing was typed."""


@dataclass(frozen=True)
class EitherReading:
    """Options of both kinds of annotated files, where the model tells which kind it needs."""

    columns: WordReading = UNTOLD_WORDS
    texts: TextReading = UNTOLD


UNTOLD_EITHER = EitherReading()
"""Nothing was typed."""


def _first_given(record: WordReading | TextReading, names: tuple[str, ...]) -> str:
    """The first of these options that was typed, as it is typed, or nothing."""
    return next((f"--{name.replace('_', '-')}" for name in names if getattr(record, name) is not None), "")


@dataclass(frozen=True)
class Running:
    """Options of `EngineSettings`, as they were typed."""

    engine: EngineOption = "auto"
    precision: Precision = "auto"
    device: Device = "auto"
    threads: Threads = 0
    batch_tokens: BatchTokens = None

    def settings(self) -> EngineSettings:
        """How the model is run.

        Raises:
            UsageError: an option that is not accepted.
        """
        from tagline.engines.base import EngineSettings

        return EngineSettings(self.engine, self.precision, self.device, self.threads, self.batch_tokens)


BY_ITSELF = Running()
"""Nothing was typed."""


def quotes(value: str | None) -> bool | None:
    """Whether quotes quote."""
    if value not in (None, "csv", "literal"):
        raise UsageError(f"--quotes is {value!r}; accepted are csv and literal")
    return None if value is None else value == "csv"


def problem(value: str | None) -> Problem | None:
    """A problem by its short name or its name in `config.json`."""
    from tagline.records import Problem

    if value is None:
        return None
    names = {each.name.lower(): each for each in Problem} | {each.value: each for each in Problem}
    if value.lower() not in names:
        raise UsageError(f"--problem is {value!r}; accepted are single, multi and regression")
    return names[value.lower()]


def tell_warnings(corpus: Corpus) -> None:
    """Says what was odd about a corpus."""
    if corpus.violations:
        warn(
            f"{corpus.path}: {corpus.violations} tags break scheme {corpus.scheme.value}, the first at "
            f"{corpus.first_violation}; read as conlleval reads them. --strict makes this an error"
        )
    if corpus.unaligned:
        warn(
            f"{corpus.path}: {len(corpus.unaligned)} spans do not fall on word borders and were widened, the first: "
            f"{corpus.unaligned[0]}"
        )


def resuming() -> str:
    """The command at hand, with `--resume`. `--overwrite` stays: it is about what the run makes in the end."""
    words = [word for word in sys.argv[1:] if word != "--resume"]
    return shlex.join(["tagline", *words, "--resume"])


def warn(message: str) -> None:
    """A line on standard error."""
    sys.stderr.write(f"warning: {message}\n")


def say(message: str) -> None:
    """A plain line about the work, on standard error, so that results on standard output stay clean."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()
