"""Throughput: sub-tokens a second, on sentences, on texts of several lengths, and with a larger encoder."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from common import OUT
from peers.driver import WORK, Running, interleaved
from peers.environments import Missing, environment
from peers.lineup import DEFAULTS, Entry, make_graphs, opened
from peers.measuring import Asked, TextFile, write_texts
from shapes import base_model, config_of, operations, texts_of

LENGTHS = (20, 200, 2000)
ROWS = (512, 1024, 2048)
_LEFT_OF_BASE = ("optimum", "spacy", "flair")
_LEFT_OF_LENGTHS = ("optimum", "spacy", "flair", "runtime f32")
_ONE_REQUEST = "OpenVINO bf16"
# One in so many texts is read, by peers that are fast and by those that are slow: see what `bench/engines.py` takes.
_FAST, _SLOW = 2, 12
_FEWER_OF_BASE, _FEWER_OF_LENGTHS = 12, 4  # before that
_SWEPT = 4  # of what a peer reads, to choose its setting from
Peers = dict[str, tuple[Entry, Running]]


def prepare(asked: Asked) -> dict[str, Any]:
    """Installs all environments and makes all graphs; what cannot be had is listed with the reason."""
    missing: dict[str, str] = {}
    for name in sorted({entry.environment for entry in asked.entries()}):
        try:
            environment(name)
        except Missing as reason:
            missing[name] = str(reason)
    for model in (asked.model, base_model(OUT / "bert-base-random")):
        make_graphs(model)
    return {"missing": missing, "environments": sorted({entry.environment for entry in asked.entries()})}


def rates(asked: Asked) -> dict[str, Any]:
    """Sentences of CoNLL-2003 test: rates, the machine's own rate in the same rounds, and whose answers are alike."""
    make_graphs(asked.model)
    return _measured(asked, asked.model, asked.entries(), asked.texts())


def base(asked: Asked) -> dict[str, Any]:
    """The same with the shape of BERT base, on fewer sentences; batches as large as `rates` mostly finds best."""
    model = base_model(OUT / "bert-base-random")
    make_graphs(model)
    kept = [
        replace(entry, sweep=(8, 32) if entry.sweep and entry.slow else ())
        for entry in asked.entries(model)
        if not any(part in entry.name.lower() for part in _LEFT_OF_BASE)
    ]
    return _measured(asked, model, kept, _every(asked.texts(), _FEWER_OF_BASE))


def lengths(asked: Asked) -> dict[str, Any]:
    """Texts of 20, 200 and 2,000 words, on a part of the words, for some of the peers."""
    make_graphs(asked.model)
    missing: dict[str, str] = {}
    found: dict[str, Any] = {}
    entries = [
        replace(
            entry,
            options={**entry.options, **({"stride": 63} if "pipeline" in entry.module else {})},
            sweep=(4, 16, 64) if entry.sweep and entry.slow else entry.sweep[:2],
        )
        for entry in asked.entries()
        if not any(part in entry.name.lower() for part in _LEFT_OF_LENGTHS) and entry.name != _ONE_REQUEST
    ]
    with opened(entries, asked.threads, missing.__setitem__) as running:
        for words in LENGTHS:
            texts = _every(texts_of(words, asked.texts()), _FEWER_OF_LENGTHS)
            begun = time.perf_counter()
            found[str(words)] = _rounds(asked, running, texts, f"words{words}", missing)
            print(f"bench: {words} words took {time.perf_counter() - begun:.0f} s", flush=True)
    return {"words": found, "missing": missing}


def _measured(asked: Asked, model: Path, entries: Sequence[Entry], texts: Sequence[str]) -> dict[str, Any]:
    missing: dict[str, str] = {}
    with opened(entries, asked.threads, missing.__setitem__) as running:
        products = _products(asked, model, missing)
        try:
            found = _rounds(replace(asked, model=model), running, texts, f"{model.name}-test", missing, products)
        finally:
            for each in products.values():
                each.close()
    return {**found, "missing": missing}


