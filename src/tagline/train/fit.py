"""The fit: a Hugging Face Trainer with our batches, our parameter groups and our dev score."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.tensorboard import SummaryWriter
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)
from transformers.integrations.integration_utils import TensorBoardCallback
from transformers.trainer_utils import get_last_checkpoint

from tagline.errors import Interrupted, OutputError, UsageError
from tagline.machine import cores, processor_has_bf16
from tagline.train.callbacks import Progress, ProgressEvent, StopOnInterrupt
from tagline.train.dataset import EpochBatches, only
from tagline.train.prepare import Prepared
from tagline.train.score import DevScore
from tagline.train.settings import TrainSettings

_SETTINGS = "settings.json"
_HEADS = ("classifier", "score", "head")


@dataclass(frozen=True)
class Fitted:
    """A trained model.

    Attributes:
        model: the best on dev, in float32, on the CPU.
        prepared: what it was trained on.
        settings: how.
        history: the Trainer's log, one dictionary an entry.
        dev_f1: best strict F1 on dev, None without dev.
        epochs: epochs that were run.
        logs: folder of TensorBoard logs.
    """

    model: PreTrainedModel
    prepared: Prepared
    settings: TrainSettings
    history: list[dict[str, Any]]
    dev_f1: float | None
    epochs: float
    logs: Path


def fit(
    prepared: Prepared,
    settings: TrainSettings,
    work: Path,
    resume: bool = False,
    report: Callable[[ProgressEvent], None] | None = None,
) -> Fitted:
    """Trains.

    Args:
        prepared: model and labelled windows.
        settings: how to train.
        work: folder for checkpoints and TensorBoard logs; the caller removes it when the model is written.
        resume: go on from the last checkpoint in `work`.
        report: is called with the state after every step and every evaluation.

    Raises:
        UsageError: `work` holds the checkpoints of a run with other settings, or a Trainer name is unknown.
        Interrupted: Ctrl-C; a checkpoint was written.
        OutputError: a checkpoint cannot be written.
    """
    checkpoint = _open(work, settings, resume)
    settings = settings.sized(sum(prepared.train.lengths))
    set_threads(settings.threads)
    set_seed(settings.seed)
    model = prepared.encoder.model
    _set_dropout(model, settings.dropout)
    if settings.freeze_embeddings:
        model.get_input_embeddings().weight.requires_grad_(False)
    data = EpochBatches(prepared.train, prepared.encoder.subtokens.pad, settings.batch_tokens, settings.seed)
    arguments = _arguments(settings, work, settings.epochs, judged=prepared.dev is not None)
    score = DevScore(prepared) if prepared.dev is not None else None
    stop = StopOnInterrupt()
    logs = work / "tensorboard"
    callbacks: list[TrainerCallback] = [stop, Progress(report), TensorBoardCallback(SummaryWriter(str(logs)))]  # type: ignore[no-untyped-call]
    if settings.patience and score is not None:
        callbacks.append(EarlyStoppingCallback(settings.patience))
    try:
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=data,
            eval_dataset=score.batches if score is not None else None,
            data_collator=only,
            compute_metrics=score,
            callbacks=callbacks,
            optimizers=(_optimizer(model, arguments, settings), None),
        )
        trainer.remove_callback(PrinterCallback)
        with warnings.catch_warnings(), stop.listening():
            warnings.filterwarnings("ignore", module=r"(torch|transformers|accelerate)\..*")
            trainer.train(resume_from_checkpoint=checkpoint)
    except OSError as error:
        raise OutputError(
            f"{work}: a checkpoint cannot be written ({error.strerror or error}). Free space, then type the same "
            "command with --resume"
        ) from error
    if stop.stopped:
        raise Interrupted(f"stopped after step {trainer.state.global_step}; the last checkpoint is kept in {work}")
    # Mixed precision wraps forward; the wrapper must not find its way into the exported graph.
    model = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False).to("cpu").float().eval()
    best = trainer.state.best_metric
    return Fitted(
        model=model,
        prepared=prepared,
        settings=settings,
        history=list(trainer.state.log_history),
        dev_f1=None if best is None else float(best),
        epochs=float(trainer.state.epoch or 0),
        logs=logs,
    )


def set_threads(threads: int) -> None:
    """Gives torch `threads` processor threads; 0: the cores that this process may use."""
    torch.set_num_threads(threads or cores())


def has_bf16() -> bool:
    """Whether bf16 is fast here: a GPU or a processor with instructions for it."""
    return bool(torch.cuda.is_bf16_supported()) if torch.cuda.is_available() else processor_has_bf16()


def _open(work: Path, settings: TrainSettings, resume: bool) -> str | None:
    """Makes the work folder, or finds the checkpoint in it."""
    state = {key: value for key, value in settings.to_dict().items() if key != "threads"}
    if resume and (work / _SETTINGS).is_file():
        before = json.loads((work / _SETTINGS).read_text(encoding="utf-8"))
        if before != state:
            changed = sorted(key for key in state if before.get(key) != state[key])
            raise UsageError(
                f"{work} holds a run with other settings ({', '.join(changed)}); resume with the same ones, "
                "or type --overwrite to begin anew"
            )
        return _whole_checkpoint(work)
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        (work / _SETTINGS).write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{work}: cannot be made ({error.strerror}); give another place with -o") from error
    return None


def _whole_checkpoint(work: Path) -> str | None:
    """The last checkpoint that was written to its end; a kill may leave half of one."""
    while (found := get_last_checkpoint(str(work))) is not None:  # type: ignore[no-untyped-call]
        if (Path(found) / "trainer_state.json").is_file() and (Path(found) / "scheduler.pt").is_file():
            return str(found)
        shutil.rmtree(found)
    return None


def _arguments(settings: TrainSettings, work: Path, epochs: int, judged: bool) -> TrainingArguments:
    bf16 = settings.precision == "bf16" or (settings.precision == "auto" and has_bf16())
    try:
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
            eval_strategy="epoch" if judged else "no",
            save_strategy="steps" if settings.checkpoint_steps and not judged else "epoch",
            save_steps=settings.checkpoint_steps or 500,
            save_total_limit=2,
            load_best_model_at_end=judged,
            metric_for_best_model="f1" if judged else None,
            greater_is_better=True if judged else None,
            batch_eval_metrics=judged,
            logging_steps=50,
            report_to="none",  # TensorBoard is added with a folder of its own
            disable_tqdm=True,
            seed=settings.seed,
            data_seed=settings.seed,
            dataloader_pin_memory=torch.cuda.is_available(),
            remove_unused_columns=False,
            label_names=["labels"],
        )
    except ValueError as error:
        raise UsageError(f"--optimizer {settings.optimizer} or --scheduler {settings.scheduler}: {error}") from error


def _optimizer(model: PreTrainedModel, arguments: TrainingArguments, settings: TrainSettings) -> torch.optim.Optimizer:
    """The Trainer's optimiser of that name over our groups: encoder and fresh parts, with and without decay."""
    kind: type[torch.optim.Optimizer]
    kind, options = Trainer.get_optimizer_cls_and_kwargs(arguments, model)
    options = {key: value for key, value in options.items() if key != "lr"}
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    shapes = settings.shapes is not False and getattr(model.config, "type_vocab_size", 0) > 2
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            fresh = name.split(".")[0] in _HEADS or (shapes and "token_type_embeddings" in name)
            groups.setdefault((fresh, parameter.ndim > 1), []).append(parameter)
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
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
