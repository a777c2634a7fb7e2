"""Tagline against its peers in one interleaved run: speed, share of the machine, latency, start, size, training.

    python bench/engines.py build/accuracy/conll2003-3             everything; makes what it needs first
    python bench/engines.py MODEL --only rates latency --rounds 5  parts; the others keep their last figures
    python bench/engines.py MODEL --only peers                     only installs the peers and makes graphs

Each part writes build/bench/engines/PART.json as soon as it is measured; `engines_report.py` makes the tables and the
plot from these files. `--limit N` takes the first N texts, to try the whole out: its figures go to PART.trial.json,
which `engines_report.py --trial` prints.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import engines_report
from common import BUILD, machine
from peers import labelling, rating, single, training
from peers.driver import WORK
from peers.environments import Missing
from peers.measuring import Asked

PARTS: dict[str, Callable[[Asked], dict[str, Any]]] = {
    "peers": rating.prepare,
    "rates": rating.rates,
    "lengths": rating.lengths,
    "base": rating.base,
    "latency": single.latency,
    "start": single.start,
    "size": single.size,
    "mates": single.mates,
    "long": single.long_text,
    "labels": labelling.labels,
    "train": training.rates,
    "train-f1": training.scores,
}
SLOW = ("train", "train-f1")
"""Only when asked for by name: `train-f1` takes half an hour, and `bench/training.py` times training more finely."""


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?", default=BUILD / "accuracy" / "conll2003-3")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=[each for each in PARTS if each not in SLOW])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=int, default=0, help="the first N texts; 0: all")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--without", nargs="+", default=[], help="peers to leave out, by a part of their name")
    options = parser.parse_args()
    asked = Asked(options.model.resolve(), options.rounds, options.limit, options.threads, tuple(options.without))
    WORK.mkdir(parents=True, exist_ok=True)
    measure(asked, options.only)


def measure(asked: Asked, names: list[str]) -> None:
    """Measures parts one after the other; the report is made anew after each."""
    for name in names:
        print(f"bench: {name}", flush=True)
        started = time.perf_counter()
        try:
            figures = PARTS[name](asked)
        except Missing as reason:  # the other parts can still be measured
            print(f"bench: {name} could not be measured: {reason}", flush=True)
            continue
        took = time.perf_counter() - started
        record = {"machine": machine(), "model": asked.model.name, "rounds": asked.rounds, "limit": asked.limit,
                  "threads": asked.threads, "took": took, "figures": figures}  # fmt: skip
        kept = f"{name}.trial.json" if asked.limit else f"{name}.json"
        (WORK / kept).write_text(json.dumps(record, indent=1), encoding="utf-8")
        print(f"bench: {name} took {took:.0f} s", flush=True)
    if not asked.limit:
        engines_report.write(engines_report.read())


if __name__ == "__main__":
    main()
