"""The fit: same seed same weights, and a run that was stopped ends as the unbroken one, bit for bit."""

from __future__ import annotations

import dataclasses
import json
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.cli.support import write_encoder
from transformers import Trainer

import make_corpus
from tagline.data.corpus import Corpus, read_corpus
from tagline.errors import Interrupted, UsageError
from tagline.train.callbacks import ProgressEvent
from tagline.train.fit import Fitted, fit
from tagline.train.runs import open_run
from tagline.train.tokens.prepare import PreparedTokens, prepare_tokens
from tagline.train.tokens.settings import TokenSettings

Report = Callable[[ProgressEvent], None]
Tagged = Fitted[PreparedTokens]
STEPS = 8  # of an epoch


@dataclasses.dataclass(frozen=True)
class Material:
    """What is trained on."""

    train: Corpus
    dev: Corpus
    settings: TokenSettings

    def prepared(self, settings: TokenSettings, dev: bool = True, spoilt: bool = False) -> PreparedTokens:
        """Fresh windows and a fresh model; the weights of a spoilt one are all zero."""
        prepared = prepare_tokens(self.train, self.dev if dev else None, settings)
        if spoilt:
            with torch.no_grad():
                for parameter in prepared.encoder.model.parameters():
                    parameter.zero_()
        return prepared

    def fit(self, work: Path, resume: bool = False, report: Report | None = None, **changes: Any) -> Tagged:
        """A training on fresh material. A resumed one begins with a spoilt model, which must not matter."""
        settings = dataclasses.replace(self.settings, **changes)
        return fit(self.prepared(settings, spoilt=resume), settings, work, resume, report)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    folder = tmp_path_factory.mktemp("material")
    make_corpus.main([str(folder), "--train", "100", "--dev", "30", "--test", "1"])
    train, dev = (read_corpus(folder / f"{split}.conll") for split in ("train", "dev"))
    encoder = write_encoder(folder / "encoder", [" ".join(each.words) for each in train.sentences], positions=128)
    tokens = sum(prepare_tokens(train, None, TokenSettings(encoder=str(encoder))).train.lengths)
    settings = TokenSettings(
        encoder=str(encoder), epochs=3, batch_tokens=tokens // STEPS, learning_rate=2e-2, head_learning_rate=2e-2,
        freeze_embeddings=False, precision="f32", threads=1,
    )  # fmt: skip
    return Material(train, dev, settings)


@pytest.fixture(scope="module")
def unbroken(material: Material, tmp_path_factory: pytest.TempPathFactory) -> Tagged:
    return material.fit(tmp_path_factory.mktemp("unbroken") / "work")


def weights(fitted: Tagged) -> dict[str, torch.Tensor]:
    return fitted.model.state_dict()


def same(one: Tagged, other: Tagged) -> bool:
    """Whether two models are equal in every bit."""
    left, right = weights(one), weights(other)
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def scores(fitted: Tagged) -> list[float]:
    return [entry["eval_f1"] for entry in fitted.history if "eval_f1" in entry]


def stop_at(step: int, times: int = 1, number: signal.Signals = signal.SIGINT) -> Report:
    """Presses Ctrl-C when a step is over."""

    def report(event: ProgressEvent) -> None:
        if event.step == step and not event.evaluated:
            for _ in range(times):
                signal.raise_signal(number)

    return report


def test_it_learns_and_keeps_the_best_epoch(material: Material, unbroken: Tagged) -> None:
    assert len(scores(unbroken)) == unbroken.epochs == 3
    assert unbroken.dev_score == max(scores(unbroken)) > 0
    assert all(parameter.dtype == torch.float32 for parameter in unbroken.model.parameters())
    assert not unbroken.model.training
    assert list(unbroken.logs.glob("events.out.tfevents.*"))


def test_same_seed_same_weights_and_other_seed_others(material: Material, unbroken: Tagged, tmp_path: Path) -> None:
    assert same(material.fit(tmp_path / "same"), unbroken)
    assert not same(material.fit(tmp_path / "other", seed=14), unbroken)
    heads = [
        material.prepared(dataclasses.replace(material.settings, seed=seed)).encoder.model.state_dict()
        for seed in (1, 2, 1)
    ]
    assert torch.equal(heads[0]["classifier.weight"], heads[2]["classifier.weight"])
    assert not torch.equal(heads[0]["classifier.weight"], heads[1]["classifier.weight"])


