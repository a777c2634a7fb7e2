"""Texts in and results out, row by row: inputs of any size, and outputs that can be carried on after a break."""
