"""The commands, gathered."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from tagline import __version__
from tagline.cli.audit import audit
from tagline.cli.compare import compare
from tagline.cli.convert import convert
from tagline.cli.describe import describe
from tagline.cli.evaluate import evaluate
from tagline.cli.export import export
from tagline.cli.groups import ungrouped
from tagline.cli.models import models
from tagline.cli.predict import predict
from tagline.cli.pretrain import pretrain
from tagline.cli.serve import serve
from tagline.cli.split import split
from tagline.cli.train import train
from tagline.cli.tune import tune
from tagline.cli.vectors import vectors
from tagline.cli.web import web_app
from tagline.errors import Interrupted, OutputError


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """The command with its ends that are no errors of ours, before typer makes others of them."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
            sys.stdout.flush()
        except KeyboardInterrupt:
            raise Interrupted("stopped") from None
        except BrokenPipeError:
            # The reader of our output has gone; what it wanted it has. Python would complain again while closing.
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except OSError as error:
            with contextlib.suppress(OSError):  # what could not be written is tried again at the end
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            place = "standard output" if error.filename is None else error.filename
            raise OutputError(f"{place}: {error.strerror or error}") from error

    return run


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Trains, judges and runs models that read named entities in text.",
)
for each in (
    describe,
    audit,
    convert,
    split,
    train,
    tune,
    vectors,
    pretrain,
    evaluate,
    compare,
    predict,
    export,
    models,
    serve,
):
    app.command()(guarded(ungrouped(each)))
app.command("app")(guarded(ungrouped(web_app)))


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Options of `tagline` itself."""
