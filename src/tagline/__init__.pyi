from tagline.predict import load as load
from tagline.predict.pipeline import pipeline as pipeline

__version__: str
__all__ = ["__version__", "load", "pipeline"]
