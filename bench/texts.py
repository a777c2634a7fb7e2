"""Trains the default recipe of text classification on real corpora over several seeds and judges dev and test.

    python bench/texts.py sst2 sms-spam mrpc goemotions --seeds 1 2 3

Each run is the road of `tagline train`: models go to build/texts/CORPUS-SEED, one JSON line a run to
build/texts/runs.jsonl. A run whose model is there already is judged anew only.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")

if TYPE_CHECKING:
    from tagline.data.texts.options import TextOptions

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("TAGLINE_DATA", ROOT.parent / "shared" / "data"))
OUT = ROOT / "build" / "texts"
FILES: dict[str, dict[str, str]] = {
    "sst2": {"train": "train.tsv", "dev": "dev.tsv", "test": "test.tsv"},
    "sms-spam": {"train": "SMSSpamCollection"},  # split 80/10/10 by the seed, duplicates removed
    "mrpc": {"train": "msr_paraphrase_train.txt", "test": "msr_paraphrase_test.txt"},  # a tenth of train is dev
    "goemotions": {"train": "train.tsv", "dev": "dev.tsv", "test": "test.tsv"},
}

SETTINGS: dict[str, dict[str, Any]] = {"goemotions": {"epochs": 1, "learning_rate": 1e-4}}
"""Where the defaults are not taken: 43,000 comments in one pass, for time; the rate from one run on dev."""


def reading(name: str) -> TextOptions:
    """How a corpus is read."""
    from tagline.data.texts.options import TextOptions

    return {
        "sst2": TextOptions(text_column=0, label_column=1, header=False),
        "sms-spam": TextOptions(text_column=1, label_column=0, header=False),
        "mrpc": TextOptions(text_column=3, pair_column=4, label_column=0, header=True),
        "goemotions": TextOptions(
            text_column=0,
            label_column=1,
            header=False,
            label_separator=",",
            label_names=DATA / "goemotions" / "labels.txt",
        ),
    }[name]


def run(name: str, seed: int, threads: int, changes: dict[str, Any]) -> dict[str, Any]:
    """One training and its scores."""
    from tagline.cli.train_texts import train_texts
    from tagline.cli.training import Place, Run
    from tagline.folder import ModelFolder
    from tagline.train.texts.settings import TextSettings

    target = OUT / f"{name}-{seed}"
    seconds = None
    if not target.exists():
        chosen = {**SETTINGS.get(name, {}), **changes}
        settings = replace(TextSettings(seed=seed, threads=threads), **chosen)
        files = {role: DATA / name / file for role, file in FILES[name].items()}
        work = target.with_name(target.name + ".training")
        started = time.perf_counter()
        train_texts(Run(files, target, work, Place(overwrite=True)), settings, reading(name), None)
        seconds = time.perf_counter() - started
    manifest = ModelFolder.open(target).manifest
    record = {"corpus": name, "seed": seed, "seconds": seconds, **manifest.metrics}
    with (OUT / "runs.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    return record


def figures(record: dict[str, Any], role: str) -> dict[str, float]:
    """The figures that are asked of a corpus, in percent."""
    report = record[role]
    found = {
        "sst2": lambda: {"accuracy": report["accuracy"]},
        "sms-spam": lambda: {"F1 of spam": report["classes"]["spam"]["f1"]},
        "mrpc": lambda: {"accuracy": report["accuracy"], "F1": report["classes"]["1"]["f1"]},
        "goemotions": lambda: {"macro F1": report["macro"]["f1"], "micro F1": report["micro"]["f1"]},
    }[record["corpus"]]()
    return {name: 100 * value for name, value in found.items()}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", choices=sorted(FILES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--settings", type=json.loads, default={}, help="changes to the defaults, as JSON")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    for name in options.corpora:
        for seed in options.seeds:
            record = run(name, seed, options.threads, options.settings)
            shown = {role: figures(record, role) for role in ("dev", "test")}
            print(name, "seed", seed, json.dumps(shown), f"{record['seconds']} s", flush=True)


if __name__ == "__main__":
    main()
