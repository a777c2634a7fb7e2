"""A graph in int8 without calibration: weights are rounded once, activations while they are computed, row by row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tagline.errors import MissingExtraError, RefusedError
from tagline.folder import GRAPH, INT8_GRAPH
from tagline.publish.int8 import Int8Result, silent


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
    import openvino

    graph = openvino.Core().read_model(folder / GRAPH)
    with silent():
        try:
            import nncf
        except ImportError as error:
            raise MissingExtraError("int8", "int8") from error
        rounded = nncf.compress_weights(graph.clone(), mode=nncf.CompressWeightsMode.INT8_ASYM)
    # The compiler takes this from the file, so that whoever loads the graph computes alike.
    rounded.set_rt_info(str(_group(graph)), ["runtime_options", "DYNAMIC_QUANTIZATION_GROUP_SIZE"])
    openvino.save_model(rounded, folder / INT8_GRAPH, compress_to_fp16=False)
    products = sum(node.get_type_name() == "MatMul" and _is_layer(node) for node in graph.get_ops())
    result = Int8Result(reference, judge(), products, ())
    if result.loss <= max_loss + 1e-9:
        return result
    raise RefusedError(
        f"int8 loses {result.loss:.2f} points on dev ({100 * reference:.2f} in f32, {100 * result.score:.2f} in int8), "
        f"--max-loss is {max_loss:g}; nothing was written. Give text with --calibrate, with which layers that "
        "hurt stay in floating point, or allow more loss"
    )


def _group(graph: Any) -> int:
    """Activations that share a scale: as many as the narrowest layer reads, which divides the width of the others."""
    return min(
        int(node.input(0).get_partial_shape()[-1].get_length())
        for node in graph.get_ops()
        if node.get_type_name() == "MatMul" and _is_layer(node)
    )


def _is_layer(node: Any) -> bool:
    """Whether a product is one with weights."""
    weights = node.input_value(1).get_node()
    while weights.get_type_name() in ("Convert", "Reshape", "Transpose"):
        weights = weights.input_value(0).get_node()
    return bool(weights.get_type_name() == "Constant" and node.input(0).get_partial_shape()[-1].is_static)
