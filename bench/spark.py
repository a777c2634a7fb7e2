"""The figures of tagline.spark: throughput, executors, a plain pandas function, a killed executor, memory, loads.

    python bench/spark.py build/accuracy/conll2003-3                 everything, about 35 minutes on two cores
    python bench/spark.py MODEL --only local executors --rounds 3    parts; the others keep their last figures
    python bench/spark.py MODEL --sentences 2000                     few sentences, to try the whole out: its figures
                                                                     go to spark.trial.json, not into RESULTS.md

What is compared runs in processes that stay (spark_jobs.py) and take turns, round by round; figures are medians.
Start-up, the opening of models among it, is not in them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import spark_report
from common import DATA, OUT, ROOT, machine
from spark_jobs import ANSWER
from tagline.folder import INT8_GRAPH

FULL = 200_000


@dataclass(frozen=True)
class Asked:
    """What was asked for.

    Attributes:
        model: the model folder.
        sentences: of the largest comparison, over all rounds; the others take a part of them.
        rounds: turns of each comparison.
    """

    model: Path
    sentences: int
    rounds: int

    def part(self, share: int, least: int = 64) -> int:
        """Sentences of a smaller job, where `share` are taken of the full 200,000."""
        return max(least, share * self.sentences // FULL)


class Failed(Exception):
    """A part that could not be measured."""


class Worker:
    """A process that does jobs when told.

    Args:
        name: what it runs, as `spark_jobs.py` knows it.
        model: the model folder.
    """

    def __init__(self, name: str, model: Path) -> None:
        self.name = name
        paths = os.pathsep.join(filter(None, (str(ROOT / "src"), os.environ.get("PYTHONPATH", ""))))
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("spark_jobs.py")), name, str(model)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
        self.answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._errors.close()

    def send(self, job: str, count: int = 0, **more: Any) -> None:
        """Sends a job without waiting for it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"job": job, "count": count, **more}) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Waits for the answer of the job that was sent first."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(ANSWER):
                found: dict[str, Any] = json.loads(line.removeprefix(ANSWER))
                return found
        self._errors.seek(0)
        raise Failed(f"{self.name} has ended\n{self._errors.read()[-4000:]}")

    def do(self, job: str, count: int = 0, **more: Any) -> dict[str, Any]:
        """Does a job."""
        self.send(job, count, **more)
        return self.answer()

    def rate(self, job: str, count: int, **more: Any) -> float:
        """Sentences a second of a job."""
        seconds: float = self.do(job, count, **more)["seconds"]
        return count / seconds


Runs = dict[str, Callable[[], float]]


