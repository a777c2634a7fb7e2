"""The choice among the engines."""

from __future__ import annotations

from tagline.engines.base import Engine, EngineSettings
from tagline.errors import FolderError, UsageError
from tagline.folder import ModelFolder


def open_engine(folder: ModelFolder, settings: EngineSettings) -> Engine:
    """Opens the engine that the settings ask for.

    Raises:
        FolderError: the folder lacks what the engine runs, or it is damaged.
        MissingExtraError: the torch engine is asked for and torch is not installed.
    """
    wanted = settings.engine
    if wanted == "auto":
        wanted = "torch" if settings.device == "cuda" or not folder.has_graph else "openvino"
    if wanted == "openvino":
        if settings.device == "cuda":
            raise UsageError("--device cuda: the OpenVINO engine runs on the processor; add --engine torch")
        if not folder.has_graph:
            raise FolderError(
                f"{folder.path}: no OpenVINO graph in it (openvino_model.xml and .bin). Train again, or run with "
                "--engine torch"
            )
        from tagline.engines.openvino import OpenVinoEngine

        return OpenVinoEngine(folder, settings)
    from tagline.engines.torch import open_torch_engine

    return open_torch_engine(folder, settings)
