"""The batches of an epoch as a dataset for the Trainer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from tagline.errors import UsageError
from tagline.text.batches import Shown, pad, plan_batches

EVAL_TOKENS = 4096  # sub-tokens of a batch where nothing is learned
_JITTER = 0.15
IGNORED = -100
"""Label of a position where nothing is learned, as torch's losses expect it."""


class Examples(Protocol):
    """Windows with what they are to be learned as."""

    @property
    def windows(self) -> Sequence[Shown]:
        """All windows."""
        ...

    @property
    def lengths(self) -> list[int]:
        """Sub-tokens of each window."""
        ...

    @property
    def learned(self) -> int:
        """Sub-tokens of all windows together, those left out that are shown as context only."""
        ...

    def targets(self, rows: Sequence[int], width: int) -> NDArray[Any]:
        """Labels of a batch of the windows `rows`, padded to `width` sub-tokens where every sub-token has one."""
        ...

    def facts(self) -> Iterable[bytes]:
        """Everything that the run learns from, for its fingerprint."""
        ...


@dataclass(frozen=True)
class Share:
    """The part of every batch that one of several processes takes.

    Attributes:
        rank: number of this process, from 0.
        count: how many processes there are.
        mass: what the loss of so many labels is divided by; None counts the labels that are scored.
    """

    rank: int
    count: int
    mass: Callable[[NDArray[Any]], float] | None = None

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """This process's windows of a batch: every `count`-th, so that all processes get windows of like lengths."""
        return rows[self.rank :: self.count]

    def weight(self, own: NDArray[Any], whole: NDArray[Any]) -> float:
        """What this process's mean loss counts, so that the mean over the processes is that of the batch."""
        mass = self.mass or _scored
        return self.count * mass(own) / max(mass(whole), 1e-12)


def _scored(labels: NDArray[Any]) -> float:
    return float((labels != IGNORED).sum())


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
        share: the part of each batch that this process takes; None takes all.
    """

    def __init__(
        self, examples: Examples, pad_id: int, tokens: int, seed: int | None = None, share: Share | None = None
    ) -> None:
        self.examples, self.pad_id, self.tokens, self.seed, self.share = examples, pad_id, tokens, seed, share
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
        if self.share is None:
            return self._batch(rows)
        own = self.share.of(rows)
        if not len(own):  # a window that another process learns from, so that all have something to compute
            return {**self._batch(rows[:1]), "share": torch.tensor(0.0)}
        batch = self._batch(own)
        whole = self.examples.targets(rows.tolist(), int(self._lengths[rows].max()))
        return {**batch, "share": torch.tensor(self.share.weight(batch["labels"].numpy(), whole))}

    def _batch(self, rows: NDArray[np.int64]) -> dict[str, torch.Tensor]:
        windows = [self.examples.windows[row] for row in rows]
        batch = pad([each.ids for each in windows], [each.types for each in windows], self.pad_id)
        labels = self.examples.targets(rows.tolist(), batch.input_ids.shape[1])
        return {
            "input_ids": torch.from_numpy(batch.input_ids),
            "attention_mask": torch.from_numpy(batch.attention_mask),
            "token_type_ids": torch.from_numpy(batch.token_type_ids),
            "labels": torch.from_numpy(labels),
        }


def only(items: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Collator: the item is the batch already."""
    return items[0]


def as_array(values: Any) -> NDArray[Any]:
    """What the Trainer hands to a score, as an array on the processor.

    Raises:
        UsageError: there are numbers in it that are not finite.
    """
    values = values[0] if isinstance(values, tuple) else values
    found = np.asarray(values.float().cpu() if hasattr(values, "cpu") else values)
    check_finite(bool(np.isfinite(found).all()))
    return found


def check_finite(finite: bool) -> None:
    """Raises `UsageError` of a training that has run off, unless the model still gives finite numbers."""
    if not finite:
        raise UsageError(
            "training has diverged: the model gives no finite numbers any more. Type a smaller --learning-rate, or a "
            "smaller --set head_learning_rate=RATE"
        )
