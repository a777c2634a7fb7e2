"""A token classifier fine-tuned as the well-known run_ner.py does it: the Trainer in f32 with its defaults.

    python -m peers.run_ner ENCODER CONLL2003 --batch 33 --sentences 2000       the rate of one pass over so many
    python -m peers.run_ner ENCODER CONLL2003 --batch 33 --sentences 0 --f1     all of it, three passes, F1 on test

Prints one JSON object. Rate 5e-5 falling to zero, AdamW, random batches padded to their longest, first sub-token
labelled, words cut at the encoder's limit: all as there.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

Sentence = tuple[list[str], list[str]]
_SKIPPED = 10


def read(path: Path) -> list[Sentence]:
    """Words and tags (last column), a blank line between sentences."""
    sentences: list[Sentence] = []
    words: list[str] = []
    tags: list[str] = []
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        columns = line.split()
        if columns and columns[0] != "-DOCSTART-":
            words.append(columns[0])
            tags.append(columns[-1])
        elif words:
            sentences.append((words, _begun(tags)))
            words, tags = [], []
    return sentences


def _begun(tags: list[str]) -> list[str]:
    """The tags in IOB2, whichever IOB they were in."""
    found = []
    for before, tag in zip(["O", *tags], tags, strict=False):
        fresh = tag[:2] == "I-" and before[2:] != tag[2:]
        found.append("B-" + tag[2:] if fresh else tag)
    return found


class Clock(TrainerCallback):
    """The time after each step."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Notes it."""
        self.times.append(time.perf_counter())


def encode(sentences: list[Sentence], tokenizer: Any, ids: dict[str, int]) -> list[dict[str, Any]]:
    """Sub-tokens with labels; -100 for all but a word's first."""
    found = []
    for words, tags in sentences:
        each = tokenizer(words, is_split_into_words=True, truncation=True)
        numbers = each.word_ids()
        before = [None, *numbers[:-1]]
        labels = [
            -100 if number is None or number == last else ids[tags[number]]
            for number, last in zip(numbers, before, strict=True)
        ]
        found.append({**each, "labels": labels})
    return found


def f1_of(trainer: Trainer, data: list[dict[str, Any]], sentences: list[Sentence], names: list[str]) -> float:
    """Strict F1 over entities; words that were cut off count as O."""
    from seqeval.metrics import f1_score
    from seqeval.scheme import IOB2

    best = np.asarray(trainer.predict(data).predictions).argmax(-1)  # type: ignore[arg-type]
    found = []
    for row, each, (words, _) in zip(best, data, sentences, strict=True):
        tags = [names[label] for label, gold in zip(row, each["labels"], strict=False) if gold != -100]
        found.append(tags + ["O"] * (len(words) - len(tags)))
    return float(f1_score([tags for _, tags in sentences], found, mode="strict", scheme=IOB2))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder")
    parser.add_argument("data", type=Path)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--sentences", type=int, default=0, help="so many, drawn at random; 0: all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--f1", action="store_true", help="three passes, then F1 on test")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    set_seed(options.seed)
    sentences = read(options.data / "train.txt")
    if options.sentences:
        chosen = random.Random(1).sample(range(len(sentences)), min(options.sentences, len(sentences)))
        sentences = [sentences[number] for number in sorted(chosen)]
    names = sorted({tag for _, tags in sentences for tag in tags})
    ids = {name: number for number, name in enumerate(names)}
    loader: Any = AutoTokenizer
    tokenizer = loader.from_pretrained(options.encoder)
    model = AutoModelForTokenClassification.from_pretrained(
        options.encoder, num_labels=len(names), id2label=dict(enumerate(names)), label2id=ids, dtype=torch.float32
    )
    data, clock = encode(sentences, tokenizer, ids), Clock()
    with tempfile.TemporaryDirectory() as work:
        arguments = TrainingArguments(
            output_dir=work, per_device_train_batch_size=options.batch, use_cpu=True, report_to="none",
            num_train_epochs=3 if options.f1 else 1, seed=options.seed, save_strategy="no", disable_tqdm=True,
        )  # fmt: skip
        trainer = Trainer(model=model, args=arguments, train_dataset=data,
                          data_collator=DataCollatorForTokenClassification(tokenizer), callbacks=[clock])  # fmt: skip
        trainer.train()
        total = sum(len(each["input_ids"]) - 2 for each in data) * (3 if options.f1 else 1)
        skipped = min(_SKIPPED, len(clock.times) // 2)
        seconds = clock.times[-1] - clock.times[skipped - 1]
        facts = {"rate": total * (len(clock.times) - skipped) / len(clock.times) / seconds, "steps": len(clock.times),
                 "sentences": len(data), "subtokens": total, "seconds": seconds, "seed": options.seed}  # fmt: skip
        if options.f1:
            test = read(options.data / "test.txt")
            facts["f1"] = f1_of(trainer, encode(test, tokenizer, ids), test, names)
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
