"""ONNX Runtime: for those who have it already, and for processors and GPUs that OpenVINO does not know."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.engines.base import ON_GPU, ON_PROCESSOR, Engine, EngineSettings, refuse_in_fork
from tagline.errors import FolderError, MissingExtraError, UsageError
from tagline.folder import ONNX, ONNX_INT8, ModelFolder
from tagline.machine import cores
from tagline.records import Batch

Logits = NDArray[np.float32]


class OnnxEngine:
    """Runs a folder's `model.onnx`, or for int8 its `model_int8.onnx`.

    One session, a batch on each core: whole batches side by side wait for one another less than the threads of one
    batch would.

    Args:
        folder: the model folder.
        settings: how to run it.

    Raises:
        UsageError: bf16, which ONNX Runtime does not have, or a GPU where it finds none.
        FolderError: the graph is missing or damaged.
    """

    name = "onnx"

    def __init__(self, folder: ModelFolder, settings: EngineSettings) -> None:
        if settings.precision == "bf16":
            raise UsageError("--precision bf16: ONNX Runtime has none on a processor; use f32, or --engine openvino")
        self.precision = "int8" if settings.precision == "int8" else "f32"
        graph = ONNX_INT8 if self.precision == "int8" else ONNX
        if not folder.has(graph):
            if self.precision == "int8":
                raise FolderError(f"{folder.path}: no {graph} in it. Leave --engine onnx away, or --precision int8")
            raise FolderError(
                f"{folder.path}: no {graph} in it. Type: tagline export {folder.path} --to onnx --sample FILE; or run "
                "with --engine openvino or torch"
            )
        folder.verify((graph,))
        try:
            self._session = _session(str(folder.path / graph), settings.device)
        except UsageError:
            raise
        except Exception as error:  # the runtime's own exceptions have no base of their own
            raise FolderError(f"{folder.path / graph}: ONNX Runtime cannot load it ({_first(error)})") from error
        self._inputs = [each.name for each in self._session.get_inputs()]
        if strange := sorted({*self._inputs} - {*Batch._fields}):
            accepted = ", ".join(Batch._fields)
            raise FolderError(f"{folder.path / graph}: has inputs {', '.join(strange)}; accepted are {accepted}")
        self.batch_tokens = settings.batch_tokens or (ON_GPU if settings.device == "cuda" else ON_PROCESSOR)
        self._threads = 1 if settings.device == "cuda" else settings.threads or cores()
        self._pool = ThreadPoolExecutor(self._threads, "onnx")
        self._born = os.getpid()

    def run(self, batches: Iterable[Batch]) -> Iterator[Logits]:
        """Logits of each batch, in order."""
        refuse_in_fork(self._born)
        busy: deque[Future[Logits]] = deque()
        try:
            for batch in batches:
                busy.append(self._pool.submit(self._logits, batch))
                if len(busy) > self._threads:
                    yield busy.popleft().result()
            while busy:
                yield busy.popleft().result()
        finally:  # the caller left early, or a batch failed: nothing stays behind for the next run to wait for
            for future in busy:
                future.cancel()
            wait(busy)

    def _logits(self, batch: Batch) -> Logits:
        logits = self._session.run(["logits"], {name: getattr(batch, name) for name in self._inputs})[0]
        return np.asarray(logits, dtype=np.float32)


def open_onnx_engine(folder: ModelFolder, settings: EngineSettings) -> Engine:
    """Opens a folder's ONNX graph.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        FolderError: the graph is missing or damaged.
        UsageError: the device or the precision is not to be had.
    """
    try:
        import onnxruntime  # noqa: F401 (only whether it is there)
    except ImportError as error:
        raise MissingExtraError("the ONNX Runtime engine", "onnx") from error
    return OnnxEngine(folder, settings)


def _session(path: str, device: str) -> Any:
    import onnxruntime

    providers = ["CPUExecutionProvider"]
    if device == "cuda":
        if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            raise UsageError(
                "--device cuda: ONNX Runtime finds no GPU here; use --device cpu, or install onnxruntime-gpu in the "
                "place of onnxruntime"
            )
        providers.insert(0, "CUDAExecutionProvider")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only, and those are raised as well
    return onnxruntime.InferenceSession(path, options, providers=providers)


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
