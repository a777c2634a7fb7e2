"""Torch modules: pretrained encoders with a head."""