def _rounds(
    asked: Asked, running: Peers, texts: Sequence[str], name: str, missing: dict[str, str],
    products: dict[str, Running] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Chooses settings, warms up, and measures in turn."""
    files = {slow: write_texts(f"{name}-{share}", _every(texts, share), asked.model)
             for slow, share in ((False, _FAST), (True, _SLOW))}  # fmt: skip
    fewer = write_texts(f"{name}-sweep", _every(files[False].texts, _SWEPT), asked.model)
    chosen: dict[str, Any] = {}
    for peer, (entry, process) in list(running.items()):
        try:
            chosen[peer] = _warm(entry, process, files[entry.slow], files[True] if entry.slow else fewer, name)
        except Missing as reason:
            missing[peer] = str(reason)
            del running[peer]
    seconds: dict[str, list[float]] = {peer: [] for peer in running}
    machine: dict[str, list[float]] = {f"{peer}, {rows} rows": [] for peer in products or {} for rows in ROWS}
    paths = {peer: files[entry.slow].path for peer, (entry, _) in running.items()}
    for _ in range(asked.rounds):
        turn = {peer: each for peer, (_, each) in running.items()}
        for peer, once in interleaved(turn, paths, 1).items():
            seconds[peer] += once
        paths = dict([*list(paths.items())[1:], *list(paths.items())[:1]])  # another one begins
        for peer, process in (products or {}).items():
            for rows in ROWS:
                machine[f"{peer}, {rows} rows"].append(process.order("products", rows=rows)["rate"])
    config = config_of(asked.model)
    return {
        "peers": {
            peer: {
                **chosen[peer], "kind": entry.kind, "slow": entry.slow, "seconds": seconds[peer],
                "texts": len(files[entry.slow].texts), "subtokens": files[entry.slow].total,
                "operations": operations(config, files[entry.slow].lengths), "versions": process.facts["versions"],
                "peak_mb": process.peak_mb(),
            }
            for peer, (entry, process) in running.items()
        },
        "machine_rates": machine,
        "same": _alike(name, running, files),
    }  # fmt: skip


def _every(texts: Sequence[str], share: int) -> list[str]:
    """Every `share`-th text, but of a few long ones at least two."""
    return list(texts[:: max(1, min(share, len(texts) // 2))])


def _warm(entry: Entry, process: Running, file: TextFile, fewer: TextFile, name: str) -> dict[str, Any]:
    """Reads once what does not count (and keeps the answers); before that finds the quickest setting."""
    tried: dict[int, float] = {}
    for value in entry.sweep:
        process.order("set", value=value)
        if entry.kind == "padded":
            process.order("run", texts=str(fewer.path))  # engines make themselves ready for each new shape
        tried[value] = process.order("run", texts=str(fewer.path))["seconds"]
    best = min(tried, key=lambda value: tried[value]) if tried else None
    if best is not None:
        process.order("set", value=best)
    answers = WORK / "answers" / f"{name}-{process.log.stem}.json"
    answers.parent.mkdir(parents=True, exist_ok=True)
    process.order("run", texts=str(file.path), answers=str(answers))
    return {"setting": best, "tried": tried, "answers": str(answers)}


def _alike(name: str, running: Peers, files: dict[bool, TextFile]) -> dict[str, float]:
    """Share of the texts in which a peer finds what the pipeline with its defaults finds."""
    if DEFAULTS not in running:
        return {}
    found = {
        peer: dict(zip(files[entry.slow].texts, json.loads((WORK / "answers" / f"{name}-{process.log.stem}.json")
                   .read_text(encoding="utf-8")), strict=True))
        for peer, (entry, process) in running.items()
    }  # fmt: skip
    base, result = found[DEFAULTS], {}
    for peer, answers in found.items():
        shared = [text for text in base if text in answers]
        result[peer] = sum(base[text] == answers[text] for text in shared) / len(shared) if shared else 0.0
    return result


def _products(asked: Asked, model: Path, missing: dict[str, str]) -> dict[str, Running]:
    """The two libraries that say how fast this machine multiplies."""
    config, found = config_of(model), {}
    for engine, name in (("torch", "transformers"), ("openvino", "openvino")):
        title = f"matrix products, {engine}"
        options = {"engine": engine, "hidden": config["hidden_size"], "intermediate": config["intermediate_size"]}
        try:
            found[title] = Running(title, environment(name), "products", options, asked.threads)
        except Missing as reason:
            missing[title] = str(reason)
    return found
