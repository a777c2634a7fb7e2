"""A process that was forked from one with an open engine is told so; without that it would wait for ever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FORK = """
import os, sys
import numpy as np
from tagline.engines import EngineSettings, open_engine
from tagline.errors import UsageError
from tagline.folder import ModelFolder
from tagline.records import Batch
folder, name = ModelFolder.open(sys.argv[1]), sys.argv[2]
engine = open_engine(folder, EngineSettings(name, "f32", threads=2))
ids = np.full((2, 9), 7)
given = Batch(ids, np.ones_like(ids), np.zeros_like(ids))
(expected,) = engine.run([given])
if os.fork() == 0:
    try:
        list(engine.run([given]))
        said = "nothing"
    except UsageError as error:
        said = str(error)
    sys.stdout.write(said + "\\n")
    sys.stdout.flush()
    os._exit(0)
os.wait()
(found,) = engine.run([given])
sys.stdout.write(str(np.array_equal(found, expected)))
"""


@pytest.mark.parametrize("engine", ["openvino", "onnx", "torch"])
def test_a_forked_process_is_told_to_load_the_model_itself(tagger_folder: Path, engine: str) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK, str(tagger_folder), engine],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    said, _, parent = run.stdout.partition("\n")
    assert "forked from it" in said, run.stderr
    assert "Load the model in each process" in said
    assert parent == "True"
