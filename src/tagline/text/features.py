"""Words to windows of sub-tokens: the last step that training and inference share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagline.text.gazetteer import Gazetteer
from tagline.text.shapes import segment_ids
from tagline.text.subtokens import Pieces, SubTokenizer
from tagline.text.windows import plan_windows


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

    ids: list[int]
    types: list[int]
    first: int
    places: NDArray[np.int64]
    counts: NDArray[np.int64]
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
        pieces = self._pieces(words)
        if not self.context and (whole := self._whole(pieces)):
            return whole
        counts = np.fromiter((len(each.ids) for each in pieces), dtype=np.int64, count=len(pieces))
        prefix, suffix = self.subtokens.prefix, self.subtokens.suffix
        windows = []
        for start, end, first, last in plan_windows(counts, self.room, self.overlap):
            shown, left, context = pieces[start:end], 0, 0
            if self.context:
                ahead = before if start == 0 else ()
                earlier, later = self._around(ahead, after if end == len(words) else (), int(counts[start:end].sum()))
                shown, left = [*earlier, *shown, *later], sum(len(each.ids) for each in earlier)
                context = left + sum(len(each.ids) for each in later)
            ids = [*prefix, *chain.from_iterable(each.ids for each in shown), *suffix]
            if self.typed:
                types = [0] * len(prefix)
                types.extend(chain.from_iterable(each.types for each in shown))
                types.extend([0] * len(suffix))
            else:
                types = [0] * len(ids)
            places = len(prefix) + left + np.cumsum(counts[start:last]) - counts[start:last]
            windows.append(EncodedWindow(ids, types, first, places[first - start :], counts[first:last], context))
        return EncodedText(windows, sum(each.shortened for each in pieces))

    def _pieces(self, words: Sequence[str]) -> list[Pieces]:
        """Sub-tokens of each word, the names among them marked."""
        pieces = self.subtokens(words)
        if self.gazetteer is None or not (found := self.gazetteer(words)):
            return pieces
        pieces, ids = pieces.copy(), segment_ids(self.subtokens.shapes)
        for match in found:
            for at in range(match.start, match.end):
                each = pieces[at]
                pieces[at] = Pieces(each.ids, tuple(kind + ids * match.kind for kind in each.types), each.shortened)
        return pieces

    def _whole(self, pieces: Sequence[Pieces]) -> EncodedText | None:
        """A text that fits into one window, as most do: what the general road makes, quicker; None if it does not."""
        if not 0 < len(pieces) <= self.room:
            return None
        ids, types, shortened = zip(*pieces, strict=True)
        sizes = list(map(len, ids))
        if sum(sizes) > self.room:
            return None
        prefix, suffix = self.subtokens.prefix, self.subtokens.suffix
        shown = [*prefix, *chain.from_iterable(ids), *suffix]
        kinds = [0] * len(shown)
        if self.typed:
            kinds[len(prefix) : len(shown) - len(suffix)] = chain.from_iterable(types)
        *places, _ = accumulate(sizes, initial=len(prefix))
        window = EncodedWindow(shown, kinds, 0, np.array(places, dtype=np.int64), np.array(sizes, dtype=np.int64))
        return EncodedText([window], sum(shortened))

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
