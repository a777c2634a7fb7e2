"""Encoders of every family."""

from __future__ import annotations

from tests.families import encoders

__all__ = ["encoders"]