@pytest.mark.parametrize("step", [1, STEPS - 1, STEPS, STEPS + 2])
def test_resumed_after_a_stop_it_ends_as_the_unbroken_run(
    material: Material, unbroken: Tagged, tmp_path: Path, step: int
) -> None:
    with pytest.raises(Interrupted, match=f"stopped after step {step};.*work"):
        material.fit(tmp_path / "work", report=stop_at(step))
    events: list[ProgressEvent] = []
    resumed = material.fit(tmp_path / "work", resume=True, report=events.append)
    assert events[0].step == step + 1
    assert scores(resumed) == scores(unbroken)
    assert (resumed.dev_score, resumed.epochs) == (unbroken.dev_score, unbroken.epochs)
    assert same(resumed, unbroken)
    assert events[-1].best == unbroken.dev_score


def test_a_polite_kill_is_a_stop_too(material: Material, tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="stopped after step 2"):
        material.fit(tmp_path / "work", report=stop_at(2, number=signal.SIGTERM))
    assert (tmp_path / "work" / "checkpoint-2" / "trainer_state.json").is_file()


def test_a_half_written_checkpoint_is_passed_over(material: Material, unbroken: Tagged, tmp_path: Path) -> None:
    work = tmp_path / "work"
    with pytest.raises(Interrupted):
        material.fit(work, report=stop_at(STEPS + 1))
    whole = work / f"checkpoint-{STEPS + 1}"
    for number, state in ((90, None), (91, b""), (92, b'{"epoch": 1.0, "glo'), (93, b"[]")):
        half = shutil.copytree(whole, work / f"checkpoint-{number}")
        (half / "trainer_state.json").unlink()
        if state is not None:
            (half / "trainer_state.json").write_bytes(state)
    resumed = material.fit(work, resume=True)
    assert same(resumed, unbroken)
    assert not list(work.glob("checkpoint-9*"))


def test_nothing_but_half_a_checkpoint_begins_anew(material: Material, unbroken: Tagged, tmp_path: Path) -> None:
    work = tmp_path / "work"
    with pytest.raises(Interrupted):
        material.fit(work, report=stop_at(2))
    (work / "checkpoint-2" / "trainer_state.json").unlink()
    settings = material.settings
    assert same(fit(material.prepared(settings), settings, work, resume=True), unbroken)


def test_a_killed_settings_file_begins_anew(material: Material, unbroken: Tagged, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "settings.json").write_text('{"settings": {"epo')
    settings = material.settings
    assert same(fit(material.prepared(settings), settings, work, resume=True), unbroken)


def test_killed_after_the_last_step_nothing_is_trained_again(
    material: Material, unbroken: Tagged, tmp_path: Path
) -> None:
    material.fit(tmp_path / "work")
    events: list[ProgressEvent] = []
    resumed = material.fit(tmp_path / "work", resume=True, report=events.append)
    assert events == []
    assert same(resumed, unbroken)
    assert resumed.dev_score == unbroken.dev_score


def test_the_work_folder_may_be_named_from_elsewhere(
    material: Material, unbroken: Tagged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Interrupted):
        material.fit(Path("work"), report=stop_at(3 * STEPS - 1))
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert same(material.fit(Path("../work"), resume=True), unbroken)


def test_other_settings_or_data_are_refused(material: Material, tmp_path: Path) -> None:
    work = tmp_path / "work"
    with pytest.raises(Interrupted):
        material.fit(work, report=stop_at(1))
    kept = sorted(str(path) for path in work.rglob("*"))
    with pytest.raises(UsageError, match=r"other settings \(dropout: None then, 0.2 now, epochs: 3 then, 4 now\)"):
        material.fit(work, resume=True, epochs=4, dropout=0.2)
    less = dataclasses.replace(material.train, sentences=material.train.sentences[:-1])
    with pytest.raises(UsageError, match=r"other training or dev data; .*--overwrite"):
        dataclasses.replace(material, train=less).fit(work, resume=True)
    other = dataclasses.replace(material.dev, sentences=material.dev.sentences[1:])
    with pytest.raises(UsageError, match="other training or dev data"):
        dataclasses.replace(material, dev=other).fit(work, resume=True)
    assert sorted(str(path) for path in work.rglob("*")) == kept
    faster = dataclasses.replace(material.settings, threads=2)  # decides how fast, not what
    run = open_run(material.prepared(faster), faster, work, resume=True)
    assert run.checkpoint == str(work / "checkpoint-1")


