"""Text to try a model on: as `tagline predict` reads it, or annotated as `tagline evaluate` reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tagline.data.corpus import Corpus, ReadOptions, read_corpus
from tagline.data.streams.row import Row, RowOptions
from tagline.data.streams.rows import read_rows
from tagline.data.texts.corpus import TextCorpus
from tagline.data.texts.options import TextOptions
from tagline.data.texts.reading import read_texts
from tagline.errors import DataError, UsageError
from tagline.folder import TOKEN_CLASSIFICATION, ModelFolder
from tagline.predict.classifier import Classifier
from tagline.predict.judging import shown_all
from tagline.predict.tagger import SplitText, Tagger, split_words
from tagline.predict.text_judging import check_fits
from tagline.records import Batch, LabelledText
from tagline.text.sequences import TextOrPair


@dataclass(frozen=True)
class Reading:
    """How files are read.

    Attributes:
        tokens: for a tagger.
        texts: for a classifier.
    """

    tokens: ReadOptions = field(default_factory=ReadOptions)
    texts: TextOptions = field(default_factory=TextOptions)


@dataclass(frozen=True)
class Sample:
    """Texts to try a model on; one of both is empty.

    Attributes:
        split: for a tagger: texts with their words.
        items: for a classifier: texts or pairs.
    """

    split: tuple[SplitText, ...] = ()
    items: tuple[TextOrPair, ...] = ()

    def __len__(self) -> int:
        return len(self.split) + len(self.items)


def unrun(folder: ModelFolder) -> Tagger | Classifier:
    """A model that reads texts as it should and answers nothing: for what comes before the engine."""
    engine = _Collector(len(folder.labels), by_token=folder.manifest.task == TOKEN_CLASSIFICATION)
    if folder.manifest.task == TOKEN_CLASSIFICATION:
        return Tagger(folder, engine)
    return Classifier(folder, engine)


def read_annotated(model: Tagger | Classifier, path: Path, reading: Reading) -> Corpus | TextCorpus:
    """An annotated file, as the model's task asks.

    Raises:
        DataError: the file cannot be read.
        UsageError: its options or what it asks of a text do not fit.
    """
    if isinstance(model, Tagger):
        return read_corpus(path, reading.tokens, model.splitter)
    corpus = read_texts(path, replace(reading.texts, problem=reading.texts.problem or model.problem))
    check_fits(model, corpus)
    return corpus


def read_sample(model: Tagger | Classifier, path: Path, reading: Reading, most: int) -> Sample:
    """The first texts of a file, without those that are blank: they ask nothing of a model.

    Args:
        model: says what is read: texts with words, texts, or pairs.
        reading: how annotated files are read.
        path: an annotated file, or any that `tagline predict` reads.
        most: how many texts are taken.

    Raises:
        DataError: the file cannot be read, or has no text but blank ones.
        UsageError: its name tells no format, or it holds pairs and the model reads single texts, or the reverse.
    """
    sample = _read(model, path, reading, most)
    if not len(sample):
        raise DataError("has no text but blank rows; expected at least one with words", path)
    return sample


def sample_of(model: Tagger | Classifier, corpus: Corpus | TextCorpus, most: int) -> Sample:
    """The first texts of a corpus that is at hand, without those that are blank."""
    if isinstance(model, Tagger):
        assert isinstance(corpus, Corpus)
        return Sample(split=tuple(islice(shown_all(model, corpus), most)))
    assert isinstance(corpus, TextCorpus)
    return Sample(items=tuple(islice(_items(model, corpus.texts), most)))


def calibration_windows(folder: ModelFolder, sample: Sample, most: int) -> list[Batch]:
    """Windows of a sample as the model would be given them, spread evenly over it; one a batch, so without padding.

    Raises:
        DataError: there is none.
    """
    model = unrun(folder)
    engine = model.engine
    assert isinstance(engine, _Collector)
    if isinstance(model, Tagger):
        for _ in model.stream_split(sample.split):
            pass
    else:
        for _ in model.read(sample.items):
            pass
    seen = engine.seen
    if not seen:
        raise DataError("the text to calibrate on gives the model nothing to read; expected text with words")
    if len(seen) <= most:
        return seen
    return [seen[place] for place in np.linspace(0, len(seen) - 1, most).astype(int)]


class _Collector:
    """An engine that keeps what it is given and answers with zeros."""

    name, precision, batch_tokens = "none", "f32", 1

    def __init__(self, labels: int, by_token: bool) -> None:
        self.labels, self.by_token = labels, by_token
        self.seen: list[Batch] = []

    def run(self, batches: Iterable[Batch]) -> Iterator[NDArray[np.float32]]:
        for batch in batches:
            self.seen.append(batch)
            shape = batch.input_ids.shape if self.by_token else batch.input_ids.shape[:1]
            yield np.zeros((*shape, self.labels), dtype=np.float32)


def _read(model: Tagger | Classifier, path: Path, reading: Reading, most: int) -> Sample:
    with suppress(DataError, UsageError):  # prose is no annotated file, and is read as prose below
        return sample_of(model, read_annotated(model, path, reading), most)
    paired = isinstance(model, Classifier) and model.folder.manifest.paired
    asked = reading.texts
    options = RowOptions(
        text_column=asked.text_column, pair_column=asked.pair_column or ("text_pair" if paired else None)
    )
    with read_rows(path, options) as rows:
        if isinstance(model, Tagger):
            split = (model.split(row.text) if row.words is None else split_words(row.words) for row in rows)
            return Sample(split=tuple(islice((each for each in split if each.words), most)))
        return Sample(items=tuple(islice(_items(model, rows), most)))


def _items(model: Classifier, rows: Iterable[Row | LabelledText]) -> Iterator[TextOrPair]:
    for row in rows:
        if row.text.strip() or (row.pair or "").strip():
            yield model.item(row.text if row.pair is None else (row.text, row.pair))
