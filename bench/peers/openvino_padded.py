"""OpenVINO in the careful user's loop. Options: `graph`, an ONNX file; `threads`; `precision`; `hint`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peers.padded import Arrays, Padded
from peers.wire import serve

NAMES = ("input_ids", "attention_mask", "token_type_ids")


def opening(options: dict[str, Any]) -> Padded:
    """With the hint LATENCY one request at a time; with THROUGHPUT as many at once as OpenVINO asks for."""
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_PRECISION_HINT": options["precision"],
        "INFERENCE_NUM_THREADS": options["threads"],
        "PERFORMANCE_HINT": options["hint"],
    }
    compiled = core.compile_model(core.read_model(options["graph"]), "CPU", settings)
    names = [each.get_any_name() for each in compiled.inputs]

    def given(batch: Arrays) -> dict[str, Any]:
        arrays = dict(zip(NAMES, batch, strict=True))
        return {name: arrays[name] for name in names}

    def one(batches: Iterator[Arrays]) -> Iterator[Any]:
        request = compiled.create_infer_request()
        for batch in batches:
            yield request.infer(given(batch))[0]

    def many(batches: Iterator[Arrays]) -> Iterator[Any]:
        results: dict[int, Any] = {}
        queue = openvino.AsyncInferQueue(compiled)
        queue.set_callback(lambda request, row: results.update({row: request.get_output_tensor(0).data.copy()}))
        count = 0
        for count, batch in enumerate(batches, start=1):
            queue.start_async(given(batch), count - 1)
        queue.wait_all()
        yield from (results[row] for row in range(count))

    return Padded(Path(options["folder"]), one if options["hint"] == "LATENCY" else many)


if __name__ == "__main__":
    serve(opening)
