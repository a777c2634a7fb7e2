"""The server under load: speed against FastAPI around transformers.pipeline, delays, refusals, mix-ups, memory.

    python bench/serve.py build/accuracy/conll2003-3                        all parts, about ten minutes on two cores
    python bench/serve.py build/accuracy/conll2003-3 --only ramp overload   some; the others keep their last figures

Figures go to build/bench/serve.json, and from there into bench/RESULTS.md between the marks of this part.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import serve_report
from common import DATA, OUT, as_written, machine, place
from servers import Ours, ours, theirs
from serving import Client, Tally, comparing

PATH = "/v1/token-classification"
PEER_CLIENTS, CLIENTS = (1, 2, 4, 8, 16), (1, 2, 4, 8, 12, 16, 24, 32, 64)
OFFERED = (0.6, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5)  # shares of what 64 clients that wait for their answers get
STORE = OUT / "serve.json"


@dataclass(frozen=True)
class Task:
    """What is measured.

    Attributes:
        folder: a model of entities.
        options: of `tagline serve`.
        seconds: of each point of a curve.
        requests: compared ones.
        further: after which the memory is looked at again.
    """

    folder: Path
    options: tuple[str, ...]
    seconds: float
    requests: int
    further: int


def texts() -> list[str]:
    """Sentences of CoNLL-2003 test, as a person would write them, in random order."""
    from tagline.data.corpus import read_corpus

    corpus = read_corpus(DATA / "conll2003" / "test.txt")
    found = [as_written(sentence.words) for sentence in corpus.sentences]
    random.Random(1).shuffle(found)
    return found


def bodies() -> list[bytes]:
    """One sentence each, entities joined."""
    simple = {"aggregation_strategy": "simple"}
    return [json.dumps({"inputs": text, "parameters": simple}).encode() for text in texts()]


def ramp(task: Task, __: dict[str, Any]) -> dict[str, Any]:
    """Requests a second for each number of clients, and the best within the peer's own p99 at its best."""
    with theirs(task.folder) as port:
        peer = _curve(
            Client(port, PATH, [json.dumps({"inputs": text}).encode() for text in texts()]), PEER_CLIENTS, task
        )
    with ours(task.folder, "--max-wait", "30", *task.options) as server:
        mine = _curve(Client(server.port, PATH, bodies()), CLIENTS, task)
    best = max(peer.values(), key=lambda tally: tally.rate)
    bound = best.percentile(0.99)
    within = max((each.rate for each in mine.values() if each.percentile(0.99) <= bound), default=0.0)
    return {
        "fastapi_pipeline": {count: each.to_dict() for count, each in peer.items()},
        "tagline_serve": {count: each.to_dict() for count, each in mine.items()},
        "p99_ms": round(bound, 1),
        "at_equal_p99": {"fastapi_pipeline": round(best.rate, 1), "tagline_serve": round(within, 1)},
        "times": round(within / best.rate, 2),
    }


def _curve(client: Client, clients: Sequence[int], task: Task) -> dict[int, Tally]:
    client.closed(8, task.seconds)  # does not count
    return {count: client.closed(count, task.seconds) for count in clients}


def saturation(task: Task, __: dict[str, Any]) -> dict[str, Any]:
    """What the server can do, and delays at 70 % of it.

    Requests are offered at rising rates, whatever comes back. Saturation is the most that was answered a second.
    """
    with ours(task.folder, *task.options) as server:
        client = Client(server.port, PATH, bodies())
        client.closed(16, task.seconds)  # does not count
        alone = client.closed(1, 2 * task.seconds)
        guess = client.closed(64, task.seconds).rate
        found = {round(share * guess, 1): client.opened(share * guess, task.seconds) for share in OFFERED}
        rate = max(each.rate for each in found.values())
        used, started = server.used(), time.perf_counter()
        at_70 = client.opened(0.7 * rate, 3 * task.seconds)
        took, after = time.perf_counter() - started, server.used()
    p99 = at_70.percentile(0.99)
    return {
        "alone": {**alone.to_dict(), "p90_ms": round(alone.percentile(0.9), 2)},
        "offered": {offered: each.to_dict() for offered, each in found.items()},
        "saturation": round(rate, 1),
        "at_70": at_70.to_dict(),
        "cores_at_70": {name: round((after[name] - used[name]) / took, 2) for name in used},
        "times_median_alone": round(p99 / alone.percentile(0.5), 2),
        "times_p99_alone": round(p99 / alone.percentile(0.99), 2),
    }


def overload(task: Task, before: dict[str, Any]) -> dict[str, Any]:
    """At saturation, and at three times as much."""
    with ours(task.folder, *task.options) as server:
        client = Client(server.port, PATH, bodies())
        client.closed(16, task.seconds)  # does not count
        rate = before.get("saturation", {}).get("figures", {}).get("saturation") or client.closed(64, task.seconds).rate
        once, thrice = (client.opened(share * rate, 2 * task.seconds) for share in (1.0, 3.0))
        processor = server.used()
        after = client.closed(4, 1.0)  # it goes on as if nothing had been
    return {
        "rate": rate,
        "at_1": once.to_dict(),
        "at_3": thrice.to_dict(),
        "times": round(thrice.percentile(0.99) / once.percentile(0.99), 2),
        "unanswered": thrice.statuses.get(-1, 0),
        "after": after.to_dict(),
        "processor_seconds": {name: round(value, 1) for name, value in processor.items()},
    }


