"""The fit: a Hugging Face Trainer with our batches, our parameter groups and our dev score."""

from __future__ import annotations

import shutil
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from safetensors import SafetensorError
from torch.utils.tensorboard import SummaryWriter
from transformers import PreTrainedModel, TrainerCallback, set_seed
from transformers.integrations.integration_utils import TensorBoardCallback
from transformers.utils import logging

from tagline.errors import Interrupted, OutputError
from tagline.models.lora import merge_lora
from tagline.train.adapt import adapt
from tagline.train.calibration import Calibration, calibrate
from tagline.train.callbacks import Progress, ProgressEvent, StopOnInterrupt
from tagline.train.dataset import check_finite
from tagline.train.fast.encoder import fast
from tagline.train.prepared import DevScore, Prepared
from tagline.train.processes import Processes
from tagline.train.runs import first_line, last_checkpoint, open_run
from tagline.train.settings import FitSettings
from tagline.train.trainer import SharedTrainer, make_trainer, set_threads

transformers_logging: Any = logging  # untyped
_LOGS = "tensorboard"  # in the folder of the run


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
) -> Fitted[P]:
    """Trains. Under torchrun every process calls it and takes its share of each step; each gets the whole result.

    Args:
        prepared: model and labelled windows.
        settings: how to train.
        work: folder for checkpoints and TensorBoard logs; the caller removes it when the model is written.
        resume: go on from the last checkpoint in `work`.
        report: is called with the state after every step and every evaluation.

    Raises:
        UsageError: `work` holds the checkpoints of a run with other settings, a Trainer name is unknown, or training
            has diverged.
        Interrupted: Ctrl-C; a checkpoint was written.
        OutputError: a checkpoint cannot be written.
    """
    here = Processes.here()
    set_threads(settings.threads)
    with here.joined():
        trainer, stop, score, settings = _learn(prepared, settings, work, resume, report)
    if stop.stopped:
        raise Interrupted(f"stopped after step {trainer.state.global_step}; the last checkpoint is kept in {work}")
    with _quiet():
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
        logs=Path(str(trainer.args.output_dir)) / _LOGS,
        calibration=calibration,
    )


def _learn(
    prepared: Prepared,
    settings: FitSettings,
    work: Path,
    resume: bool,
    report: Callable[[ProgressEvent], None] | None,
) -> tuple[SharedTrainer, StopOnInterrupt, DevScore | None, FitSettings]:
    """Runs the Trainer to its end, or to where it was stopped."""
    here = Processes.here()
    run = here.first(lambda: open_run(prepared, settings, work, resume))
    learned = prepared.train.learned
    settings = settings.sized(learned, sum(prepared.train.lengths) / max(1, learned))
    set_seed(settings.seed)
    adapt(prepared.encoder, settings)  # before the flat layers: they do not know of LoRA
    score = prepared.scorer()
    stop = StopOnInterrupt(here)
    try:
        with (
            _tensorboard(run.work / _LOGS, here.main) as board, _quiet(), stop.listening(),
            fast(prepared.encoder.model, settings.fast),
        ):  # fmt: skip
            trainer = make_trainer(prepared, settings, run, score, [Progress(report, prepared.metric), stop, board])
            trainer.train(resume_from_checkpoint=run.checkpoint)
            if trainer.averaging is not None and score is None:  # with dev the best average has been loaded
                trainer.averaging.keep()
    except (OSError, RuntimeError, SafetensorError) as error:
        if not _about_writing(error):
            raise
        cause = _cause(error, run.work)
        kept = here.main and last_checkpoint(run.work)  # what was written of the next one is removed
        raise OutputError(
            f"{work}: a checkpoint cannot be written ({cause}); "
            f"{'the one before is kept' if kept else 'there is none before it'}. Make room on the disk"
        ) from error
    return trainer, stop, score, settings


@contextmanager
def _tensorboard(logs: Path, wanted: bool) -> Iterator[TrainerCallback]:
    """Logs for TensorBoard. Its thread would print a traceback where the disk is full, though `write` raises, too."""
    if not wanted:
        yield TrainerCallback()
        return
    writer = SummaryWriter(str(logs))
    hook = threading.excepthook

    def note(args: threading.ExceptHookArgs) -> None:
        if not isinstance(args.exc_value, OSError):
            hook(args)

    threading.excepthook = note
    try:
        yield TensorBoardCallback(writer)  # type: ignore[no-untyped-call]
    finally:
        with suppress(OSError):
            writer.close()
        threading.excepthook = hook


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the notes of the libraries below, which are about files and calls that the user has not made."""
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"(torch|transformers|accelerate)\..*")
            yield
    finally:
        transformers_logging.set_verbosity(verbosity)


def _about_writing(error: Exception) -> bool:
    """Whether a checkpoint could not be written; torch and safetensors have exceptions of their own for it."""
    said = str(error)
    archive = (
        "inline_container" in said and "Reader" not in said
    )  # torch.save: it may say no more than "unexpected pos"
    return isinstance(error, OSError) or archive or "No space left" in said


def _cause(error: Exception, work: Path) -> str:
    """Why it was not written; native libraries know no more than that."""
    if shutil.disk_usage(work).free < 1 << 20:
        return "the disk is full"
    return getattr(error, "strerror", None) or first_line(error)
