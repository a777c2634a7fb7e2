"""Raw text to windows of sub-tokens, encoded whole as a Hugging Face tokenizer encodes it (not word by word)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tagline.errors import FolderError, UsageError
from tagline.folder import TOKENIZER, ModelFolder
from tagline.text.lots import clean, lots
from tagline.text.shapes import segment_ids, shape_ids
from tagline.text.subtokens import SubTokenizer
from tagline.text.windows import plan_windows
from tagline.text.words import WordSplitter

Ints = NDArray[np.int64]
_shape_ids = lru_cache(maxsize=65_536)(shape_ids)


class RawWindow(NamedTuple):
    """One window.

    Attributes:
        ids: sub-token ids, special tokens included.
        types: segment ids.
        skip: position of the first sub-token that this window scores.
        scored: how many sub-tokens it scores.
    """

    ids: list[int]
    types: list[int]
    skip: int
    scored: int


@dataclass(frozen=True, slots=True)
class RawText:
    """A text with its T sub-tokens, special ones left out.

    Attributes:
        text: the characters.
        ids: (T,) sub-token ids.
        offsets: (T, 2) first character of each, and the character after its last.
        windows: windows whose scored ranges, one after the other, are the T sub-tokens.
        ends: it is a whole text.
    """

    text: str
    ids: Ints
    offsets: Ints
    windows: list[RawWindow]
    ends: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """What one call reads.

    Attributes:
        text: the characters.
        words: the words that they were joined from, or None for running text.
        offsets: (start, end) of each such word.
    """

    text: str
    words: Sequence[str] | None = None
    offsets: Sequence[tuple[int, int]] = ()

    @classmethod
    def join(cls, words: Sequence[str], delimiter: str) -> Source:
        """Words joined by a delimiter."""
        offsets, at = [], 0
        for word in words:
            offsets.append((at, at + len(word)))
            at += len(word) + len(delimiter)
        return cls(delimiter.join(words), tuple(words), offsets)


class RawEncoder:
    """Encodes texts with the tokenizer of a model folder, as it was saved.

    Args:
        folder: the model folder.

    Raises:
        FolderError: the tokenizer or its configuration is damaged, or the model reads characters.
    """

    def __init__(self, folder: ModelFolder) -> None:
        manifest = folder.manifest
        if manifest.characters:
            raise FolderError(
                f"{folder.path}: a BiLSTM that reads characters has no sub-tokens to answer with in the Hugging Face "
                "schema; read with tagline.load, or tagline predict"
            )
        framed = SubTokenizer.from_file(folder.path / TOKENIZER)
        # SubTokenizer may put a space before the text; here the text is read as the tokenizer was saved.
        self.tokenizer: Any = Tokenizer.from_file(str(folder.path / TOKENIZER))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.prefix, self.suffix, self.pad = framed.prefix, framed.suffix, framed.pad
        self.unknown = _unknown(folder, self.tokenizer)
        self.room = manifest.window - framed.specials
        self.overlap = min(manifest.overlap, self.room - 1)
        self._gazetteer = folder.gazetteer()
        self._shapes, self._by_words = manifest.shapes, folder.word_level
        self._typed = manifest.shapes or manifest.gazetteer
        self._splitter = WordSplitter(manifest.words) if self._typed or folder.word_level else None

    def __call__(self, sources: Iterable[Source], stride: int | None = None) -> Iterator[RawText]:
        """Encodes texts as they come.

        Args:
            sources: the texts; all of them words, or all of them running text.
            stride: sub-tokens that neighbouring windows of a long text share at most; None takes the folder's.

        Raises:
            UsageError: the stride leaves no room in the window.
        """
        overlap = self.overlap if stride is None else stride
        if not 0 <= overlap < self.room:
            raise UsageError(
                f"stride is {overlap}; expected 0 to {self.room - 1}, less than the {self.room} sub-tokens of a window"
            )
        if self._by_words:
            sources = map(self._split, sources)
        for lot in lots(sources, lambda source: len(source.text)):
            for source, encoding in zip(lot, self._encode(lot), strict=True):
                yield self._text(source, encoding, overlap)

    def _split(self, source: Source) -> Source:
        """The text with its words, where the model has one sub-token a word."""
        if source.words is not None or self._splitter is None:
            return source
        spans = self._splitter(source.text)
        return Source(source.text, [source.text[start:end] for start, end in spans], spans)

    def _encode(self, lot: list[Source]) -> Any:
        split = lot[0].words is not None
        inputs: list[Any] = [source.words if split else source.text for source in lot]
        try:
            return self.tokenizer.encode_batch(inputs, is_pretokenized=split, add_special_tokens=False)
        except TypeError:  # lone surrogates are no text for the tokenizer; one character stands for one, offsets hold
            inputs = [[clean(word) for word in each] if split else clean(each) for each in inputs]
            return self.tokenizer.encode_batch(inputs, is_pretokenized=split, add_special_tokens=False)

    def _text(self, source: Source, encoding: Any, overlap: int) -> RawText:
        ids: list[int] = encoding.ids
        offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        if source.words is not None and ids:
            starts = np.array(source.offsets, dtype=np.int64)[:, 0]
            offsets += starts[np.array(encoding.word_ids, dtype=np.int64)][:, None]
        types = self._types(source, offsets)
        windows = []
        for start, end, first, last in self._plan(encoding, overlap):
            shown = [*self.prefix, *ids[start:end], *self.suffix]
            kinds = [0] * len(shown)
            if types is not None:
                kinds[len(self.prefix) : len(self.prefix) + end - start] = types[start:end]
            windows.append(RawWindow(shown, kinds, len(self.prefix) + first - start, last - first))
        return RawText(source.text, np.array(ids, dtype=np.int64), offsets, windows)

    def _plan(self, encoding: Any, overlap: int) -> Iterable[tuple[int, int, int, int]]:
        """Windows over sub-tokens, cut at the borders of the tokenizer's words where these are not too long."""
        length = len(encoding.ids)
        if length <= self.room:
            return [(0, length, 0, length)] if length else []
        words = np.array([-1 if word is None else word for word in encoding.word_ids], dtype=np.int64)
        runs = np.diff(np.concatenate(([0], np.flatnonzero(np.diff(words)) + 1, [length])))
        longest = max(1, self.room - overlap)
        pieces = -(-runs // longest)
        counts = np.full(int(pieces.sum()), longest, dtype=np.int64)
        counts[np.cumsum(pieces) - 1] = runs - (pieces - 1) * longest
        borders = np.concatenate(([0], np.cumsum(counts)))
        plan = plan_windows(counts, self.room, overlap)
        return [tuple(map(int, borders[list(window)])) for window in plan]  # type: ignore[misc]

    def _types(self, source: Source, offsets: Ints) -> list[int] | None:
        """Segment ids: the shape of the word that each sub-token begins in, and the kind of name that the word stands
        in; None for a model that reads neither.
        """
        if self._splitter is None or not self._typed:
            return None
        spans = np.array(self._splitter(source.text) if source.words is None else source.offsets, dtype=np.int64)
        if not len(spans) or not len(offsets):
            return [0] * len(offsets)
        words = [source.text[start:end] for start, end in spans.tolist()]
        kinds = np.array(list(map(_shape_ids, words)), dtype=np.int64) * self._shapes
        for match in () if self._gazetteer is None else self._gazetteer(words):
            kinds[match.start : match.end] += segment_ids(self._shapes) * match.kind
        starts, ends = offsets[:, 0], offsets[:, 1]
        owners = np.searchsorted(spans[:, 1], starts, side="right")
        inside = owners < len(spans)
        owners = np.minimum(owners, len(spans) - 1)
        inside &= spans[owners, 0] < np.maximum(ends, starts + 1)
        rest = np.concatenate(([False], owners[1:] == owners[:-1])).astype(np.int64)
        types: list[int] = np.where(inside, kinds[owners, rest], 0).tolist()
        return types


def _unknown(folder: ModelFolder, tokenizer: Any) -> int | None:
    """Id of the unknown token, as `tokenizer_config.json` names it, else by its usual names."""
    named = folder.tokenizer_config().get("unk_token")
    names = ["[UNK]", "<unk>"] if named is None else [named["content"] if isinstance(named, dict) else str(named)]
    found = (tokenizer.token_to_id(name) for name in names)
    return next((int(number) for number in found if number is not None), None)
