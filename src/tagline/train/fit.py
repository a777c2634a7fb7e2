"""The fit: a Hugging Face Trainer with our batches, our parameter groups and our dev score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from transformers import PreTrainedModel, set_seed

from tagline.errors import Interrupted
from tagline.models.lora import merge_lora
from tagline.train.adapt import adapt
from tagline.train.calibration import Calibration, calibrate
from tagline.train.callbacks import Progress, ProgressEvent, StopOnInterrupt
from tagline.train.dataset import check_finite
from tagline.train.fast.encoder import fast
from tagline.train.prepared import DevScore, Prepared
from tagline.train.processes import Processes
from tagline.train.runs import open_run, refusable
from tagline.train.settings import FitSettings
from tagline.train.surroundings import LOGS, quiet, saving
from tagline.train.trackers import tracking
from tagline.train.trainer import SharedTrainer, make_trainer, set_threads

P = TypeVar("P", bound=Prepared)


@dataclass(frozen=True)
class Fitted(Generic[P]):
    """A trained model.

    Attributes:
        model: the best on dev, in float32, on the CPU.
        prepared: what it was trained on.
        settings: how.
        history: the Trainer's log, one dictionary an entry.
        dev_score: best score on dev (`prepared.metric`), None without dev.
        epochs: epochs that were run.
        logs: folder of TensorBoard logs.
        calibration: the temperature that the head was divided by, None where none was fitted.
    """

    model: PreTrainedModel
    prepared: P
    settings: FitSettings
    history: list[dict[str, Any]]
    dev_score: float | None
    epochs: float
    logs: Path
    calibration: Calibration | None = None


def fit(
    prepared: P,
    settings: FitSettings,
    work: Path,
    resume: bool = False,
    report: Callable[[ProgressEvent], None] | None = None,
    tracker: str = "tensorboard",
) -> Fitted[P]:
    """Trains. Under torchrun every process calls it and takes its share of each step; each gets the whole result.

    Args:
        prepared: model and labelled windows.
        settings: how to train.
        work: folder for checkpoints and TensorBoard logs; the caller removes it when the model is written.
        resume: go on from the last checkpoint in `work`.
        report: is called with the state after every step and every evaluation.
        tracker: where the log goes: `tensorboard` (into `work`), `mlflow`, `both` or `none`; see `trackers.tracking`.

    Raises:
        UsageError: `work` holds the checkpoints of a run with other settings, a Trainer name is unknown, training has
            diverged, or MLflow cannot be reached.
        MissingExtraError: the tracker is not installed.
        Interrupted: Ctrl-C; a checkpoint was written.
        OutputError: a checkpoint cannot be written.
    """
    here = Processes.here()
    set_threads(settings.threads)
    with here.joined():
        trainer, stop, score, settings = _learn(prepared, settings, work, resume, report, tracker)
    if stop.stopped:
        raise Interrupted(f"stopped after step {trainer.state.global_step}; the last checkpoint is kept in {work}")
    with quiet():
        calibration = calibrate(trainer, score) if settings.calibrate and score is not None else None
    # Mixed precision wraps forward; the wrapper must not find its way into the exported graph.
    model = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False).to("cpu").float().eval()
    merge_lora(model)
    check_finite(all(bool(each.isfinite().all()) for each in model.parameters()))  # without dev nobody has noticed
    prepared.finish(model)
    best = trainer.state.best_metric
    return Fitted(
        model=model,
        prepared=prepared,
        settings=settings,
        history=list(trainer.state.log_history),
        dev_score=None if best is None else float(best),
        epochs=float(trainer.state.epoch or 0),
        logs=Path(str(trainer.args.output_dir)) / LOGS,
        calibration=calibration,
    )


def _learn(
    prepared: Prepared,
    settings: FitSettings,
    work: Path,
    resume: bool,
    report: Callable[[ProgressEvent], None] | None,
    tracker: str,
) -> tuple[SharedTrainer, StopOnInterrupt, DevScore | None, FitSettings]:
    """Runs the Trainer to its end, or to where it was stopped."""
    here = Processes.here()
    run = here.first(lambda: open_run(prepared, settings, work, resume))
    learned = prepared.train.learned
    settings = settings.sized(learned, sum(prepared.train.lengths) / max(1, learned))
    set_seed(settings.seed)
    with refusable(run, here.main):
        adapt(prepared.encoder, settings)  # before the flat layers: they do not know of LoRA
    score = prepared.scorer()
    stop = StopOnInterrupt(here)
    with (
        refusable(run, here.main),
        saving(work, run.work, here.main), tracking(tracker if here.main else "none", settings, run.work) as logs,
        quiet(), stop.listening(), fast(prepared.encoder.model, settings.fast),
    ):  # fmt: skip
        trainer = make_trainer(prepared, settings, run, score, [Progress(report, prepared.metric), stop, *logs])
        trainer.train(resume_from_checkpoint=run.checkpoint)
        if trainer.averaging is not None and score is None:  # with dev the best average has been loaded
            trainer.averaging.keep()
    return trainer, stop, score, settings
