"""Options that several commands share, and how they become settings."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagline.errors import UsageError

if TYPE_CHECKING:
    from tagline.data.corpus import Corpus, ReadOptions
    from tagline.data.schemes import Scheme

Model = Annotated[Path, typer.Argument(help="Model folder, as tagline train wrote it.", show_default=False)]
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
EngineOption = Annotated[str, typer.Option("--engine", help="auto, openvino or torch.")]
Precision = Annotated[str, typer.Option(help="auto, bf16 or f32.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Threads = Annotated[int, typer.Option(help="Processor threads; 0 takes the cores there are.")]
BatchTokens = Annotated[int, typer.Option(help="Most sub-tokens of a batch.")]
Argmax = Annotated[bool, typer.Option("--argmax", help="Take each word's best tag for itself, not the best sequence.")]


def column(value: str | None) -> int | str | None:
    """A column by number or by name."""
    if value is None:
        return None
    try:
        return int(value)
    except ValueError:
        return value


def scheme(value: str | None) -> Scheme | None:
    """A scheme by its name, in whatever case."""
    from tagline.data.schemes import Scheme

    if value is None:
        return None
    try:
        return Scheme(value.upper())
    except ValueError:
        names = ", ".join(each.value for each in Scheme)
        raise UsageError(f"--scheme is {value!r}; accepted are {names}") from None


def read_options(
    form: str | None, word_column: str | None, tag_column: str | None, scheme_name: str | None, strict: bool
) -> ReadOptions:
    """How annotated files are read."""
    from tagline.data.corpus import ReadOptions

    return ReadOptions(form, column(word_column), column(tag_column), scheme(scheme_name), strict)


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
