"""One text at a time, one process at a time: latency, start, size, batch mates, very long texts."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from peers.driver import WORK, Running, interleaved, settings
from peers.environments import CORE, environment, installed_bytes
from peers.lineup import BEST, DEFAULTS, make_graphs, opened
from peers.measuring import Asked, write_texts

SENTENCE = "Mark Zuckerberg founded Facebook in Palo Alto, and John Parker moved to New York."
_PIPELINE = (
    "import sys, warnings; warnings.filterwarnings('ignore'); from transformers import pipeline; "
    "ner = pipeline('token-classification', model=sys.argv[1], aggregation_strategy='simple'); print(ner(sys.argv[2]))"
)
_OURS = "import sys, tagline; print(tagline.load(sys.argv[1])(sys.argv[2]).entities)"
_LATENCY_TEXTS, _LONG = 200, (1_000_000, 10_000_000)


def latency(asked: Asked) -> dict[str, Any]:
    """Seconds of each of 200 sentences, one after another."""
    make_graphs(asked.model)
    texts = asked.texts()
    step = max(1, len(texts) // _LATENCY_TEXTS)
    file = write_texts("latency", texts[::step][:_LATENCY_TEXTS], asked.model)
    missing: dict[str, str] = {}
    left = (BEST, "Optimum", "compiled", "spaCy", "Flair")
    entries = [each for each in asked.entries() if not any(part in each.name for part in left)]
    with opened(entries, asked.threads, missing.__setitem__) as opened_ones:
        running = {name: process for name, (_, process) in opened_ones.items()}
        paths = dict.fromkeys(running, file.path)
        interleaved(running, paths, 1, "each")  # does not count
        seconds = interleaved(running, paths, asked.rounds, "each")
    return {"texts": len(file.texts), "seconds": seconds, "missing": missing, "base": DEFAULTS}


def start(asked: Asked) -> dict[str, Any]:
    """Seconds of whole processes that read one sentence, in turn."""
    core, pipeline, folder = environment(CORE), environment("transformers"), str(asked.model)
    cache = WORK / "empty-cache"
    commands = {
        "tagline predict --text": [str(core.with_name("tagline")), "predict", folder, "--text", SENTENCE],
        "tagline.load in Python": [str(core), "-c", _OURS, folder, SENTENCE],
        "tagline.load in Python, nothing cached": [str(core), "-c", _OURS, folder, SENTENCE],
        "transformers pipeline": [str(pipeline), "-c", _PIPELINE, folder, SENTENCE],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(asked.rounds + 1):
        for name, command in commands.items():
            around = settings(asked.threads)
            del around["PYTHONPATH"]
            if "nothing" in name:
                shutil.rmtree(cache, ignore_errors=True)
                around["TAGLINE_CACHE"] = str(cache)
            begun = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=around, cwd=WORK)
            if number:  # the first brings the files from the disk
                seconds[name].append(time.perf_counter() - begun)
    return {"seconds": seconds, "base": "transformers pipeline"}


def size(asked: Asked) -> dict[str, Any]:
    """Bytes on disk of what `pip install .` brings, and of what the pipeline needs."""
    del asked
    return {name: installed_bytes(environment(name)) for name in (CORE, "transformers")}


def mates(asked: Asked) -> dict[str, Any]:
    """Whether a text's entities depend on what it is batched with: alone, all at once, shuffled in large batches."""
    texts = asked.texts()[::2]
    order = list(range(len(texts)))
    random.Random(1).shuffle(order)
    straight = write_texts("mates", texts, asked.model).path
    shuffled = write_texts("mates-shuffled", [texts[number] for number in order], asked.model).path
    found: dict[str, Any] = {}
    for entry in asked.entries():
        if entry.kind != "ours":
            continue
        ways = []
        for way, file, options in (
            ("each", straight, {}), ("run", straight, {}), ("run", shuffled, {"batch_tokens": 4096}),
        ):  # fmt: skip
            python, given = environment(CORE), {**entry.options, **options}
            with Running(entry.name, python, entry.module, given, asked.threads) as process:
                spans = _spans(process, way, file)
            if file == shuffled:
                back = dict(zip(order, spans, strict=True))
                spans = [back[number] for number in range(len(order))]
            ways.append([{(number, *span) for span in each} for number, each in enumerate(spans)])
        sets = [set().union(*way) for way in ways]
        everywhere, anywhere = set.intersection(*sets), set.union(*sets)
        texts_alike = sum(one == two == three for one, two, three in zip(*ways, strict=True))
        found[entry.name] = {"spans": len(anywhere), "same": len(everywhere), "texts": len(texts),
                             "texts_alike": texts_alike}  # fmt: skip
    return found


def _spans(process: Running, way: str, file: Path) -> list[list[tuple[str, int, int]]]:
    answers = WORK / "answers" / "mates.json"
    answers.parent.mkdir(parents=True, exist_ok=True)
    process.order(way, texts=str(file), answers=str(answers))
    found = json.loads(answers.read_text(encoding="utf-8"))
    return [[(label, start, end) for label, start, end in each] for each in found]


def long_text(asked: Asked) -> dict[str, Any]:
    """One text of a million characters and one of ten millions: seconds, memory, entities."""
    page = " ".join(asked.texts())
    entry = next(each for each in asked.entries(int8=False) if each.kind == "ours")
    found: dict[str, Any] = {"precision": entry.options["precision"], "texts": {}}
    for characters in _LONG if not asked.limit else [each // 100 for each in _LONG]:
        text = (page + " ") * (characters // len(page) + 1)
        file = write_texts(f"long-{characters}", [text[:characters]], asked.model)
        with Running(entry.name, environment(CORE), entry.module, entry.options, asked.threads) as process:
            before = process.peak_mb()
            answer = process.order("run", texts=str(file.path))
            found["texts"][str(characters)] = {
                "seconds": answer["seconds"], "entities": answer["entities"], "subtokens": file.total,
                "peak_mb": process.peak_mb(), "before_mb": before,
            }  # fmt: skip
    return found
