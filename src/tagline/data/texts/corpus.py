"""Annotated texts: what a file of labelled texts gives."""

from __future__ import annotations

from dataclasses import dataclass

from tagline.records import LabelledText, Problem


@dataclass(frozen=True, slots=True)
class TextCorpus:
    """A file of labelled texts, read.

    Attributes:
        texts: the annotated texts, in the file's order.
        problem: single label, several labels, or a number.
        path: the file.
        format: `jsonl`, `csv`, `tsv` or `parquet`.
        fingerprint: SHA-256 of the bytes read, in hexadecimal.
        paired: whether each text has a second one.
        empty: rows whose text (or both texts of the pair) is empty or blank.
        notes: choices that reading made, as sentences for the user ("the first row is read as a header", …).
    """

    texts: tuple[LabelledText, ...]
    problem: Problem
    path: str
    format: str
    fingerprint: str
    paired: bool = False
    empty: int = 0
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> list[str]:
        """Labels that occur: numbers in the order of their size where all are whole numbers, else alphabetical."""
        found = {label for each in self.texts for label in each.labels}
        if all(label.isascii() and label.removeprefix("-").isdigit() for label in found):
            return sorted(found, key=int)
        return sorted(found)
