"""Strict F1 on dev while training, over every gold entity, in constant memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.evaluate.spans import strict
from tagline.text.decoding import Decoder
from tagline.train.dataset import IGNORED, EpochBatches
from tagline.train.prepare import Prepared

_EVAL_TOKENS = 4096


class DevScore:
    """The Trainer's `compute_metrics`, called batch by batch.

    Only the emissions of scored words are kept, (W, L) for the whole of dev.
    """

    def __init__(self, prepared: Prepared) -> None:
        if prepared.dev is None:
            raise ValueError("no dev data")
        self.examples, self.gold = prepared.dev, prepared.dev_tags
        self.scheme = prepared.scheme
        self.batches = EpochBatches(prepared.dev, prepared.encoder.subtokens.pad, _EVAL_TOKENS)
        self.decoder = Decoder(prepared.labels, self.scheme)
        self._start = np.cumsum([0, *self.examples.words])
        self._emissions = np.zeros((int(self._start[-1]), len(prepared.labels)), dtype=np.float32)
        self._batch = 0

    def __call__(self, prediction: Any, compute_result: bool = True) -> dict[str, float]:
        """Takes the logits of one batch; with `compute_result` closes the pass and gives `f1` and its parts."""
        logits = _array(prediction.predictions)
        labels = _array(prediction.label_ids)
        for place, row in enumerate(self.batches.batches[self._batch]):
            window = self.examples.windows[row]
            first = int(self._start[self.examples.sentence[row]]) + window.first
            self._emissions[first : first + len(window.places)] = logits[place][labels[place] != IGNORED]
        self._batch += 1
        if not compute_result:
            return {}
        self._batch = 0
        best, _ = self.decoder(self._emissions, self.examples.words)
        names = self.decoder.labels
        predicted = [
            [names[tag] for tag in best[start : start + length]]
            for start, length in zip(self._start, self.examples.words, strict=False)
        ]
        overall = strict(self.gold, predicted, self.scheme).overall
        return {"f1": overall.f1, "precision": overall.precision, "recall": overall.recall}


def _array(values: Any) -> NDArray[Any]:
    values = values[0] if isinstance(values, tuple) else values
    return np.asarray(values.float().cpu() if hasattr(values, "cpu") else values)