def in_turn(rounds: int, runs: Runs) -> dict[str, list[float]]:
    """Each run once a round; who begins changes."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    order = list(runs)
    for _ in range(rounds):
        for name in order:
            found[name].append(runs[name]())
            print(f"bench: spark {name}: {found[name][-1]:.0f} a second", file=sys.stderr, flush=True)
        order = order[1:] + order[:1]
    return found


def together(workers: list[Worker], count: int) -> float:
    """Sentences a second of several processes that each read so many at once."""
    for each in workers:
        each.send("read", count)
    seconds: list[float] = [each.answer()["seconds"] for each in workers]
    return len(workers) * count / max(seconds)


def local(asked: Asked) -> dict[str, Any]:
    """`local[2]` against Tagline's own process on the same cores; two processes without Spark are the ceiling."""
    with ExitStack() as stack:
        single, spark = (stack.enter_context(Worker(name, asked.model)) for name in ("single", "local2"))
        pair = [stack.enter_context(Worker("thread", asked.model)) for _ in range(2)]
        count, few = asked.sentences // asked.rounds, asked.part(6_000)
        runs: Runs = {
            "single": lambda: single.rate("read", count),
            "predict": lambda: spark.rate("predict", count),
            "stages": lambda: spark.rate("stages", count),
            "two processes": lambda: together(pair, few // 2),
        }
        return {"sentences": count * asked.rounds, "rates": in_turn(asked.rounds, runs)}


def executors(asked: Asked) -> dict[str, Any]:
    """One executor against two: free, and each with a core of its own; processes without Spark are the ceiling."""
    with ExitStack() as stack:
        one, two = (stack.enter_context(Worker(name, asked.model)) for name in ("one", "two"))
        pair = [stack.enter_context(Worker("thread", asked.model)) for _ in range(2)]
        count, few = asked.part(6_000), asked.part(3_000)
        runs: Runs = {
            f"{job} {each.name}": partial(each.rate, job, count) for job in ("predict", "stages") for each in (one, two)
        }
        runs["process one"] = lambda: together(pair[:1], few)
        runs["process two"] = lambda: together(pair, few)
        free = in_turn(asked.rounds, runs)
        pin(one, two)
        alone = {name: run for name, run in runs.items() if not name.startswith("process")}
        return {"sentences": count, "free": free, "pinned": in_turn(asked.rounds, alone)}


def scale(asked: Asked) -> dict[str, Any]:
    """The same on a longer job, where what the driver does before it counts for less."""
    with ExitStack() as stack:
        one, two = (stack.enter_context(Worker(name, asked.model)) for name in ("one", "two"))
        count = asked.part(20_000)
        runs: Runs = {f"predict {each.name}": partial(each.rate, "predict", count) for each in (one, two)}
        free = in_turn(asked.rounds, runs)
        pin(one, two)
        return {"sentences": count, "free": free, "pinned": in_turn(asked.rounds, runs)}


def pin(one: Worker, two: Worker) -> None:
    """Binds each executor to a core of its own.

    Raises:
        Failed: there are not one and two of them.
    """
    pinned = [one.do("pin")["pinned"], two.do("pin")["pinned"]]
    if pinned != [1, 2]:
        raise Failed(f"found {pinned} executors, expected 1 and 2")


def udf(asked: Asked) -> dict[str, Any]:
    """Against a plain pandas function around `transformers.pipeline`, on the same cores."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-spark-")))
        model = with_int8(asked.model, home)
        ours, theirs = (stack.enter_context(Worker(name, model)) for name in ("local2", "transformers"))
        count, few = asked.part(8_000), asked.part(1_600)
        runs: Runs = {
            "transformers": lambda: theirs.rate("transformers", few),
            "predict": lambda: ours.rate("predict", count),
            "stages": lambda: ours.rate("stages", count),
        }
        if (model / INT8_GRAPH).exists():
            runs["int8"] = lambda: ours.rate("int8", count)
        return {"sentences": count, "sentences_transformers": few, "rates": in_turn(asked.rounds, runs)}


def with_int8(model: Path, home: Path) -> Path:
    """A copy of the model with an int8 graph, if its loss on dev is small enough."""
    copy = home / model.name
    shutil.copytree(model, copy, ignore=shutil.ignore_patterns("runs"))
    if not (copy / INT8_GRAPH).exists():
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        command = [sys.executable, "-m", "tagline", "export", str(copy), "--to", "int8"]
        command += ["--dev", str(DATA / "conll2003" / "valid.txt")]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            print(f"bench: spark goes without int8\n{done.stderr[-2000:]}", file=sys.stderr, flush=True)
    return copy


def killed(asked: Asked) -> dict[str, Any]:
    """Rows lost and doubled where one of two executors is killed when half the rows are counted."""
    with Worker("two", asked.model) as worker:
        return worker.do("killed", asked.part(10_000, 400))


def memory(asked: Asked) -> dict[str, Any]:
    """Most memory (MiB) of a Python worker over one partition, and over one ten times as large."""
    count, peaks = asked.part(10_000), []
    for factor in (1, 10):
        with Worker("local1", asked.model) as worker:
            peaks.append(max(worker.do("predict", count * factor, files=1)["peaks"]))
    return {"sentences": count, "peaks": peaks}


def loads(asked: Asked) -> dict[str, Any]:
    """How often each Python worker opened the model, over four jobs of eight partitions."""
    with Worker("local2", asked.model) as worker:
        return worker.do("loads")


PARTS: dict[str, Callable[[Asked], dict[str, Any]]] = {
    "local": local,
    "executors": executors,
    "scale": scale,
    "udf": udf,
    "killed": killed,
    "memory": memory,
    "loads": loads,
}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--sentences", type=int, default=FULL, help="of the largest comparison; default: 200,000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    options = parser.parse_args()
    asked = Asked(options.model.absolute(), options.sentences, options.rounds)
    OUT.mkdir(parents=True, exist_ok=True)
    store = OUT / ("spark.json" if asked.sentences >= FULL else "spark.trial.json")
    found: dict[str, Any] = json.loads(store.read_text(encoding="utf-8")) if store.is_file() else {}
    for name in options.only:
        print(f"bench: spark {name}", flush=True)
        started = time.perf_counter()
        try:
            figures = PARTS[name](asked)
        except (Failed, OSError) as reason:  # the other parts can still be measured
            print(f"bench: spark {name} could not be measured: {reason}", flush=True)
            continue
        took = time.perf_counter() - started
        found[name] = {"machine": machine(), "model": asked.model.name, "rounds": asked.rounds, "took": took,
                       "figures": figures}  # fmt: skip
        store.write_text(json.dumps(found, indent=1), encoding="utf-8")
        print(f"bench: spark {name} took {took:.0f} s: {json.dumps(medians(figures))}", flush=True)
    if asked.sentences >= FULL:
        spark_report.write(found)
    else:
        print(spark_report.page(found))


def medians(figures: dict[str, Any]) -> dict[str, Any]:
    """Lists of rates as their medians."""
    return {
        name: medians(value) if isinstance(value, dict)
        else statistics.median(value) if name not in ("peaks", "loads", "after") and isinstance(value, list)
        else value
        for name, value in figures.items()
    }  # fmt: skip


if __name__ == "__main__":
    main()
