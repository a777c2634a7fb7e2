"""Training on two processes: the steps of one process, one writer, one voice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.cli.support import FILES, LEARN, NOISE, ROOT, write_encoder
from tests.train.test_dataset import examples

import make_corpus
from tagline.data.corpus import read_corpus
from tagline.records import Problem
from tagline.train.dataset import EpochBatches, Share
from tagline.train.losses import LabelLoss
from tagline.train.processes import Processes

SECONDS = 300


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("material")
    make_corpus.main([str(folder), "--train", "120", "--dev", "30", "--test", "1"])
    train = read_corpus(folder / "train.conll")
    write_encoder(folder / "encoder", [" ".join(each.words) for each in train.sentences], positions=128)
    return folder


def train(material: Path, output: Path, processes: int, *more: str) -> subprocess.CompletedProcess[str]:
    """`tagline train` as a user types it."""
    start = [sys.executable, "-m"]
    if processes > 1:  # standalone: a free port of its own
        start += ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m"]
    asked = ("train", "train.conll", "-o", str(output), "--dev", "dev.conll", "--encoder", "encoder")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*start, "tagline", *asked, *LEARN, "--set", "dropout=0", "--set", "ema=0.5", *more],
        cwd=material, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folders(material: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """The model of one process, that of two, and what the two printed."""
    base = tmp_path_factory.mktemp("models")
    said = ""
    for processes in (1, 2):
        run = train(material, base / str(processes), processes)
        assert run.returncode == 0, run.stderr
        said = run.stderr
    return base / "1", base / "2", said


def test_two_processes_learn_what_one_does(folders: tuple[Path, Path, str]) -> None:
    one, two, _ = folders
    assert {path.name for path in two.iterdir()} == {path.name for path in one.iterdir()} >= FILES
    assert not list(two.parent.glob("*.training"))
    weights = [load_file(folder / "model.safetensors") for folder in (one, two)]
    assert weights[0].keys() == weights[1].keys()
    for name, expected in weights[0].items():
        assert bool(weights[1][name].isfinite().all())
        torch.testing.assert_close(weights[1][name], expected, rtol=5e-2, atol=5e-3, msg=name)
    told = [json.loads((folder / "tagline.json").read_text(encoding="utf-8")) for folder in (one, two)]
    scores = [each["metrics"]["dev"]["strict"]["f1"] for each in told]
    assert scores[1] > 0
    assert scores[1] == pytest.approx(scores[0], abs=0.1)
    epochs = [each["training"]["dev_score_by_epoch"] for each in told]
    assert epochs[1] == pytest.approx(epochs[0], abs=0.1)


def test_only_the_first_prints(folders: tuple[Path, Path, str]) -> None:
    _, two, said = folders
    own = [line for line in said.splitlines() if "OMP_NUM_THREADS" not in line]
    assert sum(line.startswith("train: ") for line in own) == 1
    assert sum(line.startswith(f"model: {two}") for line in own) == 1
    assert not [line for line in own if any(noise in line for noise in NOISE)]


def test_a_mistake_is_told_once(material: Path, tmp_path: Path) -> None:
    run = train(material, tmp_path / "model", 2, "--learning-rate", "-1")
    assert run.returncode != 0
    assert run.stderr.count("tagline: --learning-rate is -1") == 1
    assert not (tmp_path / "model").exists()


def test_a_mistake_that_only_another_process_meets_is_said(material: Path, tmp_path: Path) -> None:
    code = "from tagline.cli import main, training; training._FIRST_SPEAKS = 0; main()"
    asked = ("train", "train.conll", "-o", str(tmp_path / "model"), "--dev", "elsewhere.conll", "--encoder", "encoder")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "RANK": "1", "WORLD_SIZE": "2"}
    run = subprocess.run(
        [sys.executable, "-c", code, *asked],
        cwd=material, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("tagline: elsewhere.conll: no such file")


def test_shares_make_up_the_batches() -> None:
    random = np.random.default_rng(5)
    data = examples([int(each) for each in random.integers(3, 40, 50)])
    whole = EpochBatches(data, 0, 120, 1)
    parts = [EpochBatches(data, 0, 120, 1, Share(rank, 3)) for rank in range(3)]
    for epoch in range(2):
        for each in (whole, *parts):
            each.set_epoch(epoch)
        assert {len(part) for part in parts} == {len(whole)}
        for number in range(len(whole)):
            items: list[dict[str, Any]] = [part[number] for part in parts]
            expected = whole[number]
            own = [item for item in items if float(item["share"]) > 0]
            rows = sum(len(item["input_ids"]) for item in own)
            assert rows == len(expected["input_ids"])
            assert sum(int(item["attention_mask"].sum()) for item in own) == int(expected["attention_mask"].sum())
            assert sum(float(item["share"]) for item in items) == pytest.approx(3)


def test_a_process_without_a_window_of_its_own_lends_one() -> None:
    data = examples([30, 3])
    parts = [EpochBatches(data, 0, 33, 1, Share(rank, 3)) for rank in range(3)]
    items = [part[0] for part in parts]
    assert [float(item["share"]) > 0 for item in items] == [True, True, False]
    assert all(len(item["input_ids"]) == 1 for item in items)


@pytest.mark.parametrize("weights", [None, torch.tensor([1.0, 4.0, 0.5])])
def test_the_mean_over_processes_is_the_loss_of_the_batch(weights: torch.Tensor | None) -> None:
    random = torch.Generator().manual_seed(2)
    logits, labels = torch.randn(7, 3, generator=random), torch.tensor([0, 1, 2, 2, 1, 0, 1])
    loss = LabelLoss(Problem.SINGLE, weights)

    def of(rows: slice) -> torch.Tensor:
        return loss(type("Outputs", (), {"logits": logits[rows]})(), labels[rows])

    slices = [slice(rank, None, 2) for rank in range(2)]
    mean = sum(
        float(of(rows)) * Share(rank, 2, loss.mass).weight(labels[rows].numpy(), labels.numpy())
        for rank, rows in enumerate(slices)
    )
    assert mean / 2 == pytest.approx(float(of(slice(None))), rel=1e-5)


def test_who_this_process_is() -> None:
    assert Processes.here({}) == Processes()
    told = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2", "LOCAL_RANK": "1"}
    assert Processes.here(told) == Processes(3, 4, 2, 1)
    assert not Processes.here(told).main
