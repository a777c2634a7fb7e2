"""A tagger or a classifier as `tagline predict` sees it: rows in, answers out, and how they are written and shown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagline.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from tagline.data.streams.row import Row, RowOptions
    from tagline.engines.base import Engine, EngineSettings
    from tagline.folder import ModelFolder
    from tagline.predict.classifier import Classifier
    from tagline.predict.tagger import Tagger

_PAIR = "text_pair"


@dataclass(frozen=True)
class ReaderOptions:
    """What is asked of the answers.

    Attributes:
        argmax: of entities: take each word's best tag for itself.
        top_k: of texts: how many labels to give; None gives all.
    """

    argmax: bool = False
    top_k: int | None = 1


class Reader(ABC):
    """A model that reads rows.

    Attributes:
        folder: its folder.
        engine: what runs it.
        answers: the columns of its answers.
        answers_empty: whether it has something to say of an empty text.
    """

    folder: ModelFolder
    engine: Engine
    answers: Mapping[str, str]
    answers_empty: bool

    @abstractmethod
    def rows(self, rows: Iterable[Row]) -> Iterator[tuple[Row, Any]]:
        """Each row with its answer, in order."""

    @abstractmethod
    def show(self, answer: Any, console: Console) -> None:
        """Prints an answer for people."""

    @abstractmethod
    def shortened(self, count: int) -> str:
        """What it means that answers were `shortened` so often."""

    @abstractmethod
    def pair_column(self, given: str | int | None, source: str, reading: RowOptions) -> str | int | None:
        """The column of second texts; None where the model reads single texts."""


class TagReader(Reader):
    """A tagger."""

    def __init__(self, tagger: Tagger) -> None:
        from tagline.data.streams.answers import ENTITIES

        self.tagger, self.folder, self.engine = tagger, tagger.folder, tagger.engine
        self.answers, self.answers_empty = ENTITIES, False

    def rows(self, rows: Iterable[Row]) -> Iterator[tuple[Row, Any]]:
        """See `Reader`."""
        from tagline.predict.rows import tag_rows

        self._refuse_pairs(None)
        return tag_rows(self.tagger, map(self._single, rows))

    def show(self, answer: Any, console: Console) -> None:
        """See `Reader`."""
        from tagline.cli.show import show

        show(answer, self.tagger.labels, console)

    def shortened(self, count: int) -> str:
        """See `Reader`."""
        return f"{count} very long words were read by their first sub-tokens"

    def pair_column(self, given: str | int | None, source: str, reading: RowOptions) -> str | int | None:
        """See `Reader`."""
        self._refuse_pairs(given)
        return None

    def _single(self, row: Row) -> Row:
        self._refuse_pairs(row.pair)
        return row

    def _refuse_pairs(self, pair: object) -> None:
        if pair is not None:
            raise UsageError("this model marks entities in single texts; leave --pair-column and --text-pair away")


class LabelReader(Reader):
    """A classifier."""

    def __init__(self, classifier: Classifier, top_k: int | None) -> None:
        from tagline.data.streams.answers import classification_columns

        self.classifier, self.folder, self.engine = classifier, classifier.folder, classifier.engine
        self.top_k = top_k
        shown = len(classifier.labels) if top_k is None else min(top_k, len(classifier.labels))
        self.answers = classification_columns(classifier.problem, shown > 1)
        self.answers_empty = True

    def rows(self, rows: Iterable[Row]) -> Iterator[tuple[Row, Any]]:
        """See `Reader`."""
        from tagline.predict.rows import classify_rows

        return classify_rows(self.classifier, rows, self.top_k)

    def show(self, answer: Any, console: Console) -> None:
        """See `Reader`."""
        from tagline.cli.show import show_labels

        show_labels(answer, console)

    def shortened(self, count: int) -> str:
        """See `Reader`."""
        return f"{count:,} sub-tokens of pairs longer than the window were left out, from the longer text"

    def pair_column(self, given: str | int | None, source: str, reading: RowOptions) -> str | int | None:
        """See `Reader`."""
        if given is None and self.folder.manifest.paired:
            return _PAIR
        if given is not None and self.folder.manifest.paired is False:
            raise UsageError("this model reads single texts; leave --pair-column away")
        return given


def open_reader(model: Path, settings: EngineSettings, options: ReaderOptions) -> Reader:
    """Opens a model folder for what it was trained for.

    Raises:
        FolderError: no model folder, or a damaged one.
        UsageError: an option of entities for a model of texts, or the other way round.
    """
    from tagline.engines.opening import open_engine
    from tagline.folder import TEXT_CLASSIFICATION
    from tagline.predict.classifier import Classifier
    from tagline.predict.opening import open_whole
    from tagline.predict.tagger import Tagger

    def made(folder: ModelFolder) -> Reader:
        if folder.manifest.task == TEXT_CLASSIFICATION:
            if options.argmax:
                raise UsageError(f"{model} labels texts; --argmax is for entities")
            return LabelReader(Classifier(folder, open_engine(folder, settings)), options.top_k)
        if options.top_k != 1:
            raise UsageError(f"{model} marks entities; --top-k and --all-scores are for models that label texts")
        return TagReader(Tagger(folder, open_engine(folder, settings), not options.argmax))

    return open_whole(model, settings, made)
