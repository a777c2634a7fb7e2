"""Windows in, answers out: batches across texts, answers in the order of the texts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tagline.engines.base import Engine
from tagline.predict.pool import Pool
from tagline.records import Batch
from tagline.text.batches import Shown, pad

POOL_TOKENS = 65_536  # sub-tokens among which windows of like length are sought; bounds memory and delay
_USUAL_BUDGET = 4_096  # a pool for batches of more is larger by as much
_FIRST_TOKENS = 4_096  # before the first batch, so that the engine starts early; the pool grows with what it gave out,
_GROWTH = 4  # … no faster than texts are read beside a quick engine
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
R = TypeVar("R")
Finish = Callable[["Chunk[T]"], Iterable[R]]
"""Makes the answers to the texts of a chunk, one a text, in the chunk's order."""


@dataclass
class Chunk(Generic[T]):
    """Some texts, in any order, with what the engine said of them.

    Attributes:
        texts: the texts.
        logits: for each text and each of its windows an array (T, L), padding taken off, or (L,) of the whole window.
    """

    texts: list[T] = field(default_factory=list)
    logits: list[list[Logits]] = field(default_factory=list)


class _Waiting(Generic[T, R]):
    """A text whose windows are being computed, or whose answer waits for those before it."""

    __slots__ = ("answer", "left", "lengths", "logits", "text", "tokens")

    def __init__(self, text: T) -> None:
        self.text = text
        self.lengths = [len(window.ids) for window in text.windows]
        self.left = len(self.lengths)
        self.logits = [_NONE] * self.left
        self.tokens = sum(self.lengths)
        self.answer: list[R] = []  # one, when it is there


_NONE = np.empty((0, 0), dtype=np.float32)


def run_texts(engine: Engine, texts: Iterable[T], pad_id: int, finish: Finish[T, R], every: int = 0) -> Iterator[R]:
    """Runs texts through an engine in constant memory.

    Args:
        engine: runs the batches.
        texts: the texts with their windows; taken as they are needed.
        pad_id: id of the padding sub-token.
        finish: is called while the engine computes, with texts that are through it.
        every: texts after which batches begin anew, so that a run that starts there makes the same batches (the last
            digits of logits depend on what a text is batched with); 0 never begins anew.

    Returns:
        The answers, in the order of the texts.
    """
    run = _Run(iter(texts), pad_id, engine.batch_tokens, finish, every)
    while not run.exhausted:
        for logits in engine.run(run.batches()):
            run.place(logits)
            if run.enough():
                yield from run.answers()
        yield from run.answers()


class _Run(Generic[T, R]):
    """What is known of a run: the texts on their way, and the windows that wait."""

    def __init__(self, texts: Iterator[T], pad_id: int, budget: int, finish: Finish[T, R], every: int) -> None:
        self.exhausted = False
        self._texts, self._pad, self._finish, self._every = texts, pad_id, finish, every
        self._pool: Pool[tuple[_Waiting[T, R], int]] = Pool(budget)
        self._target = POOL_TOKENS * max(1, budget // _USUAL_BUDGET)
        self._waiting: deque[_Waiting[T, R]] = deque()  # in the order of the texts
        self._sent: deque[list[tuple[_Waiting[T, R], int]]] = deque()
        self._through: list[_Waiting[T, R]] = []  # all windows are computed, but there is no answer yet
        self._through_tokens = 0
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
                given, self._border, self._given = self._given, False, 0
                if not given:
                    return
                continue
            rows = self._pool.take(closing=self._border or self.exhausted)
            self._sent.append(rows)
            windows = [waiting.text.windows[number] for waiting, number in rows]
            self._given += sum(waiting.lengths[number] for waiting, number in rows)
            yield pad([window.ids for window in windows], [window.types for window in windows], self._pad)

    def _fill(self) -> None:
        target = min(self._target, _FIRST_TOKENS + _GROWTH * self._given)
        empty = 0
        while self._pool.units < target and empty < POOL_TOKENS and not (self._border or self.exhausted):
            try:
                text = next(self._texts)
            except StopIteration:
                self.exhausted = True
                return
            self._taken += text.ends
            self._border = bool(self._every) and text.ends and self._taken % self._every == 0
            waiting: _Waiting[T, R] = _Waiting(text)
            self._waiting.append(waiting)
            if not waiting.left:
                empty += 1
                self._pass(waiting)
            for number, length in enumerate(waiting.lengths):
                self._pool.add((waiting, number), length)

    def place(self, logits: Logits) -> None:
        """Takes the logits (B, T, L) or (B, L) of the next batch."""
        for values, (waiting, number) in zip(logits, self._sent.popleft(), strict=True):
            waiting.logits[number] = values if values.ndim == 1 else values[: waiting.lengths[number]]
            waiting.left -= 1
            if not waiting.left:
                self._pass(waiting)

    def _pass(self, waiting: _Waiting[T, R]) -> None:
        self._through.append(waiting)
        self._through_tokens += waiting.tokens + 1

    def enough(self) -> bool:
        """Whether so much is through the engine that it is worth to be finished together."""
        return self._through_tokens >= _CHUNK_TOKENS

    def answers(self) -> Iterator[R]:
        """Finishes what is through the engine; gives the answers whose turn it is."""
        through, self._through, self._through_tokens = self._through, [], 0
        chunk = Chunk([each.text for each in through], [each.logits for each in through])
        for waiting, answer in zip(through, self._finish(chunk), strict=True):
            waiting.answer.append(answer)
            waiting.logits = []
        while self._waiting and self._waiting[0].answer:
            yield self._waiting.popleft().answer[0]
