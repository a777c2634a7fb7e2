"""The steps of the pass that run a model: rows stream through it in batches, and one that fails is read alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from tagline.errors import DataError, UsageError
from tagline.predict.classifier import Classifier
from tagline.predict.staged import redecided
from tagline.predict.tagger import SplitText
from tagline.records import Classification, Label, Problem
from tagline.spark.cells import Categories, Category, Chunks, Pieces, Row, Tags, Words
from tagline.spark.models import ModelRef, Models
from tagline.spark.steps import ROW_ERRORS, find
from tagline.spark.wording import split_text, words_of

I = TypeVar("I")  # noqa: E741 - what a model reads
A = TypeVar("A")


@dataclass
class _Waiting(Generic[I, A]):
    """A row whose items are in the model.

    Attributes:
        row: the row.
        items: what the model reads of it.
        answers: what has come back so far.
    """

    row: Row
    items: list[I]
    answers: list[A] = field(default_factory=list)


@dataclass
class Road(Generic[I, A]):
    """Rows through a model, in their order.

    Attributes:
        items: what the model reads of a row.
        stream: the model: items in, one answer each, in order, in constant memory.
        finish: writes the answers of a row into it.
    """

    items: Callable[[Row], list[I]]
    stream: Callable[[Iterable[I]], Iterator[A]]
    finish: Callable[[Row, list[A]], None]

    def run(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Takes rows through; a text that the model cannot read costs its own row only."""
        while True:
            feed: _Feed[I, A] = _Feed(rows, self.items)
            try:
                for answer in self.stream(feed):
                    while not feed.waiting[0].items:
                        yield feed.waiting.popleft().row
                    first = feed.waiting[0]
                    first.answers.append(answer)
                    if len(first.answers) == len(first.items):
                        self.finish(first.row, first.answers)
                        yield feed.waiting.popleft().row
                while feed.waiting:
                    yield feed.waiting.popleft().row
                return
            except ROW_ERRORS:
                if feed.broken or not feed.waiting:
                    raise
            while feed.waiting:
                yield self._alone(feed.waiting.popleft())

    def _alone(self, waiting: _Waiting[I, A]) -> Row:
        row = waiting.row
        try:
            if waiting.items:
                self.finish(row, list(self.stream(waiting.items)))
        except ROW_ERRORS as error:
            row.fail(error)
        return row


class _Feed(Generic[I, A]):
    """The items of rows, taken as the model wants them."""

    def __init__(self, rows: Iterator[Row], items: Callable[[Row], list[I]]) -> None:
        self.rows, self.items = rows, items
        self.waiting: deque[_Waiting[I, A]] = deque()
        self.broken = False  # the rows themselves could not be had

    def __iter__(self) -> Iterator[I]:
        while True:
            try:
                row = next(self.rows)
            except StopIteration:
                return
            except Exception:
                self.broken = True
                raise
            items: list[I] = []
            if row.error is None:
                try:
                    items = self.items(row)
                except ROW_ERRORS as error:
                    row.fail(error)
            self.waiting.append(_Waiting(row, items))
            yield from items


@dataclass(frozen=True)
class Tag:
    """Words to tags."""

    output: str
    inputs: tuple[str, ...]
    model: ModelRef
    every_score: bool = True

    def run(self, rows: Iterator[Row], models: Models) -> Iterator[Row]:
        """See `steps.Step`."""
        tagger = models.tagger(self.model)
        meter = models.meter

        def items(row: Row) -> list[SplitText]:
            words = self._words(row, tagger)
            if words is None:
                return []
            row.cells[self.output] = Tags(words, ())
            return [words.split]

        def finish(row: Row, answers: list[Any]) -> None:
            document, scores = answers[0]
            cell = row.cells[self.output]
            cell.tags, cell.scores, cell.entities = document.tags, document.scores, document.entities
            if self.every_score:
                # A copy: a view would hold the whole chunk's scores for as long as this row waits.
                cell.matrix, cell.labels = scores.copy(), tagger.folder.labels
            if meter is not None:
                meter.add(windows=document.windows, shortened=document.shortened)

        return Road(items, tagger.stream_scored, finish).run(rows)

    def _words(self, row: Row, tagger: Any) -> Words | None:
        words, pieces = find(row, self.inputs, Words), find(row, self.inputs, Pieces)
        if words is None and pieces is not None:
            words = words_of(pieces, tagger.splitter(pieces.text), tagger.splitter)
        if words is None or words.ready:
            return words
        split = words.split
        text = split.text if pieces is None else pieces.text
        for (start, end), word in zip(split.offsets, split.words, strict=True):
            if text[start:end] != word:
                raise DataError(f"the word {word[:40]!r} does not stand at {start} to {end - 1} of the document")
        split = split_text(text, split.offsets, words.owners)
        if not split.starts and (pieces is None or pieces.whole):
            split = tagger.cut(split)
        return Words(split, words.owners)


