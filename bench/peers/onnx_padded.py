"""ONNX Runtime in the careful user's loop. Options: `graph`, the file; `threads`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peers.padded import Arrays, Padded
from peers.wire import serve


def opening(options: dict[str, Any]) -> Padded:
    """One session with all threads on one batch, as ONNX Runtime is used by default."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options["threads"]
    session = onnxruntime.InferenceSession(options["graph"], settings, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]

    def run(batches: Iterator[Arrays]) -> Iterator[Any]:
        for batch in batches:
            given = dict(zip(("input_ids", "attention_mask", "token_type_ids"), batch, strict=True))
            yield session.run(["logits"], {name: given[name] for name in names})[0]

    return Padded(Path(options["folder"]), run)


if __name__ == "__main__":
    serve(opening)
