"""Teachers of `tagline train --teacher`: what they say of the training data and of text without labels."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tagline.cli import options as shared
from tagline.errors import DataError, FolderError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tagline.data.corpus import Corpus
    from tagline.data.streams.row import Row
    from tagline.data.texts.corpus import TextCorpus
    from tagline.folder import Manifest
    from tagline.predict import Classifier, Tagger
    from tagline.text.sequences import TextOrPair
    from tagline.text.words import WordSplitter
    from tagline.train.distil.taught import Taught
    from tagline.train.settings import FitSettings
    from tagline.train.texts.prepare import PreparedTexts
    from tagline.train.tokens.prepare import PreparedTokens

M = TypeVar("M", "Tagger", "Classifier")


@dataclass(frozen=True)
class Teaching:
    """Who teaches, and on what beside the training data.

    Attributes:
        teachers: model folders, or names of models.
        unlabelled: a file of texts without labels, or None.
        facts: what the manifest will say; filled while teachers are asked.
    """

    teachers: tuple[Path, ...] = ()
    unlabelled: Path | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.unlabelled is not None and not self.teachers:
            raise UsageError(f"--unlabelled {self.unlabelled} has nobody who reads it; add --teacher MODEL")

    def noted(self, manifest: Manifest) -> Manifest:
        """The manifest with what the teachers were."""
        if not self.facts:
            return manifest
        return replace(manifest, training={**manifest.training, "distillation": self.facts})


NOBODY = Teaching()
"""No teachers."""


def teach_tokens(
    prepared: PreparedTokens, corpus: Corpus, settings: FitSettings, teaching: Teaching
) -> Taught[PreparedTokens] | None:
    """Asks taggers for their chances of each tag at each word; None without teachers.

    Raises:
        UsageError: the student has a CRF.
        FolderError: a teacher is no tagger.
        LabelError: a teacher has other tags.
        DataError: the unlabelled text has no words.
    """
    if not teaching.teachers:
        return None
    if prepared.transitions(prepared.encoder.model):
        raise UsageError(
            "--teacher is for a student with a linear head: a CRF is learned from whole sentences, not from chances of "
            "single tags. Type --head linear; teachers may have a CRF, what they say then are its marginals"
        )
    from tagline.predict.judging import shown_all
    from tagline.predict.tagger import Tagger, split_words
    from tagline.records import Problem
    from tagline.text.words import WordSplitter
    from tagline.train.distil.targets import word_targets
    from tagline.train.distil.taught import Taught, TaughtExamples

    more = _sentences(teaching, WordSplitter(prepared.rules))
    words = [len(each) for each in chain((each.words for each in corpus.sentences), more)]

    def read(model: Tagger) -> Iterator[NDArray[np.float32]]:
        texts = chain(shown_all(model, corpus), map(split_words, more))
        return (chances for _, chances in model.stream_scored(texts))

    asked = _ask(teaching, Tagger, prepared.labels, len(words), settings, read)
    windows, sentence = list(prepared.train.windows), list(prepared.train.sentence)
    for number, each in enumerate(more, start=len(corpus.sentences)):
        found = prepared.windows(each).windows
        windows += found
        sentence += [number] * len(found)
    targets = word_targets(asked, windows, sentence, words)
    train = TaughtExamples(prepared.train, windows[len(prepared.train.windows) :], _fingerprints(teaching))
    return Taught(prepared, train, targets, Problem.SINGLE, settings)


def teach_texts(
    prepared: PreparedTexts, corpus: TextCorpus, settings: FitSettings, teaching: Teaching
) -> Taught[PreparedTexts] | None:
    """Asks classifiers for their chances of each label (or their numbers); None without teachers.

    Raises:
        UsageError: a teacher answers another kind of question.
        FolderError: a teacher is no classifier.
        LabelError: a teacher has other labels.
        DataError: there is no unlabelled text in the file.
    """
    if not teaching.teachers:
        return None
    import numpy as np

    from tagline.predict.classifier import Classifier
    from tagline.records import Problem
    from tagline.text.pooling import probabilities
    from tagline.train.distil.targets import Targets, packed
    from tagline.train.distil.taught import Taught, TaughtExamples

    items = [(each.text, each.pair) for each in corpus.texts if each.text.strip() or (each.pair or "").strip()]
    labelled = len(items)
    items += _texts(teaching, prepared.paired)

    def read(model: Classifier) -> Iterator[NDArray[np.float32]]:
        if model.problem is not prepared.problem or model.folder.manifest.paired not in (None, prepared.paired):
            raise UsageError(
                f"--teacher {model.folder.path} is a model for {_kind(model.problem, model.folder.manifest.paired)}; "
                f"expected one for {_kind(prepared.problem, prepared.paired)}, as the training data is"
            )
        return (probabilities(each.logits, model.problem)[None] for each in model.read(items))

    asked = _ask(teaching, Classifier, prepared.labels, len(items), settings, read)
    if prepared.problem is Problem.REGRESSION:
        asked = (asked - np.float32(prepared.scale[0])) / np.float32(prepared.scale[1])
    encoded = list(prepared.sequences(items[labelled:]))
    owner = [number for number, each in enumerate(encoded, start=labelled) for _ in each.windows]
    starts = np.concatenate((prepared.train.owner, np.asarray(owner, dtype=np.int64)))
    more = [window for each in encoded for window in each.windows]
    train = TaughtExamples(prepared.train, more, _fingerprints(teaching))
    return Taught(prepared, train, Targets(packed(asked, prepared.problem), starts), prepared.problem, settings)


def _ask(
    teaching: Teaching,
    kind: type[M],
    labels: Sequence[str],
    count: int,
    settings: FitSettings,
    read: Callable[[M], Iterator[NDArray[np.float32]]],
) -> NDArray[np.float32]:
    """(N, L) mean of what the teachers say, in the student's order of labels."""
    import numpy as np

    from tagline.cli.progress import counting
    from tagline.engines import EngineSettings
    from tagline.folder import MANIFEST, WEIGHTS, fingerprint
    from tagline.train.distil.targets import columns

    total: NDArray[np.float32] | None = None
    begun = time.monotonic()
    notes = []
    for path in teaching.teachers:
        model = kind.open(path, EngineSettings(precision="f32", threads=settings.threads))
        order = columns(str(path), model.folder.labels, labels) if len(labels) > 1 else np.zeros(1, dtype=np.int64)
        place = model.folder.path
        sealed = place / MANIFEST if (place / MANIFEST).is_file() else place / WEIGHTS
        if not sealed.is_file():
            raise FolderError(f"{place}: {WEIGHTS} is missing. Take the folder anew from where it was made")
        notes.append({"model": place.resolve().name, "file": sealed.name, "sha256": fingerprint(sealed)})
        parts = []
        with counting(f"teacher {path}", count, "texts") as done:
            for each in read(model):
                parts.append(each[:, order])
                done(1)
        said = np.concatenate(parts)
        total = said if total is None else total + said
    assert total is not None
    names = ", ".join(str(path) for path in teaching.teachers)
    shared.say(f"taught by {names}: {count:,} texts read in {time.monotonic() - begun:.0f} s")
    teaching.facts["teachers"] = notes
    return np.asarray(total / len(teaching.teachers), dtype=np.float32)


