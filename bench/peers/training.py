"""Training: real sub-tokens a second of `tagline train` against a Trainer script in the manner of run_ner.py."""

from __future__ import annotations

import json
import sys
from typing import Any

from common import DATA, ROOT
from peers.driver import WORK
from peers.environments import environment
from peers.measuring import Asked
from peers.recipes import Recipe, encoder, judged, output

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
    """F1 on CoNLL-2003 test of the other script with its defaults, and with the sentences a step of ours; slow.

    The same runs as `bench/run_ner.py conll2003 --rates 5e-5 --batch 33` makes: what that has made already is taken.
    """
    known = WORK / "train.json"
    batch = json.loads(known.read_text())["figures"]["batch"] if known.is_file() else _SENTENCES_A_STEP
    recipe = Recipe("conll2003", 5e-5, batch)
    return {"runs": [judged(recipe, seed, "test", asked.threads) for seed in SEEDS], "batch": batch}


def _ours(sentences: int, threads: int) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "peers.train_tagline", str(sentences), str(threads)]
    return output(command, threads, {"PYTHONPATH": f"{ROOT / 'bench'}:{ROOT / 'src'}"})


def _theirs(asked: Asked, *arguments: str) -> dict[str, Any]:
    train = str(DATA / "conll2003" / "train.txt")
    command = [str(environment("transformers")), "-P", "-m", "peers.run_ner", encoder(), train]
    return output([*command, "--threads", str(asked.threads), *arguments], asked.threads)
