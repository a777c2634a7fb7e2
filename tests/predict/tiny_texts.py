"""Tiny random text classifiers as transformers saves them, and an engine that needs no model."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.families import POSITIONS, TEXT, config_of, tokenizer_of

from tagline.records import Batch

LINES = [line for line in TEXT.splitlines() if line]


@dataclass(frozen=True)
class Head:
    """What a model is asked.

    Attributes:
        labels: its labels.
        problem_type: as in `config.json`.
    """

    labels: tuple[str, ...]
    problem_type: str | None = None


HEADS = {
    "two": Head(("LABEL_0", "LABEL_1")),  # transformers writes no id2label for these
    "five": Head(("one star", "two stars", "three stars", "four stars", "five stars"), "single_label_classification"),
    "several": Head(("joy", "anger", "fear", "surprise"), "multi_label_classification"),
    "number": Head(("LABEL_0",), "regression"),
    "one": Head(("toxic",)),
    "emotions": Head(tuple(f"emotion {number}" for number in range(28)), "multi_label_classification"),
}


def write_classifier(family: str, head: Head, folder: Path, graph: bool = True) -> Path:
    """Saves a random model whose answers change from text to text, with its OpenVINO graph or plain."""
    import torch

    hf = importlib.import_module("transformers")  # untyped: its signatures are not those of its own folders
    tokenizer = tokenizer_of(family)
    tokenizer.model_max_length = POSITIONS
    config = config_of(family, tokenizer)
    config.id2label = dict(enumerate(head.labels))
    config.label2id = {label: number for number, label in enumerate(head.labels)}
    config.problem_type = head.problem_type
    torch.manual_seed(11)
    model = hf.AutoModelForSequenceClassification.from_config(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.mul_(4 if "embedding" in name else 3)
        inputs = tokenizer([line[:40] for line in LINES], padding=True, truncation=True, return_tensors="pt")
        logits = model(**inputs).logits
        head_names = ("classifier", "classifier.out_proj")
        last: Any = next(
            module
            for name, module in model.named_modules()
            if name in head_names and isinstance(module, torch.nn.Linear)
        )
        # No label may win everywhere, nor by far.
        scale = 0.1 / float(logits.std(0).mean())  # enough to tell texts apart; more would stretch rounding errors
        last.weight.mul_(scale)
        last.bias.sub_(logits.mean(0)).mul_(scale)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if family == "albert":  # transformers 5 leaves its segment ids away unless told otherwise
        path = folder / "tokenizer_config.json"
        values = json.loads(path.read_text(encoding="utf-8"))
        values["model_input_names"] = ["input_ids", "token_type_ids", "attention_mask"]
        path.write_text(json.dumps(values), encoding="utf-8")
    if graph:
        from tagline.publish.graph import write_graph

        write_graph(model, folder)
    return folder


class Watched:
    """An engine whose logits are computed by the test, window by window; it remembers what it was sent.

    Args:
        answer: (L,) logits of a window, from its sub-token ids, padding taken off.
    """

    name, precision, batch_tokens = "watched", "f32", 1024

    def __init__(self, answer: Callable[[NDArray[np.int64]], NDArray[np.float32]]) -> None:
        self.answer = answer
        self.sent: list[tuple[list[int], list[int]]] = []
        self.largest = 0

    def run(self, batches: Iterable[Batch]) -> Iterator[NDArray[np.float32]]:
        for batch in batches:
            self.largest = max(self.largest, batch.input_ids.size)
            lengths = batch.attention_mask.sum(1).tolist()
            rows = [
                (ids[:length], kinds[:length])
                for ids, kinds, length in zip(batch.input_ids, batch.token_type_ids, lengths, strict=True)
            ]
            self.sent += [(ids.tolist(), kinds.tolist()) for ids, kinds in rows]
            yield np.stack([self.answer(ids) for ids, _ in rows])
