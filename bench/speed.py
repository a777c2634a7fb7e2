"""Texts in to entities out, against the Hugging Face pipeline with its defaults: same weights, same texts, same run.

python bench/speed.py build/accuracy/conll2003-1 --repeats 5
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")
from common import DATA, as_written, spread

SENTENCE = "Mark Zuckerberg founded Facebook in Palo Alto, and John Parker moved to New York."
PIPELINE = (
    "import sys, warnings; warnings.filterwarnings('ignore'); from transformers import pipeline; "
    "ner = pipeline('token-classification', model=sys.argv[1], aggregation_strategy='simple'); print(ner(sys.argv[2]))"
)


def throughput(folder: Path, repeats: int) -> dict[str, Any]:
    """Sub-tokens per second on the sentences of CoNLL-2003 test as raw text; the order changes from round to round."""
    from transformers import pipeline
    from transformers.utils import logging

    from tagline.data.corpus import read_corpus
    from tagline.predict import load

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    corpus = read_corpus(DATA / "conll2003" / "test.txt")
    texts = [as_written(sentence.words) for sentence in corpus.sentences]
    theirs = pipeline("token-classification", model=str(folder), aggregation_strategy="simple", device="cpu")
    runs: dict[str, Callable[[], Any]] = {
        "transformers.pipeline, defaults": lambda: [theirs(text) for text in texts],
    }
    for precision in ("auto", "f32"):
        ours = load(folder, precision=precision)
        runs[f"tagline, {ours.engine.name} {ours.engine.precision}"] = partial(ours, texts)
    tokens = sum(len(each.ids) for each in _encodings(folder, texts))
    for run in runs.values():
        run()  # one round that does not count
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(repeats):
        names = list(runs)[repeat % len(runs) :] + list(runs)[: repeat % len(runs)]
        for name in names:
            started = time.perf_counter()
            runs[name]()
            seconds[name].append(time.perf_counter() - started)
    rates = {name: spread([tokens / each for each in values]) for name, values in seconds.items()}
    return {"texts": len(texts), "subtokens": tokens, "repeats": repeats, "rates": rates}


def _encodings(folder: Path, texts: list[str]) -> list[Any]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()  # some folders pad to a fixed length, which nobody computes
    tokenizer.no_truncation()
    return tokenizer.encode_batch(texts, add_special_tokens=False)


def start(folder: Path, repeats: int) -> dict[str, Any]:
    """Seconds of a whole process that reads one sentence, the two in turn."""
    tagline = [str(Path(sys.executable).with_name("tagline")), "predict", str(folder), "--text", SENTENCE]
    commands = {
        "tagline predict --text": tagline,
        "transformers.pipeline": [sys.executable, "-c", PIPELINE, str(folder), SENTENCE],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for repeat in range(repeats + 1):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            if repeat:  # the first brings the files from the disk
                seconds[name].append(time.perf_counter() - started)
    return {"repeats": repeats, "seconds": {name: spread(values) for name, values in seconds.items()}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(throughput(options.folder, options.repeats))
    print(start(options.folder, options.repeats))