def mixed(task: Task, __: dict[str, Any]) -> dict[str, Any]:
    """Mixed requests from 64 clients, each answer compared with the local pipeline's; then memory, after many more."""
    from tagline.predict.pipeline import pipeline

    draw, source = random.Random(1), texts()
    # f32 on both sides: in bf16 the last digits depend on what shares a batch, and with them a label that is in doubt.
    local = pipeline("ner", task.folder, precision="f32")
    asked, wanted, light = [], [], []
    for _ in range(min(1000, task.requests)):
        chosen = draw.choices(source, k=draw.choice([1, 1, 1, 1, 2, 4]))
        if draw.random() < 0.02:
            chosen = [" ".join(draw.choices(source, k=40))]
        parameters: dict[str, Any] = {"aggregation_strategy": draw.choice(["none", "simple", "first", "average"])}
        if draw.random() < 0.2:
            parameters["stride"] = 16
        asked.append(json.dumps({"inputs": chosen, "parameters": parameters}).encode())
        wanted.append(local(chosen, **parameters))
        if len(chosen) == 1 and len(chosen[0]) < 500:
            light.append(asked[-1])
    wrong: list[int] = []
    with ours(task.folder, "--precision", "f32", "--max-wait", "60", "--timeout", "120") as server:
        tally = Client(server.port, PATH, asked, comparing(wanted, _same, wrong)).closed(64, requests=task.requests)
        before = server.memory()
        again = Client(server.port, PATH, light).closed(64, requests=task.further)
        after = server.memory()
    return {
        "requests": task.requests,
        "wrong": len(wrong),
        "lost": task.requests - tally.statuses.get(200, 0),
        **tally.to_dict(),
        "further": {"requests": task.further, **again.to_dict()},
        "memory_mb": round(before, 1),
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


def restart(task: Task, __: dict[str, Any]) -> dict[str, Any]:
    """SIGHUP, a killed worker and SIGTERM, each under load: requests without an answer, seconds to serve again."""
    found: dict[str, Any] = {}
    signals: tuple[tuple[str, Callable[[Ours], float]], ...] = (("SIGHUP", _hup), ("kill", _kill), ("SIGTERM", _term))
    for name, act in signals:
        with ours(task.folder, "--max-wait", "30", *task.options) as server:
            client, tallies = Client(server.port, PATH, bodies()), []
            asking = threading.Thread(target=lambda: tallies.append(client.closed(16, 8.0)))  # noqa: B023 (ends below)
            asking.start()
            time.sleep(2)
            seconds = act(server)
            asking.join()
        found[name] = {
            "seconds": round(seconds, 2),
            "unanswered": tallies[0].statuses.get(-1, 0),
            **tallies[0].to_dict(),
        }
    return found


def _hup(server: Ours) -> float:
    started = time.perf_counter()
    server.process.send_signal(signal.SIGHUP)
    while not server.reloads:
        time.sleep(0.01)
    return time.perf_counter() - started


def _kill(server: Ours) -> float:
    started = time.perf_counter()
    os.kill(server.worker, signal.SIGKILL)
    server.wait(2)
    Client(server.port, PATH, [b'{"inputs": "Is anybody there?"}']).closed(1, requests=1)
    return time.perf_counter() - started


def _term(server: Ours) -> float:
    started = time.perf_counter()
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(60)
    return time.perf_counter() - started


PARTS: dict[str, Callable[[Task, dict[str, Any]], dict[str, Any]]] = {
    "ramp": ramp, "saturation": saturation, "overload": overload, "mixed": mixed, "restart": restart,
}  # fmt: skip


def main() -> None:
    """Measures what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a model of entities")
    parser.add_argument("--only", nargs="+", choices=[*PARTS, "memory"], default=list(PARTS), help="memory: see mixed")
    parser.add_argument("--precision", default="auto", help="of our server, but for the compared requests")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each point of a curve")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--further", type=int, default=50_000)
    given = parser.parse_args()
    task = Task(given.folder, ("--precision", given.precision), given.seconds, given.requests, given.further)
    found: dict[str, Any] = json.loads(STORE.read_text(encoding="utf-8")) if STORE.is_file() else {}
    OUT.mkdir(parents=True, exist_ok=True)
    for part in dict.fromkeys("mixed" if each == "memory" else each for each in given.only):
        started = time.perf_counter()
        figures = PARTS[part](task, found)
        seconds = round(time.perf_counter() - started)
        found[part] = {
            "machine": machine(),
            "model": task.folder.name,
            "precision": given.precision,
            "seconds": seconds,
            "figures": figures,
        }
        print(part, json.dumps(found[part], indent=1), flush=True)
        STORE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        place("serving", serve_report.page(json.loads(STORE.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
