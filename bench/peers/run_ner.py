"""A token classifier fine-tuned as the well-known run_ner.py does it: the Trainer in f32 with its defaults.

    python -m peers.run_ner ENCODER TRAIN --batch 33 --sentences 2000                  the rate of one pass over so many
    python -m peers.run_ner ENCODER TRAIN --into FOLDER --judge DEV [--learning-rate 1e-4]  three passes, F1 on dev
    python -m peers.run_ner ENCODER TRAIN --into FOLDER --judge TEST                   F1 of what is there already

Prints one JSON object. Rate 5e-5 falling to zero, AdamW, random batches padded to their longest, first sub-token
labelled, words cut at the encoder's limit: all as there. With `--into`, sentences of a step are computed in parts of
like length and their gradients summed: the same step with less padding. A run that was broken off goes on from its
last whole epoch.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
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
from transformers.trainer_utils import get_last_checkpoint

Sentence = tuple[list[str], list[str]]
_SKIPPED, _PART = 10, 4
_EPOCHS = 3


def read(path: Path) -> list[Sentence]:
    """Words and tags (last column), a blank line between sentences."""
    sentences: list[Sentence] = []
    words: list[str] = []
    tags: list[str] = []
    for line in [*path.read_text(encoding="utf-8").split("\n"), ""]:
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


class Parted(Trainer):
    """The same step, its sentences computed a few of like length at a time."""

    def training_step(self, model: Any, inputs: Any, *others: Any, **more: Any) -> Any:
        """Gradients of the mean loss over all labelled sub-tokens of the step."""
        model.train()
        lengths = inputs["attention_mask"].sum(1)
        count = (inputs["labels"] != -100).sum()
        total = torch.zeros(())
        for rows in lengths.argsort().split(_PART):
            longest = int(lengths[rows].max())
            part = {name: values[rows, :longest] for name, values in inputs.items()}
            labels = part.pop("labels")
            with self.compute_loss_context_manager():
                logits = model(**part).logits
            loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), reduction="sum")
            self.accelerator.backward(loss / count)
            total += (loss / count).detach()
        return total


def encode(sentences: list[Sentence], tokenizer: Any, ids: dict[str, int]) -> list[dict[str, Any]]:
    """Sub-tokens with labels; -100 for all but a word's first."""
    found = []
    for words, tags in sentences:
        each = tokenizer(words, is_split_into_words=True, truncation=True)
        numbers = each.word_ids()
        before = [None, *numbers[:-1]]
        labels = [
            -100 if number is None or number == last else ids.get(tags[number], 0)  # the model cannot learn others
            for number, last in zip(numbers, before, strict=True)
        ]
        found.append({**each, "labels": labels})
    return found


def f1_of(trainer: Trainer, data: list[dict[str, Any]], sentences: list[Sentence], names: list[str]) -> float:
    """Strict F1 over entities; words that were cut off count as O."""
    from seqeval.metrics import f1_score
    from seqeval.scheme import IOB2

    order = sorted(range(len(data)), key=lambda row: len(data[row]["labels"]))  # only to spare padding
    best = np.asarray(trainer.predict([data[row] for row in order]).predictions).argmax(-1)  # type: ignore[arg-type]
    gold, found = [], []
    for place, row in enumerate(order):
        words, tags = sentences[row]
        pairs = zip(best[place], data[row]["labels"], strict=False)
        own = [names[label] for label, known in pairs if known != -100]
        gold.append(tags)
        found.append(own + ["O"] * (len(words) - len(own)))
    return float(f1_score(gold, found, mode="strict", scheme=IOB2))


def trainer_of(options: argparse.Namespace, model: Any, tokenizer: Any, work: str, callbacks: list[Any]) -> Trainer:
    """The Trainer with its defaults but for what was asked."""
    thorough = options.into is not None
    arguments = TrainingArguments(
        output_dir=work, per_device_train_batch_size=options.batch, use_cpu=True, report_to="none", disable_tqdm=True,
        per_device_eval_batch_size=32, num_train_epochs=_EPOCHS if thorough else 1, seed=options.seed,
        learning_rate=options.learning_rate, bf16=options.bf16, logging_steps=50 if thorough else 500,
        save_strategy="epoch" if thorough else "no", save_total_limit=1,
    )  # fmt: skip
    return (Parted if thorough else Trainer)(
        model=model, args=arguments, data_collator=DataCollatorForTokenClassification(tokenizer), callbacks=callbacks
    )


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder")
    parser.add_argument("train", type=Path)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--sentences", type=int, default=0, help="so many, drawn at random; 0: all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--bf16", action="store_true", help="the Trainer's bf16")
    parser.add_argument("--into", type=Path, help="where the trained model is kept")
    parser.add_argument("--judge", type=Path, help="what is scored")
    return parser.parse_args()


def main() -> None:
    """Command line."""
    options = _asked()
    torch.set_num_threads(options.threads)
    set_seed(options.seed)
    kept = options.into is not None and options.into.is_dir()
    sentences = read(options.train)
    if options.sentences:
        chosen = random.Random(1).sample(range(len(sentences)), min(options.sentences, len(sentences)))
        sentences = [sentences[number] for number in sorted(chosen)]
    names = sorted({tag for _, tags in sentences for tag in tags})
    ids = {name: number for number, name in enumerate(names)}
    loader: Any = AutoTokenizer
    tokenizer = loader.from_pretrained(options.encoder)
    model = AutoModelForTokenClassification.from_pretrained(
        options.into if kept else options.encoder, num_labels=len(names), id2label=dict(enumerate(names)),
        label2id=ids, dtype=torch.float32,
    )  # fmt: skip
    facts: dict[str, Any] = {"seed": options.seed, "batch": options.batch, "learning_rate": options.learning_rate}
    with tempfile.TemporaryDirectory() as scratch:
        work = str(options.into) + ".training" if options.into else scratch
        clock = Clock()
        trainer = trainer_of(options, model, tokenizer, work, [clock])
        if not kept:
            facts |= _trained(trainer, encode(sentences, tokenizer, ids), clock)
        if options.into and not kept:
            trainer.save_model(work + "/whole")
            (Path(work) / "whole").rename(options.into)
            shutil.rmtree(work)
        if options.judge:
            judged = read(options.judge)
            facts["f1"] = f1_of(trainer, encode(judged, tokenizer, ids), judged, names)
    print(json.dumps(facts))


def _trained(trainer: Trainer, data: list[dict[str, Any]], clock: Clock) -> dict[str, Any]:
    """Trains; `rate` is sub-tokens a second, special ones left out, once the first steps are over."""
    started = time.process_time()
    trainer.train_dataset = data
    work = trainer.args.output_dir
    last: Any = get_last_checkpoint
    trainer.train(resume_from_checkpoint=last(work) if work and Path(work).is_dir() else None)
    total = sum(len(each["input_ids"]) - 2 for each in data) * trainer.args.num_train_epochs
    steps = len(clock.times)
    skipped = min(_SKIPPED, steps // 2)
    seconds = clock.times[-1] - clock.times[skipped - 1]
    share = (steps - skipped) / trainer.state.max_steps
    return {"rate": total * share / seconds, "steps": steps, "sentences": len(data), "subtokens": total,
            "seconds": seconds, "busy": time.process_time() - started}  # fmt: skip


if __name__ == "__main__":
    main()
