"""A container with one core: from a file to entities."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import Workshop
from tests.cli.support import LEARN, environment, spawn

ON_ONE = """
import os, sys
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
from tagline.cli import main
sys.argv[0] = "tagline"
main()
"""


def on_one_core(*arguments: object) -> str:
    line = [sys.executable, "-c", ON_ONE, *map(str, arguments)]
    done = subprocess.run(line, env=environment(), capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_trained_and_read(workshop: Workshop, tmp_path: Path) -> None:
    model = tmp_path / "model"
    on_one_core("train", workshop.train, "--dev", workshop.dev, "-o", model, "--encoder", workshop.encoder, *LEARN)
    reading = ("predict", model, "--text", "John Parker moved to Berlin.")
    assert on_one_core(*reading) == spawn(*reading).out
