"""The loop that a careful user writes around a bare engine: all texts tokenised, windows sorted by length, padded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from peers.wire import Entity

Ints = NDArray[np.int64]
Arrays = tuple[Ints, Ints, Ints]
"""(B, T) sub-token ids, mask, segment ids."""
Engine = Callable[[Iterator[Arrays]], Iterable[NDArray[Any]]]
"""Batches in, logits (B, T, L) out, in order."""


class Padded:
    """Reads texts with a bare engine. Segment ids are zeros: word shapes are Tagline's own.

    Args:
        folder: a Hugging Face folder of a model for token classification.
        engine: computes the logits of batches.
        window: most sub-tokens of a window; longer texts take several.
        overlap: sub-tokens that neighbouring windows share.

    Attributes:
        setting: sub-tokens of a batch, padding included.
    """

    def __init__(self, folder: Path, engine: Engine, window: int = 256, overlap: int = 63) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.labels = [config["id2label"][str(number)] for number in range(len(config["id2label"]))]
        self.tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        vocabulary = self.tokenizer.get_vocab()
        self.first, self.last = vocabulary["[CLS]"], vocabulary["[SEP]"]
        self.engine, self.room, self.overlap = engine, window - 2, overlap
        self.setting = 1024

    def read(self, texts: Sequence[str]) -> list[list[Entity]]:
        """Entities of each text, in order."""
        encodings = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        windows = [(number, *cut) for number, each in enumerate(encodings) for cut in self._cuts(len(each.ids))]
        windows.sort(key=lambda window: window[1] - window[2])  # the longest first
        batches = list(self._batches(windows))
        found = [np.zeros(len(each.ids), dtype=np.int64) for each in encodings]
        ids = [each.ids for each in encodings]
        logits = self.engine(self._arrays([windows[row] for row in rows], ids) for rows in batches)
        for rows, values in zip(batches, logits, strict=True):
            best = values.argmax(-1)
            for place, row in enumerate(rows):
                number, start, _, first, last = windows[row]
                found[number][first:last] = best[place, 1 + first - start : 1 + last - start]
        return [self._entities(each, labels.tolist()) for each, labels in zip(encodings, found, strict=True)]

    def _cuts(self, length: int) -> Iterator[tuple[int, int, int, int]]:
        """(start, end) shown and (first, last) scored of each window; an overlap is halved between its two."""
        starts = range(0, max(1, length - self.overlap), self.room - self.overlap)
        for start in starts:
            end = min(length, start + self.room)
            first = start if start == 0 else start + self.overlap // 2
            last = length if end == length else end - self.overlap + self.overlap // 2
            if length:
                yield start, end, first, last

    def _batches(self, windows: Sequence[tuple[int, ...]]) -> Iterator[range]:
        begin = 0
        for row in range(len(windows)):
            longest = windows[begin][2] - windows[begin][1] + 2
            if row > begin and (row + 1 - begin) * longest > self.setting:
                yield range(begin, row)
                begin = row
        if windows:
            yield range(begin, len(windows))

    def _arrays(self, windows: Sequence[tuple[int, ...]], ids: Sequence[Sequence[int]]) -> Arrays:
        longest = max(end - start for _, start, end, *_ in windows) + 2
        shown, mask = (np.zeros((len(windows), longest), dtype=np.int64) for _ in range(2))
        for row, (number, start, end, *_) in enumerate(windows):
            size = end - start + 2
            shown[row, 0], shown[row, size - 1] = self.first, self.last
            shown[row, 1 : size - 1] = ids[number][start:end]
            mask[row, :size] = 1
        return shown, mask, np.zeros_like(shown)

    def _entities(self, encoding: Any, tags: list[int]) -> list[Entity]:
        """Neighbours of one entity put together, as the pipeline's `simple` does it."""
        found: list[Entity] = []
        before = "O"
        for tag, (start, end) in zip(tags, encoding.offsets, strict=True):
            label = self.labels[tag]
            kind = label.partition("-")[2] or label
            if label != "O":
                if found and before == kind and not label.startswith("B-"):
                    found[-1] = (kind, found[-1][1], end)
                else:
                    found.append((kind, start, end))
            before = "O" if label == "O" else kind
        return found
