"""How fast this machine multiplies bf16 matrices of an encoder's own shapes: the bar that engines are held against.

Options: `engine` (`torch` or `openvino`), `hidden`, `intermediate`, `threads`. One layer has four products H x H, one
H x I and one I x H; several layers with weights of their own stand one after the other, as in a model.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from peers.wire import serve

LAYERS = 6
Run = Callable[[], None]


class Products:
    """Multiplies for a while and says the rate."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.hidden, self.inner, self.threads = (options[name] for name in ("hidden", "intermediate", "threads"))
        self._make = {"torch": self._torch, "openvino": self._openvino}[options["engine"]]
        self._runs: dict[int, tuple[Run, int]] = {}

    def do_products(self, rows: int, seconds: float = 0.5) -> dict[str, Any]:
        """Floating-point operations per second of products with `rows` rows; best of the passes in that time."""
        if rows not in self._runs:
            self._runs[rows] = self._make(rows)
            self._runs[rows][0]()
        run, times = self._runs[rows]
        weights = 4 * self.hidden * self.hidden + 2 * self.hidden * self.inner
        best, until = float("inf"), time.perf_counter() + seconds
        while time.perf_counter() < until:
            started = time.perf_counter()
            run()
            best = min(best, time.perf_counter() - started)
        return {"rate": 2.0 * rows * weights * LAYERS * times / best}

    def _sizes(self) -> list[tuple[int, int]]:
        hidden, inner = self.hidden, self.inner
        return [*[(hidden, hidden)] * 4, (hidden, inner), (inner, hidden)] * LAYERS

    def _torch(self, rows: int) -> tuple[Run, int]:
        """oneDNN through torch, all threads on one product."""
        import torch

        torch.set_num_threads(self.threads)
        weights = [torch.randn(wide, high).to(torch.bfloat16) / wide**0.5 for wide, high in self._sizes()]
        begin = torch.randn(rows, self.hidden).to(torch.bfloat16)
        linear: Any = torch.nn.functional.linear
        turned = [each.t().contiguous() for each in weights]

        def run() -> None:
            with torch.inference_mode():
                values = begin
                for each in turned:
                    values = linear(values, each)

        return run, 1

    def _openvino(self, rows: int) -> tuple[Run, int]:
        """A graph of nothing but products, a stream a thread, as many passes at once as there are streams."""
        import numpy as np
        import openvino
        from openvino import opset13 as ops

        draw = np.random.default_rng(0)
        given = ops.parameter([rows, self.hidden], np.float32)
        values: Any = given
        for wide, high in self._sizes():
            weights = draw.standard_normal((wide, high)).astype(np.float32) / wide**0.5
            values = ops.matmul(values, ops.constant(weights), False, False)
        graph = openvino.Model([values], [given], "products")
        settings = {
            "INFERENCE_PRECISION_HINT": "bf16",
            "INFERENCE_NUM_THREADS": self.threads,
            "NUM_STREAMS": self.threads,
        }
        compiled = openvino.Core().compile_model(graph, "CPU", settings)
        requests = [compiled.create_infer_request() for _ in range(self.threads)]
        begin = draw.standard_normal((rows, self.hidden)).astype(np.float32)

        def run() -> None:
            for request in requests:
                request.start_async([begin])
            for request in requests:
                request.wait()

        return run, self.threads


if __name__ == "__main__":
    serve(Products)
