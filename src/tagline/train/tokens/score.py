"""Strict F1 on dev while training, over every gold entity, in constant memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tagline.evaluate.spans import strict
from tagline.models.crf import Crf
from tagline.text.decoding import Decoder
from tagline.train.dataset import EVAL_TOKENS, IGNORED, EpochBatches, as_array
from tagline.train.prepared import Chain, Evidence
from tagline.train.tokens.examples import TokenExamples


class TagScore:
    """The Trainer's `compute_metrics`, called batch by batch.

    Only the emissions of scored words are kept, (W, L) for the whole of dev.

    Args:
        examples: dev as windows.
        gold: tags of each sentence.
        decoder: emissions to tags; knows labels and scheme.
        pad: id of the padding token.
        crf: the CRF that is trained, whose transitions the decoder takes as they are at the end of each pass.
    """

    def __init__(
        self,
        examples: TokenExamples,
        gold: Sequence[Sequence[str]],
        decoder: Decoder,
        pad: int,
        crf: Crf | None = None,
    ) -> None:
        self.examples, self.gold, self.decoder, self.crf = examples, gold, decoder, crf
        self.batches = EpochBatches(examples, pad, EVAL_TOKENS)
        self._start = np.cumsum([0, *examples.words])
        self._emissions = np.zeros((int(self._start[-1]), len(decoder.labels)), dtype=np.float32)
        self._batch = 0

    def __call__(self, prediction: Any, compute_result: bool = True) -> dict[str, float]:
        """Takes the logits of one batch; with `compute_result` closes the pass and gives `f1` and its parts."""
        logits = as_array(prediction.predictions)
        for place, row in enumerate(self.batches.batches[self._batch]):
            window = self.examples.windows[row]
            first = int(self._start[self.examples.sentence[row]]) + window.first
            self._emissions[first : first + len(window.places)] = logits[place][window.places]
        self._batch += 1
        if not compute_result:
            return {}
        self._batch = 0
        best, _ = self._learned()(self._emissions, self.examples.words)
        names = self.decoder.labels
        predicted = [
            [names[tag] for tag in best[start : start + length]]
            for start, length in zip(self._start, self.examples.words, strict=False)
        ]
        overall = strict(self.gold, predicted, self.decoder.scheme).overall
        return {"f1": overall.f1, "precision": overall.precision, "recall": overall.recall}

    def _learned(self) -> Decoder:
        if self.crf is None:
            return self.decoder
        return Decoder(self.decoder.labels, self.decoder.scheme, transitions=self.crf.learned())

    def evidence(self) -> Evidence:
        """Closes a pass: (W', L) logits of the words whose tag the model knows, and (W',) ids of their tags.

        With a CRF those of all words, ids negative where the model does not know the tag.
        """
        self._batch = 0
        number = {label: place for place, label in enumerate(self.decoder.labels)}
        gold = np.asarray([number.get(tag, IGNORED) for tags in self.gold for tag in tags], dtype=np.int64)
        if self.crf is not None:
            return Evidence(self._emissions, gold, Chain(self.examples.words, self._learned().moves))
        known = gold != IGNORED
        return Evidence(self._emissions[known], gold[known])