def _sentences(teaching: Teaching, splitter: WordSplitter) -> list[list[str]]:
    """The words of the unlabelled text, sentence by sentence where the training data holds sentences."""
    from tagline.text.sentences import sentence_starts

    found: list[list[str]] = []
    for row in _rows(teaching):
        if row.words is not None:
            found.append(list(row.words))
            continue
        offsets = splitter(row.text)
        words = [row.text[start:end] for start, end in offsets]
        starts = sentence_starts(row.text, offsets, words) if splitter.rules.split_sentences else []
        borders = [0, *starts, len(words)]
        found += [words[start:end] for start, end in pairwise(borders)]
    return _some([each for each in found if each], teaching)


def _texts(teaching: Teaching, paired: bool) -> list[TextOrPair]:
    rows = _rows(teaching, "text_pair" if paired else None)
    return _some([(row.text, row.pair) for row in rows if row.text.strip() or (row.pair or "").strip()], teaching)


def _rows(teaching: Teaching, pair: str | None = None) -> Iterator[Row]:
    from tagline.data.streams.row import RowOptions
    from tagline.data.streams.rows import read_rows

    if teaching.unlabelled is not None:
        with read_rows(teaching.unlabelled, RowOptions(pair_column=pair)) as rows:
            yield from rows


T = TypeVar("T")


def _some(found: list[T], teaching: Teaching) -> list[T]:
    if teaching.unlabelled is None:
        return []
    if not found:
        raise DataError("--unlabelled: no text in it; expected texts, one a line", teaching.unlabelled)
    from tagline.folder import fingerprint

    file = teaching.unlabelled
    teaching.facts["unlabelled"] = {"file": file.name, "sha256": fingerprint(file), "texts": len(found)}
    shared.say(f"unlabelled: {len(found):,} texts of {file}")
    return found


def _fingerprints(teaching: Teaching) -> tuple[str, ...]:
    return tuple(each["sha256"] for each in teaching.facts["teachers"])


def _kind(problem: Any, paired: bool | None) -> str:
    return f"{problem.name.lower()} labels" + ({True: " of pairs", False: " of single texts"}.get(bool(paired), ""))
