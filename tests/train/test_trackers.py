"""The log of a training in TensorBoard's files and in MLflow's, read back by their own readers."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

import pytest
from tests.cli.support import call, refused, write_encoder
from tests.train.labelled import WORDS, toy

from tagline.errors import Interrupted, MissingExtraError, UsageError
from tagline.train.callbacks import ProgressEvent
from tagline.train.fit import fit
from tagline.train.settings import check_tracker
from tagline.train.surroundings import LOGS
from tagline.train.texts.prepare import PreparedTexts, prepare_texts
from tagline.train.texts.settings import TextSettings
from tagline.train.trackers import MlflowTracker

needs_mlflow = pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="needs the extra mlflow")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> TextSettings:
    words = " ".join([*WORDS, "good bad"])
    encoder = write_encoder(tmp_path_factory.mktemp("tracked") / "encoder", [words] * 3, positions=64)
    return TextSettings(str(encoder), epochs=2, batch_tokens=160, precision="f32", threads=1, calibrate=False)


def prepared(settings: TextSettings) -> PreparedTexts:
    return prepare_texts(toy("single", 40, 1), toy("single", 10, 2), settings)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("MLFLOW_ALLOW_FILE_STORE", "MLFLOW_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", str(tmp_path / "store"))
    return tmp_path / "store"


def runs(store: Path) -> tuple[Any, list[Any]]:
    from mlflow import MlflowClient

    client: Any = MlflowClient(tracking_uri=str(store))
    return client, list(client.search_runs([client.get_experiment_by_name("tagline").experiment_id]))


@needs_mlflow
def test_both(settings: TextSettings, store: Path, tmp_path: Path) -> None:
    fitted = fit(prepared(settings), settings, tmp_path / "model.training", tracker="both")
    client, (run,) = runs(store)
    assert (run.info.run_name, run.info.status) == ("model", "FINISHED")
    assert run.data.params["epochs"] == "2"
    assert run.data.params["encoder"] == settings.encoder
    logged = [(each.step, each.value) for each in client.get_metric_history(run.info.run_id, "eval_macro_f1")]
    expected = [(entry["step"], entry["eval_macro_f1"]) for entry in fitted.history if "eval_macro_f1" in entry]
    assert len(expected) == 2
    assert sorted(logged) == expected
    assert math.isfinite(run.data.metrics["train_loss"])
    assert list(fitted.logs.glob("events*"))


@needs_mlflow
def test_a_resumed_training_goes_on_in_its_run(settings: TextSettings, store: Path, tmp_path: Path) -> None:
    def stop(event: ProgressEvent) -> None:
        import signal

        if event.step == 2 and not event.evaluated:
            signal.raise_signal(signal.SIGINT)

    work = tmp_path / "again.training"
    with pytest.raises(Interrupted):
        fit(prepared(settings), settings, work, report=stop, tracker="mlflow")
    assert not (work / LOGS).exists()
    fit(prepared(settings), settings, work, resume=True, tracker="mlflow")
    client, (run,) = runs(store)
    steps = [each.step for each in client.get_metric_history(run.info.run_id, "eval_macro_f1")]
    assert len(set(steps)) == 2
    assert run.info.status == "FINISHED"


@needs_mlflow
def test_what_mlflow_refuses(
    settings: TextSettings, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.exceptions import MlflowException

    tracker = MlflowTracker(settings, tmp_path)

    def gone(*_: object) -> None:
        raise MlflowException("the server has gone")

    monkeypatch.setattr(tracker, "_client", type("Gone", (), {"set_terminated": gone})())
    with pytest.warns(UserWarning, match="the server has gone.*training goes on"):
        tracker.end("FINISHED")
    tracker.end("FINISHED")  # says no more
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nowhere://at.all")
    (tmp_path / "fresh").mkdir()
    with pytest.raises(UsageError, match=r"no run can be made at nowhere://.*MLFLOW_TRACKING_URI"):
        MlflowTracker(settings, tmp_path / "fresh")


def test_none_leaves_no_log(settings: TextSettings, tmp_path: Path) -> None:
    fitted = fit(prepared(settings), settings, tmp_path / "none.training", tracker="none")
    assert not fitted.logs.exists()


def test_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ("train", tmp_path / "train.jsonl", "-o", tmp_path / "model", "--tracker", "wandb")
    refused(call(*given), "'wandb'", "tensorboard, mlflow, both, none")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for name in ("mlflow", "both"):
        with pytest.raises(MissingExtraError, match=r"tagline\[mlflow\]"):
            check_tracker(name)
    check_tracker("tensorboard")
