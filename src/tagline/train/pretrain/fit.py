"""From a text file to a trained masked language model."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedModel, PrinterCallback, TrainingArguments, set_seed

from tagline.data.atomic import atomic_folder
from tagline.errors import DataError, Interrupted, TaglineError, UsageError
from tagline.models.encoders import LoadedEncoder, load_for_masking
from tagline.train.arguments import training_arguments
from tagline.train.callbacks import Progress, ProgressEvent, SaveWithin, StopOnInterrupt
from tagline.train.dataset import check_finite, only
from tagline.train.fast.encoder import fast
from tagline.train.pretrain.blocks import MaskedBatches, PlainText, blocks_of, read_text, subtokens
from tagline.train.pretrain.model import Moved, new_model, take_vocabulary
from tagline.train.pretrain.settings import PretrainSettings
from tagline.train.pretrain.tokenizer import train_tokenizer
from tagline.train.pretrain.trainer import MaskedTrainer
from tagline.train.processes import Processes
from tagline.train.runs import Run, begin
from tagline.train.surroundings import LOGS, quiet, saving, tensorboard
from tagline.train.trainer import set_threads

_TOKENIZER = "tokenizer"  # in the folder of the run: a resumed run takes the same one
_LOG_STEPS = 10


@dataclass(frozen=True)
class Material:
    """What a run learns from.

    Attributes:
        model: before training.
        tokenizer: a fast Hugging Face tokenizer.
        learned: blocks that are learned.
        held_out: blocks that judge; None where nothing was held out.
        facts: how much text that is, JSON-ready.
        moved: what became of an encoder's pieces on a new vocabulary; else None.
    """

    model: PreTrainedModel
    tokenizer: Any
    learned: MaskedBatches
    held_out: MaskedBatches | None
    facts: dict[str, Any]
    moved: Moved | None


@dataclass(frozen=True)
class Pretrained:
    """A trained masked language model.

    Attributes:
        model: the best on held-out text, else the last; float32, on the CPU.
        material: what it was trained on.
        settings: how.
        by_epoch: held-out loss and perplexity after each epoch.
        history: the Trainer's log.
        steps: optimiser steps.
        loss: the best held-out loss in nats per masked sub-token, None where nothing was held out.
    """

    model: PreTrainedModel
    material: Material
    settings: PretrainSettings
    by_epoch: list[dict[str, float]]
    history: list[dict[str, Any]]
    steps: int
    loss: float | None


@dataclass(frozen=True)
class Telling:
    """Who is told what while the work goes on.

    Attributes:
        say: takes a line about the material.
        progress: takes the state after every step and every evaluation.
    """

    say: Callable[[str], None] = lambda line: None
    progress: Callable[[ProgressEvent], None] | None = None


def pretrain(
    path: Path, settings: PretrainSettings, work: Path, resume: bool = False, telling: Telling | None = None
) -> Pretrained:
    """Trains a masked language model on a text.

    Args:
        path: text, a sentence or a paragraph a line (any file that `read_rows` takes).
        settings: how.
        work: folder for checkpoints and logs; the caller removes it when the model is written.
        resume: go on from the last checkpoint in `work`; the result is that of an unbroken run.
        telling: is told of the material and of the progress.

    Raises:
        DataError: there is too little text.
        EncoderError: the encoder cannot be had, or cannot be used so.
        UsageError: settings do not fit the encoder, `work` holds another run, training diverged, or several processes.
        Interrupted: Ctrl-C; a checkpoint was written.
        OutputError: a checkpoint cannot be written.
    """
    telling = telling or Telling()
    if Processes.here().count > 1:
        raise UsageError("tagline pretrain runs as one process; start it without torchrun, --threads gives it cores")
    set_threads(settings.threads)
    text = read_text(path, settings.held_out, settings.seed)
    set_seed(settings.seed)  # loading draws the head where the encoder has none
    encoder = None if settings.encoder is None else load_for_masking(settings.encoder)
    if encoder is not None and not settings.from_scratch and settings.window > encoder.longest:
        raise UsageError(
            f"--window is {settings.window}; encoder {settings.encoder!r} takes at most {encoder.longest} sub-tokens"
        )
    run = begin(settings.to_dict(), text.fingerprint, work, resume)
    try:
        material = _material(path, text, encoder, settings, run)
    except TaglineError:
        if run.checkpoint is None:
            shutil.rmtree(run.work, ignore_errors=True)
        raise
    _introduce(material, telling.say)
    return _learn(material, settings, work, run, telling.progress)


def _material(
    path: Path, text: PlainText, encoder: LoadedEncoder | None, settings: PretrainSettings, run: Run
) -> Material:
    tokenizer = _tokenizer(text.learned, encoder, settings, run.work)
    moved = None
    if encoder is None or settings.from_scratch:
        model = new_model(tokenizer, settings)
    else:
        model = encoder.model
        if settings.new_tokenizer:
            moved = take_vocabulary(model, encoder.tokenizer, tokenizer)
    if encoder is None or settings.from_scratch or settings.new_tokenizer:
        longest = settings.window if encoder is None or settings.from_scratch else encoder.longest
        tokenizer.model_max_length = longest
    size = max(1, round(settings.batch_tokens / settings.window))
    parts = [blocks_of(lines, tokenizer, settings.window) for lines in (text.learned, text.held_out)]
    for blocks, lines in zip(parts, (text.learned, text.held_out), strict=True):
        if lines and not blocks:
            raise DataError("holds nothing that the tokenizer knows as text; expected plain text in UTF-8", path)
    share, seed = settings.masked, settings.seed
    learned = MaskedBatches(parts[0], tokenizer, share, size, seed)
    held_out = MaskedBatches(parts[1], tokenizer, share, size, seed, fixed=True) if parts[1] else None
    facts = {
        "lines": len(text.learned), "subtokens": subtokens(parts[0]), "blocks": len(parts[0]),
        "held_out_lines": len(text.held_out), "held_out_subtokens": subtokens(parts[1]),
        "steps_per_epoch": len(learned), "vocabulary": len(tokenizer), "parameters": model.num_parameters(),
        "text_sha256": text.fingerprint,
    }  # fmt: skip
    return Material(model, tokenizer, learned, held_out, facts, moved)


def _tokenizer(lines: list[str], encoder: LoadedEncoder | None, settings: PretrainSettings, work: Path) -> Any:
    """The encoder's own, or one trained on the learned lines, kept with the run."""
    if not settings.new_tokenizer and encoder is not None:
        return encoder.tokenizer
    folder = work / _TOKENIZER
    if not folder.is_dir():
        pad = None if encoder is None else encoder.tokenizer.pad_token_id
        trained = train_tokenizer(lines, settings, pad)
        with atomic_folder(folder) as place:
            trained.save_pretrained(place)
    return AutoTokenizer.from_pretrained(folder)  # a first and a resumed run read the same file


