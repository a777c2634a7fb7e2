"""Logits of sub-tokens to answers in the Hugging Face schema: the five aggregation strategies, many texts at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.predict.chunks import Chunk
from tagline.predict.raw import RawEncoder, RawText

STRATEGIES = ("none", "simple", "first", "average", "max")
Answer = dict[str, Any]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class LabelTable:
    """A model's labels as the grouping sees them.

    Args:
        labels: L labels by id.
        bare: whether they are labels without prefixes for sure, so that even `B-cell` has none.

    Attributes:
        labels: the labels.
        groups: for each the name of its entity group.
        tags: (L,) numbers; neighbours with equal numbers belong together.
        begins: (L,) whether the label begins a new group in any case.
    """

    def __init__(self, labels: Sequence[str], bare: bool) -> None:
        self.labels = tuple(labels)
        self.groups = tuple(label if bare else _without_prefix(label, "BIESLU") for label in labels)
        names = [label if bare else _without_prefix(label, "BI") for label in labels]
        self.tags: Ints = np.array([names.index(name) for name in names], dtype=np.int64)
        self.begins: Bools = np.array([not bare and label.startswith("B-") for label in labels], dtype=np.bool_)


def _without_prefix(label: str, prefixes: str) -> str:
    return label[2:] if len(label) > 2 and label[1] == "-" and label[0] in prefixes else label


@dataclass(frozen=True)
class _Tokens:
    """All N sub-tokens of a chunk, one text after the other."""

    texts: list[RawText]
    owners: Ints  # (N,) number of the text
    index: Ints  # (N,) position in the text, special tokens before it counted
    ids: Ints
    offsets: Ints  # (N, 2)
    scores: Floats  # (N, L) probabilities

    @property
    def opens(self) -> Bools:
        """(N,) whether a text begins here."""
        return np.concatenate(([True], self.owners[1:] != self.owners[:-1]))


@dataclass(frozen=True)
class _Units:
    """What is grouped: sub-tokens, or words made of them."""

    starts: Ints  # first sub-token of each
    ends: Ints
    best: Ints  # label
    scores: Floats  # its probability


class Grouper:
    """Turns chunks into answers.

    Args:
        encoder: encoded the texts.
        labels: the model's labels.
    """

    def __init__(self, encoder: RawEncoder, labels: LabelTable) -> None:
        self._encoder, self._labels = encoder, labels
        self._tokenizer = encoder.tokenizer
        decoder = self._tokenizer.decoder
        self._decode: Callable[[list[str]], str] = " ".join if decoder is None else decoder.decode
        self._known: dict[int, str] = {}
        self._by_prefix = bool(getattr(self._tokenizer.model, "continuing_subword_prefix", None))

    def __call__(self, chunk: Chunk[RawText], strategy: str, ignored: Iterable[str]) -> list[list[Answer]]:
        """Answers of each text.

        Args:
            chunk: texts and logits.
            strategy: one of `STRATEGIES`.
            ignored: labels (strategy `none`) or entity groups that are left out.
        """
        answers: list[list[Answer]] = [[] for _ in chunk.texts]
        if any(text.windows for text in chunk.texts):
            tokens = self._tokens(chunk)
            if strategy == "none":
                self._single(tokens, frozenset(ignored), answers)
            else:
                self._grouped(tokens, strategy, frozenset(ignored), answers)
        return answers

    def _tokens(self, chunk: Chunk[RawText]) -> _Tokens:
        counts = np.array([len(text.ids) for text in chunk.texts], dtype=np.int64)
        before = np.cumsum(counts) - counts
        emissions = np.concatenate(
            [
                logits[window.skip : window.skip + window.scored]
                for text, found in zip(chunk.texts, chunk.logits, strict=True)
                for window, logits in zip(text.windows, found, strict=True)
            ]
        )
        shifted = np.exp(emissions - emissions.max(axis=1, keepdims=True))
        return _Tokens(
            texts=chunk.texts,
            owners=np.repeat(np.arange(len(counts)), counts),
            index=len(self._encoder.prefix) + np.arange(int(counts.sum())) - np.repeat(before, counts),
            ids=np.concatenate([text.ids for text in chunk.texts]),
            offsets=np.concatenate([text.offsets for text in chunk.texts]),
            scores=shifted / shifted.sum(axis=1, keepdims=True),
        )

    def _single(self, tokens: _Tokens, ignored: frozenset[str], answers: list[list[Answer]]) -> None:
        best = tokens.scores.argmax(axis=1)
        kept = np.flatnonzero(~self._marked(self._labels.labels, ignored)[best])
        for place in kept.tolist():
            start, end = tokens.offsets[place].tolist()
            label = int(best[place])
            answers[int(tokens.owners[place])].append(
                {
                    "entity": self._labels.labels[label],
                    "score": float(tokens.scores[place, label]),
                    "index": int(tokens.index[place]),
                    "word": self._piece(tokens, place),
                    "start": start,
                    "end": end,
                }
            )

    def _grouped(self, tokens: _Tokens, strategy: str, ignored: frozenset[str], answers: list[list[Answer]]) -> None:
        units = self._units(tokens, strategy)
        tags = self._labels.tags[units.best]
        new = tokens.opens[units.starts] | self._labels.begins[units.best]
        new[1:] |= tags[1:] != tags[:-1]
        first = np.flatnonzero(new)
        last = np.append(first[1:], len(units.best))
        means = np.add.reduceat(units.scores.astype(np.float64), first) / (last - first)
        kept = ~self._marked(self._labels.groups, ignored)[units.best[first]]
        for group in np.flatnonzero(kept).tolist():
            inside = range(int(first[group]), int(last[group]))
            begin, stop = int(units.starts[inside[0]]), int(units.ends[inside[-1]])
            answers[int(tokens.owners[begin])].append(
                {
                    "entity_group": self._labels.groups[int(units.best[inside[0]])],
                    "score": float(means[group]),
                    "word": self._words(tokens, units, inside, strategy),
                    "start": int(tokens.offsets[begin, 0]),
                    "end": int(tokens.offsets[stop - 1, 1]),
                }
            )

    def _units(self, tokens: _Tokens, strategy: str) -> _Units:
        scores = tokens.scores
        if strategy == "simple":
            place = np.arange(len(scores))
            best = scores.argmax(axis=1)
            return _Units(place, place + 1, best, scores[place, best])
        starts = np.flatnonzero(~self._continues(tokens) | tokens.opens)
        ends = np.append(starts[1:], len(scores))
        if strategy == "first":
            chosen = scores[starts]
        elif strategy == "average":
            sums = np.add.reduceat(scores, starts, axis=0)
            chosen = np.asarray(sums / (ends - starts)[:, None], dtype=np.float32)
        else:  # the first sub-token among those with the word's highest score
            highest = scores.max(axis=1)
            of_word = np.repeat(np.maximum.reduceat(highest, starts), ends - starts)
            places = np.where(highest == of_word, np.arange(len(scores)), len(scores) - 1)
            chosen = scores[np.minimum.reduceat(places, starts)]
        best = chosen.argmax(axis=1)
        return _Units(starts, ends, best, chosen[np.arange(len(best)), best])

    def _continues(self, tokens: _Tokens) -> Bools:
        """(N,) whether a sub-token continues the word before it."""
        starts = tokens.offsets[:, 0]
        if self._by_prefix:
            kinds, places = np.unique(tokens.ids, return_inverse=True)
            lengths = np.array([len(self._token(number)) for number in kinds.tolist()], dtype=np.int64)
            continues: Bools = lengths[places] != tokens.offsets[:, 1] - starts
        else:  # no mark tells, so whatever has no space before it continues
            continues = np.array(
                [
                    start > 0 and " " not in tokens.texts[owner].text[start - 1 : start + 1]
                    for start, owner in zip(starts.tolist(), tokens.owners.tolist(), strict=True)
                ],
                dtype=np.bool_,
            )
        if self._encoder.unknown is not None:
            continues = continues & (tokens.ids != self._encoder.unknown)
        return np.asarray(continues, dtype=np.bool_)

    def _words(self, tokens: _Tokens, units: _Units, inside: range, strategy: str) -> str:
        if strategy == "simple":
            return self._decode([self._piece(tokens, place) for place in inside])
        words = (range(int(units.starts[unit]), int(units.ends[unit])) for unit in inside)
        return self._decode([self._decode([self._piece(tokens, place) for place in word]) for word in words])

    def _piece(self, tokens: _Tokens, place: int) -> str:
        """A sub-token as the vocabulary spells it; an unknown one as the text does."""
        number = int(tokens.ids[place])
        if number != self._encoder.unknown:
            return self._token(number)
        start, end = tokens.offsets[place].tolist()
        return tokens.texts[int(tokens.owners[place])].text[start:end]

    def _token(self, number: int) -> str:
        token = self._known.get(number)
        if token is None:
            token = self._known[number] = str(self._tokenizer.id_to_token(number))
        return token

    @staticmethod
    def _marked(names: Sequence[str], ignored: frozenset[str]) -> Bools:
        return np.array([name in ignored for name in names], dtype=np.bool_)
