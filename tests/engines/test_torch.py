"""PyTorch behind the engines' protocol: on the processor, and on a GPU where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tagline.engines import Engine, EngineSettings, open_engine
from tagline.engines.base import ON_GPU, ON_PROCESSOR
from tagline.errors import UsageError
from tagline.folder import ModelFolder
from tagline.records import Batch

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")


def opened(folder: Path, **more: Any) -> Engine:
    return open_engine(ModelFolder.open(folder), EngineSettings("torch", **more))


def batches(count: int) -> Iterator[Batch]:
    random = np.random.default_rng(5)
    for _ in range(count):
        shape = tuple(random.integers(1, 30, 2))
        mask = (np.arange(shape[1]) < random.integers(1, shape[1] + 1, shape[0])[:, None]).astype(np.int64)
        yield Batch(random.integers(5, 200, shape) * mask, mask, random.integers(0, 2, shape) * mask)


def test_batches_are_as_large_as_suits_the_device_or_as_asked(tagger_folder: Path) -> None:
    assert opened(tagger_folder, device="cpu").batch_tokens == ON_PROCESSOR
    assert opened(tagger_folder, device="cpu", batch_tokens=77).batch_tokens == 77


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_gpu_that_is_not_there_is_told(tagger_folder: Path) -> None:
    with pytest.raises(UsageError, match=r"--device cuda: torch finds no GPU here; use --device cpu"):
        opened(tagger_folder, device="cuda")


@gpu
def test_a_gpu_answers_in_order_what_the_processor_answers(tagger_folder: Path) -> None:
    engine = opened(tagger_folder, device="cuda", precision="f32")
    assert engine.batch_tokens == ON_GPU
    found = list(engine.run(batches(60)))
    expected = list(opened(tagger_folder, device="cpu", precision="f32").run(batches(60)))
    for batch, ours, theirs in zip(batches(60), found, expected, strict=True):
        shown = batch.attention_mask == 1
        np.testing.assert_allclose(ours[shown], theirs[shown], atol=2e-3)  # a GPU may round products to tf32
        assert ours.dtype == np.float32


@gpu
def test_a_gpu_is_given_few_batches_ahead(tagger_folder: Path) -> None:
    taken = 0

    def counted() -> Iterator[Batch]:
        nonlocal taken
        for batch in batches(20):
            taken += 1
            yield batch

    for number, _ in enumerate(opened(tagger_folder, device="cuda").run(counted()), start=1):
        assert taken <= number + 3
