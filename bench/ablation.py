"""Trains the default recipe with single techniques switched on, or off where the recipe has them; dev scores only.

    python bench/ablation.py wnut16 conll2003 --defaults     what the recipe has, each left away alone
    python bench/ablation.py wnut16 --seeds 1 2 3
    python bench/ablation.py conll2003 --seeds 1 --only "EMA 0.99" "R-Drop 1" --also 'slow={"learning_rate": 1e-4}'

One JSON line a run goes to build/ablation/runs.jsonl; a run that stands there with the same settings is not made again.
Test data are not read. Leaving decoding by legal sequences away needs no training: the recipe's own models, which were
the best epochs by such decoding, are decoded both ways in f32. The tables go into bench/RESULTS.md.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import statistics
import time
import warnings
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")

from accuracy import FILES
from common import BUILD, DATA, keep, place, records, trainings

if TYPE_CHECKING:
    from tagline.train.fit import Fitted
    from tagline.train.tokens.prepare import PreparedTokens

OUT = BUILD / "ablation"
RUNS = OUT / "runs.jsonl"
DEFAULT = "the recipe"


@dataclass(frozen=True)
class Technique:
    """Something that can be switched.

    Attributes:
        name: what the table calls it.
        on: settings that have it.
        off: settings that do not.
    """

    name: str
    on: dict[str, Any]
    off: dict[str, Any] = field(default_factory=dict)

    def within(self, recipe: dict[str, Any]) -> bool:
        """Whether the recipe has it."""
        return all(recipe[name] == value for name, value in self.on.items())

    def switched(self, recipe: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """What the table calls the run that switches it, and the changes to the recipe."""
        if self.within(recipe):
            return f"without {self.name}", self.off
        return f"with {self.name}", self.on


TECHNIQUES = (
    Technique("word shapes", {"shapes": None}, {"shapes": False}),
    Technique("names of the training data", {"train_names": None}, {"train_names": False}),
    Technique("frozen word embeddings", {"freeze_embeddings": True}, {"freeze_embeddings": False}),
    Technique("rate 2e-4 (5e-5)", {"learning_rate": 2e-4}, {"learning_rate": 5e-5}),
    Technique("own rate of the head", {"head_learning_rate": 1e-3}, {"head_learning_rate": 2e-4}),
    Technique("epochs by size (3)", {"epochs": 0}, {"epochs": 3}),
    Technique("warm-up", {"warmup": 0.1}, {"warmup": 0.0}),
    Technique("weight decay 0.01", {"weight_decay": 0.01}, {"weight_decay": 0.0}),
    Technique("CRF", {"head": "crf"}, {"head": "linear"}),
    Technique("EMA 0.99", {"ema": 0.99}, {"ema": 0.0}),
    Technique("EMA 0.999", {"ema": 0.999}, {"ema": 0.0}),
    Technique("layer decay 0.9", {"layer_decay": 0.9}, {"layer_decay": 1.0}),
    Technique("R-Drop 1", {"rdrop": 1.0}, {"rdrop": 0.0}),
    Technique("R-Drop 4", {"rdrop": 4.0}, {"rdrop": 0.0}),
    Technique("label smoothing 0.1", {"label_smoothing": 0.1}, {"label_smoothing": None}),
    Technique("focal loss 2", {"focal_gamma": 2.0}, {"focal_gamma": 0.0}),
    Technique("balanced class weights", {"class_weights": "balanced"}, {"class_weights": ""}),
    Technique("mix of 4 layers", {"mix_layers": 4}, {"mix_layers": 0}),
    Technique("2 frozen layers", {"freeze_layers": 2}, {"freeze_layers": 0}),
    Technique("LoRA 16", {"lora": 16, "learning_rate": 1e-3}, {"lora": 0}),
    Technique("dropout 0.2", {"dropout": 0.2}, {"dropout": None}),
    Technique("labels on all sub-tokens", {"subtokens": "all"}, {"subtokens": "first"}),
    Technique("64 sub-tokens of context", {"context": 64}, {"context": 0}),
    Technique("cosine schedule", {"scheduler": "cosine"}, {"scheduler": "linear"}),
)


def run(corpus: str, name: str, changes: dict[str, Any], seed: int, threads: int) -> dict[str, Any]:
    """One training's best dev score, from the file of runs where it stands there."""
    from tagline.data.corpus import read_corpus
    from tagline.train.fit import fit
    from tagline.train.tokens.prepare import prepare_tokens
    from tagline.train.tokens.settings import TokenSettings

    settings = replace(TokenSettings(seed=seed, threads=threads, calibrate=False), **changes)
    facts = {key: value for key, value in settings.to_dict().items() if key not in ("threads", "calibrate")}
    for made in records(RUNS):
        if made["corpus"] == corpus and made["settings"] == facts:
            return {**made, "name": name}
    train, dev = (read_corpus(DATA / corpus / file) for file in FILES[corpus][:2])
    work = OUT / f"{corpus}-{os.getpid()}.training"
    started = time.process_time()
    fitted = fit(prepare_tokens(train, dev, settings), settings, work)
    shutil.rmtree(work, ignore_errors=True)
    seconds = time.process_time() - started
    record = {
        "corpus": corpus, "seed": seed, "dev_f1": fitted.dev_score, "seconds": seconds, "settings": facts,
        "decoded": decoded(fitted) if name == DEFAULT and settings.head == "linear" else None,
    }  # fmt: skip
    keep(RUNS, record)
    return {**record, "name": name}


