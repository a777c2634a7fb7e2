"""Optimum: the Hugging Face pipeline over ONNX Runtime. Options: `graphs`, a folder with `model.onnx`; `threads`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from peers.hf_pipeline import Pipeline
from peers.wire import serve


class Optimum(Pipeline):
    """Reads texts; `setting` is the batch size."""

    def __init__(self, options: dict[str, Any]) -> None:
        from transformers import AutoTokenizer, pipeline

        onnxruntime: Any = import_module("onnxruntime")
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options["threads"]
        model = import_module("optimum.onnxruntime").ORTModelForTokenClassification.from_pretrained(
            options["graphs"], file_name="model.onnx", session_options=settings
        )
        tokenizer: Any = AutoTokenizer
        self.pipe: Any = pipeline(
            "token-classification", model=model, tokenizer=tokenizer.from_pretrained(options["folder"]),
            aggregation_strategy="simple", device="cpu",
        )  # fmt: skip
        self.setting: int | None = None
        self.stride = options.get("stride")


if __name__ == "__main__":
    serve(Optimum)