@dataclass(frozen=True)
class Question:
    """What is asked of a classifier's logits, where that is not left to the model.

    Attributes:
        problem: one label or several; None leaves it to the model.
        threshold: from which probability on one of several labels is said; None leaves it to the model.
        together: whether the sentences of a document get one answer, the mean of their scores.
    """

    problem: Problem | None = None
    threshold: float | None = None
    together: bool = False


@dataclass(frozen=True)
class Classify:
    """Documents or sentences to categories."""

    output: str
    inputs: tuple[str, ...]
    model: ModelRef
    question: Question = field(default_factory=Question)

    def run(self, rows: Iterator[Row], models: Models) -> Iterator[Row]:
        """See `steps.Step`."""
        opened = models.classifier(self.model)
        classifier = redecided(opened, self.question.problem, self.question.threshold)
        meter = models.meter

        def items(row: Row) -> list[str]:
            pieces = find(row, self.inputs, Pieces)
            return [] if pieces is None else [pieces.text[start:end] for start, end in pieces.spans]

        def finish(row: Row, answers: list[Classification]) -> None:
            pieces = find(row, self.inputs, Pieces)
            assert pieces is not None  # else nothing would have been read
            row.cells[self.output] = Categories(list(self._categories(pieces, answers, classifier)))
            if meter is not None:
                windows, shortened = sum(each.windows for each in answers), sum(each.shortened for each in answers)
                meter.add(windows=windows, shortened=shortened)

        return Road(items, lambda texts: classifier.stream(texts, None), finish).run(rows)

    def _categories(
        self, pieces: Pieces, answers: Sequence[Classification], classifier: Classifier
    ) -> Iterator[Category]:
        spans = list(pieces.spans)
        tables = [{each.label: each.score for each in answer.scores} for answer in answers]
        if self.question.together and len(answers) > 1:
            tables = [{name: sum(each[name] for each in tables) / len(tables) for name in classifier.labels}]
            spans = [(spans[0][0], spans[-1][1])]
        for number, ((start, end), table) in enumerate(zip(spans, tables, strict=True)):
            scores = tuple(Label(name, table[name]) for name in classifier.labels)
            for result in _decided(table, classifier):
                yield Category(start, end - 1, number, result, scores)


def _decided(table: dict[str, float], classifier: Classifier) -> list[str]:
    """The labels that a table of scores speaks for, the most probable first; of a regression its number."""
    ranked = sorted(classifier.labels, key=lambda name: -table[name])
    if classifier.problem is Problem.REGRESSION:
        return [str(table[ranked[0]])]
    if classifier.problem is Problem.SINGLE:
        return ranked[:1]
    bounds = dict(zip(classifier.labels, classifier.thresholds.tolist(), strict=True))
    return [name for name in ranked if table[name] >= bounds[name]]


@dataclass(frozen=True)
class Answer:
    """Texts, or pairs, to what `tagline predict` says of them."""

    output: str
    inputs: tuple[str, ...]
    model: ModelRef
    top_k: int | None = 1

    def run(self, rows: Iterator[Row], models: Models) -> Iterator[Row]:
        """See `steps.Step`."""
        meter = models.meter

        def finish(row: Row, answers: list[Any]) -> None:
            answer = answers[0]
            found = Chunks(answer.entities, ()) if self.model.tags else answer
            row.cells[self.output] = found
            if meter is not None:
                meter.add(windows=answer.windows, shortened=answer.shortened)

        if self.model.tags:
            return Road(self._texts, models.tagger(self.model).stream, finish).run(rows)
        classifier = models.classifier(self.model)
        return Road(self._pairs, lambda texts: classifier.stream(texts, self.top_k), finish).run(rows)

    def _texts(self, row: Row) -> list[str]:
        text = row.values.get(self.inputs[0])
        return [] if text is None else [text]

    def _pairs(self, row: Row) -> list[Any]:
        if len(self.inputs) == 1:
            return list(self._texts(row))
        first, second = (row.values.get(name) for name in self.inputs)
        if first is None and second is None:
            return []
        if first is None or second is None:
            raise UsageError("one text of the pair is null; expected two texts, or neither")
        return [(first, second)]
