"""Servers to measure: `tagline serve`, and FastAPI around `transformers.pipeline`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common import ROOT


class Ours:
    """`tagline serve`."""

    def __init__(self, folder: Path, *options: str) -> None:
        words = [sys.executable, "-m", "tagline", "serve", str(folder), "--port", "0", "--no-access-log", *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        self.process = subprocess.Popen(words, stderr=subprocess.PIPE, env=environment)
        self.port, self.worker, self.starts, self.reloads = 0, 0, 0, 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait(1)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if b'"serving"' in line:
                event = json.loads(line)
                self.port, self.worker = int(event["address"].rpartition(":")[2]), event["pid"]
                self.starts += 1
            self.reloads += b'"reloaded"' in line

    def wait(self, starts: int) -> None:
        """Waits for a worker that serves, so many in all."""
        while self.starts < starts:
            if self.process.poll() is not None:
                raise RuntimeError("the server ended")
            time.sleep(0.01)

    def memory(self) -> float:
        """Megabytes that the worker holds."""
        lines = Path(f"/proc/{self.worker}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))

    def used(self) -> dict[str, float]:
        """Seconds of processor time that the worker's threads took so far: the event loop's, and all others'."""
        found = {"loop": 0.0, "others": 0.0}
        for task in Path(f"/proc/{self.worker}/task").iterdir():
            parts = (task / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
            taken = (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
            found["loop" if task.name == str(self.worker) else "others"] += taken
        return found

    def close(self) -> None:
        """Stops it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(90)


@contextmanager
def ours(folder: Path, *options: str) -> Iterator[Ours]:
    """Our server, for a while."""
    running = Ours(folder, *options)
    try:
        yield running
    finally:
        running.close()


@contextmanager
def theirs(folder: Path) -> Iterator[int]:
    """Port of FastAPI around transformers.pipeline."""
    words = [sys.executable, str(ROOT / "bench" / "peers" / "hf_server.py"), str(folder)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(30)
