"""OpenVINO is imported without its reports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PREDICT = """
import socket, sys
def refused(*given, **named):
    raise AssertionError("a connection was asked for")
socket.getaddrinfo = socket.socket.connect = refused
import tagline
assert len(tagline.load(sys.argv[1])("Ada went to London").words) == 4
assert "openvino" in sys.modules
assert not [name for name in sys.modules if name.startswith("openvino_telemetry")]
import openvino_telemetry  # whoever wants it has it
"""


def test_reading_reports_nothing_and_leaves_nothing_in_the_home(tagger_folder: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "TAGLINE_CACHE": str(tmp_path / "cache")}
    environment.pop("CI", None)
    run = subprocess.run(
        [sys.executable, "-c", PREDICT, str(tagger_folder)],
        env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert {each.name for each in tmp_path.iterdir()} <= {"cache"}
