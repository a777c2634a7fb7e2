"""Windows in, logits of each window out: batches across texts, answers in the order of the texts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tagline.engines.base import Engine
from tagline.predict.pool import Pool
from tagline.records import Batch
from tagline.text.batches import Shown, pad

POOL_TOKENS = 65_536  # sub-tokens among which windows of like length are sought; bounds memory and delay
_FIRST_TOKENS = 8_192  # before the first batch, so that the engine starts early; the pool grows with what it gave out
_CHUNK_TOKENS = 4_096  # sub-tokens of texts that are finished together
Logits = NDArray[np.float32]


class Windowed(Protocol):
    """A text, or a part of a long one, that was cut into windows; none for a text without sub-tokens."""

    @property
    def windows(self) -> Sequence[Shown]:
        """The windows, in order."""
        ...

    @property
    def ends(self) -> bool:
        """Whether a text ends with it."""
        ...


T = TypeVar("T", bound=Windowed)


@dataclass
class Chunk(Generic[T]):
    """Texts in the order in which they came, with what the engine said of them.

    Attributes:
        texts: the texts.
        logits: for each text and each of its windows an array (T, L), padding taken off, or (L,) of the whole window.
    """

    texts: list[T] = field(default_factory=list)
    logits: list[list[Logits]] = field(default_factory=list)


class _Waiting(Generic[T]):
    """A text whose windows are being computed."""

    __slots__ = ("left", "logits", "text", "tokens")

    def __init__(self, text: T) -> None:
        self.text = text
        self.left = len(text.windows)
        self.logits = [_NONE] * self.left
        self.tokens = sum(len(window.ids) for window in text.windows)


_NONE = np.empty((0, 0), dtype=np.float32)


def run_chunks(engine: Engine, texts: Iterable[T], pad_id: int, every: int = 0) -> Iterator[Chunk[T]]:
    """Runs texts through an engine in constant memory.

    Args:
        engine: runs the batches.
        texts: the texts with their windows; taken as they are needed.
        pad_id: id of the padding sub-token.
        every: texts after which batches begin anew, so that a run that starts there makes the same batches (the last
            digits of logits depend on what a text is batched with); 0 never begins anew.

    Returns:
        Finished chunks; their texts, one chunk after the other, are the texts in their order.
    """
    run = _Run(iter(texts), pad_id, engine.batch_tokens, every)
    while not run.exhausted:
        for logits in engine.run(run.batches()):
            run.place(logits)
            if run.enough():
                yield run.finished()
        if (chunk := run.finished()).texts:
            yield chunk


class _Run(Generic[T]):
    """What is known of a run: the texts on their way, and the windows that wait."""

    def __init__(self, texts: Iterator[T], pad_id: int, budget: int, every: int) -> None:
        self.exhausted = False
        self._texts, self._pad, self._every = texts, pad_id, every
        self._pool: Pool[tuple[_Waiting[T], int]] = Pool(budget)
        self._waiting: deque[_Waiting[T]] = deque()
        self._sent: deque[list[tuple[_Waiting[T], int]]] = deque()
        self._taken = 0  # texts
        self._given = 0  # sub-tokens, since batches began anew
        self._border = False

    def batches(self) -> Iterator[Batch]:
        """Batches as long as there are texts; ends early where texts without windows pile up, to give these out."""
        while True:
            self._fill()
            if not self._pool:
                if not self._border or self.exhausted:
                    return
                self._border, self._given = False, 0
                continue
            rows = self._pool.take()
            self._sent.append(rows)
            windows = [waiting.text.windows[number] for waiting, number in rows]
            self._given += sum(len(window.ids) for window in windows)
            yield pad([window.ids for window in windows], [window.types for window in windows], self._pad)

    def _fill(self) -> None:
        target = min(POOL_TOKENS, _FIRST_TOKENS + 2 * self._given)
        empty = 0
        while self._pool.units < target and empty < POOL_TOKENS and not (self._border or self.exhausted):
            try:
                text = next(self._texts)
            except StopIteration:
                self.exhausted = True
                return
            self._taken += text.ends
            self._border = bool(self._every) and text.ends and self._taken % self._every == 0
            waiting = _Waiting(text)
            self._waiting.append(waiting)
            empty += not waiting.left
            for number, window in enumerate(text.windows):
                self._pool.add((waiting, number), len(window.ids))

    def place(self, logits: Logits) -> None:
        """Takes the logits (B, T, L) or (B, L) of the next batch."""
        for values, (waiting, number) in zip(logits, self._sent.popleft(), strict=True):
            length = len(waiting.text.windows[number].ids)
            waiting.logits[number] = values if values.ndim == 1 else values[:length]
            waiting.left -= 1

    def enough(self) -> bool:
        """Whether the first texts are finished, and worth to be given out together."""
        tokens = 0
        for waiting in self._waiting:
            if waiting.left:
                return False
            tokens += waiting.tokens + 1
            if tokens >= _CHUNK_TOKENS:
                return True
        return False

    def finished(self) -> Chunk[T]:
        """Takes the first texts out, as far as they are finished."""
        chunk: Chunk[T] = Chunk()
        while self._waiting and not self._waiting[0].left:
            waiting = self._waiting.popleft()
            chunk.texts.append(waiting.text)
            chunk.logits.append(waiting.logits)
        return chunk
