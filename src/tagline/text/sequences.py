"""Texts and pairs of texts to windows of sub-tokens, encoded whole as a Hugging Face tokenizer encodes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagline.errors import UsageError
from tagline.text.lots import clean, lots
from tagline.text.specials import frame_of, pad_id, pair_frame_of

Ints = NDArray[np.int64]
TextOrPair = tuple[str, str | None]
_LONG = 3  # characters a sub-token, beyond which a text is taken to need several windows before this is known
_PIECE = 32_768  # characters that the tokenizer is given at once; longer texts are cut at white space
# Of characters that every kind of tokenizer takes for white space, and never deletes, the first in a row.
_GAP = re.compile(r"(?<=\S)[ \t\n\r]")


class SequenceWindow(NamedTuple):
    """One window, special tokens included.

    Attributes:
        ids: (T,) sub-token ids.
        types: (T,) segment ids.
    """

    ids: Ints
    types: Ints


class EncodedSequence(NamedTuple):
    """A text in windows.

    Attributes:
        windows: at least one; an empty text is a window of special tokens alone.
        shortened: sub-tokens of a pair that did not fit. A single text is never shortened.
    """

    windows: list[SequenceWindow]
    shortened: int


class SequenceEncoder:
    """Encodes texts and pairs.

    A text that does not fit one window is read in several, all about equally long, cut at the borders of words. A pair
    is always one window: the longer text is shortened first, as Hugging Face's `longest_first` does it.

    Args:
        tokenizer: a `tokenizers.Tokenizer` as it was saved; it is changed to neither pad nor truncate.
        length: most sub-tokens of a window, special tokens included.
        overlap: most sub-tokens that neighbouring windows share; by default an eighth of the room.
        segments: how many segment ids the model knows.

    Raises:
        UsageError: the window has no room for text, or the overlap leaves none.
    """

    def __init__(self, tokenizer: Any, length: int, overlap: int | None = None, segments: int = 2) -> None:
        # Changed only where need be: another thread may be reading with it.
        if tokenizer.padding is not None:
            tokenizer.no_padding()
        if tokenizer.truncation is not None:
            tokenizer.no_truncation()
        self.tokenizer, self.length = tokenizer, length
        self._single, self._pair, self._segments = frame_of(tokenizer), pair_frame_of(tokenizer), segments
        self.pad = pad_id(tokenizer)
        self.room = length - self._single.size
        self.least = self._pair.size + 2  # a window that shows something of both texts of a pair
        if length < self.least:
            raise UsageError(f"--set window={length}; expected at least {self.least}")
        self.overlap = self.room // 8 if overlap is None else overlap
        if not 0 <= self.overlap < self.room:
            raise UsageError(f"--set overlap={self.overlap}; expected 0 to {self.room - 1}, less than the window")

    def __call__(self, texts: Iterable[TextOrPair]) -> Iterator[EncodedSequence]:
        """Encodes texts as they come: (text, None) or (first, second)."""
        for lot in lots(texts, _characters):
            cut = [[_pieces(text) for text in each if text is not None] for each in lot]
            words = any(pair is None and len(text) > _LONG * self.room for text, pair in lot)
            encoded = iter(self._encode([piece for each in cut for pieces in each for piece in pieces], words))
            for each in cut:
                parts = [[next(encoded) for _ in pieces] for pieces in each]
                if len(parts) == 1:
                    yield self._one(each[0], parts[0], words)
                else:
                    yield self._two(_ids(parts[0]), _ids(parts[1]))

    def _encode(self, texts: list[str], words: bool) -> list[Any]:
        """Encodings without special tokens; those that know their words take about a third longer."""
        encode = self.tokenizer.encode_batch if words else self.tokenizer.encode_batch_fast
        try:
            encodings: list[Any] = encode(texts, add_special_tokens=False)
        except TypeError:  # lone surrogates
            encodings = encode([clean(text) for text in texts], add_special_tokens=False)
        return encodings

    def _one(self, pieces: list[str], encodings: list[Any], words: bool) -> EncodedSequence:
        ids = _ids(encodings)
        if len(ids) <= self.room:
            return EncodedSequence([self._window(self._single, ids)], 0)
        begins = _begins(encodings if words else self._encode(pieces, words=True))
        cuts = even_windows(begins, self.room, self.overlap)
        return EncodedSequence([self._window(self._single, ids[start:end]) for start, end in cuts], 0)

    def _two(self, first: Ints, second: Ints) -> EncodedSequence:
        here, there = fitted(len(first), len(second), self.length - self._pair.size)
        window = self._window(self._pair, first[:here], second[:there])
        return EncodedSequence([window], len(first) + len(second) - here - there)

    def _window(self, frame: Any, *inner: Ints) -> SequenceWindow:
        ids: list[Any] = [frame.parts[0]]
        types: list[Any] = [frame.segments[0]]
        for each, kind, part, segments in zip(inner, frame.inner, frame.parts[1:], frame.segments[1:], strict=True):
            ids += [each, part]
            types += [(kind,) * len(each), segments]
        kinds = np.concatenate(types).astype(np.int64)
        return SequenceWindow(np.concatenate(ids).astype(np.int64), np.minimum(kinds, self._segments - 1))


def fitted(first: int, second: int, room: int) -> tuple[int, int]:
    """How much of two texts fits: sub-tokens are taken off the longer one until they do, then off both in turn."""
    if first + second <= room:
        return first, second
    shorter = min(first, second)
    if 2 * shorter >= room:  # both are cut
        less = room // 2
        return (less, room - less) if first <= second else (room - less, less)
    return (first, room - first) if first <= second else (room - second, second)


def even_windows(begins: NDArray[np.bool_], room: int, overlap: int) -> list[tuple[int, int]]:
    """As few windows over a long text as can show it, about equally long, so that none is a scrap that counts like all.

    Neighbours share `overlap` sub-tokens, less what either gives up, at most a half each, to begin and end with a word.

    Args:
        begins: (T,) whether a word begins at each sub-token.
        room: most sub-tokens of a window.
        overlap: most sub-tokens that neighbours share, less than `room`.

    Returns:
        (start, end) of each, in order; together they show every sub-token.
    """
    total = len(begins)
    count = max(1, -(-(total - overlap) // (room - overlap)))
    shown = total + (count - 1) * overlap
    half = min(overlap // 2, shown // count - overlap - 1)  # less than a step, so that no window lies within another
    ends = np.arange(1, count + 1) * shown // count - np.arange(count) * overlap
    starts = ends[:-1] - overlap
    words = np.concatenate((np.flatnonzero(begins), [total]))
    after = words[np.searchsorted(words, starts)]
    before = words[np.maximum(np.searchsorted(words, ends[:-1], side="right") - 1, 0)]
    starts = np.where(after - starts <= half, after, starts)
    ends[:-1] = np.where((before <= ends[:-1]) & (ends[:-1] - before <= half), before, ends[:-1])
    return list(zip([0, *starts.tolist()], ends.tolist(), strict=True))


def _characters(item: TextOrPair) -> int:
    return len(item[0]) + len(item[1] or "")


def _pieces(text: str) -> list[str]:
    """The text as it is, or a very long one cut before white space, where tokenizers of all kinds begin a new word."""
    if len(text) <= _PIECE:
        return [text]
    pieces, at = [], 0
    while len(text) - at > _PIECE:
        gaps = [gap.start() for gap in _GAP.finditer(text, at + _PIECE // 2, at + _PIECE + 1)]
        end = gaps[-1] if gaps else at + _PIECE
        pieces.append(text[at:end])
        at = end
    return [*pieces, text[at:]]


def _ids(encodings: list[Any]) -> Ints:
    return np.concatenate([np.asarray(each.ids, dtype=np.int64) for each in encodings])


def _begins(encodings: list[Any]) -> NDArray[np.bool_]:
    """Whether a word begins at each sub-token."""
    begins = []
    for each in encodings:
        words = np.asarray([-1 if word is None else word for word in each.word_ids], dtype=np.int64)
        begins.append(np.concatenate(([True], words[1:] != words[:-1]))[: len(words)])
    return np.concatenate(begins).astype(np.bool_)
