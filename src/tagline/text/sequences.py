"""Texts and pairs of texts to windows of sub-tokens, encoded whole as a Hugging Face tokenizer encodes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagline.errors import UsageError
from tagline.text.lots import clean, lots
from tagline.text.specials import frame_of, pad_id, pair_frame_of

Ints = NDArray[np.int64]
TextOrPair = tuple[str, str | None]
_PIECE = 32_768  # characters that the tokenizer is given at once; longer texts are cut at white space


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


class _Pieces(NamedTuple):
    ids: Ints
    begins: NDArray[np.bool_]  # whether a word begins at each sub-token; empty where nobody will ask


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
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.tokenizer, self.length = tokenizer, length
        self._single, self._pair, self._segments = frame_of(tokenizer), pair_frame_of(tokenizer), segments
        self.pad = pad_id(tokenizer)
        self.room = length - self._single.size
        if length - self._pair.size < 2:
            raise UsageError(f"--window is {length}; expected at least {self._pair.size + 2}")
        self.overlap = self.room // 8 if overlap is None else overlap
        if not 0 <= self.overlap < self.room:
            raise UsageError(f"--overlap is {self.overlap}; expected 0 to {self.room - 1}, less than the window")

    def __call__(self, texts: Iterable[TextOrPair]) -> Iterator[EncodedSequence]:
        """Encodes texts as they come: (text, None) or (first, second)."""
        for lot in lots(texts, _characters):
            cut = [[_pieces(text) for text in each if text is not None] for each in lot]
            encoded = iter(self._encode([piece for each in cut for pieces in each for piece in pieces]))
            for each in cut:
                parts = [_join([next(encoded) for _ in pieces], self.room) for pieces in each]
                yield self._one(parts[0]) if len(parts) == 1 else self._two(parts[0].ids, parts[1].ids)

    def _encode(self, texts: list[str]) -> list[Any]:
        try:
            encodings: list[Any] = self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        except TypeError:  # lone surrogates
            encodings = self.tokenizer.encode_batch_fast([clean(text) for text in texts], add_special_tokens=False)
        return encodings

    def _one(self, text: _Pieces) -> EncodedSequence:
        if len(text.ids) <= self.room:
            return EncodedSequence([self._window(self._single, text.ids)], 0)
        cuts = even_windows(text.begins, self.room, self.overlap)
        return EncodedSequence([self._window(self._single, text.ids[start:end]) for start, end in cuts], 0)

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
    """Windows of about equal length over a long text, so that none of them is a scrap that would count as the others.

    The text is cut into equal parts, at the beginning of a word where one is near; a window is a part with half of
    the overlap on either side of it.

    Args:
        begins: (T,) whether a word begins at each sub-token.
        room: most sub-tokens of a window.
        overlap: most sub-tokens that neighbours share, less than `room`.

    Returns:
        (start, end) of each, in order; together they show every sub-token.
    """
    total, half = len(begins), overlap // 2
    words = np.concatenate(([0], np.flatnonzero(begins)))
    count = max(1, -(-total // (room - overlap)))
    ideal = np.arange(1, count) * total // count
    near = words[np.searchsorted(words, ideal, side="right") - 1]
    cuts = np.unique(np.concatenate(([0], np.where(ideal - near <= half, near, ideal), [total])))
    windows = []
    for first, last in pairwise(cuts.tolist()):
        spare = room - (last - first)
        start = max(0, first - min(half, spare // 2))
        word = int(words[min(np.searchsorted(words, start), len(words) - 1)])
        start = word if start <= word <= first else start
        windows.append((start, min(total, last + min(half, spare - (first - start)))))
    return windows


def _characters(item: TextOrPair) -> int:
    return len(item[0]) + len(item[1] or "")


def _pieces(text: str) -> list[str]:
    """The text as it is, or a very long one cut before white space, where tokenizers of all kinds begin a new word."""
    if len(text) <= _PIECE:
        return [text]
    pieces, at = [], 0
    while len(text) - at > _PIECE:
        end = next((n for n in range(at + _PIECE, at + _PIECE // 2, -1) if text[n].isspace()), at + _PIECE)
        pieces.append(text[at:end])
        at = end
    return [*pieces, text[at:]]


def _join(encodings: list[Any], room: int) -> _Pieces:
    ids = np.concatenate([np.asarray(each.ids, dtype=np.int64) for each in encodings])
    if len(ids) <= room:
        return _Pieces(ids, np.empty(0, dtype=np.bool_))
    begins = []
    for each in encodings:
        words = np.asarray([-1 if word is None else word for word in each.word_ids], dtype=np.int64)
        begins.append(np.concatenate(([True], words[1:] != words[:-1]))[: len(words)])
    return _Pieces(ids, np.concatenate(begins).astype(np.bool_))
