"""What the tutorials of docs/tutorials share: their mode, where corpora lie, and the command line within a notebook.

The small mode, the default, takes generated corpora and seconds. `TAGLINE_TUTORIAL=long` takes the real corpora, in
`../shared/data` beside the repository or where `TAGLINE_DATA` says.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LONG = os.environ.get("TAGLINE_TUTORIAL", "small") == "long"
WORK = ROOT / "build" / "tutorials"


def workplace(name: str) -> Path:
    """An empty folder for what a tutorial makes."""
    folder = WORK / ("long" if LONG else "small") / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def corpora() -> Path:
    """The folder of the real corpora.

    Raises:
        FileNotFoundError: it is not there; the message says what to do.
    """
    folder = Path(os.environ.get("TAGLINE_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        raise FileNotFoundError(
            f"no corpora at {folder}; set TAGLINE_DATA to their folder, or leave TAGLINE_TUTORIAL away"
        )
    return folder


def tagline(line: str) -> None:
    """Types a command: what would be `tagline LINE` in a shell, within this process."""
    from tagline.cli.app import app

    print(f"$ tagline {line}")
    os.environ.setdefault("COLUMNS", "100")
    app(shlex.split(line), standalone_mode=False)


def asked(line: str) -> Any:
    """The answer of a command that has `--json`."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        tagline(f"{line} --json")
    return json.loads(shown.getvalue().partition("\n")[2])
