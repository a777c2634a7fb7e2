"""One thread, as in a small container: what goes wrong is told."""

from __future__ import annotations

import numpy as np
import openvino
import openvino.opset13 as ops
import pytest

from tagline.engines.openvino import compile_graph, first_output


@pytest.mark.parametrize("threads", [1, 2])
def test_a_failure_is_raised_not_an_empty_answer(threads: int) -> None:
    numbers = ops.parameter([-1, -1], np.float32, name="numbers")
    graph = openvino.Model([ops.add(numbers, ops.constant(np.ones((1, 8), np.float32)))], [numbers], "sum")
    request = compile_graph(graph, {"INFERENCE_NUM_THREADS": threads}).create_infer_request()
    assert first_output(request, [np.ones((2, 8), np.float32)]).tolist() == [[2.0] * 8] * 2
    with pytest.raises(RuntimeError):
        first_output(request, [np.ones((2, 9), np.float32)])
