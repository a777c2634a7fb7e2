"""Attention of a BERT-like graph written out as the processor computes it soonest."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_LENGTHS = (2100, 500, 30)  # the first that the positions suffice for; local attention reaches less far
_LEAST = np.float32(-(2**14))
"""Added to what is masked. A power of two: without snippets OpenVINO (seen in 2026.4.1) makes one step `a·x + b` of the
mask and in bf16 rounds `a` alone, so that a factor which bf16 cannot hold, such as -1e9, shifts what is shown as well,
and leaves the scores no digits."""


class _Projection(NamedTuple):
    """Queries, keys or values: `source` (B, T, H) times `weights` (h·d, H) plus `bias` (h·d,), in h heads of d."""

    source: Any
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    heads: int
    name: str


def write_out_attention(graph: Any) -> int:
    """Replaces each attention that hides nothing but padding by plain products.

    Queries, keys and values become one product, with the scale inside its weights; the mask is made of
    `attention_mask` in three steps instead of the thirty that tracing leaves. What is computed stays the same but for
    the order of some multiplications. Attention of another build (relative positions, local reach, several queries a
    key) is left alone.

    Args:
        graph: an OpenVINO model; changed in place.

    Returns:
        How many were replaced.
    """
    import openvino.opset13 as ops

    masks = [each for each in graph.get_parameters() if each.get_friendly_name() == "attention_mask"]
    hiding: dict[Any, bool] = {}
    added: Any = None
    count = 0
    for node in graph.get_ordered_ops():
        if not masks or node.get_type_name() != "ScaledDotProductAttention" or node.get_attributes()["causal"]:
            continue
        parts = [_projection(node.input(place).get_source_output().get_node()) for place in range(3)]
        if node.get_input_size() < 4 or not _alike(parts):
            continue
        mask = node.input(3).get_source_output()
        key = (mask.get_node().get_friendly_name(), mask.get_index())
        if key not in hiding:
            hiding[key] = _hides_padding(graph, mask)
        if not hiding[key]:
            continue
        if added is None:
            shown = ops.unsqueeze(ops.convert(masks[0], "f32"), np.array([1, 2]))
            added = ops.multiply(ops.subtract(np.float32(1), shown), _LEAST)
        scale = _scale(node, parts[0])
        if scale is not None:
            node.output(0).replace(_written_out(parts, scale, added))
            count += 1
    graph.validate_nodes_and_infer_types()
    return count


def _projection(node: Any) -> _Projection | None:
    """What stands in front of an attention's input; None where it is something else."""
    if node.get_type_name() != "Transpose" or _numbers(node.input_value(1)) != [0, 2, 1, 3]:
        return None
    heads, laid = node.output(0).get_partial_shape()[1], node.input_value(0).get_node()
    if heads.is_dynamic or laid.get_type_name() != "Reshape":
        return None
    product, bias = laid.input_value(0).get_node(), None
    if product.get_type_name() == "Add":
        product, bias = (product.input_value(place).get_node() for place in range(2))
        if bias.get_type_name() != "Constant":
            return None
    if product.get_type_name() != "MatMul":
        return None
    weights, turned = product.input_value(1).get_node(), product.get_attributes()
    if weights.get_type_name() != "Constant" or turned["transpose_a"] or not turned["transpose_b"]:
        return None
    numbers = weights.get_data()
    # The converter leaves out a bias that is zero.
    added = np.zeros(len(numbers), dtype=np.float32) if bias is None else bias.get_data().reshape(-1)
    if numbers.ndim != 2 or numbers.dtype != np.float32 or len(added) != len(numbers):
        return None
    return _Projection(product.input_value(0), numbers, added, heads.get_length(), product.get_friendly_name())


def _alike(parts: list[_Projection | None]) -> bool:
    """Whether all three are there and can be one product."""
    first = parts[0]
    return first is not None and all(
        each is not None
        and each.weights.shape == first.weights.shape
        and each.heads == first.heads
        and _same(each.source, first.source)
        for each in parts
    )


def _same(one: Any, other: Any) -> bool:
    names = [each.get_node().get_friendly_name() for each in (one, other)]
    return bool(names[0] == names[1] and one.get_index() == other.get_index())


def _scale(node: Any, part: Any) -> np.float32 | None:
    """What scores are multiplied by; None where it is not known beforehand."""
    if node.get_input_size() < 5:
        return np.float32(1 / np.sqrt(len(part.weights) // part.heads))
    given = node.input_value(4).get_node()
    return np.float32(given.get_data().reshape(-1)[0]) if given.get_type_name() == "Constant" else None


def _written_out(parts: list[Any], scale: np.float32, added: Any) -> Any:
    """softmax(q kᵀ + added) v, (B, h, T, d)."""
    import openvino.opset13 as ops

    query, heads = parts[0], parts[0].heads
    weights = np.concatenate([query.weights * scale, *(each.weights for each in parts[1:])])
    bias = np.concatenate([query.bias * scale, *(each.bias for each in parts[1:])])
    product = ops.matmul(query.source, ops.constant(weights), False, True)
    product.set_friendly_name(query.name + "_key_value")
    rows = ops.add(product, ops.constant(bias.reshape(1, 1, -1)))
    laid = ops.reshape(rows, np.array([0, 0, 3, heads, len(query.weights) // heads]), True)
    turned = ops.transpose(laid, np.array([2, 0, 3, 1, 4]))  # one move for all; each of the three is then a block
    queries, keys, values = (ops.gather(turned, np.int64(place), np.int64(0)) for place in range(3))
    scores = ops.add(ops.matmul(queries, keys, False, True), added)
    return ops.matmul(ops.softmax(scores, -1), values, False, False).output(0)


def _hides_padding(graph: Any, mask: Any) -> bool:
    """Whether a mask (B, 1, T or 1, T) shows every query all that is no padding, tried on two windows."""
    from tagline.engines.openvino import compile_graph, first_output
    from tagline.engines.runtime import import_openvino

    openvino = import_openvino()
    for length in _LENGTHS:
        shown = np.ones((2, length), dtype=np.int64)
        shown[1, length // 2 :] = 0
        try:
            tried = openvino.Model([mask], graph.get_parameters(), "mask")
            # Unless cloned, the compiler would change the nodes that the graph shares with it.
            compiled = compile_graph(tried.clone(), {"INFERENCE_PRECISION_HINT": "f32"})
            found = first_output(compiled.create_infer_request(), [shown] * len(graph.get_parameters()))
        except RuntimeError:
            continue
        seen = found if found.dtype == bool else found > -1e4
        return bool(found.ndim == 4 and np.array_equal(np.broadcast_to(shown[:, None, None, :] > 0, seen.shape), seen))
    return False


def _numbers(tensor: Any) -> list[int] | None:
    node = tensor.get_node()
    return [int(each) for each in node.get_data().reshape(-1)] if node.get_type_name() == "Constant" else None
