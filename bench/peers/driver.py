"""Peers as processes that wait while another one works, and rounds in which each has its turn."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from common import OUT, ROOT
from peers.environments import Missing

WORK = OUT / "engines"


def settings(threads: int) -> dict[str, str]:
    """The process environment that every peer runs in: the same threads for all, nothing from the network."""
    count = str(threads)
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT / "bench"),
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
        "RAYON_NUM_THREADS": count,
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "PYTHONWARNINGS": "ignore",
        "TAGLINE_CACHE": str(WORK / "cache"),
        "TORCHINDUCTOR_CACHE_DIR": str(WORK / "inductor"),
        "FLAIR_CACHE_ROOT": str(WORK / "flair"),
    }


class Running:
    """A peer's process, from opening to closing.

    Args:
        name: as tables show it.
        python: of its environment.
        module: its script, a module of `peers`.
        options: for that script.
        threads: processor threads.

    Attributes:
        facts: what it said when it was ready: `seconds` of opening, `versions`.

    Raises:
        Missing: it did not come up.
    """

    def __init__(self, name: str, python: Path, module: str, options: Mapping[str, Any], threads: int) -> None:
        self.name = name
        (WORK / "logs").mkdir(parents=True, exist_ok=True)
        self.log = WORK / "logs" / f"{''.join(each if each.isalnum() else '-' for each in name)}.txt"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [str(python), "-P", "-m", f"peers.{module}", json.dumps({"threads": threads, **options})],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=settings(threads), cwd=WORK,
            )  # fmt: skip
        self.facts = self._answer()

    def order(self, what: str, **details: Any) -> dict[str, Any]:
        """Gives an order and waits for the answer; see `peers.wire`.

        Raises:
            Missing: the peer failed.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"do": what, **details}) + "\n")
            self.process.stdin.flush()
        except OSError as error:
            raise Missing(f"{self.name} has ended; see {self.log}") from error
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": f"ended without an answer; see {self.log}"}
        if "error" in answer:
            self.close()
            raise Missing(str(answer["error"]).splitlines()[0])
        return answer

    def peak_mb(self) -> float:
        """Most resident memory so far, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1000

    def close(self) -> None:
        """Ends the process."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def interleaved(running: Mapping[str, Running], texts: Mapping[str, Path], rounds: int, what: str = "run") -> Any:
    """Seconds of each peer in each round; who begins changes from round to round.

    Args:
        running: the peers by name.
        texts: what each reads.
        rounds: how many.
        what: `run` (a number a round) or `each` (a list a round).
    """
    names = list(texts)
    seconds: dict[str, list[Any]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            seconds[name].append(running[name].order(what, texts=str(texts[name]))["seconds"])
    return seconds
