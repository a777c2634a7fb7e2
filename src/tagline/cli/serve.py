"""`tagline serve`: models behind HTTP."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagline.cli import options as shared
from tagline.errors import UsageError

if TYPE_CHECKING:
    from tagline.serve import Limits

KEY = "TAGLINE_API_KEY"


@dataclass(frozen=True)
class LimitOptions:
    """Options of `Limits`, as they were typed."""

    max_body_bytes: Annotated[int, typer.Option(help="Most bytes of a request's body.")] = 2_000_000
    max_texts: Annotated[int, typer.Option(help="Most texts of a request.")] = 256
    max_characters: Annotated[int, typer.Option(help="Most characters of a text.")] = 100_000
    max_requests: Annotated[int, typer.Option(help="Most requests in a worker at once.")] = 1024
    timeout: Annotated[float, typer.Option(help="Seconds after which a request is given up.")] = 30.0
    max_wait: Annotated[
        float, typer.Option(help="Seconds of computing that may wait before requests are refused with 503.")
    ] = 0.1

    def limits(self) -> Limits:
        """What requests may ask for.

        Raises:
            UsageError: a number out of range.
        """
        from tagline.serve import Limits

        return Limits(
            self.max_body_bytes, self.max_texts, self.max_characters, self.timeout, self.max_wait, self.max_requests
        )


def serve(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...", help="Model folders or names; NAME=FOLDER gives one another name.", show_default=False
        ),
    ],
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all of this machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that serve, each with all models.")] = 1,
    api_key_file: Annotated[
        Path | None,
        typer.Option(help=f"File of the key that requests must carry; the variable {KEY} serves, too."),
    ] = None,
    cors: Annotated[
        list[str] | None, typer.Option(help="Origin whose pages may ask from a browser; may be given again.")
    ] = None,
    access_log: Annotated[bool, typer.Option("--access-log/--no-access-log", help="Log each request.")] = True,
    limits: LimitOptions = LimitOptions(),
    running: shared.Running = replace(shared.BY_ITSELF, batch_tokens=512),  # noqa: B008 (frozen)
) -> None:
    """Serve models over HTTP: REST with an OpenAPI page, the schema of Hugging Face, metrics for Prometheus."""
    from tagline.names import resolve
    from tagline.serve.settings import ServeSettings, check_extra, named

    check_extra()
    settings = ServeSettings(
        models=named(models),
        host=host,
        port=port,
        workers=workers,
        engine=asdict(running.settings()),
        limits=limits.limits(),
        api_key=_key(api_key_file),
        cors=tuple(cors or ()),
        access_log=access_log,
    )
    # Looked for once all else that was typed is known to be right: it may take a download.
    settings = replace(settings, models={name: str(resolve(folder)) for name, folder in settings.models.items()})
    from tagline.serve.supervisor import serve as run

    names = ", ".join(settings.models)
    run(settings, lambda address: shared.say(f"serving {names} at {address}; try it at {address}/docs"))


def _key(path: Path | None) -> str | None:
    if path is None:
        return os.environ.get(KEY) or None
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--api-key-file {path}: cannot be read ({error})") from error
    if not key:
        raise UsageError(f"--api-key-file {path}: is empty; expected a key of printable ASCII characters")
    return key
