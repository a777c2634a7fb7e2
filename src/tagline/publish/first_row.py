"""A classifier's head reads one row of the last layer, so the graph computes no other row of it."""

from __future__ import annotations

from typing import Any

_ONE_BY_ONE = {
    "Add", "Convert", "Divide", "Erf", "Gelu", "Multiply", "Power", "Relu", "Sigmoid", "Subtract", "Swish", "Tanh",
}  # fmt: skip
_HEAD = _ONE_BY_ONE | {"MatMul", "Result", "Softmax", "Squeeze"}


def keep_first_row(graph: Any) -> bool:
    """Moves the choice of the first sub-token's row (`hidden[:, 0]`) in front of all that treats rows one by one.

    Of BERT's last layer there remain queries, keys, values and attention; nine twelfths of its products are computed
    for the first sub-token only. The logits are the same.

    Args:
        graph: an OpenVINO model (B, T) → (B, L); changed in place.

    Returns:
        Whether there was something to move.
    """
    choice = graph.outputs[0].get_node()
    while choice.get_type_name() in _HEAD:
        choice = choice.input(0).get_source_output().get_node()
    if not _takes_first(choice):
        return False
    inside = _only_for(choice, graph)
    first: dict[Any, Any] = {}
    for node in inside.values():
        for port in node.inputs():
            source = port.get_source_output()
            if _has_rows(source) and source.get_node().get_friendly_name() not in inside:
                port.replace_source_output(_first_row(source, first))
    graph.validate_nodes_and_infer_types()
    return bool(inside)


def _takes_first(node: Any) -> bool:
    """Whether a node is `x[:, 0]` of a (B, T, H) tensor."""
    if node.get_type_name() != "Gather" or node.input(0).get_partial_shape().rank.get_length() != 3:
        return False
    return [_constant(node.input(place).get_source_output()) for place in (1, 2)] == [0, 1]


def _only_for(choice: Any, graph: Any) -> dict[str, Any]:
    """The nodes by name that treat rows one by one and whose outputs serve the choice alone."""
    inside: dict[str, Any] = {}
    for node in reversed(graph.get_ordered_ops()):
        served = {port.get_node().get_friendly_name() for out in node.outputs() for port in out.get_target_inputs()}
        alone = bool(served) and all(name in inside or name == choice.get_friendly_name() for name in served)
        if alone and _has_rows(node.output(0)) and _row_by_row(node):
            inside[node.get_friendly_name()] = node
    return inside


def _row_by_row(node: Any) -> bool:
    kind = node.get_type_name()
    inputs = [port.get_source_output() for port in node.inputs()]
    if kind == "MatMul":
        return not node.get_attributes()["transpose_a"] and _has_rows(inputs[0]) and not _has_rows(inputs[1])
    if kind == "MVN":  # of the last axis only, as layer norms are
        return _constant(inputs[1]) in (-1, 2)
    # An input without a row axis of its own stands for all rows alike.
    return kind in _ONE_BY_ONE and all(_has_rows(each) or _same_for_all(each) for each in inputs)


def _has_rows(tensor: Any) -> bool:
    """Whether a tensor is (B, T, H)."""
    shape = tensor.get_partial_shape()
    return bool(shape.rank.is_static and shape.rank.get_length() == 3 and shape[1].is_dynamic)


def _same_for_all(tensor: Any) -> bool:
    shape = tensor.get_partial_shape()
    if shape.rank.is_dynamic:
        return False
    rank = shape.rank.get_length()
    return bool(rank < 2 or (shape[rank - 2].is_static and shape[rank - 2].get_length() == 1))


def _first_row(tensor: Any, made: dict[Any, Any]) -> Any:
    import openvino.opset13 as ops

    key = (tensor.get_node().get_friendly_name(), tensor.get_index())
    if key not in made:
        made[key] = ops.slice(tensor, [0], [1], [1], [1]).output(0)
    return made[key]


def _constant(tensor: Any) -> int | None:
    """The one integer of a constant."""
    node = tensor.get_node()
    if node.get_type_name() != "Constant" or node.get_data().size != 1:
        return None
    return int(node.get_data().reshape(-1)[0])
