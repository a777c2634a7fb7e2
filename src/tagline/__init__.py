"""Tagline reads text and says what is in it."""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["__version__", "load", "pipeline"]


def __getattr__(name: str) -> object:
    # Loaded when first asked for: `import tagline` alone stays instant. Their types stand in __init__.pyi.
    if name == "load":
        from tagline.predict import load as value
    elif name == "pipeline":
        from tagline.predict.pipeline import pipeline as value
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
