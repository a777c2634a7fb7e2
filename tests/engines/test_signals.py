"""A signal after a model was closed finds a living process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import gc, signal, sys
from tagline.engines.base import EngineSettings
from tagline.engines.opening import open_engine
from tagline.folder import ModelFolder

engine = open_engine(ModelFolder.open(sys.argv[1]), EngineSettings(threads=1, cache=False))
del engine
gc.collect()
got = []
signal.signal(signal.SIGINT, lambda number, frame: got.append(number))
signal.raise_signal(signal.SIGINT)
print(len(got))
"""


def test_a_signal_after_a_model_was_closed(tagger_folder: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tagger_folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done
