"""F1 of a run_ner-style recipe with the encoder of ours: the Trainer's defaults, and its best of three learning rates.

    python bench/run_ner.py                                      both corpora, 3 epochs, 8 sentences a step, 3 seeds
    python bench/run_ner.py wnut16 --threads 1 --bf16            one corpus, faster
    python bench/run_ner.py conll2003 --rates 5e-5 --batch 33    the defaults with as many sentences a step as ours

To run in the background, in pieces (it may be killed at any time and goes on from the last whole epoch):

    nohup nice -n 10 .venv/bin/python bench/run_ner.py --threads 1 > build/run_ner.log 2>&1 &

Every rate is trained with the first seed; the one with the highest F1 on dev and the default are trained with all
seeds, and only these two are judged on test, once. Linear head, no word shapes. Models and `runs.jsonl` (a JSON line a
judgement) lie in build/bench/run_ner/; a second call prints the same without training.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
from common import OUT
from peers.environments import Missing
from peers.recipes import Recipe, judged

RATES = (5e-5, 1e-4, 2e-4)
CORPORA = ("wnut16", "conll2003")


def scores(recipe: Recipe, seeds: list[int], threads: int, role: str) -> list[float]:
    """F1 of each seed, in percent."""
    found = [100 * judged(recipe, seed, role, threads)["f1"] for seed in seeds]
    told = ", ".join(f"{score:.2f}" for score in found)
    print(f"run_ner: {recipe.corpus}, rate {recipe.learning_rate:g}, {role}: {told}", flush=True)
    return found


def row(recipe: Recipe, seeds: list[int], threads: int) -> str:
    """A line of the table."""
    dev, test = (scores(recipe, seeds, threads, role) for role in ("dev", "test"))
    cells = [
        f"{', '.join(f'{each:.2f}' for each in found)} | **{statistics.mean(found):.2f}**" for found in (dev, test)
    ]
    precision = "bf16" if recipe.bf16 else "f32"
    return f"| {recipe.corpus} | {recipe.learning_rate:g} | {recipe.batch} | {precision} | {' | '.join(cells)} |"


def table(options: argparse.Namespace) -> str:
    """Trains what is not there, and makes the table."""
    lines = [
        "## The recipe of run_ner, same encoder",
        "",
        "Strict F1 after 3 epochs, Trainer's defaults, linear head, no word shapes; of several learning rates the "
        "default and the one with the highest F1 on dev with the first seed.",
        "",
        "| corpus | learning rate | sentences a step | precision | dev, each | dev, mean | test, each | test, mean |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for corpus in options.corpora:
        recipes = [Recipe(corpus, rate, options.batch, options.bf16) for rate in options.rates]
        first = [scores(recipe, options.seeds[:1], options.threads, "dev")[0] for recipe in recipes]
        chosen = {recipes[0], recipes[first.index(max(first))]}
        lines += [row(recipe, options.seeds, options.threads) for recipe in recipes if recipe in chosen]
        known = ", ".join(
            f"{recipe.learning_rate:g}: {score:.2f}" for recipe, score in zip(recipes, first, strict=True)
        )
        lines.append(f"| {corpus}, first seed | | | | {known} | | | |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="*", help=f"{' or '.join(CORPORA)}; both where none is given")
    parser.add_argument("--rates", nargs="+", type=float, default=list(RATES), help="the first is the default")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--batch", type=int, default=8, help="sentences a step")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--bf16", action="store_true", help="the Trainer's bf16 in the place of its default, f32")
    options = parser.parse_args()
    options.corpora = options.corpora or list(CORPORA)
    if strange := sorted({*options.corpora} - {*CORPORA}):
        parser.error(f"unknown corpora: {', '.join(strange)}; accepted are {', '.join(CORPORA)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the script at work ends as well
    try:
        found = table(options)
    except Missing as reason:
        raise SystemExit(f"run_ner: {reason}") from reason
    page = OUT / "run_ner" / f"{'-'.join(options.corpora)}-{options.batch}.md"
    page.write_text(found + "\n", encoding="utf-8")
    print(found)


if __name__ == "__main__":
    main()
