"""The commands, gathered."""

from __future__ import annotations

from typing import Annotated

import typer

from tagline import __version__
from tagline.cli.evaluate import evaluate
from tagline.cli.predict import predict
from tagline.cli.train import train

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Trains, judges and runs models that read named entities in text.",
)
app.command()(train)
app.command()(evaluate)
app.command()(predict)


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
