"""The score on dev while training, over whole texts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.evaluate.numbers import midranks, pearson
from tagline.evaluate.thresholds import macro_f1, tune_thresholds
from tagline.records import Problem
from tagline.text.pooling import pool, sigmoid
from tagline.train.dataset import EVAL_TOKENS, EpochBatches, as_array
from tagline.train.prepared import Evidence
from tagline.train.texts.examples import UNKNOWN, TextExamples

METRIC = {Problem.SINGLE: "macro_f1", Problem.MULTI: "macro_f1", Problem.REGRESSION: "spearman"}


class LabelScore:
    """The Trainer's `compute_metrics`, called batch by batch.

    Macro F1 for one label and for several (at the thresholds that are best on dev, as the model will keep them),
    Spearman's correlation for numbers.

    Args:
        examples: dev as windows.
        problem: what is asked.
        width: how many labels the model has.
        pad: id of the padding token.
        pooling: how windows become one answer.
    """

    def __init__(self, examples: TextExamples, problem: Problem, width: int, pad: int, pooling: str) -> None:
        self.examples, self.problem, self.pooling = examples, problem, pooling
        self.batches = EpochBatches(examples, pad, EVAL_TOKENS)
        self._logits = np.zeros((len(examples.windows), width), dtype=np.float32)
        self._starts = np.searchsorted(examples.owner, np.arange(len(examples.targets_by_text) + 1))
        self._batch = 0

    def __call__(self, prediction: Any, compute_result: bool = True) -> dict[str, float]:
        """Takes the logits of one batch; with `compute_result` closes the pass and gives the scores."""
        logits = as_array(prediction.predictions)
        self._logits[np.asarray(self.batches.batches[self._batch])] = logits
        self._batch += 1
        if not compute_result:
            return {}
        self._batch = 0
        return _scores(self.problem, self.examples.targets_by_text, self._pooled())

    def evidence(self) -> Evidence | None:
        """Closes a pass: pooled logits of the texts whose label the model knows, and their labels."""
        self._batch = 0
        if self.problem is Problem.REGRESSION:
            return None
        gold = self.examples.targets_by_text.astype(np.int64)
        known = gold != UNKNOWN if self.problem is Problem.SINGLE else np.ones(len(gold), dtype=np.bool_)
        return Evidence(self._pooled()[known], gold[known])

    def _pooled(self) -> NDArray[np.float32]:
        """(N, L) logits of the texts."""
        borders = zip(self._starts, self._starts[1:], strict=False)
        return np.stack([pool(self._logits[start:end], self.pooling) for start, end in borders])


def _scores(problem: Problem, gold: NDArray[Any], logits: NDArray[np.float32]) -> dict[str, float]:
    if problem is Problem.REGRESSION:
        return {"spearman": pearson(*(midranks(each.astype(np.float64)) for each in (gold, logits[:, 0])))}
    if problem is Problem.MULTI:
        wanted, chances = gold > 0, sigmoid(logits)
        found = chances >= tune_thresholds(wanted, chances)
        return {"macro_f1": macro_f1(wanted, found), "exact_match": float((wanted == found).all(axis=1).mean())}
    best = logits.argmax(axis=1)
    classes = np.arange(logits.shape[1])
    return {
        "macro_f1": macro_f1(gold[:, None] == classes, best[:, None] == classes),
        "accuracy": float((gold == best).mean()),
    }
