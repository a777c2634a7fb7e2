"""Texts handed to a tokenizer in lots, which it reads in parallel, and made fit for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_TEXTS, _CHARACTERS = 256, 65_536
_SURROGATE = re.compile("[\ud800-\udfff]")

T = TypeVar("T")


def lots(items: Iterable[T], characters: Callable[[T], int]) -> Iterator[list[T]]:
    """Groups of items, taken as they come: at most 256, and no more once they have 65,536 characters together."""
    lot: list[T] = []
    total = 0
    for item in items:
        lot.append(item)
        total += characters(item)
        if len(lot) >= _TEXTS or total >= _CHARACTERS:
            yield lot
            lot, total = [], 0
    if lot:
        yield lot


def clean(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, which tokenizers refuse; every character keeps its place."""
    return _SURROGATE.sub("\ufffd", text)
