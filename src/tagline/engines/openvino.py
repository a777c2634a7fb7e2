"""The default engine: OpenVINO on the processor, several requests in flight."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.engines.base import EngineSettings
from tagline.errors import FolderError
from tagline.folder import GRAPH, GRAPH_WEIGHTS, ModelFolder
from tagline.machine import cache_folder, cores, processor_has_bf16
from tagline.records import Batch


class OpenVinoEngine:
    """Runs a folder's OpenVINO graph.

    The compiled graph is kept in the user's cache (without the weights, which stay mapped from the folder), so that the
    next start is quick.
    """

    name = "openvino"

    def __init__(self, folder: ModelFolder, settings: EngineSettings) -> None:
        precision = settings.precision
        if precision == "auto":
            precision = "bf16" if processor_has_bf16() else "f32"
        self.precision = precision
        self._streams = settings.threads or cores()
        # Hashing lets go of the interpreter, so the check runs beside the import and the compilation.
        with ThreadPoolExecutor(1) as pool:
            check = pool.submit(folder.verify, (GRAPH, GRAPH_WEIGHTS))
            try:
                self._model = self._compile(folder)
            except Exception as error:  # OpenVINO raises plain RuntimeError
                check.result()
                raise FolderError(f"{folder.path / GRAPH}: OpenVINO cannot load it ({_first(error)})") from error
            check.result()
        self._inputs = [each.get_any_name() for each in self._model.inputs]
        self._requests = [self._model.create_infer_request() for _ in range(self._streams)]

    def _compile(self, folder: ModelFolder) -> Any:
        import openvino

        options: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": self.precision,
            "INFERENCE_NUM_THREADS": self._streams,
            "NUM_STREAMS": self._streams,
            "CACHE_MODE": "OPTIMIZE_SIZE",
        }
        cache = cache_folder() / "openvino"
        try:
            cache.mkdir(parents=True, exist_ok=True)
            options["CACHE_DIR"] = str(cache)
        except OSError:
            options.pop("CACHE_MODE")  # a read-only home only makes the start slower
        return openvino.Core().compile_model(str(folder.path / GRAPH), "CPU", options)

    def run(self, batches: Iterable[Batch]) -> Iterator[NDArray[np.float32]]:
        """Logits of each batch, in order."""
        idle = deque(self._requests)
        busy: deque[Any] = deque()
        try:
            for batch in batches:
                if not idle:
                    request = busy.popleft()
                    idle.append(request)
                    yield _logits(request)
                request = idle.popleft()
                request.start_async({name: getattr(batch, name) for name in self._inputs}, share_inputs=False)
                busy.append(request)
            while busy:
                yield _logits(busy.popleft())
        finally:
            for request in busy:  # the caller left early: nothing may still write when the next run begins
                request.wait()


def _logits(request: Any) -> NDArray[np.float32]:
    request.wait()
    return np.array(request.get_output_tensor(0).data, dtype=np.float32)


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
