"""Logs of a training as it goes: for TensorBoard, for MLflow, for both or for none."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from tagline.errors import UsageError
from tagline.train.settings import FitSettings, check_tracker
from tagline.train.surroundings import LOGS, tensorboard

_RUN = "mlflow_run"  # holds the run's id, so that a resumed training goes on in it


@contextmanager
def tracking(tracker: str, settings: FitSettings, work: Path) -> Iterator[list[TrainerCallback]]:
    """Callbacks that log.

    Args:
        tracker: `tensorboard` (into the folder of the run), `mlflow` (to `MLFLOW_TRACKING_URI`, or else into the folder
            `mlruns`), `both` or `none`.
        settings: what MLflow notes as the run's parameters.
        work: the folder of the run.

    Raises:
        UsageError: there is no such tracker, or MLflow cannot be reached.
        MissingExtraError: mlflow is not installed.
    """
    check_tracker(tracker)
    with ExitStack() as stack:
        found = []
        if tracker in ("tensorboard", "both"):
            found.append(stack.enter_context(tensorboard(work / LOGS)))
        if tracker in ("mlflow", "both"):
            found.append(stack.enter_context(_mlflow(settings, work)))
        yield found


@contextmanager
def _mlflow(settings: FitSettings, work: Path) -> Iterator[TrainerCallback]:
    """A run of MLflow's, told how it ended."""
    tracker = MlflowTracker(settings, work)
    try:
        yield tracker
    except BaseException:
        tracker.end("FAILED")
        raise
    tracker.end("FINISHED")


class MlflowTracker(TrainerCallback):
    """Sends what the Trainer logs to MLflow, and the settings as parameters.

    Transformers' own callback would send the Trainer's arguments and the model's configuration, and share the state of
    MLflow's fluent interface with its caller.

    Args:
        settings: the parameters.
        work: the folder of the run; without `.training` its name is the run's.

    Raises:
        UsageError: MLflow cannot be reached.
    """

    def __init__(self, settings: FitSettings, work: Path) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nobody is told of a training unasked
        uri = os.environ.get("MLFLOW_TRACKING_URI") or str(Path("mlruns").absolute())
        if "://" not in uri or uri.startswith("file:"):
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # later releases refuse folders unless told so
        from mlflow import MlflowClient
        from mlflow.entities import Param
        from mlflow.exceptions import MlflowException

        self._lost: type[Exception] = MlflowException
        try:
            self._client: Any = MlflowClient(tracking_uri=uri)
            self._run = self._begun(work) or self._begin(work)
            params = [Param(name, str(value)) for name, value in settings.to_dict().items()]
            if not (work / _RUN).is_file():
                self._client.log_batch(self._run, params=params)
                (work / _RUN).write_text(self._run, encoding="utf-8")
        except (MlflowException, OSError) as error:
            raise UsageError(
                f"--tracker mlflow: no run can be made at {uri} ({str(error).splitlines()[0][:300]}); name a server or "
                "a folder in the environment variable MLFLOW_TRACKING_URI"
            ) from error
        self._on = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Sends numbers. Where that fails training goes on without, and a warning says so once."""
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        numbers = {name: value for name, value in (logs or {}).items() if isinstance(value, int | float)}
        metrics = [Metric(name, float(value), now, state.global_step) for name, value in numbers.items()]
        self._send(lambda: self._client.log_batch(self._run, metrics=metrics))

    def end(self, status: str) -> None:
        """Tells how the run ended: `FINISHED` or `FAILED`."""
        self._send(lambda: self._client.set_terminated(self._run, status))

    def _send(self, what: Any) -> None:
        if not self._on:
            return
        try:
            what()
        except (self._lost, OSError) as error:
            self._on = False
            first = (str(error).strip() or repr(error)).splitlines()[0]
            warnings.warn(f"MLflow takes no more of this run ({first[:300]}); training goes on", stacklevel=2)

    def _begin(self, work: Path) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "tagline"
        known = self._client.get_experiment_by_name(name)
        experiment = self._client.create_experiment(name) if known is None else known.experiment_id
        run = self._client.create_run(experiment, run_name=work.name.removesuffix(".training"))
        return str(run.info.run_id)

    def _begun(self, work: Path) -> str | None:
        """The run that a resumed training began; None where there is none."""
        if not (work / _RUN).is_file():
            return None
        run = (work / _RUN).read_text(encoding="utf-8").strip()
        try:
            self._client.update_run(run, status="RUNNING")
        except self._lost:  # another store than before
            (work / _RUN).unlink()
            return None
        return run
