"""PyTorch: on a GPU, and as the reference that other engines are held against."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.engines.base import ON_GPU, ON_PROCESSOR, Engine, EngineSettings, refuse_in_fork
from tagline.errors import FolderError, MissingExtraError, UsageError
from tagline.folder import TEXT_CLASSIFICATION, WEIGHTS, ModelFolder
from tagline.machine import cores, processor_has_bf16
from tagline.records import Batch

_AHEAD = 2  # batches that a GPU is given before the first is waited for


class TorchEngine:
    """Runs a Hugging Face model.

    Args:
        model: a module whose forward takes the batch's arrays and gives an object with `logits`.
        settings: how to run it.
    """

    name = "torch"

    def __init__(self, model: Any, settings: EngineSettings) -> None:
        import inspect

        import torch

        on_gpu = torch.cuda.is_available() and settings.device != "cpu"
        if settings.device == "cuda" and not on_gpu:
            raise UsageError("--device cuda: torch finds no GPU here; use --device cpu")
        self._torch, self._device = torch, "cuda" if on_gpu else "cpu"
        self.batch_tokens = settings.batch_tokens or (ON_GPU if on_gpu else ON_PROCESSOR)
        precision = settings.precision
        if precision == "int8":
            raise UsageError("--precision int8: the torch engine has none; use --engine openvino, or bf16 or f32")
        if precision == "auto":
            precision = "bf16" if (torch.cuda.is_bf16_supported() if on_gpu else processor_has_bf16()) else "f32"
        self.precision = precision
        if not on_gpu:
            torch.set_num_threads(settings.threads or cores())
        kind = torch.bfloat16 if precision == "bf16" else torch.float32
        self._model = model.to(device=self._device, dtype=kind).eval()
        takes = inspect.signature(model.forward).parameters
        self._inputs = [name for name in Batch._fields if name in takes]
        self._born = os.getpid()

    def run(self, batches: Iterable[Batch]) -> Iterator[NDArray[np.float32]]:
        """Logits of each batch, in order."""
        refuse_in_fork(self._born)
        if self._device == "cpu":
            for batch in batches:
                yield self._logits(self._named(batch)).numpy()
            return
        busy: deque[tuple[Any, Any]] = deque()
        for batch in batches:
            busy.append(self._started(batch))
            if len(busy) > _AHEAD:
                yield _arrived(*busy.popleft())
        while busy:
            yield _arrived(*busy.popleft())

    def _named(self, batch: Batch) -> dict[str, Any]:
        return {name: self._torch.from_numpy(getattr(batch, name)) for name in self._inputs}

    def _logits(self, arrays: dict[str, Any]) -> Any:
        with self._torch.inference_mode():
            return self._model(**arrays).logits.float()

    def _started(self, batch: Batch) -> tuple[Any, Any]:
        """Where the logits will lie, and the event that says they do: nothing here waits for the GPU.

        Copies go through page-locked memory, which torch keeps and hands out anew only when the copy is over.
        """
        pinned = {name: each.pin_memory() for name, each in self._named(batch).items()}
        logits = self._logits({name: each.to(self._device, non_blocking=True) for name, each in pinned.items()})
        there = self._torch.empty(logits.shape, dtype=logits.dtype, pin_memory=True)
        there.copy_(logits, non_blocking=True)
        done: Any = self._torch.cuda.Event()  # type: ignore[no-untyped-call]
        done.record()
        return there, done


def _arrived(logits: Any, done: Any) -> NDArray[np.float32]:
    done.synchronize()
    found: NDArray[np.float32] = logits.numpy()
    return found


def open_torch_engine(folder: ModelFolder, settings: EngineSettings) -> Engine:
    """Runs a folder's `model.safetensors`; raises as `load_model` does."""
    return TorchEngine(load_model(folder), settings)


def load_model(folder: ModelFolder) -> Any:
    """The model that transformers makes of a folder's `model.safetensors`, in float32, on the processor.

    Raises:
        MissingExtraError: torch or transformers is not installed.
        FolderError: the weights are missing or damaged.
    """
    try:
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification
        from transformers.utils import logging
    except ImportError as error:
        raise MissingExtraError("the PyTorch engine", "train") from error
    folder.refuse_if_only_reads("PyTorch")
    transformers_logging: Any = logging  # untyped
    transformers_logging.disable_progress_bar()
    folder.verify((WEIGHTS,))
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # it would warn of a CRF's weights, which belong to the decoder
    try:
        if folder.word_level:
            import tagline.models.bilstm  # noqa: F401 (makes the family known to transformers)

        for_texts = folder.manifest.task == TEXT_CLASSIFICATION
        kind = AutoModelForSequenceClassification if for_texts else AutoModelForTokenClassification
        if folder.mixed:
            from tagline.models.mixing import load_mixed

            return load_mixed(kind, folder.path, folder.config)
        model, found = kind.from_pretrained(
            folder.path, dtype=torch.float32, local_files_only=True, trust_remote_code=False, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise FolderError(f"{folder.path}: the weights cannot be loaded ({_first_line(error)})") from error
    finally:
        transformers_logging.set_verbosity(verbosity)
    missing = sorted(found["missing_keys"])
    if missing:  # transformers would draw them at random
        raise FolderError(
            f"{folder.path}: {len(missing)} weights are missing from its file, the first is {missing[0]}. Take the "
            "folder anew from where it was made"
        )
    return model


def _first_line(error: Exception) -> str:
    return (str(error).strip() or repr(error)).splitlines()[0]
