"""A graph in int8 without calibration: weights are rounded once, activations while they are computed, row by row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tagline.engines.runtime import import_openvino
from tagline.errors import MissingExtraError, RefusedError
from tagline.folder import GRAPH, INT8_GRAPH
from tagline.publish.graph import save
from tagline.publish.int8 import Int8Result, silent

_BEHIND_THE_HEAD = ("Add", "Convert", "Multiply", "Divide", "Reshape", "Squeeze", "Subtract")


def write_dynamic_int8(folder: Path, judge: Callable[[], float], reference: float, max_loss: float = 0.2) -> Int8Result:
    """Writes `openvino_int8.xml` and `.bin` beside the f32 graph.

    Each row of weights has a scale and a zero of its own, and each group of a sub-token's activations a scale: text
    unlike any calibration text is read as well as any other. A processor without int8 products computes with the
    rounded weights in floating point.

    Args:
        folder: holds the f32 graph.
        judge: scores the int8 graph that stands in the folder, in [0, 1].
        reference: score of the f32 graph.
        max_loss: most points of 100 that may be lost.

    Raises:
        MissingExtraError: nncf is not installed.
        RefusedError: too much is lost.
    """
    openvino = import_openvino()

    graph = openvino.Core().read_model(folder / GRAPH)
    round_weights(graph, folder / INT8_GRAPH)
    result = Int8Result(reference, judge(), sum(map(_is_layer, graph.get_ops())), ())
    if result.loss <= max_loss + 1e-9:
        return result
    raise RefusedError(
        f"int8 loses {result.loss:.2f} points on dev ({100 * reference:.2f} in f32, {100 * result.score:.2f} in int8), "
        f"--max-loss is {max_loss:g}; nothing was written. Give text with --calibrate, with which layers that "
        "hurt stay in floating point, or allow more loss"
    )


def round_weights(graph: Any, target: Path) -> tuple[str, ...]:
    """Writes a graph with its weights in int8, those of the word embeddings included, each row with its own scale.

    The head and the table of segments (the word shapes) stay in float32: they are small, and a tagger of tweets has
    lost 0.2 points of F1 by their rounding.

    Args:
        graph: an OpenVINO model in float32; stays as it is.
        target: the `.xml` to write, with a `.bin` beside it.

    Returns:
        Names of the operations whose weights stay in float32.

    Raises:
        MissingExtraError: nncf is not installed.
    """
    kept = [*_heads(graph), *_segment_tables(graph)]
    with silent():
        try:
            import nncf
        except ImportError as error:
            raise MissingExtraError("int8", "int8") from error
        scope = nncf.IgnoredScope(names=kept, validate=False)
        mode = nncf.CompressWeightsMode.INT8_ASYM
        rounded = nncf.compress_weights(graph.clone(), mode=mode, ignored_scope=scope)
    widths = [int(each.input(0).get_partial_shape()[-1].get_length()) for each in graph.get_ops() if _is_layer(each)]
    if widths:
        # Activations that share a scale: as many as the narrowest layer reads, which divides the width of the others.
        # The compiler takes this from the file, so that whoever loads the graph computes alike.
        rounded.set_rt_info(str(min(widths)), ["runtime_options", "DYNAMIC_QUANTIZATION_GROUP_SIZE"])
    save(rounded, target)
    return tuple(kept)


def _heads(graph: Any) -> list[str]:
    """The last products before the logits."""
    found, waiting = [], [result.input_value(0).get_node() for result in graph.get_results()]
    while waiting:
        node = waiting.pop()
        if node.get_type_name() == "MatMul":
            found.append(node.get_friendly_name())
        elif node.get_type_name() in _BEHIND_THE_HEAD:
            waiting += [each.get_node() for each in node.input_values()]
    return found


def _segment_tables(graph: Any) -> list[str]:
    """The look-ups by segment ids."""
    found = []
    for node in graph.get_ops():
        if node.get_type_name() == "Gather":
            ids = node.input_value(1).get_node()
            while ids.get_type_name() in ("Convert", "Reshape", "Unsqueeze", "Squeeze", "Slice"):
                ids = ids.input_value(0).get_node()
            if ids.get_type_name() == "Parameter" and ids.get_friendly_name() == "token_type_ids":
                found.append(node.get_friendly_name())
    return found


def _is_layer(node: Any) -> bool:
    """Whether an operation is a product with weights."""
    if node.get_type_name() != "MatMul":
        return False
    weights = node.input_value(1).get_node()
    while weights.get_type_name() in ("Convert", "Reshape", "Transpose"):
        weights = weights.input_value(0).get_node()
    return bool(weights.get_type_name() == "Constant" and node.input(0).get_partial_shape()[-1].is_static)
