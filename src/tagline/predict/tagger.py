"""The tagger: texts or words in, documents with entities out, every word scored once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from tagline.data.schemes import spans
from tagline.engines.base import Engine, EngineSettings, open_engine
from tagline.errors import FolderError, UsageError
from tagline.folder import TOKEN_CLASSIFICATION, TOKENIZER, ModelFolder
from tagline.records import Batch, Document, Entity, Sentence
from tagline.text.batches import pad, plan_batches
from tagline.text.decoding import Decoder
from tagline.text.features import EncodedWindow, WindowEncoder
from tagline.text.subtokens import SubTokenizer
from tagline.text.words import WordSplitter

_CHUNK_TOKENS = 16_384  # sub-tokens that are sorted together; bounds memory and delay


@dataclass(frozen=True, slots=True)
class SplitText:
    """A text with its words."""

    text: str
    offsets: Sequence[tuple[int, int]]
    words: Sequence[str]


@dataclass
class _Chunk:
    """Texts that are batched together."""

    texts: list[SplitText] = field(default_factory=list)
    windows: list[EncodedWindow] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    shortened: list[int] = field(default_factory=list)
    tokens: int = 0
    plan: list[list[int]] = field(default_factory=list)
    emissions: NDArray[np.float32] | None = None
    starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    open: int = 0


class Tagger:
    """Finds entities.

    Args:
        folder: the opened model folder.
        engine: runs its graph.
        batch_tokens: most sub-tokens of a batch, padding included.
        constrained: decode by the scheme's moves (Viterbi); False takes each word's best tag for itself.
    """

    def __init__(self, folder: ModelFolder, engine: Engine, batch_tokens: int = 1024, constrained: bool = True) -> None:
        manifest = folder.manifest
        if manifest.task != TOKEN_CLASSIFICATION:
            raise FolderError(f"{folder.path}: a model for {manifest.task}; expected one for {TOKEN_CLASSIFICATION}")
        self.folder, self.engine, self.batch_tokens = folder, engine, batch_tokens
        self.splitter = WordSplitter(manifest.words)
        subtokens = SubTokenizer.from_file(folder.path / TOKENIZER, manifest.shapes)
        self.encoder = WindowEncoder(subtokens, manifest.window, manifest.overlap)
        self.decoder = Decoder(folder.labels, manifest.scheme, manifest.bare, constrained)

    @classmethod
    def open(cls, path: str | Path, settings: EngineSettings | None = None, constrained: bool = True) -> Tagger:
        """Opens a folder; see `tagline.load`."""
        settings = settings or EngineSettings()
        folder = ModelFolder.open(path)
        return cls(folder, open_engine(folder, settings), settings.batch_tokens, constrained)

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
        """Reads texts as they come, in constant memory; one document a text, in order."""
        return self.stream_split(self.split(text) for text in texts)

    def stream_words(self, sentences: Iterable[Sequence[str]]) -> Iterator[Document]:
        """Reads sentences that are split into words already."""
        return self.stream_split(split_words(words) for words in sentences)

    def stream_split(self, texts: Iterable[SplitText]) -> Iterator[Document]:
        """Reads texts with their words."""
        waiting: deque[_Chunk] = deque()

        def batches() -> Iterator[Batch]:
            for chunk in self._chunks(texts):
                waiting.append(chunk)
                for rows in chunk.plan:
                    windows = [chunk.windows[row] for row in rows]
                    yield pad(
                        [each.ids for each in windows], [each.types for each in windows], self.encoder.subtokens.pad
                    )

        done: deque[_Chunk] = deque()
        for logits in self.engine.run(batches()):
            while not waiting[0].open:  # chunks of nothing but empty texts
                done.append(waiting.popleft())
            chunk = waiting[0]
            self._place(chunk, chunk.plan[len(chunk.plan) - chunk.open], logits)
            chunk.open -= 1
            if not chunk.open:
                done.append(waiting.popleft())
            while done:
                yield from self._documents(done.popleft())
        for chunk in waiting:
            yield from self._documents(chunk)

    def split(self, text: str) -> SplitText:
        """A text with its words, by the rules of the model."""
        if not isinstance(text, str):
            raise UsageError(f"got {type(text).__name__}; expected a text (str) or several")
        offsets = self.splitter(text)
        return SplitText(text, offsets, [text[start:end] for start, end in offsets])

    def _chunks(self, texts: Iterable[SplitText]) -> Iterator[_Chunk]:
        chunk = _Chunk()
        for text in texts:
            encoded = self.encoder(text.words)
            chunk.owners.extend([len(chunk.texts)] * len(encoded.windows))
            chunk.texts.append(text)
            chunk.windows.extend(encoded.windows)
            chunk.used.append(len(encoded.windows))
            chunk.shortened.append(encoded.shortened)
            chunk.tokens += sum(len(window.ids) for window in encoded.windows)
            if chunk.tokens >= _CHUNK_TOKENS or len(chunk.texts) >= _CHUNK_TOKENS:
                yield self._planned(chunk)
                chunk = _Chunk()
        if chunk.texts:
            yield self._planned(chunk)

    def _planned(self, chunk: _Chunk) -> _Chunk:
        chunk.plan = plan_batches([len(window.ids) for window in chunk.windows], self.batch_tokens)
        chunk.open = len(chunk.plan)
        chunk.starts = np.cumsum([0, *(len(text.words) for text in chunk.texts)])
        chunk.emissions = np.empty((int(chunk.starts[-1]), len(self.folder.labels)), dtype=np.float32)
        return chunk

    def _place(self, chunk: _Chunk, rows: list[int], logits: NDArray[np.float32]) -> None:
        assert chunk.emissions is not None
        for place, row in enumerate(rows):
            window = chunk.windows[row]
            first = int(chunk.starts[chunk.owners[row]]) + window.first
            chunk.emissions[first : first + len(window.places)] = logits[place, window.places]

    def _documents(self, chunk: _Chunk) -> Iterator[Document]:
        assert chunk.emissions is not None
        best, scores = self.decoder(chunk.emissions, np.diff(chunk.starts).tolist())
        chosen = np.take_along_axis(scores, best[:, None], axis=1)[:, 0].tolist() if len(best) else []
        tags = [self.folder.labels[tag] for tag in best.tolist()]
        for number, text in enumerate(chunk.texts):
            rows = slice(int(chunk.starts[number]), int(chunk.starts[number + 1]))
            yield self._document(text, tags[rows], chosen[rows], chunk.used[number], chunk.shortened[number])

    def _document(
        self, text: SplitText, tags: list[str], scores: list[float], windows: int, shortened: int
    ) -> Document:
        manifest = self.folder.manifest
        entities = []
        for label, first, last in spans(tags, manifest.scheme, manifest.bare):
            start, end = text.offsets[first][0], text.offsets[last - 1][1]
            score = sum(scores[first:last]) / (last - first)
            entities.append(Entity(label, score, start, end, text.text[start:end]))
        return Document(text.text, tuple(entities), tuple(text.offsets), tuple(tags), tuple(scores), windows, shortened)


def split_words(words: Sequence[str]) -> SplitText:
    """Words as a text joined by single spaces."""
    sentence = Sentence.from_words(tuple(words))
    return SplitText(sentence.text, sentence.offsets, sentence.words)
