"""What stands around a sentence in its document."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, repeat
from typing import TypeVar

from tagline.records import Sentence

Words = Sequence[str]
T = TypeVar("T")
Placed = tuple[T, int | None, Words]


def has_documents(sentences: Sequence[Sentence]) -> bool:
    """Whether the sentences are marked as belonging to several documents."""
    return bool(sentences) and any(each.document != sentences[0].document for each in sentences)


def surroundings(sentences: Sequence[Sentence], most: int) -> Iterator[tuple[Words, Words]]:
    """For each sentence the words before and after it in its document, at most `most` each.

    Where no documents are marked nothing is known to belong together, and nothing stands around a sentence.
    """
    if not most or not has_documents(sentences):
        yield from repeat(((), ()), len(sentences))
        return
    placed = ((None, each.document, each.words) for each in sentences)
    for _, before, after in stream_surroundings(placed, most):
        yield before, after


def stream_surroundings(items: Iterable[Placed[T]], most: int, every: int = 0) -> Iterator[tuple[T, Words, Words]]:
    """The same for items as they come, of which no more are held than show what stands after the next.

    Args:
        items: each item with its document and its words; one of no document stands alone.
        most: words before and after an item, at most, from 1; of what comes after no more than as many items are read.
        every: items after which nothing is known of those before, so that who begins there is given the same; 0: never.
    """
    source, held = iter(items), deque[Placed[T]]()
    before: Words = ()
    last: int | None = None
    number = 0
    while True:
        while _undecided(held, most) and (read := next(source, None)) is not None:
            held.append(read)
        if not held:
            return
        item, document, words = held.popleft()
        if document is None or document != last or (every and number % every == 0):
            before = ()
        yield item, before, _after(held, document, most)
        before, last, number = (*before, *words)[-most:], document, number + 1


def _undecided(held: Sequence[Placed[T]], most: int) -> bool:
    """Whether more of what stands after the first item may come."""
    if not held:
        return True
    document = held[0][1]
    if document is None or held[-1][1] != document or len(held) > most:
        return False
    return sum(len(words) for _, _, words in islice(held, 1, None)) < most


def _after(held: Iterable[Placed[T]], document: int | None, most: int) -> Words:
    """The next words of the document."""
    found: list[str] = []
    for _, other, words in held:
        if document is None or other != document or len(found) >= most:
            break
        found += words
    return found[:most]
