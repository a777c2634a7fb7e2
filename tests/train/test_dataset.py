"""Labels on windows, and the batches of an epoch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from tagline.text.features import EncodedWindow, WindowEncoder
from tagline.text.subtokens import SubTokenizer
from tagline.train.dataset import IGNORED, EpochBatches, only
from tagline.train.tokens.examples import TokenExamples, label_windows


def letters() -> SubTokenizer:
    """Every letter a sub-token of its own."""
    vocabulary = {"[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "[UNK]": 3, **{chr(97 + n): 4 + n for n in range(26)}}
    vocabulary |= {f"##{chr(97 + n)}": 30 + n for n in range(26)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return SubTokenizer(tokenizer)


def examples(lengths: list[int]) -> TokenExamples:
    """Windows of given lengths whose first id is their number."""
    windows, labels = [], []
    for number, length in enumerate(lengths):
        ids = [number, *[7] * (length - 1)]
        zeros = np.zeros(length, dtype=np.int64)
        windows.append(EncodedWindow(np.asarray(ids), zeros, 0, np.asarray([0]), np.asarray([1])))
        labels.append(np.asarray([number % 5, *[IGNORED] * (length - 1)]))
    return TokenExamples(windows, list(range(len(lengths))), labels, [1] * len(lengths), 0)


@pytest.mark.parametrize("spread", [False, True])
def test_every_word_is_labelled_once_over_all_windows(spread: bool) -> None:
    words = ["abc", "de", "f", "ghij", "kl", "m", "nop", "qr"] * 5
    tags = np.arange(len(words)) % 7
    encoder = WindowEncoder(letters(), 16, 6)
    made = label_windows([encoder], [words], [tags], spread)
    assert len(made.windows) > 3
    found = []
    for window, row in zip(made.windows, made.labels, strict=True):
        assert len(row) == len(window.ids) <= 16
        assert row[0] == row[-1] == IGNORED
        for at, count, place in zip(window.places, window.counts, range(len(window.places)), strict=True):
            own = row[at : at + count]
            assert own[0] == tags[window.first + place]
            assert set(own[1:]) <= ({own[0]} if spread else {IGNORED})
            found.append(window.first + place)
    assert found == list(range(len(words)))
    labelled = sum(int((row != IGNORED).sum()) for row in made.labels)
    assert labelled == (sum(map(len, words)) if spread else len(words))


@given(st.lists(st.integers(1, 60), min_size=1, max_size=80), st.integers(1, 200), st.integers(0, 3))
def test_an_epoch_shows_every_window_once(lengths: list[int], tokens: int, seed: int) -> None:
    data = EpochBatches(examples(lengths), 0, tokens, seed)
    sizes = set()
    for epoch in range(3):
        data.set_epoch(epoch)
        sizes.add(len(data))
        assert sorted(np.concatenate(data.batches).tolist()) == list(range(len(lengths)))
    assert len(sizes) == 1


def test_batches_change_with_the_epoch_and_come_again_with_the_seed() -> None:
    lengths = np.random.default_rng(5).integers(3, 40, 300).tolist()

    def order(seed: int, epoch: int) -> list[list[int]]:
        data = EpochBatches(examples(lengths), 0, 200, seed)
        data.set_epoch(epoch)
        return [rows.tolist() for rows in data.batches]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


def test_batches_hold_windows_of_like_length_and_about_the_budget() -> None:
    lengths = np.random.default_rng(5).integers(3, 40, 2000).tolist()
    data = EpochBatches(examples(lengths), 0, 400, 1)
    real = [sum(lengths[row] for row in rows) for rows in data.batches]
    padded = [max(lengths[row] for row in rows) * len(rows) for rows in data.batches]
    assert 350 < np.mean(real) < 450
    assert max(real) < 500
    assert sum(padded) < 1.4 * sum(real)


def test_a_batch_is_padded_and_labelled() -> None:
    data = EpochBatches(examples([4, 2, 3]), 9, 100)
    batch = only([data[0]])
    assert batch["input_ids"].tolist() == [[0, 7, 7, 7], [2, 7, 7, 9], [1, 7, 9, 9]]
    assert batch["attention_mask"].sum(dim=1).tolist() == [4, 3, 2]
    assert batch["labels"][:, 0].tolist() == [0, 2, 1]
    assert (batch["labels"][:, 1:] == IGNORED).all()
    assert batch["labels"].dtype == torch.int64


def test_one_window_longer_than_the_budget_leaves_no_batch_empty() -> None:
    data = EpochBatches(examples([500, 3, 4, 5]), 0, 100, 1)
    for item in range(len(data)):
        assert (data[item]["labels"] != IGNORED).any()
