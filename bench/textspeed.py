"""Texts in to labels out, against the Hugging Face pipeline with its defaults: same weights, same texts, same run.

python bench/textspeed.py build/texts/sst2-1 --repeats 5
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")
from common import DATA, spread


def throughput(folder: Path, repeats: int) -> dict[str, Any]:
    """Texts per second on SST-2 test; the order of the engines changes from round to round."""
    import numpy as np
    from transformers import pipeline
    from transformers.utils import logging

    from tagline.data.texts.options import TextOptions
    from tagline.data.texts.reading import read_texts
    from tagline.engines.base import EngineSettings
    from tagline.folder import INT8_GRAPH
    from tagline.predict.classifier import Classifier

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    options = TextOptions(text_column=0, label_column=1, header=False)
    texts = [each.text for each in read_texts(DATA / "sst2" / "test.tsv", options).texts]
    theirs = pipeline("text-classification", model=str(folder), device="cpu")
    runs: dict[str, Callable[[], Any]] = {
        "transformers.pipeline, defaults": lambda: [theirs(text) for text in texts],
    }
    for precision in ("auto", "f32", *(["int8"] if (folder / INT8_GRAPH).exists() else [])):
        ours = Classifier.open(folder, EngineSettings(precision=precision))
        runs[f"tagline, {ours.engine.name} {ours.engine.precision}"] = partial(ours, texts)
    answers = {name: _labels(run()) for name, run in runs.items()}  # one round that does not count
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(repeats):
        names = list(runs)[repeat % len(runs) :] + list(runs)[: repeat % len(runs)]
        for name in names:
            started = time.perf_counter()
            runs[name]()
            seconds[name].append(time.perf_counter() - started)
    base = np.array(next(iter(answers.values())))
    return {
        "texts": len(texts),
        "repeats": repeats,
        "rates": {name: spread([len(texts) / each for each in values]) for name, values in seconds.items()},
        "other_labels": {name: int((np.array(each) != base).sum()) for name, each in answers.items()},
    }


def _labels(answers: Any) -> list[str]:
    firsts = (each[0] if isinstance(each, list) else each for each in answers)
    return [each["label"] if isinstance(each, dict) else each.label for each in firsts]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(throughput(options.folder, options.repeats))
