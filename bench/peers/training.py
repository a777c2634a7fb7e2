"""Training: real sub-tokens a second of `tagline train` against a Trainer script in the manner of run_ner.py."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common import DATA, ROOT
from peers.driver import WORK, settings
from peers.environments import Missing, environment
from peers.measuring import Asked

STEPS = 30
_MOST_ROUNDS = 3
SEEDS = (1, 2, 3)
_SENTENCES_A_STEP = 33  # of CoNLL-2003 in 640 sub-tokens; only to know how many sentences make so many steps


def rates(asked: Asked) -> dict[str, Any]:
    """Rounds of a few dozen steps each, in turn, on the same sentences; the first steps of each do not count."""
    sentences = asked.limit or STEPS * _SENTENCES_A_STEP
    runs: dict[str, list[dict[str, Any]]] = {"tagline train": [], "run_ner, f32": []}
    batch = 0
    for _ in range(min(asked.rounds, _MOST_ROUNDS)):
        ours = _ours(sentences, asked.threads)
        batch = batch or max(1, round(ours["sentences"] / ours["steps"]))
        runs["tagline train"].append(ours)
        runs["run_ner, f32"].append(_theirs(asked, "--sentences", str(sentences), "--batch", str(batch)))
    return {"runs": runs, "sentences": sentences, "batch": batch, "base": "run_ner, f32"}


def scores(asked: Asked) -> dict[str, Any]:
    """F1 on CoNLL-2003 test of the other script with its defaults, and with the sentences a step of ours; slow."""
    known = WORK / "train.json"
    batch = json.loads(known.read_text())["figures"]["batch"] if known.is_file() else 32
    runs = []
    for seed in SEEDS:
        given = ["--sentences", str(asked.limit), "--batch", str(batch), "--seed", str(seed), "--f1"]
        runs.append(_theirs(asked, *given))
        (WORK / "train-f1.partial.json").write_text(json.dumps(runs), encoding="utf-8")
    return {"runs": runs, "batch": batch}


def _ours(sentences: int, threads: int) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "peers.train_tagline", str(sentences), str(threads)]
    return _output(command, threads, {"PYTHONPATH": f"{ROOT / 'bench'}:{ROOT / 'src'}"})


def _theirs(asked: Asked, *arguments: str) -> dict[str, Any]:
    from tagline.models.encoders import resolve

    command = [str(environment("transformers")), "-P", "-m", "peers.run_ner", resolve("minilm"),
               str(DATA / "conll2003"), "--threads", str(asked.threads)]  # fmt: skip
    return _output([*command, *arguments], asked.threads)


def _output(command: list[str], threads: int, around: Mapping[str, str] | None = None) -> dict[str, Any]:
    log = Path(WORK / "logs" / "training.txt")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=errors, text=True,
                              env={**settings(threads), **(around or {})}, cwd=WORK)  # fmt: skip
    if done.returncode:
        raise Missing(f"{command[3]} has failed; see {log}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
