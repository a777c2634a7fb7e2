"""Sentences as windows with a label on each word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagline.text.features import EncodedWindow, WindowEncoder
from tagline.train.dataset import IGNORED


@dataclass(frozen=True)
class TokenExamples:
    """Annotated sentences as windows.

    Attributes:
        windows: all windows, sentence by sentence.
        sentence: (N,) number of each window's sentence.
        labels: per window, (T,) label ids, `IGNORED` where nothing is scored.
        words: words of each sentence.
        shortened: words of which only the first sub-tokens fit.
        edges: whether `targets` say where sentences begin and end.
    """

    windows: list[EncodedWindow]
    sentence: list[int]
    labels: list[NDArray[np.int64]]
    words: list[int]
    shortened: int
    edges: bool = False

    @property
    def lengths(self) -> list[int]:
        """Sub-tokens of each window."""
        return [len(window.ids) for window in self.windows]

    @property
    def learned(self) -> int:
        """Sub-tokens of all windows, those of context left out."""
        return sum(len(window.ids) - window.context for window in self.windows)

    def targets(self, rows: Sequence[int], width: int) -> NDArray[np.int64]:
        """(B, width) label ids of the windows `rows`.

        With `edges` (B, width + 2): between two columns that are 1 where the window begins and where it ends its
        sentence, else 0.
        """
        labels = np.full((len(rows), width), IGNORED, dtype=np.int64)
        for place, row in enumerate(rows):
            labels[place, : len(self.labels[row])] = self.labels[row]
        if not self.edges:
            return labels
        shown = [(self.windows[row], self.words[self.sentence[row]]) for row in rows]
        begins = [window.first == 0 for window, _ in shown]
        ends = [window.first + len(window.places) == words for window, words in shown]
        return np.column_stack((begins, labels, ends)).astype(np.int64)

    def facts(self) -> Iterator[bytes]:
        """Everything that the run learns from, for its fingerprint."""
        for window, labels in zip(self.windows, self.labels, strict=True):
            yield np.asarray((window.ids, window.types), dtype=np.int64).tobytes()
            yield labels.tobytes()


def label_windows(
    encoders: Sequence[WindowEncoder],
    words: Sequence[Sequence[str]],
    tags: Sequence[NDArray[np.int64]],
    spread: bool = False,
    around: Iterable[tuple[Sequence[str], Sequence[str]]] | None = None,
) -> TokenExamples:
    """Cuts sentences into windows and puts each word's label id on its first sub-token, once over all windows.

    Args:
        encoders: each cuts its sentence into windows.
        words: sentences.
        tags: label ids of each sentence's words.
        spread: put the label on every sub-token of the word.
        around: words before and after each sentence, shown as context and not scored.
    """
    windows, owner, labels, shortened = [], [], [], 0
    beside = [((), ())] * len(words) if around is None else around
    for number, (encoder, sentence, ids, shown) in enumerate(zip(encoders, words, tags, beside, strict=True)):
        encoded = encoder(sentence, *shown)
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
    return TokenExamples(windows, owner, labels, [len(sentence) for sentence in words], shortened)