def decoded(fitted: Fitted[PreparedTokens]) -> dict[str, float]:
    """Dev F1 of one model's emissions, in f32, by the best legal sequence and by each word's best tag."""
    import torch

    from tagline.text.decoding import Decoder

    prepared, score = fitted.prepared, fitted.prepared.scorer()
    assert score is not None
    with torch.inference_mode():
        emissions = [
            SimpleNamespace(predictions=fitted.model(**{**batch, "labels": None}).logits.numpy())
            for batch in map(score.batches.__getitem__, range(len(score.batches)))
        ]
    found = {}
    for way, constrained in (("constrained", True), ("argmax", False)):
        score.decoder = Decoder(prepared.labels, prepared.scheme, constrained=constrained)
        for each in emissions[:-1]:
            score(each, compute_result=False)
        found[way] = score(emissions[-1])["f1"]
    return found


def table(corpus: str, found: list[dict[str, Any]]) -> str:
    """One corpus's runs: mean over seeds, and what each technique changes, seed by seed."""
    base = {each["seed"]: each for each in found if each["name"] == DEFAULT}
    lines = [
        f"**{corpus}**, {len(base)} seeds ({', '.join(map(str, sorted(base)))}), strict F1 on dev of the best epoch:\n",
        "| recipe | dev F1 | change | seeds better | processor time |\n|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(each["name"] for each in found):
        own = {each["seed"]: each for each in found if each["name"] == name}
        scores = [100 * each["dev_f1"] for each in own.values()]
        changes = [100 * (each["dev_f1"] - base[seed]["dev_f1"]) for seed, each in own.items()]
        time_share = sum(each["seconds"] for each in own.values()) / sum(base[seed]["seconds"] for seed in own)
        spread = f" ± {statistics.stdev(scores):.2f}" if len(scores) > 1 else ""
        change = better = ""
        if name != DEFAULT:
            deviation = f" ± {statistics.stdev(changes):.2f}" if len(changes) > 1 else ""
            change = f"{statistics.mean(changes):+.2f}{deviation}"
            better = f"{sum(each > 0 for each in changes)} of {len(changes)}"
        lines.append(f"| {name} | {statistics.mean(scores):.2f}{spread} | {change} | {better} | {time_share:.2f} |")
    ways = [each.get("decoded") for each in base.values()]
    if all(ways):
        lines.append(undecoded(ways))
    return "\n".join(lines) + "\n"


def undecoded(ways: list[Any]) -> str:
    """The line of the recipe's own models, decoded word by word."""
    scores = [100 * each["argmax"] for each in ways]
    kept = [100 * each["constrained"] for each in ways]
    changes = [score - with_it for score, with_it in zip(scores, kept, strict=True)]
    several = len(ways) > 1
    spread, deviation = (f" ± {statistics.stdev(each):.2f}" if several else "" for each in (scores, changes))
    return (
        f"| without decoding by legal sequences (with it, in f32: {statistics.mean(kept):.2f}) | "
        f"{statistics.mean(scores):.2f}{spread} | "
        f"{statistics.mean(changes):+.2f}{deviation} | {sum(each > 0 for each in changes)} of {len(changes)} | 1.00 |"
    )


def main() -> None:
    """Command line."""
    parser = trainings(__doc__, FILES)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--only", nargs="+", metavar="NAME", help="techniques by name; default: all")
    which.add_argument("--defaults", action="store_true", help="those that the recipe has")
    parser.add_argument("--also", nargs="+", default=[], metavar="NAME=JSON", help="further changes to the recipe")
    parser.add_argument("--base", type=json.loads, default={}, help="changes to the recipe in every run, as JSON")
    options = parser.parse_args()
    from tagline.errors import UsageError
    from tagline.train.tokens.settings import TokenSettings

    recipe = {**TokenSettings().__dict__, **options.base}
    known = {each.name: each for each in TECHNIQUES}
    if strange := set(options.only or ()) - known.keys():
        parser.error(f"no technique {', '.join(sorted(strange))}; there are {', '.join(known)}")
    wanted: list[tuple[str, dict[str, Any]]] = [(DEFAULT, {})]
    chosen = [each for each in TECHNIQUES if not options.only or each.name in options.only]
    wanted += [each.switched(recipe) for each in chosen if not options.defaults or each.within(recipe)]
    wanted += [(name, json.loads(changes)) for name, _, changes in (each.partition("=") for each in options.also)]
    tables = []
    for corpus in options.corpora:
        found = []
        for seed in options.seeds:
            for name, changes in wanted:
                try:
                    found.append(run(corpus, name, {**options.base, **changes}, seed, options.threads))
                except UsageError as error:  # context where no documents are marked, …
                    logging.info("%s, %s: left out: %s", corpus, name, error)
                    continue
                logging.info("%s seed %d, %s: dev F1 %.2f", corpus, seed, name, 100 * found[-1]["dev_f1"])
        tables.append(table(corpus, found))
    note = f" Every run has also {json.dumps(options.base)}." if options.base else ""
    heading = "## Techniques of training, one at a time\n\nBy `bench/ablation.py`, default encoder."
    place("ablation", "\n".join([heading + note + "\n", *tables]))


if __name__ == "__main__":
    main()
