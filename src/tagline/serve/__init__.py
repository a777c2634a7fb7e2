"""Models behind HTTP: `tagline serve`. One process takes requests in, few threads compute, requests share batches."""

from __future__ import annotations

from tagline.serve.settings import Limits, ServeSettings

__all__ = ["Limits", "ServeSettings"]
