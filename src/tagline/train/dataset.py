"""Windows with labels, and the batches of an epoch as a dataset for the Trainer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from tagline.text.batches import pad, plan_batches
from tagline.text.features import EncodedWindow, WindowEncoder

IGNORED = -100
"""Label of a position that bears no tag, as the field writes it."""
_JITTER = 0.15


@dataclass(frozen=True)
class Examples:
    """Annotated sentences as windows.

    Attributes:
        windows: all windows, sentence by sentence.
        sentence: (N,) number of each window's sentence.
        labels: per window, (T,) label ids, `IGNORED` where nothing is scored.
        words: words of each sentence.
        shortened: words of which only the first sub-tokens fit.
    """

    windows: list[EncodedWindow]
    sentence: list[int]
    labels: list[NDArray[np.int64]]
    words: list[int]
    shortened: int

    @property
    def lengths(self) -> list[int]:
        """Sub-tokens of each window."""
        return [len(window.ids) for window in self.windows]


def label_windows(
    encoder: WindowEncoder, words: Sequence[Sequence[str]], tags: Sequence[NDArray[np.int64]], spread: bool = False
) -> Examples:
    """Cuts sentences into windows and puts each word's label id on its first sub-token, once over all windows.

    Args:
        encoder: cuts windows.
        words: sentences.
        tags: label ids of each sentence's words.
        spread: put the label on every sub-token of the word.
    """
    windows, owner, labels, shortened = [], [], [], 0
    for number, (sentence, ids) in enumerate(zip(words, tags, strict=True)):
        encoded = encoder(sentence)
        shortened += encoded.shortened
        for window in encoded.windows:
            row = np.full(len(window.ids), IGNORED, dtype=np.int64)
            own = ids[window.first : window.first + len(window.places)]
            if spread:
                start = int(window.places[0])
                row[start : start + int(window.counts.sum())] = np.repeat(own, window.counts)
            else:
                row[window.places] = own
            windows.append(window)
            owner.append(number)
            labels.append(row)
    return Examples(windows, owner, labels, [len(sentence) for sentence in words], shortened)


class EpochBatches(Dataset[dict[str, torch.Tensor]]):
    """Each item is a whole batch: windows of like length, about `tokens` sub-tokens together.

    The Trainer takes it with a batch size of one. Every epoch has the same number of batches, so that schedules and
    resuming count right, but other ones: lengths are jittered before sorting and the batches' order is shuffled, both
    from (seed, epoch).

    Args:
        examples: windows with labels.
        pad_id: id of the padding token.
        tokens: sub-tokens of a batch.
        seed: None keeps every window in one fixed order, for evaluation.
    """

    def __init__(self, examples: Examples, pad_id: int, tokens: int, seed: int | None = None) -> None:
        self.examples, self.pad_id, self.tokens, self.seed = examples, pad_id, tokens, seed
        self._lengths = np.asarray(examples.lengths, dtype=np.int64)
        self._count = max(1, round(float(self._lengths.sum()) / tokens))
        self.batches: list[NDArray[np.int64]] = []
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Lays the batches of an epoch; the data loader calls it."""
        if self.seed is None:
            if not self.batches:
                self.batches = [np.asarray(rows) for rows in plan_batches(self._lengths.tolist(), self.tokens)]
            return
        random = np.random.default_rng((self.seed, epoch))
        jitter = random.uniform(1 - _JITTER, 1 + _JITTER, len(self._lengths))
        order = np.argsort(self._lengths * jitter, kind="stable")
        # Cutting the running sum at equal steps gives the same number of batches whatever the order.
        before = np.cumsum(self._lengths[order]) - self._lengths[order] / 2
        part = np.minimum((before * self._count / self._lengths.sum()).astype(np.int64), self._count - 1)
        cuts = np.searchsorted(part, np.arange(1, self._count))
        batches = np.split(order, cuts)
        self.batches = [batches[place] for place in random.permutation(len(batches))]

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, item: int) -> dict[str, torch.Tensor]:
        rows = self.batches[item]
        if not len(rows):  # a batch that one long window leaves empty is lent a short one
            rows = np.asarray([int(self._lengths.argmin())])
        windows = [self.examples.windows[row] for row in rows]
        batch = pad([each.ids for each in windows], [each.types for each in windows], self.pad_id)
        labels = np.full(batch.input_ids.shape, IGNORED, dtype=np.int64)
        for place, row in enumerate(rows):
            labels[place, : len(self.examples.labels[row])] = self.examples.labels[row]
        return {
            "input_ids": torch.from_numpy(batch.input_ids),
            "attention_mask": torch.from_numpy(batch.attention_mask),
            "token_type_ids": torch.from_numpy(batch.token_type_ids),
            "labels": torch.from_numpy(labels),
        }


def only(items: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Collator: the item is the batch already."""
    return items[0]
