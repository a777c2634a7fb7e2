"""Words to windows of sub-tokens: the last step that training and inference share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagline.text.gazetteer import Gazetteer
from tagline.text.shapes import segment_ids
from tagline.text.subtokens import Pieces, SubTokenizer
from tagline.text.windows import plan_windows

Ints = NDArray[np.int64]


class EncodedWindow(NamedTuple):
    """One window, ready for a batch.

    Attributes:
        ids: sub-token ids, special tokens included.
        types: segment ids.
        first: number of the first word that this window scores; the next `len(places)` words are its own.
        places: for each of its words, the position of the word's first sub-token.
        counts: for each of its words, how many sub-tokens it has.
        context: how many of the sub-tokens belong to other sentences.
    """

    ids: Ints
    types: Ints
    first: int
    places: Ints
    counts: Ints
    context: int = 0


class EncodedText(NamedTuple):
    """The windows of a text and how many of its words were shortened."""

    windows: list[EncodedWindow]
    shortened: int


class WindowEncoder:
    """Turns words into windows.

    Args:
        subtokens: the model's tokenizer.
        length: most sub-tokens of a window, special tokens included.
        overlap: most sub-tokens shared by neighbouring windows; by default a quarter of the room.
        context: most sub-tokens of neighbouring sentences that a window with room to spare shows on either side; they
            are read and not scored (Schweter and Akbik 2020, FLERT: Document-Level Features for Named Entity
            Recognition).
        gazetteer: names that segment ids show where they stand in the text; None: none.
    """

    def __init__(
        self,
        subtokens: SubTokenizer,
        length: int,
        overlap: int | None = None,
        context: int = 0,
        gazetteer: Gazetteer | None = None,
    ) -> None:
        self.subtokens, self.length, self.context, self.gazetteer = subtokens, length, context, gazetteer
        self.typed = subtokens.shapes or gazetteer is not None
        self.room = length - subtokens.specials
        self.overlap = self.room // 4 if overlap is None else overlap
        self.subtokens.longest = min(self.subtokens.longest, max(1, self.room - self.overlap))

    def __call__(self, words: Sequence[str], before: Sequence[str] = (), after: Sequence[str] = ()) -> EncodedText:
        """Windows of one text; none for a text without words.

        Args:
            words: of the text.
            before: words of the document that stand before it; where `context` is 0 they are not looked at.
            after: words of the document that stand after it.
        """
        if not self.context:
            return self.alone([words])[0]
        return self._cut(self._pieces(words), before, after)

    def alone(self, texts: Sequence[Sequence[str]]) -> list[EncodedText]:
        """Windows of several texts, given as words, that are read without context.

        Most texts fit into one window: those are laid out together, as one array that each window is a part of.
        """
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        pieces = self.subtokens(list(chain.from_iterable(texts)))
        ids, types, shortened = zip(*pieces, strict=True) if pieces else ((), (), ())
        sizes = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
        borders = np.concatenate(([0], np.cumsum(lengths)))
        until = np.concatenate(([0], np.cumsum(sizes)))
        totals = np.diff(until[borders])
        fits = (lengths > 0) & (totals <= self.room)
        flat = np.fromiter(chain.from_iterable(ids), dtype=np.int64, count=until[-1])
        if self.typed:
            kinds = np.fromiter(chain.from_iterable(types), dtype=np.int64, count=until[-1])
            if self.gazetteer is not None:
                kinds += np.repeat(self._names(self.gazetteer, texts, borders), sizes)
        else:
            kinds = np.zeros_like(flat)
        if not fits.all():
            words = np.repeat(fits, lengths)
            subtokens = np.repeat(words, sizes)
            flat, kinds, sizes = flat[subtokens], kinds[subtokens], sizes[words]
        windows = iter(self._framed(flat, kinds, sizes, lengths[fits], totals[fits]))
        cut = any(shortened)
        found = []
        for text, whole, (start, end) in zip(texts, fits.tolist(), pairwise(borders.tolist()), strict=True):
            if whole:
                found.append(EncodedText([next(windows)], sum(shortened[start:end]) if cut else 0))
            else:
                found.append(self._cut(self._marked(pieces[start:end], text)))
        return found

    def _names(self, gazetteer: Gazetteer, texts: Sequence[Sequence[str]], borders: Ints) -> Ints:
        """What the names that stand in texts add to the segment ids of each word."""
        found = np.zeros(borders[-1], dtype=np.int64)
        for start, words in zip(borders.tolist(), texts, strict=False):
            for match in gazetteer(words):
                found[start + match.start : start + match.end] = match.kind
        return found * segment_ids(self.subtokens.shapes)

    def _framed(self, ids: Ints, types: Ints, sizes: Ints, lengths: Ints, totals: Ints) -> Iterator[EncodedWindow]:
        """Windows of N texts that fit, of W words with T sub-tokens in all.

        Args:
            ids: (T,) sub-token ids.
            types: (T,) their segment ids.
            sizes: (W,) sub-tokens of each word.
            lengths: (N,) words of each text.
            totals: (N,) sub-tokens of each text.
        """
        prefix, suffix = self.subtokens.prefix, self.subtokens.suffix
        whole = totals + self.subtokens.specials
        ends = np.cumsum(whole)
        begins = ends - whole
        special = np.concatenate(
            [(begins[:, None] + np.arange(len(prefix))), ends[:, None] + np.arange(-len(suffix), 0)], axis=1
        )
        inner = np.ones(int(whole.sum()), dtype=np.bool_)
        inner[special] = False
        shown, kinds = np.empty(len(inner), dtype=np.int64), np.zeros(len(inner), dtype=np.int64)
        shown[special], shown[inner], kinds[inner] = (*prefix, *suffix), ids, types
        before = np.cumsum(sizes) - sizes
        words = np.concatenate(([0], np.cumsum(lengths)))
        places = before + len(prefix) - np.repeat(before[words[:-1]], lengths)
        for (first, last), begin, end in zip(pairwise(words.tolist()), begins.tolist(), ends.tolist(), strict=True):
            yield EncodedWindow(shown[begin:end], kinds[begin:end], 0, places[first:last], sizes[first:last])

    def _cut(self, pieces: list[Pieces], before: Sequence[str] = (), after: Sequence[str] = ()) -> EncodedText:
        """Windows of a text of any length, with its context."""
        counts = np.fromiter((len(each.ids) for each in pieces), dtype=np.int64, count=len(pieces))
        prefix, suffix = self.subtokens.prefix, self.subtokens.suffix
        windows = []
        for start, end, first, last in plan_windows(counts, self.room, self.overlap):
            shown, left, context = pieces[start:end], 0, 0
            if self.context:
                ahead = before if start == 0 else ()
                earlier, later = self._around(ahead, after if end == len(pieces) else (), int(counts[start:end].sum()))
                shown, left = [*earlier, *shown, *later], sum(len(each.ids) for each in earlier)
                context = left + sum(len(each.ids) for each in later)
            ids = np.array([*prefix, *chain.from_iterable(each.ids for each in shown), *suffix], dtype=np.int64)
            types = np.zeros_like(ids)
            if self.typed:
                types[len(prefix) : len(ids) - len(suffix)] = [kind for each in shown for kind in each.types]
            places = len(prefix) + left + np.cumsum(counts[start:last]) - counts[start:last]
            windows.append(EncodedWindow(ids, types, first, places[first - start :], counts[first:last], context))
        return EncodedText(windows, sum(each.shortened for each in pieces))

    def _pieces(self, words: Sequence[str]) -> list[Pieces]:
        """Sub-tokens of each word, the names among them marked."""
        return self._marked(self.subtokens(words), words)

    def _marked(self, pieces: list[Pieces], words: Sequence[str]) -> list[Pieces]:
        if self.gazetteer is None or not (found := self.gazetteer(words)):
            return pieces
        pieces, ids = pieces.copy(), segment_ids(self.subtokens.shapes)
        for match in found:
            for at in range(match.start, match.end):
                each = pieces[at]
                pieces[at] = Pieces(each.ids, tuple(kind + ids * match.kind for kind in each.types), each.shortened)
        return pieces

    def _around(self, before: Sequence[str], after: Sequence[str], taken: int) -> tuple[list[Pieces], list[Pieces]]:
        """Whole words next to a text whose `taken` sub-tokens leave room; what one side lacks the other may take."""
        spare = self.room - taken
        left = self._nearest(self._pieces(before[max(0, len(before) - self.context) :])[::-1], spare)
        right = self._nearest(self._pieces(after[: self.context]), spare)
        sizes = [sum(len(each.ids) for each in side) for side in (left, right)]
        if sum(sizes) > spare:
            half = max(spare // 2, spare - sizes[1])
            left = self._nearest(left, half)
            right = self._nearest(right, spare - sum(len(each.ids) for each in left))
        return left[::-1], right

    def _nearest(self, pieces: list[Pieces], room: int) -> list[Pieces]:
        """The first words that together have no more sub-tokens than the context and the room allow."""
        size, found = 0, []
        for each in pieces:
            size += len(each.ids)
            if size > min(room, self.context):
                break
            found.append(each)
        return found
