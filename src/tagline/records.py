"""The plain records that travel through Tagline. Offsets count characters (Python `str` indices) and are half-open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, NamedTuple, Protocol

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

    def fields(self) -> dict[str, Any]:
        """The answer as one column, `entities`."""
        return {"entities": [entity.to_dict() for entity in self.entities]}

    def to_dict(self) -> dict[str, Any]:
        """Text and entities as a JSON-ready dictionary."""
        return {"text": self.text, **self.fields()}

    def _repr_html_(self) -> str:
        """How Jupyter shows it: the text with its entities in colour."""
        from tagline.drawing import document_html

        return document_html(self)


class Problem(Enum):
    """What is asked of a text; the values are `problem_type` in a Hugging Face `config.json`."""

    SINGLE = "single_label_classification"
    MULTI = "multi_label_classification"
    REGRESSION = "regression"


@dataclass(frozen=True, slots=True)
class LabelledText:
    """One annotated text, or pair of texts.

    Attributes:
        text: the text, or the first of the pair.
        pair: the second text, None where there is none.
        labels: its labels: exactly one for a single-label problem, any number for a multi-label one, none otherwise.
        score: the number to regress, None for the other problems.
        line: 1-based line or row in the file, for messages.
    """

    text: str
    pair: str | None = None
    labels: tuple[str, ...] = ()
    score: float | None = None
    line: int = 0


class Label(NamedTuple):
    """A label and its probability (in a regression: the number itself)."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Classification:
    """A text that was read by a classifier.

    Attributes:
        text: the input, unchanged.
        pair: the second text, None where there is none.
        problem: what was asked.
        scores: labels with their scores, the highest first; as many as were asked for.
        labels: the decision: the one best label, or for several labels those that reach their thresholds.
        windows: how many windows the text took.
        shortened: sub-tokens of a pair that did not fit the window (single texts are read whole).
    """

    text: str
    pair: str | None
    problem: Problem
    scores: tuple[Label, ...]
    labels: tuple[str, ...]
    windows: int = 1
    shortened: int = 0

    @property
    def label(self) -> str:
        """The label with the highest score."""
        return self.scores[0].label

    @property
    def score(self) -> float:
        """The highest score; in a regression the number."""
        return self.scores[0].score

    def fields(self) -> dict[str, Any]:
        """The columns of the answer: `label` and `score`, or `labels`, and `scores` where more than one was asked."""
        if self.problem is Problem.REGRESSION:
            return {"score": self.score}
        scores = {"scores": [each._asdict() for each in self.scores]}
        if self.problem is Problem.MULTI:
            return {"labels": list(self.labels), **scores}
        return {"label": self.label, "score": self.score, **(scores if len(self.scores) > 1 else {})}

    def to_dict(self) -> dict[str, Any]:
        """Text and answer as a JSON-ready dictionary."""
        pair = {} if self.pair is None else {"text_pair": self.pair}
        return {"text": self.text, **pair, **self.fields()}

    def _repr_html_(self) -> str:
        """How Jupyter shows it: the text, and its labels with bars."""
        from tagline.drawing import classification_html

        return classification_html(self)


class Answer(Protocol):
    """What a model says of a text: a `Document` or a `Classification`."""

    @property
    def text(self) -> str:
        """The text, unchanged."""
        ...

    def fields(self) -> dict[str, Any]:
        """The answer as named columns, JSON-ready."""
        ...


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
