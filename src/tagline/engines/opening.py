"""The choice among the engines."""

from __future__ import annotations

from tagline.engines.base import Engine, EngineSettings
from tagline.errors import FolderError, UsageError
from tagline.folder import GRAPH, INT8_GRAPH, INT8_WEIGHTS, ModelFolder


def open_engine(folder: ModelFolder, settings: EngineSettings) -> Engine:
    """Opens the engine that the settings ask for.

    Raises:
        FolderError: the folder lacks what the engine runs, or it is damaged.
        UsageError: the engine does not run on that device or in that precision.
        MissingExtraError: an engine is asked for that is not installed.
    """
    wanted = settings.engine
    if wanted == "auto":
        needs_torch = settings.device == "cuda" or not (
            folder.has_graph or folder.only_reads or settings.precision == "int8"
        )
        wanted = "torch" if needs_torch else "openvino"
    if wanted == "openvino":
        if settings.device == "cuda":
            raise UsageError("--device cuda: the OpenVINO engine runs on the processor; add --engine torch")
        _need_graph(folder, settings.precision)
        from tagline.engines.openvino import OpenVinoEngine

        return OpenVinoEngine(folder, settings)
    folder.refuse_if_only_reads(f"--engine {wanted}")
    if wanted == "onnx":
        from tagline.engines.onnx import open_onnx_engine

        return open_onnx_engine(folder, settings)
    from tagline.engines.torch import open_torch_engine

    return open_torch_engine(folder, settings)


def _need_graph(folder: ModelFolder, precision: str) -> None:
    if precision == "int8":
        if not folder.has(INT8_GRAPH, INT8_WEIGHTS):
            raise FolderError(
                f"{folder.path}: no int8 graph in it ({INT8_GRAPH} and .bin). Type: tagline export {folder.path} "
                "--to int8 --dev FILE; or leave --precision int8 away"
            )
    elif not folder.has_graph and not folder.only_reads:
        raise FolderError(
            f"{folder.path}: no OpenVINO graph in it ({GRAPH} and .bin). Type: tagline export {folder.path} "
            "--to openvino --sample FILE; or run with --engine torch"
        )
