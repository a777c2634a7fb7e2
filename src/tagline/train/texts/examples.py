"""Labelled texts as windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagline.records import LabelledText, Problem
from tagline.text.sequences import SequenceEncoder, SequenceWindow

UNKNOWN = -1
"""Id of a label that the model does not have."""


@dataclass(frozen=True)
class TextExamples:
    """Labelled texts as windows; every window is learned as its text's label.

    Attributes:
        windows: all windows, text by text.
        owner: (W,) number of each window's text.
        targets_by_text: (N,) label ids (`UNKNOWN` where the model lacks it), (N, L) zeros and ones, or (N,) numbers.
        shortened: pairs of which a part did not fit.
        cut: sub-tokens of pairs that did not fit.
    """

    windows: list[SequenceWindow]
    owner: NDArray[np.int64]
    targets_by_text: NDArray[np.int64] | NDArray[np.float32]
    shortened: int
    cut: int

    @property
    def lengths(self) -> list[int]:
        """Sub-tokens of each window."""
        return [len(window.ids) for window in self.windows]

    @property
    def learned(self) -> int:
        """Sub-tokens of all windows together."""
        return sum(self.lengths)

    def targets(self, rows: Sequence[int], width: int) -> NDArray[np.int64] | NDArray[np.float32]:
        """Labels of the windows `rows`: (B,) or (B, L)."""
        found: NDArray[np.int64] | NDArray[np.float32] = self.targets_by_text[
            self.owner[np.asarray(rows, dtype=np.int64)]
        ]
        return found

    def facts(self) -> Iterator[bytes]:
        """Everything that the run learns from, for its fingerprint."""
        for window in self.windows:
            yield window.ids.tobytes()
            yield window.types.tobytes()
        yield self.owner.tobytes()
        yield self.targets_by_text.tobytes()


def encode_texts(
    encoder: SequenceEncoder, texts: Sequence[LabelledText], labels: Sequence[str], problem: Problem
) -> TextExamples:
    """Cuts texts into windows and turns their labels into numbers."""
    windows: list[SequenceWindow] = []
    owner: list[int] = []
    shortened = cut = 0
    for number, encoded in enumerate(encoder((each.text, each.pair) for each in texts)):
        windows += encoded.windows
        owner += [number] * len(encoded.windows)
        shortened += encoded.shortened > 0
        cut += encoded.shortened
    return TextExamples(windows, np.asarray(owner, dtype=np.int64), targets_of(texts, labels, problem), shortened, cut)


def targets_of(
    texts: Sequence[LabelledText], labels: Sequence[str], problem: Problem
) -> NDArray[np.int64] | NDArray[np.float32]:
    """Labels as numbers; see `TextExamples.targets_by_text`. Of several labels, unknown ones are left out."""
    place = {label: number for number, label in enumerate(labels)}
    if problem is Problem.REGRESSION:
        return np.asarray([each.score for each in texts], dtype=np.float32)
    if problem is Problem.SINGLE:
        return np.asarray([place.get(each.labels[0], UNKNOWN) for each in texts], dtype=np.int64)
    several = np.zeros((len(texts), len(labels)), dtype=np.float32)
    for row, each in enumerate(texts):
        several[row, [place[label] for label in each.labels if label in place]] = 1
    return several
