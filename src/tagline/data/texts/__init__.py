"""Annotated texts and pairs of texts for sequence classification: reading and splitting."""
