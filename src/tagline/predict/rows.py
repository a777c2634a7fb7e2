"""Rows of a file through a tagger."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from tagline.data.streams.row import Row
from tagline.predict.tagger import SplitText, Tagger, split_words
from tagline.records import Document

BORDER = 1024
"""Rows after which batches begin anew: a run that is resumed at a multiple of it gives the same scores bit for bit."""


def tag_rows(tagger: Tagger, rows: Iterable[Row]) -> Iterator[tuple[Row, Document]]:
    """Each row with its document, in order; rows that come as words keep them."""
    waiting: deque[Row] = deque()

    def texts() -> Iterator[SplitText]:
        for row in rows:
            waiting.append(row)
            yield tagger.split(row.text) if row.words is None else split_words(row.words)

    for document in tagger.stream_split(texts(), BORDER):
        yield waiting.popleft(), document
