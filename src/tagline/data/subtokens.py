"""What the audit and the description need to know of an encoder's vocabulary; `tagline.text.vocabulary` knows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class WordCost(NamedTuple):
    """What a word becomes.

    Attributes:
        pieces: how many sub-tokens; 0 where the tokenizer turns the word into nothing.
        unknown: whether one of them stands for what the vocabulary does not have.
    """

    pieces: int
    unknown: bool


class Vocabulary(Protocol):
    """An encoder's tokenizer, as far as counting needs it."""

    @property
    def name(self) -> str:
        """The encoder, as the user called it."""
        ...

    @property
    def specials(self) -> int:
        """Special tokens around a sentence."""
        ...

    def words(self, words: Sequence[str]) -> list[WordCost]:
        """What each word becomes by itself."""
        ...

    def lengths(self, texts: Sequence[tuple[str, str | None]]) -> list[int]:
        """Sub-tokens of each text or pair, special tokens included."""
        ...
