"""What stands around a Trainer at work: its logs, the notes of the libraries below, and a disk that is full."""

from __future__ import annotations

import shutil
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch.utils.tensorboard import SummaryWriter
from transformers import TrainerCallback
from transformers.integrations.integration_utils import TensorBoardCallback
from transformers.utils import logging

from tagline.errors import OutputError
from tagline.train.runs import first_line, last_checkpoint

transformers_logging: Any = logging  # untyped
LOGS = "tensorboard"  # in the folder of the run


@contextmanager
def saving(shown: Path, work: Path, main: bool = True) -> Iterator[None]:
    """Says of a checkpoint that cannot be written why, and what of the run is kept.

    Args:
        shown: the folder of the run, as the user knows it.
        work: the same.
        main: whether this is the first of several processes.

    Raises:
        OutputError: a checkpoint cannot be written.
    """
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        if not _about_writing(error):
            raise
        cause = _cause(error, work)
        kept = main and last_checkpoint(work)  # what was written of the next one is removed
        raise OutputError(
            f"{shown}: a checkpoint cannot be written ({cause}); "
            f"{'the one before is kept' if kept else 'there is none before it'}. Make room on the disk"
        ) from error


@contextmanager
def tensorboard(logs: Path) -> Iterator[TrainerCallback]:
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
def quiet() -> Iterator[None]:
    """Without the notes of the libraries below, which are about files and calls that the user has not made."""
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
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
