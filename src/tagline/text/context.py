"""What stands around a sentence in its document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tagline.records import Sentence

Words = Sequence[str]


def has_documents(sentences: Sequence[Sentence]) -> bool:
    """Whether the sentences are marked as belonging to several documents."""
    return bool(sentences) and any(each.document != sentences[0].document for each in sentences)


def surroundings(sentences: Sequence[Sentence], most: int) -> Iterator[tuple[Words, Words]]:
    """For each sentence the words before and after it in its document, at most `most` each.

    Where no documents are marked nothing is known to belong together, and nothing stands around a sentence.
    """
    together = has_documents(sentences)
    for place in range(len(sentences)):
        if together and most:
            yield _words(sentences, place, -1, most), _words(sentences, place, 1, most)
        else:
            yield (), ()


def _words(sentences: Sequence[Sentence], place: int, step: int, most: int) -> Words:
    document = sentences[place].document
    found: list[str] = []
    place += step
    while 0 <= place < len(sentences) and sentences[place].document == document and len(found) < most:
        words = list(sentences[place].words)
        found = words + found if step < 0 else found + words
        place += step
    return found[len(found) - min(most, len(found)) :] if step < 0 else found[:most]
