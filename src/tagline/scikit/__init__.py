"""Tagline in scikit-learn: `from tagline.scikit import TaglineClassifier`."""

from tagline.scikit.estimator import TaglineClassifier

__all__ = ["TaglineClassifier"]
