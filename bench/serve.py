"""The server under load: speed against FastAPI around transformers.pipeline, delays, refusals, mix-ups, memory.

python bench/serve.py build/accuracy/conll2003-3 [--only speed,load,mixed,kill] [--seconds 10]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
from common import DATA, OUT, ROOT, as_written, machine
from serving import Link, Tally, asking, closed, comparing, opened

PATH = "/v1/token-classification"
CLIENTS = (1, 2, 4, 8, 16, 32, 64)
PARTS = ("speed", "load", "mixed", "kill")


def texts() -> list[str]:
    """Sentences of CoNLL-2003 test, as a person would write them."""
    from tagline.data.corpus import read_corpus

    corpus = read_corpus(DATA / "conll2003" / "test.txt")
    return [as_written(sentence.words) for sentence in corpus.sentences]


class Ours:
    """`tagline serve`."""

    def __init__(self, folder: Path, *options: str) -> None:
        words = [sys.executable, "-m", "tagline", "serve", str(folder), "--port", "0", "--no-access-log", *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        self.process = subprocess.Popen(words, stderr=subprocess.PIPE, env=environment)
        self.port, self.worker = 0, 0
        while not self.port:
            self.next()

    def next(self) -> None:
        """Waits for a worker that serves."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if b'"serving"' in line:
                event = json.loads(line)
                self.port, self.worker = int(event["address"].rpartition(":")[2]), event["pid"]
                return
        raise RuntimeError("the server ended")

    def memory(self) -> float:
        """Megabytes that the worker holds."""
        lines = Path(f"/proc/{self.worker}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))

    def close(self) -> None:
        """Stops it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


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


def speed(folder: Path, seconds: float) -> dict[str, Any]:
    """Requests a second for each number of clients, and the best within the peer's own p99 at its best."""
    bodies = [json.dumps({"inputs": text}).encode() for text in texts()]
    simple = [
        json.dumps({"inputs": text, "parameters": {"aggregation_strategy": "simple"}}).encode() for text in texts()
    ]
    with theirs(folder) as port:
        peer = _curve(port, bodies, seconds)
    with ours(folder, "--max-wait", "30") as server:
        mine = _curve(server.port, simple, seconds)
    best = max(peer, key=lambda count: peer[count].to_dict()["per_second"])
    bound = peer[best].percentile(0.99)
    within = [each.to_dict()["per_second"] for each in mine.values() if each.percentile(0.99) <= bound]
    rate = peer[best].to_dict()["per_second"]
    return {
        "fastapi_pipeline": {count: each.to_dict() for count, each in peer.items()},
        "tagline_serve": {count: each.to_dict() for count, each in mine.items()},
        "p99_ms": round(bound, 1),
        "at_equal_p99": {"fastapi_pipeline": rate, "tagline_serve": max(within, default=0.0)},
        "times": round(max(within, default=0.0) / rate, 2),
    }


def _curve(port: int, bodies: list[bytes], seconds: float) -> dict[int, Tally]:
    closed(port, asking(PATH, bodies), 8, seconds)  # does not count
    return {count: closed(port, asking(PATH, bodies), count, seconds) for count in CLIENTS}


def load(folder: Path, seconds: float) -> dict[str, Any]:
    """Delays at 70 % of what the server can do, at all of it, and at three times as much."""
    parameters = {"aggregation_strategy": "simple"}
    ask = asking(PATH, [json.dumps({"inputs": text, "parameters": parameters}).encode() for text in texts()])
    with ours(folder) as server:
        closed(server.port, ask, 16, seconds)  # does not count
        alone = closed(server.port, ask, 1, seconds)
        most = closed(server.port, ask, 64, 2 * seconds)
        rate = len(most.seconds) / most.elapsed
        found = {share: opened(server.port, ask, share * rate, 2 * seconds) for share in (0.7, 1.0, 3.0)}
    over = found[3.0]
    return {
        "alone": alone.to_dict(),
        "saturation": most.to_dict(),
        **{f"at {share:g}": each.to_dict() for share, each in found.items()},
        "p99 at 0.7 by single p50": round(found[0.7].percentile(0.99) / alone.percentile(0.5), 2),
        "p99 at 3 by p99 at saturation (open)": round(over.percentile(0.99) / found[1.0].percentile(0.99), 2),
        "p99 at 3 by p99 at saturation (64 clients)": round(over.percentile(0.99) / most.percentile(0.99), 2),
        "unanswered": over.statuses.get(-1, 0),
    }


def mixed(folder: Path, requests: int, further: int) -> dict[str, Any]:
    """Mixed requests from 64 clients, each answer compared with the local pipeline's; then memory."""
    from tagline.predict.pipeline import pipeline

    draw, source = random.Random(1), texts()
    local = pipeline("ner", folder, precision="f32")
    asked = []
    for _ in range(min(1000, requests)):
        chosen = draw.choices(source, k=draw.choice([1, 1, 1, 2, 8]))
        if draw.random() < 0.05:
            chosen = [" ".join(draw.choices(source, k=60))]
        parameters: dict[str, Any] = {"aggregation_strategy": draw.choice(["none", "simple", "first", "average"])}
        if draw.random() < 0.2:
            parameters["stride"] = 16
        body = json.dumps({"inputs": chosen, "parameters": parameters}).encode()
        asked.append((body, local(chosen, **parameters)))
    wrong: list[int] = []
    with ours(folder, "--precision", "f32", "--max-wait", "60", "--timeout", "120") as server:
        tally = closed(server.port, comparing(PATH, asked, _same, wrong), 64, requests=requests)
        before = server.memory()
        again = closed(server.port, asking(PATH, [body for body, _ in asked]), 64, requests=further)
        after = server.memory()
    return {
        "requests": requests,
        "wrong": len(wrong),
        "lost": requests - tally.statuses.get(200, 0),
        **tally.to_dict(),
        "memory_mb": round(before, 1),
        "further": {"requests": further, **again.to_dict()},
        "memory_after_mb": round(after, 1),
        "growth_percent": round(100 * (after / before - 1), 2),
    }


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, float):
        return isinstance(found, float) and abs(found - wanted) < 2e-3
    if isinstance(wanted, dict):
        return list(found) == list(wanted) and all(_same(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_same, found, wanted))
    return bool(found == wanted)


