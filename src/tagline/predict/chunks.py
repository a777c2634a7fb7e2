"""Windows in, logits of each window out: batches across texts, answers in the order of the texts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tagline.engines.base import Engine
from tagline.records import Batch
from tagline.text.batches import Shown, pad, plan_batches

CHUNK_TOKENS = 16_384  # sub-tokens that are sorted together; bounds memory and delay
Logits = NDArray[np.float32]


class Windowed(Protocol):
    """A text that was cut into windows; none for a text without sub-tokens."""

    @property
    def windows(self) -> Sequence[Shown]:
        """The windows, in order."""
        ...


T = TypeVar("T", bound=Windowed)


@dataclass
class Chunk(Generic[T]):
    """Texts that were batched together, with what the engine said of them.

    Attributes:
        texts: the texts, in the order in which they came.
        logits: for each text and each of its windows an array (T, L), padding taken off, or (L,) of the whole window.
    """

    texts: list[T] = field(default_factory=list)
    logits: list[list[Logits]] = field(default_factory=list)
    _windows: list[tuple[Shown, int, int]] = field(default_factory=list)
    _plan: list[list[int]] = field(default_factory=list)
    _tokens: int = 0
    _done: int = 0

    def add(self, text: T) -> bool:
        """Takes a text in; whether the chunk is full."""
        for number, window in enumerate(text.windows):
            self._windows.append((window, len(self.texts), number))
            self._tokens += len(window.ids)
        self.texts.append(text)
        return max(self._tokens, len(self.texts)) >= CHUNK_TOKENS

    def batches(self, pad_id: int, budget: int) -> Iterator[Batch]:
        """The chunk's batches; their logits must come back to `place` in the same order."""
        self._plan = plan_batches([len(window.ids) for window, _, _ in self._windows], budget)
        self.logits = [[np.empty((0, 0), dtype=np.float32)] * len(text.windows) for text in self.texts]
        for rows in self._plan:
            shown = [self._windows[row][0] for row in rows]
            yield pad([window.ids for window in shown], [window.types for window in shown], pad_id)

    def place(self, logits: Logits) -> None:
        """Takes the logits (B, T, L) or (B, L) of the next batch."""
        for values, row in zip(logits, self._plan[self._done], strict=True):
            window, text, number = self._windows[row]
            self.logits[text][number] = values if values.ndim == 1 else values[: len(window.ids)]
        self._done += 1

    @property
    def finished(self) -> bool:
        """Whether every window has its logits."""
        return self._done == len(self._plan)


def run_chunks(engine: Engine, texts: Iterable[T], pad_id: int, budget: int, every: int = 0) -> Iterator[Chunk[T]]:
    """Runs texts through an engine in constant memory.

    Args:
        engine: runs the batches.
        texts: the texts with their windows; taken as they are needed.
        pad_id: id of the padding sub-token.
        budget: most sub-tokens of a batch, padding included.
        every: texts after which a new chunk begins in any case, so that a run that starts there makes the same batches
            (the last digits of logits depend on what a text is batched with); 0 leaves it to the chunk's size.

    Returns:
        Finished chunks; their texts, one chunk after the other, are the texts in their order.
    """
    waiting: deque[Chunk[T]] = deque()

    def batches() -> Iterator[Batch]:
        for chunk in _gather(texts, every):
            waiting.append(chunk)
            yield from chunk.batches(pad_id, budget)

    for logits in engine.run(batches()):
        while waiting[0].finished:  # nothing but texts without windows
            yield waiting.popleft()
        waiting[0].place(logits)
        if waiting[0].finished:
            yield waiting.popleft()
    yield from waiting


def _gather(texts: Iterable[T], every: int) -> Iterator[Chunk[T]]:
    chunk: Chunk[T] = Chunk()
    for count, text in enumerate(texts, start=1):
        if chunk.add(text) or (every and count % every == 0):
            yield chunk
            chunk = Chunk()
    if chunk.texts:
        yield chunk
