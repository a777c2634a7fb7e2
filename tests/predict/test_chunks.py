"""Texts through an engine: answers in order while windows run as batches of like length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tagline.predict import chunks
from tagline.predict.chunks import Chunk, run_texts
from tagline.records import Batch
from tagline.text.features import EncodedWindow

_NO_PLACES = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Text:
    """Windows that hold the text's number."""

    number: int
    windows: list[EncodedWindow]
    ends: bool = True


class Echo:
    """Gives the ids back as logits; counts cells with and without padding."""

    name, precision = "echo", "f32"

    def __init__(self, budget: int) -> None:
        self.batch_tokens, self.cells, self.real, self.batches = budget, 0, 0, 0

    def run(self, batches: Iterable[Batch]) -> Iterator[NDArray[np.float32]]:
        """(B, T, 1) of each batch; two are on their way while a third is prepared."""
        waiting: list[Batch] = []
        for batch in batches:
            self.batches += 1
            self.cells += batch.input_ids.size
            self.real += int(batch.attention_mask.sum())
            waiting.append(batch)
            if len(waiting) == 3:
                yield waiting.pop(0).input_ids[..., None].astype(np.float32)
        for batch in waiting:
            yield batch.input_ids[..., None].astype(np.float32)


def texts(lengths: Iterable[list[int]]) -> Iterator[Text]:
    for number, own in enumerate(lengths):
        windows = [
            EncodedWindow(np.full(size, number + 1), np.zeros(size, dtype=np.int64), 0, _NO_PLACES, _NO_PLACES)
            for size in own
        ]
        yield Text(number, windows)


def finish(chunk: Chunk[Text]) -> Iterator[tuple[int, list[int]]]:
    """The text's number, and the lengths of its windows by what the engine said."""
    for text, logits in zip(chunk.texts, chunk.logits, strict=True):
        assert all((each == text.number + 1).all() for each in logits)
        yield text.number, [len(each) for each in logits]


@given(
    st.lists(st.lists(st.integers(1, 40), max_size=4), max_size=60), st.integers(1, 120), st.integers(0, 7),
    st.sampled_from([1, 30, 4_096]),
)  # fmt: skip
def test_every_text_has_its_answer_in_order(lengths: list[list[int]], budget: int, every: int, together: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "_CHUNK_TOKENS", together)
        patch.setattr(chunks, "_FIRST_TOKENS", 50)
        engine = Echo(budget)
        found = list(run_texts(engine, texts(lengths), 0, finish, every))
    assert found == list(enumerate(lengths))
    assert engine.real == sum(map(sum, lengths))


def test_texts_are_taken_as_they_are_needed() -> None:
    taken = 0

    def endless() -> Iterator[Text]:
        nonlocal taken
        for text in texts([20] for _ in iter(int, 1)):
            taken += 1
            yield text

    answers = run_texts(Echo(1_024), endless(), 0, finish)
    for number in range(20_000):
        assert next(answers) == (number, [20])
        assert taken - number < (chunks.POOL_TOKENS + 10 * 1_024) / 20


@pytest.mark.parametrize("every", [0, 64])
def test_texts_without_windows_do_not_pile_up(every: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "POOL_TOKENS", 500)
    taken = 0

    def blank() -> Iterator[Text]:
        nonlocal taken
        for text in texts([] for _ in range(10_000)):
            taken += 1
            yield text

    for number, answer in enumerate(run_texts(Echo(1_024), blank(), 0, finish, every)):
        assert answer == (number, [])
        assert taken - number <= 500
    assert taken == 10_000


def test_what_is_through_the_engine_is_finished_while_it_computes() -> None:
    engine = Echo(200)
    finished: list[tuple[int, int]] = []  # the batches that had been asked for, the text

    def noted(chunk: Chunk[Text]) -> Iterator[int]:
        for text in chunk.texts:
            finished.append((engine.batches, text.number))
            yield text.number

    # The first text has a window of each length, so it is through only when all lengths have been read.
    lengths = [list(range(1, 41)), *([1 + number % 40] for number in range(2_000))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "_CHUNK_TOKENS", 100)
        assert list(run_texts(engine, texts(lengths), 0, noted)) == list(range(len(lengths)))
    first = next(batches for batches, number in finished if number == 0)
    before = [number for batches, number in finished if batches < first]
    assert first < engine.batches
    assert len(before) > 100


@pytest.mark.parametrize(("budget", "filled"), [(1_024, 0.95), (16_384, 0.85)])
def test_batches_hold_little_padding(budget: int, filled: float) -> None:
    random = np.random.default_rng(5)
    engine = Echo(budget)
    sizes = np.clip(random.gamma(2.0, 9.0, 3_500).astype(int), 3, 120)
    assert len(list(run_texts(engine, texts([int(size)] for size in sizes), 0, finish))) == len(sizes)
    assert engine.real / engine.cells > filled
    assert engine.batches <= 8 * engine.cells / budget + 4  # none is less than an eighth of the budget but at the ends
