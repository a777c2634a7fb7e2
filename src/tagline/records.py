"""The plain records that travel through Tagline. Offsets count characters (Python `str` indices) and are half-open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Span(NamedTuple):
    """A labelled stretch of words: `words[start:end]`."""

    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entity:
    """A labelled stretch of text; `text` is always `input[start:end]`.

    Attributes:
        label: entity type, without the scheme's prefix.
        score: probability in [0, 1], a Python float.
        start: first character.
        end: character after the last.
        text: the characters themselves.
    """

    label: str
    score: float
    start: int
    end: int
    text: str

    def to_dict(self) -> dict[str, Any]:
        """The entity as a JSON-ready dictionary."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One annotated unit of a corpus: a sentence, a tweet, or a text with spans brought to words.

    Attributes:
        words: the words, at least one.
        tags: one tag a word in the corpus's scheme; empty where the file has no annotation.
        text: the text that the words stand in; for pre-split corpora the words joined by one space.
        offsets: (start, end) of each word in `text`.
        line: 1-based line or row in the file, for messages.
        document: running number of the document in the file (`-DOCSTART-` starts a new one).
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    text: str
    offsets: tuple[tuple[int, int], ...]
    line: int = 0
    document: int = 0

    @classmethod
    def from_words(
        cls, words: tuple[str, ...], tags: tuple[str, ...] = (), line: int = 0, document: int = 0
    ) -> Sentence:
        """A sentence whose text is its words joined by one space."""
        offsets, at = [], 0
        for word in words:
            offsets.append((at, at + len(word)))
            at += len(word) + 1
        return cls(words, tags, " ".join(words), tuple(offsets), line, document)


@dataclass(frozen=True, slots=True)
class Document:
    """A text that was read by a tagger.

    Attributes:
        text: the input, unchanged.
        entities: what was found, in order of `start`, never overlapping.
        offsets: (start, end) of each word.
        tags: one tag a word, in the model's scheme.
        scores: probability of each word's tag.
        windows: how many windows the text took (0 for a text without words).
        shortened: words of which only the first sub-tokens were shown to the encoder (every word has a tag).
    """

    text: str
    entities: tuple[Entity, ...]
    offsets: tuple[tuple[int, int], ...] = ()
    tags: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    windows: int = 1
    shortened: int = 0

    @property
    def words(self) -> tuple[str, ...]:
        """The words, as they stand in the text."""
        return tuple(self.text[start:end] for start, end in self.offsets)

    def __iter__(self) -> Iterator[Entity]:
        return iter(self.entities)

    def __len__(self) -> int:
        return len(self.entities)

    def to_dict(self) -> dict[str, Any]:
        """Text and entities as a JSON-ready dictionary."""
        return {"text": self.text, "entities": [entity.to_dict() for entity in self.entities]}


class Batch(NamedTuple):
    """What an engine takes. B windows padded to T sub-tokens.

    Attributes:
        input_ids: (B, T) sub-token ids.
        attention_mask: (B, T) 1 for sub-tokens, 0 for padding.
        token_type_ids: (B, T) segment ids.
    """

    input_ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]
    token_type_ids: NDArray[np.int64]
