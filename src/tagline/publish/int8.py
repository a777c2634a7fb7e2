"""A graph in int8, made on the user's own text and accepted by its score on dev."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.engines.openvino import compile_graph, first_output
from tagline.engines.runtime import import_openvino, unreported
from tagline.errors import MissingExtraError, RefusedError
from tagline.folder import GRAPH, INT8_GRAPH
from tagline.publish.graph import quiet, save
from tagline.records import Batch

Groups = dict[tuple[str, ...], set[str]]
_RANKING_WINDOWS = 32
_MOVING = ("Reshape", "Transpose", "Squeeze", "Unsqueeze", "Split", "VariadicSplit", "StridedSlice", "Broadcast")


@dataclass(frozen=True)
class Int8Result:
    """How a graph came into int8.

    Attributes:
        reference: score of the f32 graph on dev, in [0, 1].
        score: score of the int8 graph.
        layers: groups of layers that could be quantised.
        given_back: names of the layers that stay in floating point.
    """

    reference: float
    score: float
    layers: int
    given_back: tuple[str, ...]

    @property
    def loss(self) -> float:
        """What int8 costs, in points of 100; negative where it gains."""
        return 100 * (self.reference - self.score)


def write_int8(
    folder: Path,
    calibration: Sequence[Batch],
    judge: Callable[[], float],
    reference: float,
    max_loss: float = 0.2,
) -> Int8Result:
    """Writes `openvino_int8.xml` and `.bin` beside the f32 graph.

    Where too much is lost, the layers that hurt most stay in floating point: the embeddings (which cost size, not time)
    and one group, then two, four, … as long as these are at most half of all.

    Args:
        folder: holds the f32 graph.
        calibration: windows, one a batch, without padding.
        judge: scores the int8 graph that stands in the folder, in [0, 1].
        reference: score of the f32 graph.
        max_loss: most points of 100 that may be lost.

    Raises:
        MissingExtraError: nncf is not installed.
        RefusedError: too much is lost, whatever is given back.
    """
    openvino = import_openvino()

    graph = openvino.Core().read_model(folder / GRAPH)
    data = [_named(batch, graph) for batch in calibration]
    quantised = _quantise(graph, data, [])
    groups = _groups(quantised, graph)
    ranking: list[tuple[str, ...]] = []
    back: list[str] = []
    count = 0
    while True:
        save(quantised, folder / INT8_GRAPH)
        score = judge()
        result = Int8Result(reference, score, len(groups), tuple(back))
        if result.loss <= max_loss + 1e-9:
            return result
        if not ranking:
            ranking = _ranked(graph, quantised, groups, data[:: max(1, len(data) // _RANKING_WINDOWS)])
        count = 2 * count or 1
        if count > max(1, len(groups) // 2):
            raise RefusedError(
                f"int8 loses {result.loss:.2f} points on dev ({100 * reference:.2f} in f32, {100 * score:.2f} in int8, "
                f"{len(back)} layers in floating point), --max-loss is {max_loss:g}; nothing was written. "
                "Calibrate on more text like dev, or allow more loss"
            )
        back = [*_embeddings(graph), *(name for group in ranking[:count] for name in group)]
        quantised = _quantise(graph, data, back)


def _named(batch: Batch, graph: Any) -> dict[str, NDArray[np.int64]]:
    return {each.get_any_name(): getattr(batch, each.get_any_name()) for each in graph.inputs}


def _quantise(graph: Any, data: list[dict[str, NDArray[np.int64]]], left_out: list[str]) -> Any:
    with silent():
        try:
            import nncf
        except ImportError as error:
            raise MissingExtraError("int8", "int8") from error

        return nncf.quantize(
            graph.clone(),
            nncf.Dataset(data),
            model_type=nncf.ModelType.TRANSFORMER,
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(data),
            ignored_scope=nncf.IgnoredScope(names=[*left_out, *_attention(graph)], validate=False),
        )


def _attention(graph: Any) -> list[str]:
    """The products of attention, one matrix a head: they take a hundredth of the operations and would lose the most."""
    return [
        node.get_friendly_name()
        for node in graph.get_ops()
        if node.get_type_name() == "MatMul" and len(node.get_output_partial_shape(0)) == 4
    ]


def _groups(quantised: Any, graph: Any) -> Groups:
    """The layers that read rounded activations, each with the quantisers in front of it.

    Layers that share a quantiser (query, key and value of one input) are given back together.
    """
    known = {node.get_friendly_name() for node in graph.get_ops()}
    groups: Groups = {}
    for node in quantised.get_ops():
        if node.get_type_name() != "FakeQuantize" or node.input_value(0).get_node().get_type_name() == "Constant":
            continue
        if readers := tuple(sorted(known & _readers(node))):
            groups.setdefault(readers, set()).add(node.get_friendly_name())
    return groups


def _readers(node: Any) -> set[str]:
    """The layers that a quantiser's output reaches, past what only moves it."""
    found: set[str] = set()
    for reader in (each.get_node() for each in node.output(0).get_target_inputs()):
        found |= _readers(reader) if reader.get_type_name() in _MOVING else {reader.get_friendly_name()}
    return found


def _embeddings(graph: Any) -> list[str]:
    """The look-ups of weights by ids: they are first in the graph, and gain nothing in time from int8."""
    return [
        node.get_friendly_name()
        for node in graph.get_ops()
        if node.get_type_name() == "Gather" and len(node.get_output_partial_shape(0)) == 3
    ]


def _ranked(
    graph: Any, quantised: Any, groups: Groups, data: list[dict[str, NDArray[np.int64]]]
) -> list[tuple[str, ...]]:
    """Groups by what giving each back would mend, the most first: error of the logits without its quantisers."""
    wanted = _outputs(graph, data)
    errors = {}
    for readers, quantisers in groups.items():
        tried = quantised.clone()
        for node in tried.get_ops():
            if node.get_friendly_name() in quantisers:
                node.output(0).replace(node.input_value(0))
        found = _outputs(tried, data)
        errors[readers] = sum(float(np.square(a - b).sum()) for a, b in zip(wanted, found, strict=True))
    return sorted(groups, key=lambda readers: errors[readers])


def _outputs(graph: Any, data: list[dict[str, NDArray[np.int64]]]) -> list[NDArray[np.float32]]:
    request = compile_graph(graph, {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    return [first_output(request, each) for each in data]


@contextmanager
def silent() -> Iterator[None]:
    """NNCF draws progress bars on standard output, where results belong, speaks of versions on import, and reports."""
    import logging

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with quiet(), unreported(), redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
