"""Sentences a second on a GPU: Tagline's torch engine, the pipeline at its defaults, plain bf16 SDPA in batches of 128.

    python bench/gpu.py FOLDER [--rounds 5]

FOLDER is a model for token classification; the texts are the sentences of CoNLL-2003 test, words joined by spaces,
text to entities. All three in one process, interleaved, medians; the pipeline reads the first thousand sentences of
each round.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from common import DATA, spread
from peers.padded import Arrays, Padded

_SENTENCES = 128
_PIPELINE = 1000


class Sized(Padded):
    """Batches of as many windows, however long."""

    def _batches(self, windows: Sequence[tuple[int, ...]]) -> Iterator[range]:
        for begin in range(0, len(windows), _SENTENCES):
            yield range(begin, min(len(windows), begin + _SENTENCES))


def plain(folder: Path) -> Sized:
    """The model in bf16 with SDPA, batches padded to their longest."""
    from transformers import AutoModelForTokenClassification

    model = AutoModelForTokenClassification.from_pretrained(folder, dtype=torch.bfloat16, attn_implementation="sdpa")
    model = model.eval().cuda()

    def run(batches: Iterator[Arrays]) -> Iterator[Any]:
        with torch.inference_mode():
            for ids, mask, types in batches:
                arrays = (torch.from_numpy(each).cuda() for each in (ids, mask, types))
                given = dict(zip(("input_ids", "attention_mask", "token_type_ids"), arrays, strict=True))
                yield model(**given).logits.float().cpu().numpy()

    return Sized(folder, run)


def readers(folder: Path) -> dict[str, Callable[[list[str]], Any]]:
    """What is timed, by name."""
    from transformers import pipeline

    import tagline

    pipe: Any = pipeline("token-classification", model=str(folder), aggregation_strategy="simple", device=0)
    found: dict[str, Callable[[list[str]], Any]] = {
        "pipeline, defaults": lambda texts: [pipe(text) for text in texts[:_PIPELINE]],
        "bf16 SDPA, batches of 128, sorted": plain(folder).read,
    }
    for budget in (None, 1024, 65536):
        tagger: Any = tagline.load(str(folder), engine="torch", device="cuda", batch_tokens=budget)
        asked = "" if budget else " (default)"
        found[f"Tagline, torch {tagger.engine.precision}, {tagger.engine.batch_tokens} sub-tokens a batch{asked}"] = (
            tagger
        )
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not (options.folder / "config.json").is_file():
        parser.error(f"{options.folder}: no model folder; expected one of bench/accuracy.py or tagline train")
    if not torch.cuda.is_available():
        parser.error("torch finds no GPU here; this is measured on a machine with one")
    from tagline.data.corpus import read_corpus

    texts = [" ".join(each.words) for each in read_corpus(DATA / "conll2003" / "test.txt").sentences]
    timed = readers(options.folder)
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for reader in timed.values():
        reader(texts)
    for _ in range(options.rounds):
        for name, reader in timed.items():
            started = time.perf_counter()
            reader(texts)
            seconds[name].append(time.perf_counter() - started)
    print(f"{torch.cuda.get_device_name()}, {os.cpu_count()} cores, torch {torch.__version__}; {len(texts)} sentences")
    print("| what | sentences/s, median | lowest | highest |\n|---|---|---|---|")
    for name, each in seconds.items():
        count = min(_PIPELINE, len(texts)) if name.startswith("pipeline") else len(texts)
        rates = spread([count / second for second in each])
        print(f"| {name} | {rates['median']:.0f} | {rates['min']:.0f} | {rates['max']:.0f} |")


if __name__ == "__main__":
    main()
