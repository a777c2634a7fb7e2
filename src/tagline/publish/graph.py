"""A torch model as an OpenVINO graph."""

from __future__ import annotations

import errno
import inspect
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.utils import logging

from tagline.engines.runtime import import_openvino
from tagline.folder import GRAPH
from tagline.publish.attention import write_out_attention
from tagline.publish.first_row import keep_first_row
from tagline.records import Batch

transformers_logging: Any = logging  # untyped


class LogitsOf(torch.nn.Module):
    """Gives a model's logits alone, its inputs by place."""

    def __init__(self, model: PreTrainedModel, names: list[str]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *inputs: torch.Tensor) -> Any:
        """(B, T, L) or (B, L) logits."""
        return self.model(**dict(zip(self.names, inputs, strict=True))).logits


def input_names(model: PreTrainedModel) -> list[str]:
    """Which of a batch's arrays the model takes."""
    takes = inspect.signature(model.forward).parameters
    names = [name for name in Batch._fields if name in takes]
    # A single segment teaches nothing, and some families have no such embedding behind the parameter.
    return [name for name in names if name != "token_type_ids" or getattr(model.config, "type_vocab_size", 0) > 1]


def example_inputs(names: list[str], model: PreTrainedModel | None = None) -> dict[str, torch.Tensor]:
    """Two windows of nine words (a sub-token each, or spelt), the second padded, to trace a model with."""
    step = 1 + (getattr(model.config, "characters", 0) if model is not None else 0)
    example = {name: torch.ones((2, 9 * step), dtype=torch.int64) for name in names}
    example["attention_mask"][1, 6 * step :] = 0
    if "token_type_ids" in example:
        example["token_type_ids"].zero_()
    return example


def write_graph(model: PreTrainedModel, folder: Path) -> None:
    """Writes `openvino_model.xml` and `.bin` in float32, both axes dynamic."""
    openvino = import_openvino()

    names = input_names(model)
    example = example_inputs(names, model)
    with quiet(), torch.no_grad():
        graph = openvino.convert_model(
            LogitsOf(model, names),
            example_input=tuple(example.values()),
            input=[openvino.PartialShape([-1, -1])] * len(names),
        )
    for name, port in zip(names, graph.inputs, strict=True):
        port.get_tensor().set_names({name})
        port.get_node().set_friendly_name(name)
    graph.outputs[0].get_tensor().set_names({"logits"})
    write_out_attention(graph)
    keep_first_row(graph)
    save(graph, folder / GRAPH)


def save(graph: Any, target: Path) -> None:
    """Writes an OpenVINO graph in float32, and its `.bin` beside it.

    Raises:
        OSError: it cannot be written, and why; OpenVINO says no more than "iostream error".
    """
    try:
        import_openvino().save_model(graph, target, compress_to_fp16=False)
    except RuntimeError as error:
        if "iostream" not in str(error):
            raise
        weights = sum(node.get_byte_size() for node in graph.get_ops() if node.get_type_name() == "Constant")
        number = _why_not(target.with_suffix(".bin"), weights)
        raise OSError(number, os.strerror(number), str(target)) from error


def _why_not(file: Path, size: int) -> int:
    """The number of the system's own error when as much is written once more; OpenVINO leaves nothing of its own."""
    chunk = bytes(1 << 20)
    try:
        with file.open("wb") as output:
            for _ in range(size // len(chunk) + 16):  # room for the `.xml`, too
                output.write(chunk)
            output.flush()
            os.fsync(output.fileno())
    except OSError as error:
        return error.errno or errno.EIO
    finally:
        file.unlink(missing_ok=True)
    return errno.EIO


@contextmanager
def quiet() -> Iterator[None]:
    """The tracer warns of every Python branch, and looks at every property of the model, some of which complain.

    OpenVINO's converter also reports each conversion to its makers, unasked, save in continuous integration.
    """
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    integration = os.environ.get("CI")
    os.environ["CI"] = "true"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if integration is None:
            del os.environ["CI"]
        else:
            os.environ["CI"] = integration
