"""Engines: batches in, logits out. One protocol over OpenVINO, ONNX Runtime and PyTorch."""

from __future__ import annotations

from tagline.engines.base import Engine, EngineSettings
from tagline.engines.opening import open_engine

__all__ = ["Engine", "EngineSettings", "open_engine"]
