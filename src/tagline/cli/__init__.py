"""The command line: one file a command, everything heavy imported inside it."""

from __future__ import annotations

import io
import os
import sys
import warnings
from pathlib import Path

_python_warning = warnings.formatwarning


def warning_line(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """A warning of Tagline's own as one plain line; those of libraries as Python writes them."""
    if Path(filename).is_relative_to(Path(__file__).resolve().parent.parent):
        return f"warning: {message}\n"
    return _python_warning(message, category, filename, lineno, line)


def main() -> None:
    """Entry point of `tagline`. Prints one sentence for a user's mistake and leaves with its exit code."""
    from tagline.errors import Interrupted, TaglineError

    warnings.formatwarning = warning_line
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # our own threads are enough, and forks stay quiet
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without Unicode shows what it can
    try:
        from tagline.cli.app import app

        app()
    except TaglineError as error:
        sys.stderr.write(f"tagline: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:  # before a command began
        sys.exit(Interrupted.exit_code)
