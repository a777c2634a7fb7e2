"""A torch model as an ONNX graph."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from transformers import PreTrainedModel

from tagline.errors import FolderError, MissingExtraError
from tagline.folder import ONNX
from tagline.publish.graph import LogitsOf, example_inputs, input_names, quiet

OPSET = 18
"""What torch's exporter writes without converting; ONNX Runtime reads it from 1.14 on."""


def write_onnx(model: PreTrainedModel, folder: Path) -> None:
    """Writes `model.onnx` in float32, one file, both axes dynamic: ids in, `logits` out.

    Of models with an LSTM torch (seen in 2.13) can export one a process; the next is refused.

    Raises:
        MissingExtraError: onnx or onnxscript is not installed.
        FolderError: the exporter cannot follow the model.
    """
    try:
        import onnxscript  # noqa: F401 (the exporter is made of it)
    except ImportError as error:
        raise MissingExtraError("writing ONNX graphs", "onnx") from error
    names = input_names(model)
    with quiet(), unlogged(), torch.no_grad():
        try:
            program = torch.onnx.export(
                LogitsOf(model, names).eval(),
                tuple(example_inputs(names, model).values()),
                dynamo=True,
                dynamic_shapes=(tuple({0: "batch", 1: "length"} for _ in names),),
                input_names=names,
                output_names=["logits"],
                opset_version=OPSET,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            reason = str(error).strip().splitlines()[0]
            raise FolderError(
                f"{model.config.model_type}: torch cannot export this family to ONNX ({reason})"
            ) from error
        assert program is not None
        program.save(str(folder / ONNX), external_data=False)


@contextmanager
def unlogged() -> Iterator[None]:
    """The exporter and the optimiser below it speak of what they skip, all of it of no matter here."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
