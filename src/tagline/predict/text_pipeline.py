"""Answers in the schema of Hugging Face's text-classification pipeline."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, Literal, TypedDict, TypeVar, Unpack, overload

import numpy as np
from numpy.typing import NDArray

from tagline.engines import Engine
from tagline.errors import UsageError
from tagline.folder import ModelFolder
from tagline.predict.chunks import Chunk, run_texts
from tagline.predict.classifier import Classifier, EncodedText
from tagline.predict.options import refuse_unknown
from tagline.records import Problem
from tagline.text.pooling import sigmoid, softmax
from tagline.text.sequences import SequenceEncoder, TextOrPair

FUNCTIONS = ("default", "sigmoid", "softmax", "none")
_TRUNCATIONS = (True, False, "longest_first", "do_not_truncate")
_PADDINGS = (True, False, "longest", "max_length", "do_not_pad")
_EXPECTED = 'a text (str), {"text": "first", "text_pair": "second"} for a pair, or several of these'

Floats = NDArray[np.float32]
Input = str | Mapping[str, str] | Sequence[Sequence[str]]
"""A text, `{"text": …, "text_pair": …}`, or (of old, and within a list only) `[["first", "second"]]` for a pair."""


class Score(TypedDict):
    """A label with its score."""

    label: str
    score: float


class TextOptions(TypedDict, total=False):
    """What `pipeline` takes by keyword and a call may change, `top_k` aside; see `TextSettings`."""

    function_to_apply: str | None
    batch_size: int
    truncation: bool | str | None
    max_length: int | None
    padding: bool | str


@dataclass(frozen=True)
class TextSettings:
    """How answers are made.

    Attributes:
        top_k: how many labels to give, the best first; None gives all. Left away (or `""`, as Hugging Face marks it)
            the best label stands alone, not in a list.
        function_to_apply: `sigmoid`, `softmax` or `none` (the logits), in capitals or not. `default`, or None:
            `none` for a regression, `sigmoid` for several labels or a single output, else `softmax`.
        batch_size: accepted for those who come from Hugging Face; batches are made by sub-tokens (`batch_tokens`).
        truncation: accepted for those who come from Hugging Face: `True`, `False`, `longest_first` or
            `do_not_truncate`. A single text is never cut, whatever is said. Of a pair that does not fit one window the
            longer text is shortened in any case; `True` or `longest_first` spare the warning.
        max_length: most sub-tokens of a window, special tokens included, if that is fewer than the model's own; texts
            are read whole in windows of this length, whose logits are pooled. A folder that Tagline did not train has
            windows of at most 512 by itself; for a model that takes more, more may be given here.
        padding: accepted for those who come from Hugging Face; batches are always padded to their longest window.
    """

    top_k: int | Literal[""] | None = ""
    function_to_apply: str | None = None
    batch_size: int = 1
    truncation: bool | str | None = None
    max_length: int | None = None
    padding: bool | str = False

    def __post_init__(self) -> None:
        if self.top_k not in ("", None) and not _counts(self.top_k):
            raise UsageError(f"top_k is {self.top_k!r}; expected a number from 1, or None for all labels")
        applied: object = self.function_to_apply
        if applied is not None and (not isinstance(applied, str) or applied.lower() not in FUNCTIONS):
            raise UsageError(f"function_to_apply is {applied!r}; accepted are {', '.join(FUNCTIONS)}")
        if not _counts(self.batch_size):
            raise UsageError(f"batch_size is {self.batch_size!r}; expected at least 1")
        if self.max_length is not None and not _counts(self.max_length):
            raise UsageError(f"max_length is {self.max_length!r}; expected a number of sub-tokens, or None")
        if self.truncation is not None and self.truncation not in _TRUNCATIONS:
            raise UsageError(
                f"truncation is {self.truncation!r}; accepted are {', '.join(map(str, _TRUNCATIONS))}: single texts "
                "are read whole, and of pairs the longer text is shortened first"
            )
        if self.padding not in _PADDINGS:
            raise UsageError(f"padding is {self.padding!r}; accepted are {', '.join(map(str, _PADDINGS))}")

    @property
    def shortens(self) -> bool:
        """Whether the caller asked for pairs to be shortened."""
        return self.truncation in (True, "longest_first")


A = TypeVar("A", Score, list[Score])


class TextClassificationPipeline(Generic[A]):
    """Labels texts and answers in the Hugging Face schema; made by `tagline.pipeline`.

    Args:
        folder: the opened model folder.
        engine: runs its model.
        settings: how answers are made.
    """

    def __init__(
        self,
        folder: ModelFolder,
        engine: Engine,
        settings: TextSettings | None = None,
    ) -> None:
        self.classifier = Classifier(folder, engine)
        self.folder, self.engine = folder, engine
        self.settings = settings or TextSettings()

    @overload
    def __call__(self, inputs: str, **changes: Unpack[TextOptions]) -> list[A]: ...

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, inputs: Mapping[str, str], **changes: Unpack[TextOptions]
    ) -> A: ...

    @overload
    def __call__(self, inputs: Iterable[Input], **changes: Unpack[TextOptions]) -> list[A]: ...

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, inputs: str | Mapping[str, str], *, top_k: int | None, **changes: Unpack[TextOptions]
    ) -> list[Score]: ...

    @overload
    def __call__(
        self, inputs: Iterable[Input], *, top_k: int | None, **changes: Unpack[TextOptions]
    ) -> list[list[Score]]: ...

    def __call__(self, inputs: str | Mapping[str, str] | Iterable[Input], **changes: Any) -> Any:
        """Reads one text or pair, or several.

        Args:
            inputs: a text or a mapping with `text` and `text_pair`; or an iterable of these.
            changes: settings for this call alone.

        Returns:
            For one text or pair its answer, for several a list of answers, in order. An answer is a dictionary
            `{"label", "score"}`, or, where `top_k` was given to the call or to `pipeline`, a list of them, the best
            first. As Hugging Face does, the answer to a text (str) is put into a list, unless `top_k` was given to
            this very call. `score` is a Python float.

        Raises:
            UsageError: something else than text was given, or a setting is out of range.
        """
        settings = self.changed(changes)
        if isinstance(inputs, str | Mapping):
            answer = next(self._stream([self._item(inputs)], settings))
            return [answer] if isinstance(inputs, str) and "top_k" not in changes else answer
        return list(self._stream(self._items(inputs), settings))

    @overload
    def stream(self, inputs: Iterable[Input], **changes: Unpack[TextOptions]) -> Iterator[A]: ...

    @overload
    def stream(
        self, inputs: Iterable[Input], *, top_k: int | None, **changes: Unpack[TextOptions]
    ) -> Iterator[list[Score]]: ...

    def stream(self, inputs: Iterable[Input], **changes: Any) -> Iterator[Any]:
        """Reads texts as they come, in constant memory; one answer a text, in order.

        Some thousand sub-tokens are read ahead, see `Tagger.stream`.
        """
        return self._stream(self._items(inputs), self.changed(changes))

    def _stream(self, items: Iterable[TextOrPair], settings: TextSettings) -> Iterator[Score | list[Score]]:
        def answers(chunk: Chunk[EncodedText]) -> Iterator[tuple[int, Score | list[Score]]]:
            for read in self.classifier.pooled(chunk):
                yield read.shortened, self._answer(read.logits, settings)

        told = settings.shortens
        texts = self.classifier.encode(items, self._encoder(settings.max_length))
        for shortened, answer in run_texts(self.engine, texts, self.classifier.encoder.pad, answers):
            if shortened and not told:
                told = True
                warnings.warn(
                    f"a pair of texts is {shortened} sub-tokens too long for one window, and its longer text is "
                    "shortened; truncation=True says that this is known",
                    stacklevel=3,
                )
            yield answer

    def encode(self, inputs: Iterable[Input], settings: TextSettings) -> Iterator[EncodedText]:
        """Several texts and pairs with their windows, as they come."""
        return self.classifier.encode(self._items(inputs), self._encoder(settings.max_length))

    def answers(self, chunk: Chunk[EncodedText], settings: TextSettings) -> list[Score | list[Score]]:
        """Answers to texts whose windows have their logits."""
        return [self._answer(read.logits, settings) for read in self.classifier.pooled(chunk)]

    def _answer(self, logits: Floats, settings: TextSettings) -> Score | list[Score]:
        scores = self._apply(logits, settings.function_to_apply)
        labels = self.folder.labels
        if settings.top_k == "":
            best = int(scores.argmax())
            return {"label": labels[best], "score": float(scores[best])}
        order = np.argsort(-scores, kind="stable").tolist()[: settings.top_k]
        return [{"label": labels[place], "score": float(scores[place])} for place in order]

    def _apply(self, logits: Floats, function: str | None) -> Floats:
        name = "default" if function is None else function.lower()
        problem = self.classifier.problem
        if name == "none" or (name == "default" and problem is Problem.REGRESSION):
            return logits
        if name == "sigmoid" or (name == "default" and (problem is Problem.MULTI or len(logits) == 1)):
            return sigmoid(logits)
        return softmax(logits)

    def _encoder(self, max_length: int | None) -> SequenceEncoder:
        if max_length is None:
            return self.classifier.encoder
        least = self.classifier.encoder.least
        if max_length < least:
            raise UsageError(f"max_length is {max_length}; expected at least {least}, special tokens included")
        return self.classifier.encoder_for(max_length)

    def changed(self, changes: dict[str, Any]) -> TextSettings:
        """The settings with changes for one call.

        Raises:
            UsageError: an unknown setting, or one out of range.
        """
        refuse_unknown(changes, [each.name for each in fields(TextSettings)], "a call of the pipeline")
        if changes.get("function_to_apply", "") is None:  # as if it had not been given
            changes = {name: value for name, value in changes.items() if name != "function_to_apply"}
        settings = replace(self.settings, **changes)
        self._encoder(settings.max_length)  # says at once what is wrong
        return settings

    def _items(self, inputs: Any) -> Iterator[TextOrPair]:
        """Checks now what was given, and each text when it is read."""
        if isinstance(inputs, str | bytes | Mapping) or not isinstance(inputs, Iterable):
            raise UsageError(f"got {type(inputs).__name__}; expected {_EXPECTED}")
        if isinstance(inputs, tuple) and len(inputs) == 2 and all(isinstance(each, str) for each in inputs):
            raise UsageError(
                "got a tuple of two texts; give a list for two single texts, or "
                '{"text": "first", "text_pair": "second"} for a pair'
            )
        return (self._item(_unpacked(each, number), number) for number, each in enumerate(inputs))

    def _item(self, given: Any, number: int | None = None) -> TextOrPair:
        text, pair = self.classifier.item(given, number)
        # An empty second text is none, as Hugging Face's tokenizers see it, save for a model that surely reads pairs.
        return text, pair if pair or self.folder.manifest.paired else None


def _unpacked(given: Any, number: int) -> Any:
    """The old form `[["first", "second"]]` as a tuple; other sequences, in which a pair might be meant, are refused."""
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], list) and len(given[0]) == 2:
        return tuple(given[0])
    if isinstance(given, list | tuple):
        raise UsageError(f"input {number} is of type {type(given).__name__}; expected {_EXPECTED}")
    return given


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
