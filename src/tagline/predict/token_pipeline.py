"""Answers in the schema of Hugging Face's token-classification pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypedDict, Unpack, overload

from tagline.engines import Engine
from tagline.errors import UsageError
from tagline.folder import TOKEN_CLASSIFICATION, ModelFolder
from tagline.predict.chunks import Chunk, run_texts
from tagline.predict.grouping import STRATEGIES, Answer, Grouper, LabelTable
from tagline.predict.options import check_task, refuse_unknown
from tagline.predict.raw import RawEncoder, RawText, Source


class TokenOptions(TypedDict, total=False):
    """What `pipeline` takes by keyword and a call may change; see `TokenSettings`."""

    aggregation_strategy: str
    ignore_labels: Sequence[str]
    stride: int | None
    batch_size: int
    is_split_into_words: bool
    delimiter: str


@dataclass(frozen=True)
class TokenSettings:
    """How answers are made.

    Attributes:
        aggregation_strategy: `none` (an answer a sub-token), `simple` (neighbours of one entity), `first`, `average`
            or `max` (the same over whole words, whose label is that of the first sub-token, of the mean of the
            probabilities, or of the surest sub-token).
        ignore_labels: labels (`none`) or entity groups that are left out.
        stride: most sub-tokens that neighbouring windows of a long text share; None takes the model's own.
        batch_size: accepted for those who come from Hugging Face; batches are made by sub-tokens (`batch_tokens`).
        is_split_into_words: texts are lists of words.
        delimiter: what joins such words; offsets count in the joined text.
    """

    aggregation_strategy: str = "none"
    ignore_labels: Sequence[str] = ("O",)
    stride: int | None = None
    batch_size: int = 1
    is_split_into_words: bool = False
    delimiter: str = " "

    def __post_init__(self) -> None:
        if self.aggregation_strategy not in STRATEGIES:
            raise UsageError(
                f"aggregation_strategy is {self.aggregation_strategy!r}; accepted are {', '.join(STRATEGIES)}"
            )
        if isinstance(self.ignore_labels, str):
            raise UsageError(f"ignore_labels is {self.ignore_labels!r}; expected a list of labels, such as ['O']")
        if self.stride is not None and self.stride < 0:
            raise UsageError(f"stride is {self.stride}; expected 0 or more sub-tokens, or None for the model's own")
        if self.batch_size < 1:
            raise UsageError(f"batch_size is {self.batch_size}; expected at least 1")


class TokenClassificationPipeline:
    """Finds entities and answers in the Hugging Face schema; made by `tagline.pipeline`.

    Args:
        folder: the opened model folder.
        engine: runs its model.
        settings: how answers are made.
    """

    def __init__(
        self,
        folder: ModelFolder,
        engine: Engine,
        settings: TokenSettings | None = None,
    ) -> None:
        check_task(folder, TOKEN_CLASSIFICATION)
        self.folder, self.engine = folder, engine
        self.settings = settings or TokenSettings()
        self._encoder = RawEncoder(folder)
        # The scheme of a folder from elsewhere was only guessed; its prefixes are read label by label.
        bare = folder.manifest.bare and folder.manifest.ours
        self._group = Grouper(self._encoder, LabelTable(folder.labels, bare))

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, inputs: str, **changes: Unpack[TokenOptions]
    ) -> list[Answer]: ...

    @overload
    def __call__(
        self, inputs: Iterable[str] | Iterable[Sequence[str]], **changes: Unpack[TokenOptions]
    ) -> list[list[Answer]]: ...

    def __call__(
        self, inputs: str | Iterable[str] | Iterable[Sequence[str]], **changes: Unpack[TokenOptions]
    ) -> list[Answer] | list[list[Answer]]:
        """Reads one text, or several.

        Args:
            inputs: a text or texts; with `is_split_into_words` a list of words or several of them.
            changes: settings for this call alone.

        Returns:
            For one text a list of dictionaries, otherwise such a list for each, in order (for one list of words, as
            Hugging Face does, a list of one). With `none` the keys are `entity score index word start end`, otherwise
            `entity_group score word start end`; `end` is exclusive, `score` a Python float.

        Raises:
            UsageError: something else than text was given, or a setting is out of range.
        """
        settings = self.changed(changes)
        if isinstance(inputs, str) and not settings.is_split_into_words:
            return next(self._stream([inputs], settings))
        if settings.is_split_into_words and _is_words(inputs):
            inputs = [inputs]  # type: ignore[list-item]
        return list(self._stream(inputs, settings))

    def stream(
        self, inputs: Iterable[str] | Iterable[Sequence[str]], **changes: Unpack[TokenOptions]
    ) -> Iterator[list[Answer]]:
        """Reads texts as they come, in constant memory; one list of answers a text, in order.

        Some thousand sub-tokens are read ahead, see `Tagger.stream`.
        """
        return self._stream(inputs, self.changed(changes))

    def _stream(self, inputs: Iterable[Any], settings: TokenSettings) -> Iterator[list[Answer]]:
        return run_texts(
            self.engine, self.encode(inputs, settings), self.pad, lambda each: self.answers(each, settings)
        )

    @property
    def pad(self) -> int:
        """Id of the padding sub-token."""
        return self._encoder.pad

    def encode(self, inputs: Iterable[Any], settings: TokenSettings) -> Iterator[RawText]:
        """Several texts (or lists of words) with their windows, as they come."""
        return self._encoder(_sources(inputs, settings), settings.stride)

    def answers(self, chunk: Chunk[RawText], settings: TokenSettings) -> list[list[Answer]]:
        """Answers to texts whose windows have their logits."""
        return self._group(chunk, settings.aggregation_strategy, settings.ignore_labels)

    def changed(self, changes: TokenOptions) -> TokenSettings:
        """The settings with changes for one call.

        Raises:
            UsageError: an unknown setting, or one out of range.
        """
        refuse_unknown(changes, [each.name for each in fields(TokenSettings)], "a call of the pipeline")
        return replace(self.settings, **changes)


def _is_words(inputs: object) -> bool:
    return isinstance(inputs, list | tuple) and len(inputs) > 0 and all(isinstance(each, str) for each in inputs)


def _sources(inputs: Iterable[Any], settings: TokenSettings) -> Iterator[Source]:
    split = settings.is_split_into_words
    expected = "a list of words (str) or several" if split else "a text (str) or several"
    if isinstance(inputs, str | bytes) or not isinstance(inputs, Iterable):
        raise UsageError(f"got {type(inputs).__name__}; expected {expected}")
    for number, each in enumerate(inputs):
        if split and _is_words(each):
            yield Source.join(each, settings.delimiter)
        elif split and isinstance(each, list | tuple) and not each:
            yield Source.join((), settings.delimiter)
        elif not split and isinstance(each, str):
            yield Source(each)
        else:
            hint = "" if split or not _is_words(each) else " (for words give is_split_into_words=True)"
            raise UsageError(f"input {number} is of type {type(each).__name__}; expected {expected}{hint}")
