"""The classifier: texts or pairs in, labels with scores out, every sub-token read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tagline.engines import Engine, EngineSettings, open_engine
from tagline.errors import FolderError, UsageError
from tagline.folder import TEXT_CLASSIFICATION, TOKENIZER, ModelFolder, positions
from tagline.predict.chunks import Chunk, run_texts
from tagline.predict.opening import open_whole
from tagline.records import Classification, Label, Problem
from tagline.text.pooling import pool, probabilities
from tagline.text.sequences import EncodedSequence, SequenceEncoder, SequenceWindow, TextOrPair
from tagline.text.subtokens import SubTokenizer

Floats = NDArray[np.float32]
TextInput = str | tuple[str, str] | Mapping[str, str]
"""A text, a pair (first, second), or `{"text": …, "text_pair": …}`."""
_EXPECTED = 'a text (str), a tuple ("first", "second"), or a mapping with "text" and "text_pair"'


@dataclass(frozen=True, slots=True)
class ReadText:
    """What the model says of a text, before anything is decided.

    Attributes:
        text: the text.
        pair: the second text, None where there is none.
        logits: (L,) of the whole text.
        windows: how many windows it took.
        shortened: sub-tokens of a pair that did not fit.
    """

    text: str
    pair: str | None
    logits: Floats
    windows: int
    shortened: int


@dataclass(frozen=True, slots=True)
class EncodedText:
    """A text or pair with its windows."""

    item: TextOrPair
    sequence: EncodedSequence
    ends: bool = True

    @property
    def windows(self) -> Sequence[SequenceWindow]:
        """The windows, in order."""
        return self.sequence.windows


class Classifier:
    """Labels texts or pairs of texts.

    Args:
        folder: the opened model folder.
        engine: runs its graph.
    """

    def __init__(self, folder: ModelFolder, engine: Engine) -> None:
        manifest = folder.manifest
        if manifest.task != TEXT_CLASSIFICATION:
            raise FolderError(f"{folder.path}: a model for {manifest.task}; expected one for {TEXT_CLASSIFICATION}")
        self.folder, self.engine = folder, engine
        self.problem, self.labels = manifest.problem, folder.labels
        self.thresholds = np.asarray([manifest.thresholds.get(label, 0.5) for label in self.labels])
        SubTokenizer.from_file(folder.path / TOKENIZER)  # says what is wrong with a damaged file
        self._tokenizer = Tokenizer.from_file(str(folder.path / TOKENIZER))
        self._segments = _segments(folder)
        self.encoder = SequenceEncoder(self._tokenizer, manifest.window, manifest.overlap, self._segments)

    @classmethod
    def open(cls, path: str | Path, settings: EngineSettings | None = None) -> Classifier:
        """Opens a folder; see `tagline.load`."""
        settings = settings or EngineSettings()
        return open_whole(path, settings, lambda folder: cls(folder, open_engine(folder, settings)))

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, texts: str | tuple[str, str] | Mapping[str, str], top_k: int | None = 1
    ) -> Classification: ...

    @overload
    def __call__(self, texts: Iterable[TextInput], top_k: int | None = 1) -> list[Classification]: ...

    def __call__(
        self, texts: TextInput | Iterable[TextInput], top_k: int | None = 1
    ) -> Classification | list[Classification]:
        """Reads one text or pair, or several.

        Args:
            texts: a text, a tuple (first, second), a mapping with `text` and `text_pair`; or an iterable of these.
            top_k: how many labels to give with their scores; None gives all.

        Raises:
            UsageError: something else was given, or a pair to a model of single texts, or the other way round.
        """
        if isinstance(texts, str | Mapping) or _is_pair(texts):
            _check_top_k(top_k)
            return self.decide(next(self.read([self.item(texts)])), top_k)  # type: ignore[arg-type]
        return list(self.stream(texts, top_k))

    def stream(self, texts: Iterable[TextInput], top_k: int | None = 1) -> Iterator[Classification]:
        """Reads texts as they come, in constant memory; one answer a text, in order.

        Some thousand sub-tokens are read ahead, see `Tagger.stream`.
        """
        _check_top_k(top_k)
        if isinstance(texts, str | bytes | Mapping) or not isinstance(texts, Iterable):
            raise UsageError(f"got {type(texts).__name__}; expected {_EXPECTED}, or an iterable of these")
        return self.decided((self.item(each, number) for number, each in enumerate(texts)), top_k)

    def decided(self, items: Iterable[TextOrPair], top_k: int | None = 1, every: int = 0) -> Iterator[Classification]:
        """Labels of texts and pairs, in order; `every` as in `run_texts`."""

        def decide(chunk: Chunk[EncodedText]) -> Iterator[Classification]:
            return (self.decide(read, top_k) for read in self.pooled(chunk))

        return run_texts(self.engine, self.encode(items), self.encoder.pad, decide, every)

    def read(self, items: Iterable[TextOrPair]) -> Iterator[ReadText]:
        """Logits of whole texts, in order."""
        return run_texts(self.engine, self.encode(items), self.encoder.pad, self.pooled)

    def encode(self, items: Iterable[TextOrPair], encoder: SequenceEncoder | None = None) -> Iterator[EncodedText]:
        """Texts and pairs with their windows, as they come; `encoder` another than the model's own."""
        return _encoded(encoder or self.encoder, items)

    def pooled(self, chunk: Chunk[EncodedText]) -> Iterator[ReadText]:
        """Logits of whole texts from those of their windows."""
        pooling = self.folder.manifest.pooling
        for each, logits in zip(chunk.texts, chunk.logits, strict=True):
            text, pair = each.item
            sequence = each.sequence
            yield ReadText(text, pair, pool(logits, pooling), len(sequence.windows), sequence.shortened)

    def encoder_for(self, length: int) -> SequenceEncoder:
        """An encoder with windows of a length, or of the model's greatest if that is less.

        A folder that Tagline trained keeps to the window of its training; another model may be given all its positions.
        """
        manifest = self.folder.manifest
        length = min(length, manifest.window if manifest.ours else positions(self.folder.config))
        if length == manifest.window:
            return self.encoder
        return SequenceEncoder(self._tokenizer, length, None, self._segments)

    def item(self, given: TextInput, number: int | None = None) -> TextOrPair:
        """A text or pair as it was given, checked against what the model reads.

        Args:
            given: the text or pair.
            number: its place among several, for the message.

        Raises:
            UsageError: it is neither, or not what the model reads.
        """
        place = "" if number is None else f"input {number}: "
        item = _item(given, place)
        paired = self.folder.manifest.paired
        if paired is not None and paired != (item[1] is not None):
            raise UsageError(
                f'{place}this model reads pairs of texts and got a single text; give ("first", "second") or '
                '{"text": "first", "text_pair": "second"}'
                if paired
                else f"{place}this model reads single texts and got a pair; give a text (str)"
            )
        return item

    def decide(self, read: ReadText, top_k: int | None = 1) -> Classification:
        """Labels of a text from its logits."""
        scores = probabilities(read.logits, self.problem)
        order = np.argsort(-scores, kind="stable").tolist()
        if self.problem is Problem.MULTI:
            chosen = [place for place in order if scores[place] >= self.thresholds[place]]
        else:
            chosen = order[:1] if self.problem is Problem.SINGLE else []
        ranked = tuple(Label(self.labels[place], float(scores[place])) for place in order[:top_k])
        labels = tuple(self.labels[place] for place in chosen)
        return Classification(read.text, read.pair, self.problem, ranked, labels, read.windows, read.shortened)


