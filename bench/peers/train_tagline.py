"""A few steps of `tagline train`, timed: python -m peers.train_tagline SENTENCES THREADS. Prints one JSON object."""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from common import DATA

_SKIPPED = 10  # steps in which libraries make themselves ready


def main() -> None:
    """Command line."""
    from tagline.data.corpus import read_corpus
    from tagline.train.callbacks import ProgressEvent
    from tagline.train.fit import fit
    from tagline.train.tokens.prepare import prepare_tokens
    from tagline.train.tokens.settings import TokenSettings

    sentences, threads = map(int, sys.argv[1:])
    corpus = read_corpus(DATA / "conll2003" / "train.txt")
    chosen = random.Random(1).sample(range(len(corpus.sentences)), min(sentences, len(corpus.sentences)))
    corpus = replace(corpus, sentences=tuple(corpus.sentences[number] for number in sorted(chosen)))
    settings = TokenSettings(epochs=1, batch_tokens=640, threads=threads, seed=1)  # what it takes for all of CoNLL
    prepared = prepare_tokens(corpus, None, settings)
    times: list[float] = []

    def report(event: ProgressEvent) -> None:
        if event.step == len(times) + 1:
            times.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as work:
        fit(prepared, settings, Path(work) / "run", report=report)
    skipped = min(_SKIPPED, len(times) // 2)
    total = sum(length - 2 for length in prepared.train.lengths)  # special ones left out
    seconds = times[-1] - times[skipped - 1]
    share = (len(times) - skipped) / len(times)
    print(json.dumps({"rate": total * share / seconds, "steps": len(times), "sentences": len(corpus.sentences),
                      "subtokens": total, "seconds": seconds}))  # fmt: skip


if __name__ == "__main__":
    main()
