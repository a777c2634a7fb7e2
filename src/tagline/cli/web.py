"""`tagline app`: models in the browser."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tagline.cli import options as shared


def web_app(
    models: Annotated[
        list[Path],
        typer.Argument(metavar="MODEL...", help="Model folders, or names.", show_default=False),
    ],
    host: Annotated[str, typer.Option(help="Interface to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8501,
    examples: Annotated[
        Path | None,
        typer.Option(help="Texts to click, one a line; a tab parts the texts of a pair.", show_default=False),
    ] = None,
    max_upload: Annotated[int, typer.Option(help="Most megabytes of an uploaded file.")] = 200,
    running: shared.Running = shared.BY_ITSELF,
) -> None:
    """Show models in the browser: type a text, compare two models, upload a file, read the model card."""
    from tagline.app.launch import Address, check_extra, launch
    from tagline.app.setup import Setup, named, read_examples
    from tagline.predict.opening import open_model

    check_extra()
    settings = running.settings()
    # What is wrong is said here and not in the page; and names on the hub are fetched.
    folders = {name: str(open_model(place, settings).path) for name, place in named(models).items()}
    setup = Setup(folders, [] if examples is None else read_examples(examples), asdict(settings))
    address = Address(host, port, max_upload).taken()
    shared.say(f"tagline app: {address.url} (Ctrl-C stops it)")
    launch(setup, address)
