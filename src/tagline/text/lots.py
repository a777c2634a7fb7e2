"""Texts taken in lots, which are read together, and made fit for a tokenizer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_TEXTS, _CHARACTERS = 256, 65_536
_SURROGATE = re.compile("[\ud800-\udfff]")

T = TypeVar("T")


def lots(
    items: Iterable[T], size: Callable[[T], int], count: int = _TEXTS, enough: int = _CHARACTERS
) -> Iterator[list[T]]:
    """Groups of items, taken as they come: at most `count`, and no more once their sizes sum to `enough`.

    Args:
        items: what is grouped.
        size: of an item; its characters, where the defaults below are to fit.
        count: most items of a group; 256 are enough for a tokenizer to read in parallel.
        enough: what sizes sum to when a group is closed.
    """
    lot: list[T] = []
    total = 0
    for item in items:
        lot.append(item)
        total += size(item)
        if len(lot) >= count or total >= enough:
            yield lot
            lot, total = [], 0
    if lot:
        yield lot


def clean(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, which tokenizers refuse; every character keeps its place."""
    return _SURROGATE.sub("\ufffd", text)