def test_patience_is_counted_on_through_a_stop(material: Material, tmp_path: Path) -> None:
    flat: dict[str, Any] = {"learning_rate": 0.0, "head_learning_rate": 0.0, "patience": 2, "epochs": 9}
    unbroken = material.fit(tmp_path / "unbroken", **flat)
    assert unbroken.epochs == 3  # the first is the best, the second and third are no better
    with pytest.raises(Interrupted):
        material.fit(tmp_path / "work", report=stop_at(2 * STEPS + 1), **flat)
    assert material.fit(tmp_path / "work", resume=True, **flat).epochs == 3
    events: list[ProgressEvent] = []
    again = material.fit(tmp_path / "unbroken", resume=True, report=events.append, **flat)
    assert (again.epochs, events) == (3, [])
    assert same(again, unbroken)


def test_without_dev_the_last_weights_are_kept(material: Material, tmp_path: Path) -> None:
    settings = dataclasses.replace(material.settings, epochs=2, patience=1)
    one = fit(material.prepared(settings, dev=False), settings, tmp_path / "one")
    assert one.dev_score is None
    with pytest.raises(Interrupted):
        fit(material.prepared(settings, dev=False), settings, tmp_path / "two", report=stop_at(STEPS + 3))
    assert same(fit(material.prepared(settings, dev=False, spoilt=True), settings, tmp_path / "two", resume=True), one)


def test_checkpoints_within_an_epoch(material: Material, unbroken: Tagged, tmp_path: Path) -> None:
    seen: set[str] = set()

    def report(event: ProgressEvent) -> None:
        seen.update(path.name for path in (tmp_path / "work").glob("checkpoint-*"))

    fitted = material.fit(tmp_path / "work", report=report, checkpoint_steps=2)
    assert {"checkpoint-2", "checkpoint-4", f"checkpoint-{STEPS}", "checkpoint-6"} <= seen
    assert same(fitted, unbroken)


def test_a_second_stop_ends_it_at_once_and_gives_the_signals_back(material: Material, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        material.fit(tmp_path / "work", report=stop_at(STEPS + 1, times=2))
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert (tmp_path / "work" / f"checkpoint-{STEPS}" / "trainer_state.json").is_file()


def test_outside_the_main_thread_it_trains_the_same(material: Material, unbroken: Tagged, tmp_path: Path) -> None:
    found: list[Tagged] = []
    thread = threading.Thread(target=lambda: found.append(material.fit(tmp_path / "work")))
    thread.start()
    thread.join()
    assert same(found[0], unbroken)


@pytest.mark.parametrize(
    "changes",
    [
        {"scheduler": "cosine"},
        {"optimizer": "adafactor"},
        {"subtokens": "all"},
        {"layer_decay": 0.5},
        {"class_weights": "balanced", "focal_gamma": 1.0, "label_smoothing": 0.1},
    ],
)
def test_options_of_the_trainer_are_used(
    material: Material, unbroken: Tagged, tmp_path: Path, changes: dict[str, Any]
) -> None:
    fitted = material.fit(tmp_path / "work", **changes)
    assert not same(fitted, unbroken)
    assert len(scores(fitted)) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"scheduler": "steep"},
        {"scheduler": "cosine_with_min_lr"},  # takes options that there is no way to give
        {"optimizer": "adam_and_eve"},
        {"optimizer": "adamw_bnb_8bit"},  # needs a package of its own
    ],
)
def test_names_that_the_trainer_cannot_use_are_refused(
    material: Material, tmp_path: Path, changes: dict[str, Any]
) -> None:
    ((name, value),) = changes.items()
    with pytest.raises(UsageError, match=f"{name}={value}.*cannot be used"):
        material.fit(tmp_path / "work", **changes)


def test_frozen_embeddings_stay_and_dropout_is_set(material: Material, tmp_path: Path) -> None:
    settings = dataclasses.replace(material.settings, epochs=1, freeze_embeddings=True, dropout=0.25)
    prepared = material.prepared(settings)
    name = "bert.embeddings.word_embeddings.weight"
    before = prepared.encoder.model.state_dict()[name].clone()
    fitted = fit(prepared, settings, tmp_path / "work")
    assert torch.equal(weights(fitted)[name], before)
    rates = {each.p for each in fitted.model.modules() if isinstance(each, torch.nn.Dropout)}
    assert rates == {0.25}


def test_an_error_that_is_not_about_writing_is_not_hidden(
    material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(Trainer, "training_step", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        material.fit(tmp_path / "work")


def test_the_work_folder_says_how_it_was_made(material: Material, unbroken: Tagged) -> None:
    found = json.loads((unbroken.logs.parent / "settings.json").read_text())
    assert found["settings"]["epochs"] == 3
    assert len(found["data"]) == 64
