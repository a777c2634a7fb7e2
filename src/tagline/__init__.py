"""Tagline reads text and says what is in it."""

__version__ = "0.1.0"
