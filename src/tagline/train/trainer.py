"""The Hugging Face Trainer with our batches, our parameter groups and, of several processes, a share for each."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.data_loader import prepare_data_loader
from torch.utils.data import DataLoader
from transformers import (
    EarlyStoppingCallback,
    EvalPrediction,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    get_scheduler,
)
from transformers.trainer_utils import EvalLoopOutput

from tagline.errors import UsageError
from tagline.machine import cores
from tagline.models.crf import crf_of
from tagline.train.arguments import training_arguments
from tagline.train.averaging import Averaging
from tagline.train.callbacks import SaveWithin
from tagline.train.dataset import EpochBatches, Share, as_array, only
from tagline.train.fast.encoder import flat_encoder
from tagline.train.optimizer import make_optimizer
from tagline.train.prepared import DevScore, Prepared
from tagline.train.processes import Processes
from tagline.train.rdrop import SHARE, RDrop, doubled
from tagline.train.runs import Run, first_line
from tagline.train.settings import FitSettings


class SharedTrainer(Trainer):
    """A Trainer whose items are whole batches: every process takes its share of each, none a batch of its own.

    So a step is the same whatever the number of processes, and so is their number.

    Attributes:
        processes: those of the run.
        averaging: the average of the weights, which is scored and saved in the place of the trained ones; or None.
    """

    processes = Processes()
    averaging: Averaging | None = None

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The batches of the training data, this process's share of each; accelerate would deal whole ones out."""
        loader = DataLoader(
            self.train_dataset,  # type: ignore[arg-type]
            batch_size=1,
            collate_fn=only,
            pin_memory=self.args.dataloader_pin_memory,
        )
        prepared: DataLoader[Any] = prepare_data_loader(
            loader, self.accelerator.device, num_processes=1, process_index=0, put_on_device=True
        )
        return prepared

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The loss of this process's share, so weighted that the mean over the processes is the loss of the batch."""
        share = inputs.pop(SHARE, None)
        if isinstance(self.compute_loss_func, RDrop) and model.training:
            inputs = doubled(inputs)
        found = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        if share is None:
            return found
        return (found[0] * share, found[1]) if return_outputs else found * share

    def evaluation_loop(self, dataloader: DataLoader[Any], *arguments: Any, **options: Any) -> EvalLoopOutput:
        """Evaluates: of several processes each reads its batches, and all of them score all."""
        with self._averaged():
            return self._evaluation_loop(dataloader, *arguments, **options)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Saves the model; where weights are averaged, their average, and what training goes on from beside it."""
        with self._averaged():
            super().save_model(output_dir, _internal_call)
        if self.averaging is not None and self.args.should_save:
            self.averaging.save(Path(output_dir or str(self.args.output_dir)))

    def _averaged(self) -> AbstractContextManager[None]:
        return nullcontext() if self.averaging is None else self.averaging.shown()

    def _evaluation_loop(self, dataloader: DataLoader[Any], *arguments: Any, **options: Any) -> EvalLoopOutput:
        if self.processes.count == 1:
            return super().evaluation_loop(dataloader, *arguments, **options)
        self.model.eval()  # type: ignore[union-attr]
        data: Any = dataloader.dataset
        losses: list[float] = []
        rows: list[int] = []
        metrics: dict[str, float] = {}
        for first in range(0, len(data), self.processes.count):
            number = first + self.processes.rank
            for loss, logits, labels in self.processes.gather(self._read(data, number)):
                if logits is not None:
                    losses.append(loss)
                    rows.append(len(logits))
                    last = len(losses) == len(data)
                    prediction = EvalPrediction(predictions=logits, label_ids=labels)
                    metrics = self.compute_metrics(prediction, compute_result=last)  # type: ignore[misc, call-arg]
        prefix = options.get("metric_key_prefix", "eval")
        named = {f"{prefix}_{name}": value for name, value in metrics.items()}
        named[f"{prefix}_loss"] = float(np.average(losses, weights=rows))
        return EvalLoopOutput(predictions=None, label_ids=None, metrics=named, num_samples=sum(rows))  # type: ignore[arg-type]

    def _read(self, data: EpochBatches, number: int) -> tuple[Any, Any, Any]:
        """Loss, logits and labels of a batch; nothing after the last one."""
        if number >= len(data):
            return None, None, None
        # The model itself: the processes read different numbers of batches, and its wrapper would wait for the others.
        loss, logits, labels = self.prediction_step(self.model, dict(data[number]), prediction_loss_only=False)  # type: ignore[arg-type]
        return float(loss) if loss is not None else 0.0, as_array(logits), as_array(labels)


def make_trainer(
    prepared: Prepared, settings: FitSettings, run: Run, score: DevScore | None, callbacks: list[TrainerCallback]
) -> SharedTrainer:
    """The Trainer with our batches, parameter groups and score."""
    model = prepared.encoder.model
    patience = settings.patience if score is not None else 0
    # A run that was killed after it had ended early has nothing left but to take its best checkpoint.
    epochs = int(run.epochs) if patience and run.waited >= patience else settings.epochs
    arguments = _arguments(settings, run.work, epochs, prepared.metric if score is not None else None)
    # A CRF works outside the model's forward, where its wrapper would take it for unused.
    arguments.ddp_find_unused_parameters = flat_encoder(model) is None and crf_of(model) is None
    here = Processes.here()
    averaging = Averaging(model, settings.ema, run.checkpoint) if settings.ema else None
    share = Share(here.rank, here.count, prepared.loss.mass) if here.count > 1 else None
    trainer = SharedTrainer(
        model=model,
        args=arguments,
        train_dataset=EpochBatches(prepared.train, prepared.pad, settings.batch_tokens, settings.seed, share),
        eval_dataset=score.batches if score is not None else None,
        data_collator=only,
        compute_loss_func=RDrop(prepared.loss, settings.rdrop) if settings.rdrop else prepared.loss,
        compute_metrics=score,
        callbacks=[
            *filter(None, (averaging,)),
            *callbacks,
            SaveWithin(settings.checkpoint_steps),
            *_patience(patience, run),
        ],
        optimizers=(make_optimizer(prepared.encoder, arguments, settings), None),
    )
    trainer.processes, trainer.averaging = here, averaging
    trainer.remove_callback(PrinterCallback)
    torch.manual_seed(settings.seed + here.rank)  # each process drops out other numbers
    return trainer


def _patience(epochs: int, run: Run) -> list[TrainerCallback]:
    """Ends training after so many epochs without a better score; 0 never does."""
    if not epochs:
        return []
    stopping = EarlyStoppingCallback(epochs)
    stopping.early_stopping_patience_counter = run.waited
    return [stopping]


def _arguments(settings: FitSettings, work: Path, epochs: int, metric: str | None) -> TrainingArguments:
    probe = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    try:
        get_scheduler(settings.scheduler, probe, num_warmup_steps=1, num_training_steps=2)
        return training_arguments(
            settings,
            work,
            epochs,
            metric,
            lr_scheduler_type=settings.scheduler,
            optim=settings.optimizer,
            average_tokens_across_devices=False,  # the share of each process knows its weight
            batch_eval_metrics=metric is not None,
            logging_steps=50,
        )
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"optimizer={settings.optimizer} or scheduler={settings.scheduler} cannot be used: {first_line(error)}. "
            "Choose others with --set, e.g. --set optimizer=adamw_torch --set scheduler=linear"
        ) from error


def set_threads(threads: int) -> None:
    """Gives torch `threads` processor threads; 0: the cores that it may use, shared with the others of its run."""
    torch.set_num_threads(threads or max(1, cores() // Processes.here().local))
