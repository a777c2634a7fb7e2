"""The tagger: texts or words in, documents with entities out, every word scored once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from tagline.data.schemes import spans
from tagline.engines import Engine, EngineSettings, open_engine
from tagline.errors import FolderError, UsageError
from tagline.folder import TOKEN_CLASSIFICATION, TOKENIZER, ModelFolder
from tagline.predict.chunks import Chunk, run_texts
from tagline.predict.opening import open_whole
from tagline.records import Document, Entity, Sentence
from tagline.text.decoding import Decoder
from tagline.text.features import EncodedText, EncodedWindow, WindowEncoder
from tagline.text.lots import lots
from tagline.text.sentences import sentence_starts
from tagline.text.subtokens import SubTokenizer
from tagline.text.words import WordSplitter

_LOT, _LOT_WORDS = 64, 2_048  # sentences that are cut into windows together, and words after which they are enough
_PART_WORDS = 4_096  # words after which a long text's sentences are sent to the engine, and what it says is decoded


@dataclass(frozen=True, slots=True)
class SplitText:
    """A text with its words.

    Attributes:
        text: the text.
        offsets: (start, end) of each word.
        words: the words.
        starts: numbers of the words that begin a sentence, without the first; each sentence is read for itself.
        before: words that stand before the text in its document, for a model that reads context.
        after: words that stand after it.
    """

    text: str
    offsets: Sequence[tuple[int, int]]
    words: Sequence[str]
    starts: Sequence[int] = ()
    before: Sequence[str] = ()
    after: Sequence[str] = ()

    @property
    def sentences(self) -> list[tuple[int, int]]:
        """(first word, word after the last) of each sentence."""
        return list(pairwise((0, *self.starts, len(self.words))))


class _Place(NamedTuple):
    """A sentence: words `first:last` of a text."""

    text: SplitText
    first: int
    last: int


@dataclass(slots=True)
class _Part:
    """Sentences cut into windows: all of a text's, or some of a long one's, so that no more than these are on the way.

    Attributes:
        text: the whole text.
        lengths: words of each sentence.
        windows: their windows; words are counted from the part's first.
        words: words of them all.
        shortened: words that were shortened.
        begins: whether they are the text's first.
        ends: whether they are the text's last.
    """

    text: SplitText
    begins: bool = True
    lengths: list[int] = field(default_factory=list)
    windows: list[EncodedWindow] = field(default_factory=list)
    words: int = 0
    shortened: int = 0
    ends: bool = True

    def add(self, words: int, encoded: EncodedText) -> None:
        """Puts the next sentence behind those that are here."""
        if self.words:
            self.windows += [each._replace(first=each.first + self.words) for each in encoded.windows]
        else:
            self.windows = encoded.windows
        self.lengths.append(words)
        self.words += words
        self.shortened += encoded.shortened


class _TaggedPart(NamedTuple):
    """What stays of a part: the tag of each word, its score, and (W, L) chances where these are asked for."""

    text: SplitText
    ends: bool
    tags: list[str]
    scores: list[float]
    chances: NDArray[np.float32]
    windows: int
    shortened: int


_Read = tuple[Document, list[NDArray[np.float32]]]
"""A document with the chances of its parts, where these are asked for."""


_NO_CHANCES = np.empty((0, 0), dtype=np.float32)


class Tagger:
    """Finds entities.

    Args:
        folder: the opened model folder.
        engine: runs its graph.
        constrained: decode by the scheme's moves (Viterbi); False takes each word's best tag for itself.
    """

    def __init__(self, folder: ModelFolder, engine: Engine, constrained: bool = True) -> None:
        manifest = folder.manifest
        if manifest.task != TOKEN_CLASSIFICATION:
            raise FolderError(f"{folder.path}: a model for {manifest.task}; expected one for {TOKEN_CLASSIFICATION}")
        self.folder, self.engine = folder, engine
        self.splitter = WordSplitter(manifest.words)
        subtokens = SubTokenizer.from_file(folder.path / TOKENIZER, manifest.shapes, manifest.characters)
        window = manifest.window, manifest.overlap, manifest.context
        self.encoder = WindowEncoder(subtokens, *window, folder.gazetteer())
        self.decoder = Decoder(folder.labels, manifest.scheme, manifest.bare, constrained, manifest.transitions)

    @classmethod
    def open(cls, path: str | Path, settings: EngineSettings | None = None, constrained: bool = True) -> Tagger:
        """Opens a folder; see `tagline.load`."""
        settings = settings or EngineSettings()
        return open_whole(path, settings, lambda folder: cls(folder, open_engine(folder, settings), constrained))

    @property
    def labels(self) -> tuple[str, ...]:
        """Entity types that the model knows, in alphabetical order."""
        scheme, bare = self.folder.manifest.scheme, self.folder.manifest.bare
        return tuple(sorted({span.label for tag in self.folder.labels for span in spans([tag], scheme, bare)}))

    @overload
    def __call__(self, texts: str) -> Document: ...  # type: ignore[overload-overlap]

    @overload
    def __call__(self, texts: Iterable[str]) -> list[Document]: ...

    def __call__(self, texts: str | Iterable[str]) -> Document | list[Document]:
        """Reads one text, or several.

        Raises:
            UsageError: something else than text was given.
        """
        if isinstance(texts, str):
            return next(self.stream([texts]))
        return list(self.stream(texts))

    def stream(self, texts: Iterable[str]) -> Iterator[Document]:
        """Reads texts as they come, in constant memory; one document a text, in order.

        Batches are made of texts of like length, so that some thousand sub-tokens are read ahead: from a slow source
        the first answers come when these are there, or when the source ends. Where it raises an error, texts on their
        way have no answer; read one text at a time, by a call, where each must be answered at once.
        """
        return self.stream_split(self.split(text) for text in texts)

    def stream_words(self, sentences: Iterable[Sequence[str]]) -> Iterator[Document]:
        """Reads sentences that are split into words already."""
        return self.stream_split(split_words(words) for words in sentences)

    def stream_split(self, texts: Iterable[SplitText], every: int = 0) -> Iterator[Document]:
        """Reads texts with their words; `every` as in `run_texts`."""
        return (document for document, _ in self._documents(texts, every))

    def stream_scored(self, texts: Iterable[SplitText]) -> Iterator[tuple[Document, NDArray[np.float32]]]:
        """Reads texts with their words: documents, and (W, L) chances of `folder.labels` at each word (a CRF's
        marginals)."""
        for document, chances in self._documents(texts, keep=True):
            yield document, chances[0] if len(chances) == 1 else np.concatenate(chances)

    def _documents(self, texts: Iterable[SplitText], every: int = 0, keep: bool = False) -> Iterator[_Read]:
        """Documents with the chances of their parts, where these are to be kept."""
        open_parts: list[_TaggedPart] = []  # of a long text
        for each in run_texts(
            self.engine, self._parts(texts), self.encoder.subtokens.pad, partial(self._read, keep), every
        ):
            if not isinstance(each, _TaggedPart):
                yield each
                continue
            open_parts.append(each)
            if each.ends:
                yield self._joined(open_parts, keep)
                open_parts = []

    def _read(self, keep: bool, chunk: Chunk[_Part]) -> Iterator[_Read | _TaggedPart]:
        """What the engine said of parts: of a whole text its document, made here, while the engine computes on."""
        starts, best, chances = self._decoded(chunk)
        names = [self.folder.labels[tag] for tag in best.tolist()]
        chosen = np.take_along_axis(chances, best[:, None], axis=1)[:, 0].tolist() if len(best) else []
        for part, (start, end) in zip(chunk.texts, pairwise(starts), strict=True):
            kept = chances[start:end] if keep else _NO_CHANCES
            own = names[start:end], chosen[start:end], kept
            tagged = _TaggedPart(part.text, part.ends, *own, len(part.windows), part.shortened)
            yield self._joined([tagged], keep) if part.begins and part.ends else tagged

    def _joined(self, parts: Sequence[_TaggedPart], keep: bool) -> _Read:
        """The document of a text's parts."""
        text = parts[0].text
        tags = tuple(chain.from_iterable(each.tags for each in parts))
        scores = tuple(chain.from_iterable(each.scores for each in parts))
        windows, shortened = sum(each.windows for each in parts), sum(each.shortened for each in parts)
        entities = tuple(self._entities(text, tags, scores))
        document = Document(text.text, entities, tuple(text.offsets), tags, scores, windows, shortened)
        return document, [each.chances for each in parts] if keep else []

    def _entities(self, text: SplitText, tags: Sequence[str], scores: Sequence[float]) -> Iterator[Entity]:
        manifest = self.folder.manifest
        for label, first, last in spans(tags, manifest.scheme, manifest.bare):
            start, end = text.offsets[first][0], text.offsets[last - 1][1]
            yield Entity(label, sum(scores[first:last]) / (last - first), start, end, text.text[start:end])

    def split(self, text: str) -> SplitText:
        """A text with its words, by the rules of the model."""
        if not isinstance(text, str):
            raise UsageError(f"got {type(text).__name__}; expected a text (str) or several")
        offsets, words = self.splitter.split(text)
        return SplitText(text, offsets, words, self._starts(text, offsets, words))

    def cut(self, split: SplitText) -> SplitText:
        """The text cut into sentences, where the model was trained on sentences."""
        starts = self._starts(split.text, split.offsets, split.words)
        return replace(split, starts=starts) if starts else split

    def _starts(self, text: str, offsets: Sequence[tuple[int, int]], words: Sequence[str]) -> list[int]:
        return sentence_starts(text, offsets, words) if self.folder.manifest.words.split_sentences else []

    def _parts(self, texts: Iterable[SplitText]) -> Iterator[_Part]:
        """Texts in parts, their sentences cut into windows some at a time."""
        sentences = (_Place(text, *place) for text in texts for place in text.sentences)
        part = None
        for lot in lots(sentences, lambda each: each.last - each.first, _LOT, _LOT_WORDS):
            for each, encoded in zip(lot, self._encoded(lot), strict=True):
                part = part or _Part(each.text, begins=each.first == 0)
                part.add(each.last - each.first, encoded)
                part.ends = each.last == len(each.text.words)
                if part.ends or part.words >= _PART_WORDS:
                    yield part
                    part = None

    def _encoded(self, lot: Sequence[_Place]) -> list[EncodedText]:
        words = [text.words[first:last] for text, first, last in lot]
        if not self.encoder.context:
            return self.encoder.alone(words)
        return [self.encoder(own, *self._around(*each)) for own, each in zip(words, lot, strict=True)]

    def _around(self, text: SplitText, first: int, last: int) -> tuple[Sequence[str], Sequence[str]]:
        """Words before and after a sentence, as many as the model's context can show."""
        most = self.encoder.context
        if not most:
            return (), ()
        before = text.words[max(0, first - most) : first]
        after = text.words[last : last + most]
        if len(before) < most:
            before = [*text.before[max(0, len(text.before) - most + len(before)) :], *before]
        if len(after) < most:
            after = [*after, *text.after[: most - len(after)]]
        return before, after

    def _decoded(self, chunk: Chunk[_Part]) -> tuple[list[int], NDArray[np.int64], NDArray[np.float32]]:
        """Where each part's words begin (and the last one's end), and of all words tag number and (W, L) chances."""
        starts = list(accumulate((each.words for each in chunk.texts), initial=0))
        emissions = np.empty((starts[-1], len(self.folder.labels)), dtype=np.float32)
        for start, each, logits in zip(starts, chunk.texts, chunk.logits, strict=False):
            for window, values in zip(each.windows, logits, strict=True):
                first = start + window.first
                emissions[first : first + len(window.places)] = values[window.places]
        lengths = [words for each in chunk.texts for words in each.lengths]
        return starts, *self.decoder(emissions, lengths)


def split_words(words: Sequence[str]) -> SplitText:
    """Words as a text joined by single spaces."""
    sentence = Sentence.from_words(tuple(words))
    return SplitText(sentence.text, sentence.offsets, sentence.words)
