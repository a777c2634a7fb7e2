"""A model held against an annotated corpus, through the same road as any text."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from tagline.data.corpus import Corpus
from tagline.data.schemes import Scheme, convert
from tagline.evaluate.report import TokenReport, evaluate_tags
from tagline.predict.tagger import SplitText, Tagger
from tagline.records import Document, Sentence
from tagline.text.context import surroundings


@dataclass(frozen=True)
class Judgement:
    """Scores and what they were computed from.

    Attributes:
        report: the scores.
        tags: predicted tags of each sentence, in `scheme`.
        gold: gold tags of each sentence, in `scheme`.
        documents: the model's answer to each sentence.
        scheme: scheme of the predicted tags.
        unknown: entity labels of the corpus that the model does not know; their entities count as missed.
        windows: windows that the sentences took together.
        shortened: words of which only the first sub-tokens were shown to the encoder.
    """

    report: TokenReport
    tags: list[tuple[str, ...]]
    gold: list[tuple[str, ...]]
    documents: list[Document]
    scheme: Scheme
    unknown: tuple[str, ...]
    windows: int
    shortened: int


def judge(tagger: Tagger, corpus: Corpus, progress: Callable[[int], None] | None = None) -> Judgement:
    """Tags a corpus's words and scores the answer over every gold entity.

    Args:
        tagger: the model.
        corpus: annotated sentences; sentences whose text is known (spans on raw text) keep its spacing.
        progress: is called with 1 after each sentence.
    """
    manifest = tagger.folder.manifest
    scheme = Scheme.IOB2 if manifest.scheme in (Scheme.IO, Scheme.IOB1) else manifest.scheme
    started = time.perf_counter()
    documents: list[Document] = []
    for document in tagger.stream_split(shown_all(tagger, corpus)):
        documents.append(document)
        if progress is not None:
            progress(1)
    seconds = time.perf_counter() - started
    predicted = [_converted(document.tags, tagger, scheme) for document in documents]
    gold = list(corpus.tags(scheme))
    return Judgement(
        report=evaluate_tags(gold, predicted, scheme, seconds),
        tags=predicted,
        gold=gold,
        documents=documents,
        scheme=scheme,
        unknown=tuple(sorted(set(corpus.labels) - set(tagger.labels))),
        windows=sum(document.windows for document in documents),
        shortened=sum(document.shortened for document in documents),
    )


def shown_all(tagger: Tagger, corpus: Corpus) -> Iterator[SplitText]:
    """All sentences as the tagger reads them; to one that reads context each with what stands around it."""
    texts = (shown(tagger, sentence) for sentence in corpus.sentences)
    context = tagger.folder.manifest.context
    if not context:
        yield from texts
        return
    for text, (before, after) in zip(texts, surroundings(corpus.sentences, context), strict=True):
        yield replace(text, before=before, after=after)


def shown(tagger: Tagger, sentence: Sentence) -> SplitText:
    """A sentence as the tagger reads it: words as they come, raw text cut into sentences as in `tagline predict`."""
    split = SplitText(sentence.text, sentence.offsets, sentence.words)
    return split if sentence.text == " ".join(sentence.words) else tagger.cut(split)


def _converted(tags: Sequence[str], tagger: Tagger, scheme: Scheme) -> tuple[str, ...]:
    manifest = tagger.folder.manifest
    if manifest.scheme is scheme and not manifest.bare:
        return tuple(tags)  # as the model said it: broken tags of an unconstrained decoding stay broken
    return tuple(convert(tags, manifest.scheme, scheme, manifest.bare))
