"""What teachers said, kept small, and where the windows of a student's batch find it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tagline.errors import LabelError
from tagline.records import Problem
from tagline.text.features import EncodedWindow

Floats = NDArray[np.float32]
_LEAST = 1e-9  # a chance that is smaller is taken for this one
_NAMED = 8  # labels that a message names


@dataclass(frozen=True)
class Where:
    """The rows of a batch's logits that are taught.

    Attributes:
        index: for each of N words its (window, sub-token) in the batch; for texts its (window,).
        rows: (N,) their rows among the targets.
    """

    index: tuple[torch.Tensor, ...]
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class Targets:
    """The teachers' answers to all words, or to all texts, of the training data and of what is not labelled.

    Attributes:
        scores: (N, L) in half precision: logarithms of chances; of several labels logits; of numbers the numbers.
        starts: (W,) for each of the student's windows the row of its first word, or of its text.
        places: for each window the positions of its words' first sub-tokens; None for texts.
    """

    scores: NDArray[np.float16]
    starts: NDArray[np.int64]
    places: Sequence[NDArray[np.int64]] | None = None

    def where(self, windows: Sequence[int]) -> Where:
        """What is taught in a batch of the student's windows."""
        if self.places is None:
            return Where((torch.arange(len(windows)),), self.starts[np.asarray(windows, dtype=np.int64)])
        places = [self.places[window] for window in windows]
        counts = [len(each) for each in places]
        rows = [self.starts[window] + np.arange(count) for window, count in zip(windows, counts, strict=True)]
        batch = np.repeat(np.arange(len(windows)), counts)
        index = (torch.from_numpy(batch), torch.from_numpy(_joined(places)))
        return Where(index, _joined(rows))

    def count(self, windows: Sequence[int]) -> int:
        """Words, or texts, that are taught in a batch of the student's windows."""
        return len(windows) if self.places is None else sum(len(self.places[window]) for window in windows)

    def of(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """(N, L) scores in float32."""
        return torch.from_numpy(self.scores[rows].astype(np.float32))


def word_targets(
    scores: Floats, windows: Sequence[EncodedWindow], sentence: Sequence[int], words: list[int]
) -> Targets:
    """Targets of words.

    Args:
        scores: (N, L) chances of all words, sentence by sentence.
        windows: the student's.
        sentence: number of each window's sentence.
        words: words of each sentence; they sum to N.
    """
    before = np.cumsum([0, *words])
    starts = np.asarray([before[owner] + each.first for owner, each in zip(sentence, windows, strict=True)])
    return Targets(packed(scores, Problem.SINGLE), starts.astype(np.int64), [each.places for each in windows])


def packed(chances: Floats, problem: Problem) -> NDArray[np.float16]:
    """Chances as `Targets.scores` holds them: at a fixed width, their logarithm keeps small ones apart."""
    if problem is Problem.REGRESSION:
        return chances.astype(np.float16)
    chances = np.maximum(chances, _LEAST)
    if problem is Problem.MULTI:
        return (np.log(chances) - np.log(np.maximum(1 - chances, _LEAST))).astype(np.float16)
    return np.log(chances).astype(np.float16)


def columns(teacher: str, has: Sequence[str], wanted: Sequence[str]) -> NDArray[np.int64]:
    """Where a teacher's answers hold the student's labels, in the student's order.

    Raises:
        LabelError: the labels are not the same.
    """
    missing = [label for label in wanted if label not in has]
    foreign = [label for label in has if label not in wanted]
    if missing or foreign:
        said = [f"lacks {_some(missing)}"] if missing else []
        said += [f"has {_some(foreign)}, which the training data lacks"] if foreign else []
        raise LabelError(
            f"--teacher {teacher}: {' and '.join(said)}; expected a teacher with the student's labels, "
            f"{_some(list(wanted))}. Train it on the same label set (and of tags, in the same --set scheme=)"
        )
    return np.asarray([has.index(label) for label in wanted], dtype=np.int64)


def _some(labels: list[str]) -> str:
    return ", ".join(labels[:_NAMED]) + (", …" if len(labels) > _NAMED else "")


def _joined(parts: list[Any]) -> NDArray[np.int64]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
