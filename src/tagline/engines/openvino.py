"""The default engine: OpenVINO on the processor, several requests in flight."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from threading import Lock
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.engines.base import ON_PROCESSOR, EngineSettings, refuse_in_fork
from tagline.engines.runtime import import_openvino
from tagline.errors import FolderError
from tagline.folder import GRAPH, GRAPH_WEIGHTS, INT8_GRAPH, INT8_WEIGHTS, ModelFolder, states
from tagline.machine import cache_folder, cores, processor_flags, processor_has_bf16, processor_has_int8
from tagline.records import Batch

_APART = 0.02  # seconds since two runs last met, before one may have all threads: soon after, the next is on its way
_SNIPPETS = "SNIPPETS_MODE"  # attention as products of oneDNN is quicker than as one kernel made by OpenVINO
_AMX_ROW = 64  # 8-bit numbers
_WIDTHS = ("hidden_size", "dim", "embedding_size", "intermediate_size", "hidden_dim", "hidden", "embedding", "dense")
_AHEAD = 2  # requests beyond the streams: none idles while an earlier batch is waited for


class OpenVinoEngine:
    """Runs a folder's OpenVINO graph, or its int8 graph.

    The compiled graph is kept in the user's cache, so that the next start is quick, without the weights: these stay
    mapped from the folder, and processes that load it share them. What OpenVINO lays out anew for the processor, the
    weights of matrix products, each process has for itself.
    """

    name = "openvino"

    def __init__(self, folder: ModelFolder, settings: EngineSettings) -> None:
        best = "bf16" if processor_has_bf16() else "f32"
        usual = "int8" if folder.only_reads else best
        self.precision = usual if settings.precision == "auto" else settings.precision
        # Layers that int8 left out, and the sums between layers, run in the best that there is.
        hint = best if self.precision == "int8" else self.precision
        rounded = self.precision == "int8" or folder.only_reads
        graph, weights = (INT8_GRAPH, INT8_WEIGHTS) if rounded else (GRAPH, GRAPH_WEIGHTS)
        if rounded and _narrow(folder.config) and "amx_bf16" in processor_flags():
            hint = "f32"
        self._streams = settings.threads or cores()
        self.batch_tokens = settings.batch_tokens or ON_PROCESSOR
        # Without instructions for int8, activations are not rounded either: it would cost time and gain nothing.
        precision = (hint, rounded and (self.precision != "int8" or not processor_has_int8()))
        # Nothing that holds the engine: it must go, and its mapped weights with it, when its last user does.
        files = [folder.path.absolute() / name for name in (graph, weights)]
        kept = ("whole" if folder.word_level else "products") if settings.cache else None
        compile_for = partial(_compiled, str(files[0]), precision, self._streams, kept)
        seen = states(files)
        # Hashing lets go of the interpreter, so the check runs beside the import and the compilation.
        with ThreadPoolExecutor(1) as pool:  # not on this thread: see compile_graph
            compiled = pool.submit(compile_for, self._streams)
            folder.verify((graph, weights))
            try:
                self._model = compiled.result()
            except Exception as error:  # OpenVINO raises plain RuntimeError
                raise FolderError(f"{folder.path / graph}: OpenVINO cannot load it ({_first(error)})") from error
        self._inputs = [each.get_any_name() for each in self._model.inputs]
        # Shared by all runs, so that several threads may run at once; popleft and append need no lock.
        self._idle = deque(self._model.create_infer_request() for _ in range(self._streams + _AHEAD))
        self._alone = _Alone(partial(compile_for, 1), lambda: states(files) == seen)
        self._born = os.getpid()

    def run(self, batches: Iterable[Batch]) -> Iterator[NDArray[np.float32]]:
        """Logits of each batch, in order; several threads may run at once.

        A batch that comes alone while nothing else runs, or did of late, has all threads to itself.
        """
        refuse_in_fork(self._born)
        following = iter(batches)
        ahead = list(islice(following, 2))
        if len(ahead) == 1 and self._streams > 1 and (alone := self._alone.take()) is not None:
            try:
                alone.start_async(self._named(ahead[0]), share_inputs=False)
                logits = _logits(alone)
            finally:
                self._alone.give_back()
            yield logits
            return
        busy: deque[Any] = deque()
        try:
            self._alone.others(1)
            for batch in chain(ahead, following):
                if len(busy) == self._streams + _AHEAD:
                    yield self._collect(busy.popleft())
                request = self._take()
                request.start_async(self._named(batch), share_inputs=False)
                busy.append(request)
            while busy:
                yield self._collect(busy.popleft())
        finally:
            self._alone.others(-1)
            for request in busy:  # the caller left early: nothing may still write when the next run begins
                request.wait()
                self._idle.append(request)

    def _named(self, batch: Batch) -> dict[str, NDArray[np.int64]]:
        return {name: getattr(batch, name) for name in self._inputs}

    def _take(self) -> Any:
        """A request that is free; a new one where other runs hold them all."""
        try:
            return self._idle.popleft()
        except IndexError:
            return self._model.create_infer_request()

    def _collect(self, request: Any) -> NDArray[np.float32]:
        logits = _logits(request)
        self._idle.append(request)
        return logits


def _narrow(config: Mapping[str, Any]) -> bool:
    """Whether a layer reads fewer numbers than AMX takes at once.

    OpenVINO (seen in 2026.4.1, several streams) computes rubbish from rounded weights of such layers in bf16.
    """
    return any(isinstance(size := config.get(name), int) and 0 < size < _AMX_ROW for name in _WIDTHS)


def _compiled(graph: str, precision: tuple[str, bool], threads: int, kept: str | None, streams: int) -> Any:
    """The graph for the processor.

    Args:
        graph: its file.
        precision: that of floating point, and whether nothing else is computed in.
        threads: of all streams together.
        kept: where in the cache it is kept: without its weights among the `products`; `whole` where OpenVINO (seen in
            2026.4.1) says something else when it puts the weights in again, as with convolutions over characters.
        streams: batches that are computed side by side.
    """
    openvino = import_openvino()

    options: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": precision[0],
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": streams,
        _SNIPPETS: "DISABLE",
    }
    if precision[1]:  # of rounded weights: activations stay as they are
        options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = 0
    if threads < (os.cpu_count() or 1):  # others have the rest, and OpenVINO would pin all to the first cores
        options["ENABLE_CPU_PINNING"] = False
    with suppress(OSError):  # a read-only home, or none, only makes the start slower
        if kept:
            # Folders of their own: OpenVINO (2026.4.1) takes a kept graph whatever `SNIPPETS_MODE` it was made with.
            cache = cache_folder() / "openvino" / kept
            cache.mkdir(parents=True, exist_ok=True)
            options["CACHE_DIR"] = str(cache)
            options["CACHE_MODE"] = "OPTIMIZE_SPEED" if kept == "whole" else "OPTIMIZE_SIZE"
    try:
        return openvino.Core().compile_model(graph, "CPU", options)
    except RuntimeError:
        if options.pop(_SNIPPETS, None) is None:
            raise
        return openvino.Core().compile_model(graph, "CPU", options)  # a version that does not know it, or a bad file


class _Alone:
    """The same graph compiled to give all threads to one request, for callers who come with one batch at a time.

    It is compiled when the second such batch comes, so that a process which reads one text does not wait for it; if its
    files are no longer there or others by then, never.

    Args:
        compile_it: compiles it from its files.
        unchanged: whether these are still what they were when the model was loaded.
    """

    def __init__(self, compile_it: Callable[[], Any], unchanged: Callable[[], bool]) -> None:
        self._compile, self._unchanged, self._request = compile_it, unchanged, None
        self._lock, self._taken, self._lost = Lock(), False, False
        self._others = self._seen = 0
        self._met = float("-inf")  # when a run began while another was on

    def others(self, change: int) -> None:
        """Counts the runs that share the threads."""
        with self._lock:
            if change > 0 and (self._others or self._taken):
                self._met = monotonic()
            self._others += change

    def take(self) -> Any:
        """The request, to be given back; None where something else runs or soon will, or it is not worth it yet."""
        with self._lock:
            self._seen += 1
            if self._others or self._taken or self._lost or self._seen < 2 or monotonic() - self._met < _APART:
                return None
            self._taken = True
        try:
            if self._request is None:
                self._request = self._compiled()
                self._lost = self._request is None
        finally:
            if self._request is None:
                self.give_back()
        return self._request

    def _compiled(self) -> Any:
        if not self._unchanged():
            return None
        with ThreadPoolExecutor(1) as pool:  # see compile_graph
            try:
                request = pool.submit(self._compile).result().create_infer_request()
            except RuntimeError:
                if self._unchanged():
                    raise
                return None
        return request if self._unchanged() else None

    def give_back(self) -> None:
        """Lets the next one have it."""
        with self._lock:
            self._taken = False


def compile_graph(graph: Any, options: dict[str, Any]) -> Any:
    """Compiles a graph (or the file of one) for the processor, on a thread of its own.

    OpenVINO (seen in 2026.4.1) gives the thread that compiles an alternate stack for signals, and frees that stack with
    the model without telling the system: the next signal to that thread, such as Ctrl-C, then ends the process with a
    segmentation fault. A thread that has ended gets no signals.
    """
    openvino = import_openvino()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: openvino.Core().compile_model(graph, "CPU", options)).result()


def first_output(request: Any, inputs: Any) -> NDArray[Any]:
    """What a compiled graph's request gives first.

    Called directly with one thread OpenVINO (seen in 2026.4.1) says nothing of a failure and gives an empty array; a
    request that is waited for raises.

    Raises:
        RuntimeError: the graph cannot be computed for these inputs.
    """
    request.start_async(inputs)
    request.wait()
    return np.array(request.get_output_tensor(0).data)


def _logits(request: Any) -> NDArray[np.float32]:
    request.wait()
    return np.array(request.get_output_tensor(0).data, dtype=np.float32)


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