def _encoded(encoder: SequenceEncoder, items: Iterable[TextOrPair]) -> Iterator[EncodedText]:
    waiting: deque[TextOrPair] = deque()

    def noted() -> Iterator[TextOrPair]:
        for item in items:
            waiting.append(item)
            yield item

    for sequence in encoder(noted()):
        yield EncodedText(waiting.popleft(), sequence)


def _segments(folder: ModelFolder) -> int:
    """How many segment ids the model is given."""
    if not folder.manifest.ours:  # as Hugging Face reads it: a tokenizer may be told to give no segment ids
        named = folder.tokenizer_config().get("model_input_names")
        if isinstance(named, list) and "token_type_ids" not in named:
            return 1
    return int(folder.config.get("type_vocab_size", 2) or 1)


def _check_top_k(top_k: object) -> None:
    if top_k is not None and (not isinstance(top_k, int) or isinstance(top_k, bool) or top_k < 1):
        raise UsageError(f"top_k is {top_k!r}; expected at least 1, or None for all labels")


def _is_pair(given: object) -> bool:
    return isinstance(given, tuple) and len(given) == 2 and all(isinstance(each, str) for each in given)


def _item(given: object, place: str) -> TextOrPair:
    if isinstance(given, str):
        return given, None
    if _is_pair(given):
        return given  # type: ignore[return-value]
    said = type(given).__name__
    if isinstance(given, Mapping):
        text, pair = given.get("text"), given.get("text_pair")
        if set(given) <= {"text", "text_pair"} and isinstance(text, str) and isinstance(pair, str | None):
            return text, pair
        said = "a mapping of " + (
            ", ".join(f"{name}: {type(each).__name__}" for name, each in given.items()) or "nothing"
        )
    raise UsageError(f"{place}got {said}; expected {_EXPECTED}")