def kill(folder: Path, seconds: float) -> dict[str, Any]:
    """Seconds until a server whose worker was killed under load answers again."""
    import asyncio
    import threading

    ask = asking(PATH, [json.dumps({"inputs": text}).encode() for text in texts()])
    with ours(folder) as server:
        worker = threading.Thread(target=closed, args=(server.port, ask, 16, seconds + 10))
        worker.start()
        time.sleep(2)
        os.kill(server.worker, signal.SIGKILL)
        started = time.perf_counter()
        time.sleep(0.05)
        body = json.dumps({"inputs": "Is anybody there?"}).encode()
        status, _ = asyncio.run(Link(server.port).post(PATH, body))
        took = time.perf_counter() - started
        worker.join()
    return {"status": status, "seconds": round(took, 2)}


def main() -> None:
    """Measures what was asked for and writes it to build/bench/serve.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a model of entities")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--seconds", type=float, default=10.0, help="of each point of a curve")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--further", type=int, default=50_000)
    given = parser.parse_args()
    works = {
        "speed": lambda: speed(given.folder, given.seconds),
        "load": lambda: load(given.folder, given.seconds),
        "mixed": lambda: mixed(given.folder, given.requests, given.further),
        "kill": lambda: kill(given.folder, given.seconds),
    }
    found: dict[str, Any] = {"machine": machine(), "folder": str(given.folder)}
    for part in given.only.split(","):
        found[part] = works[part]()
        print(part, json.dumps(found[part], indent=1))
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "serve.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