def _introduce(material: Material, say: Callable[[str], None]) -> None:
    facts = material.facts
    say(
        f"text: {facts['lines']:,} lines, {facts['subtokens']:,} sub-tokens; held out: {facts['held_out_lines']:,} "
        f"lines, {facts['held_out_subtokens']:,} sub-tokens"
    )
    say(f"model: {facts['parameters']:,} parameters, {facts['vocabulary']:,} pieces in the vocabulary")
    if material.moved is not None:
        moved = material.moved
        say(
            f"new vocabulary: {moved.kept:,} pieces keep their vectors, {moved.spelled:,} begin at the mean of the old "
            f"pieces that spell them, {moved.unknown:,} at the mean of all"
        )


def _learn(
    material: Material,
    settings: PretrainSettings,
    work: Path,
    run: Run,
    report: Callable[[ProgressEvent], None] | None,
) -> Pretrained:
    set_seed(settings.seed)
    stop = StopOnInterrupt()
    model = material.model
    with (
        saving(work, run.work), tensorboard(run.work / LOGS) as board, quiet(), stop.listening(),
        fast(model, settings.fast),
    ):  # fmt: skip
        trainer = MaskedTrainer(
            model=model,
            args=_arguments(settings, run.work, material.held_out is not None),
            train_dataset=material.learned,
            eval_dataset=material.held_out,
            data_collator=only,
            callbacks=[Progress(report, "loss"), stop, board, SaveWithin(settings.checkpoint_steps)],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=run.checkpoint)
    if stop.stopped:
        raise Interrupted(f"stopped after step {trainer.state.global_step}; the last checkpoint is kept in {work}")
    whole = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False).to("cpu").float().eval()
    check_finite(all(bool(each.isfinite().all()) for each in whole.parameters()))
    history = list(trainer.state.log_history)
    by_epoch = [
        {"epoch": each["epoch"], "loss": each["eval_loss"], "perplexity": each["eval_perplexity"]}
        for each in history
        if "eval_loss" in each
    ]
    best = trainer.state.best_metric
    loss = None if best is None else float(best)
    return Pretrained(whole, material, settings, by_epoch, history, trainer.state.global_step, loss)


def _arguments(settings: PretrainSettings, work: Path, judged: bool) -> TrainingArguments:
    metric = "loss" if judged else None
    more = {"lr_scheduler_type": "linear", "optim": "adamw_torch_fused", "logging_steps": _LOG_STEPS}
    return training_arguments(settings, work, settings.epochs, metric, **more)
