"""Plain text as blocks of equal length, and the masks that are drawn over them anew in every epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from tagline.data.streams.row import RowOptions
from tagline.data.streams.rows import read_rows
from tagline.errors import DataError
from tagline.text.batches import pad
from tagline.train.dataset import IGNORED

_HIDDEN, _OTHER = 0.8, 0.1  # of what is to be told: shown as the mask, as any other piece; the rest stays
_AT_ONCE = 1000  # lines


@dataclass(frozen=True)
class PlainText:
    """Lines that are learned, and lines that only judge.

    Attributes:
        learned: lines, in the order of the file.
        held_out: likewise; no line stands in both.
        fingerprint: SHA-256 of all lines.
    """

    learned: list[str]
    held_out: list[str]
    fingerprint: str


def read_text(path: Path, held_out: float, seed: int, form: str | None = None) -> PlainText:
    """Reads a text and sets a share of its different lines aside; equal lines stay on one side.

    Args:
        path: any file of texts that `read_rows` reads; blank lines are left out.
        held_out: share that is set aside, at least one line; 0 sets none aside.
        seed: decides which.
        form: format, where the name does not tell it.

    Raises:
        DataError: there is no text in it, or too little of it to set a part aside.
    """
    with read_rows(path, RowOptions(format=form)) as rows:
        lines = [row.text.strip() for row in rows if row.text.strip()]
    if not lines:
        raise DataError("holds no text; expected plain text in UTF-8, a sentence or a paragraph a line", path)
    digest = hashlib.sha256("\n".join(lines).encode())
    if not held_out:
        return PlainText(lines, [], digest.hexdigest())
    known = sorted(set(lines), key=lambda line: hashlib.sha256(f"{seed} {line}".encode()).digest())
    if len(known) < 2:
        raise DataError(
            "holds a single line, of which no part can be held out; give more lines, or type --held-out 0", path
        )
    aside = set(known[: min(len(known) - 1, max(1, round(held_out * len(known))))])
    learned, judged = [line for line in lines if line not in aside], [line for line in lines if line in aside]
    return PlainText(learned, judged, digest.hexdigest())


def blocks_of(lines: Sequence[str], tokenizer: Any, window: int) -> list[NDArray[np.int64]]:
    """Lines one after the other, a separator behind each, cut into blocks that begin and end with special tokens.

    So RoBERTa's authors feed whole sentences (Liu et al. 2019, FULL-SENTENCES). Only the last block may be shorter.

    Args:
        lines: the text.
        tokenizer: a fast Hugging Face tokenizer.
        window: sub-tokens of a block, special tokens included.

    Returns:
        (T,) ids of each block.
    """
    first, last = tokenizer.cls_token_id, tokenizer.sep_token_id
    stream: list[NDArray[np.int64]] = []
    for start in range(0, len(lines), _AT_ONCE):
        some = list(lines[start : start + _AT_ONCE])
        encoded = tokenizer.backend_tokenizer.encode_batch(some, add_special_tokens=False)
        stream += [np.asarray([*each.ids, last], dtype=np.int64) for each in encoded if each.ids]
    flat = np.concatenate(stream)[:-1] if stream else np.zeros(0, np.int64)
    inner = window - 2
    return [np.concatenate(([first], flat[at : at + inner], [last])) for at in range(0, len(flat), inner)]


def mask(
    ids: NDArray[np.int64], free: NDArray[np.bool_], tokenizer: Any, share: float, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Hides sub-tokens as BERT does (Devlin et al. 2019, section 3.1): 80 % masked, 10 % any other, 10 % as they are.

    Args:
        ids: (B, T) sub-tokens.
        free: (B, T) where something may be hidden: no special token, no padding.
        tokenizer: knows the mask and which ids are special.
        share: chance of each sub-token to be chosen; where chance leaves all of them, one is taken.
        random: is drawn from.

    Returns:
        (B, T) what the model is shown, and (B, T) what it is to tell, -100 where nothing.
    """
    chosen = free & (random.random(ids.shape) < share)
    if not chosen.any() and free.any():
        chosen.flat[random.choice(np.flatnonzero(free))] = True
    fate = random.random(ids.shape)
    shown = np.where(chosen & (fate < _HIDDEN), tokenizer.mask_token_id, ids)
    plain = np.setdiff1d(np.arange(len(tokenizer)), tokenizer.all_special_ids)
    other = chosen & (fate >= _HIDDEN) & (fate < _HIDDEN + _OTHER)
    shown[other] = random.choice(plain, int(other.sum()))
    return shown, np.where(chosen, ids, IGNORED)


class MaskedBatches(Dataset[dict[str, torch.Tensor]]):
    """Each item is a whole batch of blocks; order and masks depend on (seed, epoch, place) alone.

    So a run that is resumed sees what an unbroken one sees. The Trainer takes it with a batch size of one.

    Args:
        blocks: ids of each block.
        tokenizer: that made them.
        share: of sub-tokens that are to be told.
        size: blocks of a batch.
        seed: of order and masks.
        fixed: keep one order and one mask, for evaluation.
    """

    def __init__(
        self,
        blocks: Sequence[NDArray[np.int64]],
        tokenizer: Any,
        share: float,
        size: int,
        seed: int,
        fixed: bool = False,
    ) -> None:
        self.blocks, self.tokenizer, self.share, self.size = blocks, tokenizer, share, size
        self.seed, self.fixed = seed, fixed
        self._special = np.asarray(sorted(tokenizer.all_special_ids))
        self._order = np.arange(len(blocks))
        self.epoch = 0
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Lays the order of an epoch; the data loader calls it."""
        if not self.fixed:
            self.epoch = epoch
            self._order = np.random.default_rng((self.seed, epoch)).permutation(len(self.blocks))

    def __len__(self) -> int:
        return (len(self.blocks) + self.size - 1) // self.size

    def __getitem__(self, item: int) -> dict[str, torch.Tensor]:
        if not 0 <= item < len(self):
            raise IndexError(item)
        chosen = [self.blocks[row] for row in self._order[item * self.size : (item + 1) * self.size]]
        batch = pad(chosen, [np.zeros_like(block) for block in chosen], self.tokenizer.pad_token_id)
        free = (batch.attention_mask > 0) & ~np.isin(batch.input_ids, self._special)
        random = np.random.default_rng((self.seed, self.epoch, item, int(self.fixed)))
        shown, labels = mask(batch.input_ids, free, self.tokenizer, self.share, random)
        return {
            "input_ids": torch.from_numpy(shown),
            "attention_mask": torch.from_numpy(batch.attention_mask),
            "labels": torch.from_numpy(labels),
        }


def subtokens(blocks: Iterable[NDArray[np.int64]]) -> int:
    """Sub-tokens of the text itself, in all blocks."""
    return sum(len(block) - 2 for block in blocks)
