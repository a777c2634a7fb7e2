"""Sub-tokens learned per second: `tagline train` against a Trainer as Hugging Face's `run_ner` example sets it up.

Both train the MiniLM encoder on CoNLL-2003 with as many sentences a step. Theirs is float32 with the Trainer's
defaults: shuffled sentences, each batch padded to its longest, all weights learned. Each side is a process of its own
that works while the other waits: the machine changes hands every window of steps. Sub-tokens are the real ones, special
ones included and padding not.

python bench/training.py --windows 5 --steps 20 --threads 2
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
warnings.filterwarnings("ignore")
from common import DATA, machine, spread

OURS, OURS_F32, OURS_PLAIN, PEER = "tagline", "tagline, f32", "tagline, --set fast=false", "run_ner-style Trainer, fp32"
SIDES: dict[str, dict[str, Any] | None] = {
    OURS: {},
    OURS_F32: {"precision": "f32"},
    OURS_PLAIN: {"fast": False},
    PEER: None,
}


class _Over(Exception):
    """Enough was measured."""


class Turns:
    """Waits for its turn, trains so many steps, tells how long they took."""

    def __init__(self, warm: int) -> None:
        self.left = warm + 1  # the first call counts from the start
        self.warm = True
        self.tokens = 0
        self.started = self.busy = 0.0

    def __call__(self, tokens: int) -> None:
        """Is called after each step with the sub-tokens that it learned from."""
        self.tokens += tokens
        self.left -= 1
        if self.left:
            return
        if self.warm:
            self.warm = False
        else:
            self.busy = time.process_time() - self.busy
            seconds = time.perf_counter() - self.started
            sys.stdout.write(json.dumps({"tokens": self.tokens, "seconds": seconds, "busy": self.busy}) + "\n")
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        steps = int(sys.stdin.readline() or 0)
        if not steps:
            raise _Over
        self.left, self.tokens = steps, 0
        self.started, self.busy = time.perf_counter(), time.process_time()


def ours(data: Path, threads: int, turns: Turns, changes: dict[str, Any]) -> None:
    """`tagline.train.fit` with its defaults."""
    from tagline.data.corpus import read_corpus
    from tagline.train.callbacks import ProgressEvent
    from tagline.train.dataset import EpochBatches
    from tagline.train.fit import fit
    from tagline.train.tokens.prepare import prepare_tokens
    from tagline.train.tokens.settings import TokenSettings

    settings = TokenSettings(threads=threads, epochs=50, **changes)
    prepared = prepare_tokens(read_corpus(data), None, settings)
    sized = settings.sized(sum(prepared.train.lengths))
    batches = EpochBatches(prepared.train, prepared.pad, sized.batch_tokens, sized.seed)
    lengths = prepared.train.lengths

    def report(event: ProgressEvent) -> None:
        step = event.step - 1
        batches.set_epoch(step // len(batches))
        turns(sum(lengths[row] for row in batches.batches[step % len(batches)]))

    with tempfile.TemporaryDirectory() as work:
        fit(prepared, settings, Path(work) / "work", report=report)


def peer(data: Path, threads: int, turns: Turns, sentences: int) -> None:
    """A Trainer as the token classification example of transformers makes it, but for reading the file."""
    import torch
    from transformers import (
        AutoModelForTokenClassification,
        AutoTokenizer,
        DataCollatorForTokenClassification,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    from tagline.data.corpus import read_corpus
    from tagline.data.schemes import Scheme
    from tagline.models.encoders import resolve

    torch.set_num_threads(threads)
    corpus = read_corpus(data)
    tags = list(corpus.tags(Scheme.IOB2))
    number = {tag: place for place, tag in enumerate(sorted({tag for each in tags for tag in each}))}
    tokenizer = AutoTokenizer.from_pretrained(resolve("minilm"))
    rows = []
    for sentence, own in zip(corpus.sentences, tags, strict=True):
        encoded = tokenizer(list(sentence.words), is_split_into_words=True, truncation=True)
        words = encoded.word_ids()
        first = [place for place, word in enumerate(words) if word is not None and word != words[place - 1]]
        labels = [-100] * len(words)
        for place in first:
            labels[place] = number[own[words[place]]]
        rows.append({**encoded, "labels": labels})

    class Count(DataCollatorForTokenClassification):
        def __call__(self, features: Any, return_tensors: Any = None) -> Any:
            seen.append(sum(len(each["input_ids"]) for each in features))
            return super().__call__(features, return_tensors)

    class Step(TrainerCallback):
        def on_step_end(self, *arguments: Any, **others: Any) -> None:
            turns(seen.pop(0))

    seen: list[int] = []
    with tempfile.TemporaryDirectory() as work:
        trainer = Trainer(
            model=AutoModelForTokenClassification.from_pretrained(resolve("minilm"), num_labels=len(number)).float(),
            args=TrainingArguments(
                work, per_device_train_batch_size=sentences, num_train_epochs=50, use_cpu=True, save_strategy="no",
                report_to="none", disable_tqdm=True, logging_steps=500,
            ),
            train_dataset=rows,
            data_collator=Count(tokenizer),
            callbacks=[Step()],
        )  # fmt: skip
        trainer.train()


def per_step(data: Path) -> int:
    """Sentences in a step of ours, on average."""
    from tagline.data.corpus import read_corpus
    from tagline.train.tokens.prepare import prepare_tokens
    from tagline.train.tokens.settings import TokenSettings

    lengths = prepare_tokens(read_corpus(data), None, TokenSettings()).train.lengths
    return round(len(lengths) * TokenSettings().sized(sum(lengths)).batch_tokens / sum(lengths))


def _side(options: argparse.Namespace) -> None:
    """One side, as a process of its own that takes its turns by standard input and output."""
    turns = Turns(options.warm)
    changes = SIDES[options.side]
    try:
        if changes is None:
            peer(options.data, options.threads, turns, options.sentences)
        else:
            ours(options.data, options.threads, turns, changes)
    except _Over:
        return


def _until_ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a side tells of its last window; the libraries' own lines are passed over."""
    found: dict[str, Any] = {}
    assert process.stdout is not None
    for line in process.stdout:
        if line == "ready\n":
            return found
        if line.startswith('{"tokens"'):
            found = json.loads(line)
    raise SystemExit(f"{process.args!r}: ended before it was asked to; --loud shows what it said")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Sub-tokens per second of each side: median, smallest and largest of the windows."""
    sentences = per_step(options.data)
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads), "KMP_BLOCKTIME": "0"}
    sides: dict[str, subprocess.Popen[str]] = {}
    rates: dict[str, list[float]] = {name: [] for name in options.sides}
    busy: dict[str, list[float]] = {name: [] for name in options.sides}
    try:
        for name in options.sides:
            arguments = [
                sys.executable, str(Path(__file__).resolve()), "--data", str(options.data), "--threads",
                str(options.threads), "--warm", str(options.warm), "--sentences", str(sentences), "--side", name,
            ]  # fmt: skip
            sides[name] = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=options.errors,
                text=True,
                env=environment,
            )
            _until_ready(sides[name])
        for window in range(options.windows):
            order = list(sides)[window % len(sides) :] + list(sides)[: window % len(sides)]
            for name in order:
                pipe = sides[name].stdin
                assert pipe is not None
                pipe.write(f"{options.steps}\n")
                pipe.flush()
                found = _until_ready(sides[name])
                rates[name].append(found["tokens"] / found["seconds"])
                busy[name].append(found["tokens"] / found["busy"])
    finally:
        for process in sides.values():
            process.kill()
            process.wait()
    found = {name: spread(values) for name, values in rates.items()}
    return {
        "machine": machine(),
        "sentences_per_step": sentences,
        "steps": options.steps,
        "threads": options.threads,
        "subtokens_per_second": found,
        "subtokens_per_cpu_second": {name: spread(values) for name, values in busy.items()},
        "times": {name: found[name]["median"] / found[PEER]["median"] for name in found} if PEER in found else {},
    }


def main() -> None:
    """Measures and prints, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA / "conll2003" / "train.txt")
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20, help="Steps of a window.")
    parser.add_argument("--warm", type=int, default=5, help="Steps before the first window.")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--sides", nargs="+", choices=list(SIDES), default=[OURS, PEER])
    parser.add_argument("--loud", action="store_true", help="Show what the sides write on standard error.")
    parser.add_argument("--side", choices=list(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--sentences", type=int, default=32, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.errors = None if options.loud else subprocess.DEVNULL
    if options.side:
        _side(options)
    else:
        print(json.dumps(measure(options), indent=2))


if __name__ == "__main__":
    main()
