"""Annotated files of both tasks as one kind of thing, so that one audit serves both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from tagline.data.corpus import Corpus
from tagline.data.normal import normal
from tagline.data.schemes import spans
from tagline.data.texts.corpus import TextCorpus
from tagline.records import LabelledText, Sentence, Span

ROLES = ("train", "dev", "test")
AnyCorpus = Corpus | TextCorpus
_BETWEEN = "\x1f"  # between the two texts of a pair; white space of the normal form, so no text holds it


class Place(NamedTuple):
    """A line of a file; 0 stands for the file as a whole."""

    file: str
    line: int


class Mention(NamedTuple):
    """An entity in its file."""

    label: str
    text: str
    unit: int


@dataclass(frozen=True, eq=False)
class Part:
    """One file in the role that it has.

    Attributes:
        role: `train`, `dev` or `test`.
        corpus: what was read.
    """

    role: str
    corpus: AnyCorpus

    @property
    def path(self) -> str:
        """The file."""
        return self.corpus.path

    @property
    def noun(self) -> str:
        """What the file is made of, in the plural."""
        if isinstance(self.corpus, Corpus):
            return "sentences"
        return "pairs" if self.corpus.paired else "texts"

    @property
    def units(self) -> tuple[Sentence, ...] | tuple[LabelledText, ...]:
        """The sentences or texts."""
        return self.corpus.sentences if isinstance(self.corpus, Corpus) else self.corpus.texts

    def place(self, unit: int, word: int = 0) -> Place:
        """Where a unit stands, or one of its words where each has a line."""
        one_a_line = isinstance(self.corpus, Corpus) and self.corpus.format == "conll"
        return Place(self.path, self.units[unit].line + (word if one_a_line else 0))

    def text(self, unit: int) -> str:
        """The text of a unit; of a pair both."""
        each = self.units[unit]
        return f"{each.text} | {each.pair}" if isinstance(each, LabelledText) and each.pair is not None else each.text

    def words(self, unit: int) -> tuple[str, ...]:
        """The words of a unit; of texts what white space parts."""
        each = self.units[unit]
        return each.words if isinstance(each, Sentence) else (*each.text.split(), *(each.pair or "").split())

    @cached_property
    def keys(self) -> list[str]:
        """The normal form of each unit: two that have the same are the same."""
        return list(_keys(self.corpus))

    @cached_property
    def sizes(self) -> list[int]:
        """How many words each unit has; of texts by white space."""
        if isinstance(self.corpus, Corpus):
            return [len(each.words) for each in self.corpus.sentences]
        return [len(key.replace(_BETWEEN, " ").split()) for key in self.keys]

    @cached_property
    def entities(self) -> list[tuple[Span, ...]]:
        """The entities of each sentence; none of texts."""
        if not isinstance(self.corpus, Corpus):
            return [() for _ in self.units]
        known: dict[tuple[str, ...], tuple[Span, ...]] = {}
        found = []
        for each in self.corpus.sentences:
            if each.tags not in known:
                known[each.tags] = tuple(spans(each.tags, self.corpus.scheme, self.corpus.bare))
            found.append(known[each.tags])
        return found

    def mentions(self) -> Iterator[Mention]:
        """Every entity with its words, joined by spaces."""
        for number, (unit, found) in enumerate(zip(self.units, self.entities, strict=True)):
            if isinstance(unit, Sentence):
                for span in found:
                    yield Mention(span.label, " ".join(unit.words[span.start : span.end]), number)

    def score_borders(self, bins: int) -> tuple[float, ...]:
        """Numbers that cut the scores of a regression into equally full bins."""
        scores = sorted(each.score for each in self.units if isinstance(each, LabelledText) and each.score is not None)
        return tuple(scores[len(scores) * number // bins] for number in range(1, bins)) if scores else ()

    def labels(self, unit: int) -> tuple[str, ...]:
        """The types of a sentence's entities, each as often as it stands there; or the labels of a text."""
        each = self.units[unit]
        if isinstance(each, LabelledText):
            return each.labels
        return tuple(span.label for span in self.entities[unit])


def parts_of(corpora: Mapping[str, AnyCorpus]) -> list[Part]:
    """The files in the order of `ROLES`."""
    return [Part(role, corpora[role]) for role in ROLES if role in corpora]


def _keys(corpus: AnyCorpus) -> Iterator[str]:
    if isinstance(corpus, Corpus):
        for sentence in corpus.sentences:
            yield normal(" ".join(sentence.words))
    else:
        for text in corpus.texts:
            yield normal(text.text) if text.pair is None else normal(text.text) + _BETWEEN + normal(text.pair)
