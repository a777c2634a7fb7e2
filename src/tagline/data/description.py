"""What is in an annotated file, in figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tagline.data.audit.parts import Part
from tagline.data.corpus import Corpus
from tagline.data.schemes import OUTSIDE
from tagline.data.subtokens import Vocabulary
from tagline.errors import UsageError
from tagline.records import LabelledText

_BINS = 30  # of a histogram, at most
_TAIL = 0.995  # of the values are drawn one by one; what is longer stands in the last bin


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long things are.

    Attributes:
        median: half are no longer.
        p95: 95 % are no longer.
        longest: of the longest one.
        longest_line: where that stands.
        mean: on average.
        edges: borders of the histogram's bins, one more than there are bins; the last bin holds all that is longer.
        counts: how many lie in each bin.
    """

    median: float
    p95: float
    longest: int
    longest_line: int
    mean: float
    edges: tuple[int, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LabelCount:
    """One entity type or class.

    Attributes:
        label: its name.
        count: entities of the type; texts of the class.
        share: of all entities; of all texts (several labels add up to more than 1).
        words: words inside its entities, or of its texts.
        distinct: different names; 0 for classes.
        top: the most frequent names with their numbers; empty for classes.
    """

    label: str
    count: int
    share: float
    words: int
    distinct: int
    top: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class SubtokenFigures:
    """What an encoder makes of a file.

    Attributes:
        encoder: its name.
        lengths: sub-tokens of a sentence or text, special tokens included.
        window: sub-tokens that fit one window.
        over: share of the sentences or texts that do not fit.
        per_word: sub-tokens of a word on average.
        unknown: share of the words of which a part is unknown to the vocabulary.
        vanished: words that become nothing.
    """

    encoder: str
    lengths: Lengths
    window: int
    over: float
    per_word: float
    unknown: float
    vanished: int


@dataclass(frozen=True, slots=True)
class Description:
    """One file.

    Attributes:
        path: the file.
        task: `token-classification` or `text-classification`.
        format: as it was read.
        kind: the tag scheme ("IOB2"), or the problem ("single", "multi", "regression").
        noun: `sentences`, `texts` or `pairs`.
        units: how many there are.
        documents: how many the file marks; 0 where it marks none.
        words: all words; of texts by white space.
        vocabulary: different words.
        outside: words outside all entities; 0 for texts.
        lengths: of sentences or texts, in words.
        labels: entity types or classes, the most frequent first.
        scores: smallest, mean and largest number of a regression, else None.
        subtokens: None where no vocabulary was given.
        illegal: moves that the scheme does not allow.
    """

    path: str
    task: str
    format: str
    kind: str
    noun: str
    units: int
    documents: int
    words: int
    vocabulary: int
    outside: int
    lengths: Lengths
    labels: tuple[LabelCount, ...]
    scores: tuple[float, float, float] | None
    subtokens: SubtokenFigures | None
    illegal: int

    @property
    def entities(self) -> int:
        """All entities, or all labels of texts."""
        return sum(each.count for each in self.labels)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form; `share_of_words` of a type counts O, too."""
        values = asdict(self)
        if self.task == "token-classification":
            for each in values["labels"]:
                each["share_of_words"] = each["words"] / self.words
            values["share_outside"] = self.outside / self.words
        return {**values, "entities" if self.task == "token-classification" else "label_count": self.entities}


def describe(part: Part, vocabulary: Vocabulary | None = None, window: int = 256, top: int = 10) -> Description:
    """Counts what is in a file.

    Args:
        part: the file, in whatever role.
        vocabulary: of the encoder, for the figures in sub-tokens; None leaves them out.
        window: sub-tokens that fit one window, special tokens included; at least 1.
        top: how many of the most frequent names are kept for each type.

    Raises:
        UsageError: a window below 1.
    """
    if window < 1:
        raise UsageError(f"--window is {window}; expected at least 1")
    tokens = isinstance(part.corpus, Corpus)
    rows = [part.words(unit) for unit in range(len(part.units))]
    count = Counter(word for row in rows for word in row)
    documents = {getattr(unit, "document", 0) for unit in part.units}
    outside = sum(each.tags.count(OUTSIDE) for each in part.corpus.sentences) if isinstance(part.corpus, Corpus) else 0
    return Description(
        path=part.path,
        task="token-classification" if tokens else "text-classification",
        format=part.corpus.format,
        kind=_kind(part),
        noun=part.noun,
        units=len(rows),
        documents=len(documents) if len(documents) > 1 else 0,
        words=sum(count.values()),
        vocabulary=len(count),
        outside=outside,
        lengths=_lengths([len(row) for row in rows], part),
        labels=_types(part, top) if tokens else _classes(part, rows),
        scores=_scores(part),
        subtokens=None if vocabulary is None else _subtokens(part, count, vocabulary, window),
        illegal=part.corpus.violations if isinstance(part.corpus, Corpus) else 0,
    )


def _kind(part: Part) -> str:
    if isinstance(part.corpus, Corpus):
        return part.corpus.scheme.value + (" without prefixes" if part.corpus.bare else "")
    return part.corpus.problem.name.lower()


def _lengths(sizes: Sequence[int], part: Part) -> Lengths:
    values = np.asarray(sizes, dtype=np.int64)
    last = int(np.quantile(values, _TAIL, method="higher")) + 1
    width = max(1, -(-last // _BINS))
    edges = np.arange(0, last + width, width)
    counts, _ = np.histogram(np.minimum(values, edges[-1] - 1), bins=edges)
    longest = int(values.argmax())
    return Lengths(
        median=float(np.median(values)),
        p95=float(np.percentile(values, 95)),
        longest=int(values[longest]),
        longest_line=part.units[longest].line,
        mean=float(values.mean()),
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
    )


def _types(part: Part, top: int) -> tuple[LabelCount, ...]:
    names: defaultdict[str, Counter[str]] = defaultdict(Counter)
    words: Counter[str] = Counter()
    for mention in part.mentions():
        names[mention.label][mention.text] += 1
    for spans in part.entities:
        for span in spans:
            words[span.label] += span.end - span.start
    total = sum(each.total() for each in names.values())
    found = [
        LabelCount(label, each.total(), each.total() / total, words[label], len(each), tuple(each.most_common(top)))
        for label, each in names.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.count, each.label)))


def _classes(part: Part, rows: Sequence[Sequence[str]]) -> tuple[LabelCount, ...]:
    count: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for unit, row in enumerate(rows):
        for label in part.labels(unit):
            count[label] += 1
            words[label] += len(row)
    found = [LabelCount(label, times, times / len(rows), words[label], 0, ()) for label, times in count.items()]
    return tuple(sorted(found, key=lambda each: (-each.count, each.label)))


def _scores(part: Part) -> tuple[float, float, float] | None:
    scores = [each.score for each in part.units if isinstance(each, LabelledText) and each.score is not None]
    return (min(scores), sum(scores) / len(scores), max(scores)) if scores else None


def _subtokens(part: Part, count: Counter[str], vocabulary: Vocabulary, window: int) -> SubtokenFigures:
    costs = dict(zip(count, vocabulary.words(list(count)), strict=True))
    if isinstance(part.corpus, Corpus):
        # a word that becomes nothing is shown as one unknown sub-token
        sizes = [
            vocabulary.specials + sum(costs[word].pieces or 1 for word in sentence.words)
            for sentence in part.corpus.sentences
        ]
    else:
        sizes = vocabulary.lengths([(each.text, each.pair) for each in part.corpus.texts])
    words = max(1, count.total())
    return SubtokenFigures(
        encoder=vocabulary.name,
        lengths=_lengths(sizes, part),
        window=window,
        over=sum(size > window for size in sizes) / len(sizes),
        per_word=sum(costs[word].pieces * times for word, times in count.items()) / words,
        unknown=sum(times for word, times in count.items() if costs[word].unknown) / words,
        vanished=sum(times for word, times in count.items() if not costs[word].pieces),
    )
