"""Measures everything that the README speaks of and writes bench/RESULTS.md.

    python bench/run.py                       all of it (hours on two cores: it trains nine models)
    python bench/run.py --only speed rawtext  parts; the other parts keep their last figures

Figures go to build/bench/results.json; models that `accuracy` trained are taken from build/accuracy.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import accuracy as accuracy_runs
import audit
import memory
import rawtext
import report
import speed
import texts as text_runs
import textspeed
from common import BUILD, OUT, machine

SEEDS = (1, 2, 3)
REPEATS = 5


def model(name: str = "conll2003", seed: int = 1) -> Path:
    """A model of the accuracy part."""
    folder = accuracy_runs.OUT / f"{name}-{seed}"
    if not folder.is_dir():
        sys.exit(f"bench: {folder} is not there yet; type: python bench/run.py --only accuracy")
    return folder


def accuracy() -> dict[str, Any]:
    """Three corpora, three seeds."""
    accuracy_runs.OUT.mkdir(parents=True, exist_ok=True)
    return {
        name: [accuracy_runs.run(name, seed, threads=0, changes={}) for seed in SEEDS] for name in accuracy_runs.FILES
    }


def texts() -> dict[str, Any]:
    """Four corpora of labelled texts, three seeds."""
    text_runs.OUT.mkdir(parents=True, exist_ok=True)
    return {name: [text_runs.run(name, seed, threads=0, changes={}) for seed in SEEDS] for name in text_runs.FILES}


def text_speed() -> dict[str, Any]:
    """Texts per second on SST-2 test."""
    folder = text_runs.OUT / "sst2-1"
    if not folder.is_dir():
        sys.exit(f"bench: {folder} is not there yet; type: python bench/run.py --only texts")
    return textspeed.throughput(folder, REPEATS)


def raw_text() -> list[dict[str, Any]]:
    """Raw text against gold words, each seed."""
    return [rawtext.compare(model(seed=seed), "conll2003") for seed in SEEDS]


def memory_use() -> list[dict[str, Any]]:
    """10 MB with the real model; 200 MB with a tiny one, where only the road around the engine works."""
    tiny = memory.tiny_model(BUILD / "bench" / "tiny-model")
    return [memory.measure(model(), 10), memory.measure(tiny, 200)]


PARTS: dict[str, Callable[[], Any]] = {
    "accuracy": accuracy,
    "texts": texts,
    "rawtext": raw_text,
    "speed": lambda: speed.throughput(model(), REPEATS),
    "textspeed": text_speed,
    "start": lambda: speed.start(model(), REPEATS),
    "memory": memory_use,
    "audit": audit.measure,
}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    chosen = parser.parse_args().only
    OUT.mkdir(parents=True, exist_ok=True)
    store = OUT / "results.json"
    results: dict[str, Any] = json.loads(store.read_text()) if store.is_file() else {}
    for name in chosen:
        print(f"bench: {name}", flush=True)
        results[name] = {"machine": machine(), "figures": PARTS[name]()}
        store.write_text(json.dumps(results, indent=1))
        report.write(results)
    print("bench: see bench/RESULTS.md")


if __name__ == "__main__":
    main()
