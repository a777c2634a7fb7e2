"""Trains the default recipe on a real corpus over several seeds and judges dev and test.

    python bench/accuracy.py conll2003 wnut16 conll2002-es --seeds 1 2 3

Each run is the road of `tagline train`: models go to build/accuracy/CORPUS-SEED, one JSON line a run to
build/accuracy/runs.jsonl. A run whose model is there already is judged only.
"""

from __future__ import annotations

import json
import logging
import os
import time
import warnings
from dataclasses import replace
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")

from common import DATA, ROOT, keep, trainings

FILES = {
    "conll2003": ("train.txt", "valid.txt", "test.txt"),
    "wnut16": ("train.txt", "dev.txt", "test.txt"),
    "conll2002-es": ("esp.train", "esp.testa", "esp.testb"),
}
OUT = ROOT / "build" / "accuracy"


def run(name: str, seed: int, threads: int, changes: dict[str, Any]) -> dict[str, Any]:
    """One training and its scores."""
    from tagline.data.corpus import read_corpus
    from tagline.engines.base import EngineSettings
    from tagline.predict.judging import judge
    from tagline.predict.tagger import Tagger
    from tagline.publish.write import Parts, write_model
    from tagline.train.fit import fit
    from tagline.train.provenance import manifest_of_tokens
    from tagline.train.tokens.prepare import prepare_tokens
    from tagline.train.tokens.settings import TokenSettings

    train, dev, test = (read_corpus(DATA / name / file) for file in FILES[name])
    settings = replace(TokenSettings(seed=seed, threads=threads), **changes)
    target = OUT / f"{name}-{seed}"
    seconds = None
    if not target.exists():
        started = time.perf_counter()
        prepared = prepare_tokens(train, dev, settings)
        fitted = fit(prepared, settings, OUT / f"{name}-{seed}.training")
        seconds = time.perf_counter() - started
        manifest = manifest_of_tokens(fitted, {"train": train, "dev": dev, "test": test})
        write_model(Parts(fitted.model, prepared.encoder.tokenizer, fitted.logs, prepared.files), manifest, target)
    tagger = Tagger.open(target, EngineSettings(threads=threads))
    scores = {role: judge(tagger, corpus).report.to_json() for role, corpus in (("dev", dev), ("test", test))}
    record = {"corpus": name, "seed": seed, "train_seconds": seconds, "precision": tagger.engine.precision, **scores}
    keep(OUT / "runs.jsonl", record)
    return record


def main() -> None:
    """Command line."""
    parser = trainings(__doc__, FILES)
    parser.add_argument("--settings", type=json.loads, default={}, help="changes to the defaults, as JSON")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    for name in options.corpora:
        for seed in options.seeds:
            record = run(name, seed, options.threads, options.settings)
            figures = {role: round(100 * record[role]["strict"]["f1"], 2) for role in ("dev", "test")}
            logging.info("%s seed %d: strict F1 %s, %s s", name, seed, figures, record["train_seconds"])


if __name__ == "__main__":
    main()
