"""The command line: one file a command, everything heavy imported inside it."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Entry point of `tagline`. Prints one sentence for a user's mistake and leaves with its exit code."""
    from tagline.cli.app import app
    from tagline.errors import TaglineError

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # our own threads are enough, and forks stay quiet
    try:
        app()
    except TaglineError as error:
        sys.stderr.write(f"tagline: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("tagline: stopped\n")
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output has gone; what it wanted it has. Python would complain again while closing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
