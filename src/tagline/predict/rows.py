"""Rows of a file through a model."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tagline.data.streams.row import Row
from tagline.predict.classifier import Classifier
from tagline.predict.tagger import SplitText, Tagger, split_words
from tagline.records import Classification, Document
from tagline.text.context import stream_surroundings
from tagline.text.sequences import TextOrPair

BORDER = 2048
"""Rows after which batches begin anew: a run that is resumed at a multiple of it gives the same scores bit for bit."""


def tag_rows(tagger: Tagger, rows: Iterable[Row]) -> Iterator[tuple[Row, Document]]:
    """Each row with its document, in order; rows that come as words keep them.

    A model that reads context is shown what stands around a row in the document that the input marks. What stands
    before it is known back to the last of the borders, where batches begin anew.
    """
    waiting: deque[Row] = deque()

    def texts() -> Iterator[SplitText]:
        for row, text in _shown(tagger, rows):
            waiting.append(row)
            yield text

    for document in tagger.stream_split(texts(), BORDER):
        yield waiting.popleft(), document


def _shown(tagger: Tagger, rows: Iterable[Row]) -> Iterator[tuple[Row, SplitText]]:
    """Each row as the tagger reads it."""
    split = ((row, tagger.split(row.text) if row.words is None else split_words(row.words)) for row in rows)
    context = tagger.folder.manifest.context
    if not context:
        yield from split
        return
    placed = (((row, text), row.document, text.words) for row, text in split)
    for (row, text), before, after in stream_surroundings(placed, context, BORDER):
        yield row, replace(text, before=before, after=after)


def classify_rows(
    classifier: Classifier, rows: Iterable[Row], top_k: int | None = 1
) -> Iterator[tuple[Row, Classification]]:
    """Each row with its labels, in order; `top_k` as in `Classifier`."""
    waiting: deque[Row] = deque()

    def items() -> Iterator[TextOrPair]:
        for row in rows:
            waiting.append(row)
            yield classifier.item(row.text if row.pair is None else (row.text, row.pair))

    for decided in classifier.decided(items(), top_k, BORDER):
        yield waiting.popleft(), decided
