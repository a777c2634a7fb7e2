"""Averaging of weights: against a sequence computed by hand; what is scored, saved and kept; resumed bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from safetensors.torch import load_file
from tests.train.test_fit import STEPS, Material, material, same, scores, stop_at, weights
from torch import nn
from transformers import TrainerControl, TrainerState, TrainingArguments

from tagline.errors import Interrupted, UsageError
from tagline.train.averaging import TRAINED, Averaging
from tagline.train.fit import fit
from tagline.train.tokens.settings import TokenSettings

__all__ = ["material"]
NOTHING = cast("TrainingArguments", None), cast("TrainerControl", None)


def walk(averaging: Averaging, model: nn.Linear, values: list[float], start: int = 0) -> list[float]:
    """Sets the weight to each value in turn; gives the averages."""
    found = []
    for step, value in enumerate(values, start + 1):
        with torch.no_grad():
            model.weight.fill_(value)
        averaging.on_step_end(NOTHING[0], TrainerState(global_step=step), NOTHING[1])
        with averaging.shown():
            found.append(model.weight.item())
        assert model.weight.item() == value
    return found


@pytest.mark.parametrize("decay", [0.25, 0.999])
def test_the_average_is_that_of_the_formula(decay: float) -> None:
    model = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(5.0)
    averaging = Averaging(model, decay)
    averaging.on_train_begin(NOTHING[0], TrainerState(), NOTHING[1])
    values = [1.0, -2.0, 4.0, 8.0]
    expected, average = [], 5.0
    for step, value in enumerate(values, 1):
        left = min(decay, (1 + step) / (10 + step))  # 2/11, 3/12, 4/13, 5/14
        average = left * average + (1 - left) * value
        expected.append(average)
    assert walk(averaging, model, values) == pytest.approx(expected, rel=1e-6)
    averaging.keep()
    assert model.weight.item() == pytest.approx(expected[-1], rel=1e-6)


def test_it_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    def begun(model: nn.Linear, checkpoint: str | None = None) -> Averaging:
        averaging = Averaging(model, 0.9, checkpoint)
        averaging.on_train_begin(NOTHING[0], TrainerState(), NOTHING[1])
        return averaging

    whole, broken = (nn.Linear(1, 1, bias=False) for _ in range(2))
    broken.load_state_dict(whole.state_dict())
    expected = walk(begun(whole), whole, [1.0, 3.0, 7.0, 2.0])
    first = begun(broken)
    walk(first, broken, [1.0, 3.0])
    first.save(tmp_path)
    again = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        again.weight.fill_(expected[1])  # as the Trainer loads it
    second = begun(again, str(tmp_path))
    assert again.weight.item() == 3.0
    assert walk(second, again, [7.0, 2.0], start=2) == expected[2:]


@pytest.fixture(scope="module")
def averaged(material: Material, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    work = tmp_path_factory.mktemp("averaged") / "work"
    return material.fit(work, ema=0.9), work


def test_the_average_is_scored_saved_and_kept(material: Material, averaged: tuple[Any, Path], tmp_path: Path) -> None:
    fitted, work = averaged
    last = work / f"checkpoint-{3 * STEPS}"
    trained, average = load_file(last / TRAINED), load_file(last / "model.safetensors")
    assert trained.keys() <= average.keys()
    assert any(not torch.equal(trained[name], average[name]) for name in trained)
    plain = material.fit(tmp_path / "plain")  # averaging changes no step
    unaveraged = load_file(tmp_path / "plain" / f"checkpoint-{3 * STEPS}" / "model.safetensors")
    assert all(torch.equal(trained[name], unaveraged[name]) for name in trained)
    assert scores(fitted) != scores(plain)
    best = 1 + scores(fitted).index(max(scores(fitted)))
    if (work / f"checkpoint-{best * STEPS}").is_dir():
        kept = load_file(work / f"checkpoint-{best * STEPS}" / "model.safetensors")
        name = "bert.encoder.layer.0.attention.self.query.weight"
        assert torch.equal(kept[name], weights(fitted)[name])


@pytest.mark.parametrize("step", [2, STEPS, STEPS + 3])
def test_resumed_it_ends_as_the_unbroken_run(
    material: Material, averaged: tuple[Any, Path], tmp_path: Path, step: int
) -> None:
    with pytest.raises(Interrupted):
        material.fit(tmp_path / "work", report=stop_at(step), ema=0.9)
    resumed = material.fit(tmp_path / "work", resume=True, ema=0.9)
    assert same(resumed, averaged[0])
    assert scores(resumed) == scores(averaged[0])


def test_without_dev_the_last_average_is_kept(material: Material, tmp_path: Path) -> None:
    settings = TokenSettings(**{**material.settings.__dict__, "ema": 0.9, "epochs": 2})
    fitted = fit(material.prepared(settings, dev=False), settings, tmp_path / "one")
    average = load_file(tmp_path / "one" / f"checkpoint-{2 * STEPS}" / "model.safetensors")
    assert all(torch.equal(each, average[name]) for name, each in weights(fitted).items())
    again = fit(material.prepared(settings, dev=False, spoilt=True), settings, tmp_path / "one", resume=True)
    assert same(again, fitted)


@pytest.mark.parametrize("decay", [-0.1, 1.0, 1.5])
def test_decays_that_are_refused(decay: float) -> None:
    with pytest.raises(UsageError, match=f"--set ema={decay}; expected 0 up to but not 1"):
        TokenSettings(ema=decay)
