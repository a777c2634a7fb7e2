"""Runs of the run_ner-style script, kept: what was trained or judged once is only read again."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from accuracy import FILES
from common import DATA, OUT, keep, records
from peers.driver import WORK, settings
from peers.environments import Missing, environment

KEPT = OUT / "run_ner"
RUNS = KEPT / "runs.jsonl"
ROLES = ("train", "dev", "test")


@dataclass(frozen=True)
class Recipe:
    """What a run trains with.

    Attributes:
        corpus: a folder of the data.
        learning_rate: at the first step; it falls to zero.
        batch: sentences a step; the script's default is 8.
        bf16: the Trainer's bf16 in the place of f32.
    """

    corpus: str
    learning_rate: float = 5e-5
    batch: int = 8
    bf16: bool = False

    def named(self, seed: int) -> str:
        """The folder of a run's model."""
        return f"{self.corpus}-{self.batch}-{self.learning_rate:g}{'-bf16' if self.bf16 else ''}-{seed}"


def judged(recipe: Recipe, seed: int, role: str, threads: int) -> dict[str, Any]:
    """Strict F1 of a run on `dev` or `test`, trained first where it is not there; a line in `runs.jsonl`.

    Raises:
        Missing: the script failed.
    """
    key = {**asdict(recipe), "seed": seed, "role": role}
    for record in records(RUNS):
        if key.items() <= record.items():
            return record
    KEPT.mkdir(parents=True, exist_ok=True)
    command = [str(environment("transformers")), "-P", "-m", "peers.run_ner", encoder(), _file(recipe, "train"),
               "--batch", str(recipe.batch), "--learning-rate", str(recipe.learning_rate), "--seed", str(seed),
               "--into", str(KEPT / recipe.named(seed)), "--judge", _file(recipe, role),
               "--threads", str(threads)]  # fmt: skip
    record = {**output([*command, *(["--bf16"] if recipe.bf16 else [])], threads), **key}
    keep(RUNS, record)
    return record


def _file(recipe: Recipe, role: str) -> str:
    return str(DATA / recipe.corpus / FILES[recipe.corpus][ROLES.index(role)])


@cache
def encoder() -> str:
    """Where MiniLM lies."""
    from tagline.models.encoders import resolve

    return resolve("minilm")


def output(command: list[str], threads: int, around: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Runs a script and reads the JSON object on its last line.

    Raises:
        Missing: it failed.
    """
    log = Path(WORK / "logs" / "training.txt")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=errors, text=True,
                              env={**settings(threads), **(around or {})}, cwd=WORK)  # fmt: skip
    if done.returncode:
        raise Missing(f"{command[3]} has failed; see {log}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
