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

import torch
from safetensors import SafetensorError
from torch.utils.tensorboard import SummaryWriter
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    get_scheduler,
    set_seed,
)
from transformers.integrations.integration_utils import TensorBoardCallback
from transformers.utils import logging

from tagline.errors import Interrupted, OutputError, UsageError
from tagline.machine import cores, processor_has_bf16
from tagline.models.encoders import LoadedEncoder
from tagline.train.calibration import Calibration, calibrate
from tagline.train.callbacks import Progress, ProgressEvent, SaveWithin, StopOnInterrupt
from tagline.train.dataset import EpochBatches, check_finite, only
from tagline.train.prepared import DevScore, Prepared
from tagline.train.runs import Run, last_checkpoint, open_run
from tagline.train.settings import FitSettings

transformers_logging: Any = logging  # untyped


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
    """Trains.

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
    run = open_run(prepared, settings, work, resume)
    settings = settings.sized(sum(prepared.train.lengths))
    set_threads(settings.threads)
    set_seed(settings.seed)
    score = prepared.scorer()
    stop = StopOnInterrupt()
    logs = run.work / "tensorboard"
    try:
        with _tensorboard(logs) as board, _quiet(), stop.listening():
            trainer = _trainer(prepared, settings, run, score, [Progress(report, prepared.metric), stop, board])
            trainer.train(resume_from_checkpoint=run.checkpoint)
    except (OSError, RuntimeError, SafetensorError) as error:
        if not _about_writing(error):
            raise
        cause = _cause(error, run.work)
        kept = last_checkpoint(run.work)  # what was written of the next one is removed
        raise OutputError(
            f"{work}: a checkpoint cannot be written ({cause}); "
            f"{'the one before is kept' if kept else 'there is none before it'}. Make room on the disk"
        ) from error
    if stop.stopped:
        raise Interrupted(f"stopped after step {trainer.state.global_step}; the last checkpoint is kept in {work}")
    with _quiet():
        calibration = calibrate(trainer, score) if settings.calibrate and score is not None else None
    # Mixed precision wraps forward; the wrapper must not find its way into the exported graph.
    model = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False).to("cpu").float().eval()
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
        logs=logs,
        calibration=calibration,
    )


def _trainer(
    prepared: Prepared, settings: FitSettings, run: Run, score: DevScore | None, callbacks: list[TrainerCallback]
) -> Trainer:
    """The Trainer with our batches, parameter groups and score."""
    model = prepared.encoder.model
    _set_dropout(model, settings.dropout)
    if settings.freeze_embeddings:
        model.get_input_embeddings().weight.requires_grad_(False)
    patience = settings.patience if score is not None else 0
    # A run that was killed after it had ended early has nothing left but to take its best checkpoint.
    epochs = int(run.epochs) if patience and run.waited >= patience else settings.epochs
    arguments = _arguments(settings, run.work, epochs, prepared.metric if score is not None else None)
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=EpochBatches(prepared.train, prepared.pad, settings.batch_tokens, settings.seed),
        eval_dataset=score.batches if score is not None else None,
        data_collator=only,
        compute_loss_func=prepared.loss,
        compute_metrics=score,
        callbacks=[*callbacks, SaveWithin(settings.checkpoint_steps), *_patience(patience, run)],
        optimizers=(_optimizer(prepared.encoder, arguments, settings), None),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def set_threads(threads: int) -> None:
    """Gives torch `threads` processor threads; 0: the cores that this process may use."""
    torch.set_num_threads(threads or cores())


def has_bf16() -> bool:
    """Whether bf16 is fast here: a GPU or a processor with instructions for it."""
    return bool(torch.cuda.is_bf16_supported()) if torch.cuda.is_available() else processor_has_bf16()


def _patience(epochs: int, run: Run) -> list[TrainerCallback]:
    """Ends training after so many epochs without a better score; 0 never does."""
    if not epochs:
        return []
    stopping = EarlyStoppingCallback(epochs)
    stopping.early_stopping_patience_counter = run.waited
    return [stopping]


@contextmanager
def _tensorboard(logs: Path) -> Iterator[TrainerCallback]:
    """Logs for TensorBoard. Its thread would print a traceback where the disk is full, though `write` raises, too."""
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
    return getattr(error, "strerror", None) or _first(error)


def _first(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _arguments(settings: FitSettings, work: Path, epochs: int, metric: str | None) -> TrainingArguments:
    bf16 = settings.precision == "bf16" or (settings.precision == "auto" and has_bf16())
    probe = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    try:
        get_scheduler(settings.scheduler, probe, num_warmup_steps=1, num_training_steps=2)
        return TrainingArguments(
            output_dir=str(work),
            num_train_epochs=epochs,
            per_device_train_batch_size=1,  # an item is a whole batch
            per_device_eval_batch_size=1,
            train_sampling_strategy="sequential",
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            warmup_steps=settings.warmup,
            lr_scheduler_type=settings.scheduler,
            optim=settings.optimizer,
            bf16=bf16,
            use_cpu=not torch.cuda.is_available(),
            eval_strategy="epoch" if metric else "no",
            save_strategy="epoch",
            save_total_limit=2,
            load_best_model_at_end=metric is not None,
            metric_for_best_model=metric,
            greater_is_better=True if metric else None,
            batch_eval_metrics=metric is not None,
            logging_steps=50,
            report_to="none",  # TensorBoard is added with a folder of its own
            disable_tqdm=True,
            seed=settings.seed,
            data_seed=settings.seed,
            dataloader_pin_memory=torch.cuda.is_available(),
            remove_unused_columns=False,
            label_names=["labels"],
        )
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"optimizer={settings.optimizer} or scheduler={settings.scheduler} cannot be used: {_first(error)}. "
            "Choose others with --set, e.g. --set optimizer=adamw_torch --set scheduler=linear"
        ) from error


def _optimizer(encoder: LoadedEncoder, arguments: TrainingArguments, settings: FitSettings) -> torch.optim.Optimizer:
    """The Trainer's optimiser of that name over our groups: encoder and fresh parts, with and without decay."""
    model = encoder.model
    kind: type[torch.optim.Optimizer]
    try:
        kind, options = Trainer.get_optimizer_cls_and_kwargs(arguments, model)
    except (ValueError, ImportError) as error:
        raise UsageError(f"optimizer={settings.optimizer} cannot be used here: {_first(error)}") from error
    options = {key: value for key, value in options.items() if key != "lr"}
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((name in encoder.fresh, parameter.ndim > 1), []).append(parameter)
    return kind(
        [
            {
                "params": parameters,
                "lr": settings.head_learning_rate if fresh else settings.learning_rate,
                "weight_decay": settings.weight_decay if decays else 0.0,
            }
            for (fresh, decays), parameters in groups.items()
        ],
        **options,
    )


def _set_dropout(model: PreTrainedModel, dropout: float | None) -> None:
    if dropout is None:
        return
    module: Any
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
        elif isinstance(getattr(module, "attention_dropout", None), float):
            module.attention_dropout = dropout  # families that give the rate to the attention's kernel
