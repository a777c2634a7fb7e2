"""Every mistake of a tagger as a record, types held against types, and gold that looks wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from tagline.records import Sentence, Span

NONE = "none"
"""Stands for "no entity" among the types of a confusion."""
SURE = 0.95
"""Score from which a disagreement is called confident."""
Spans = Sequence[Sequence[Span]]
ScoreOf = Callable[[int, Span], float | None]


class Kind(str, Enum):
    """What is wrong with a prediction."""

    BOUNDARY = "boundary"  # right type, wrong borders
    TYPE = "type"  # right borders, wrong type
    BOTH = "both"  # overlaps, wrong borders and type
    MISSED = "missed"  # gold without a prediction
    INVENTED = "invented"  # prediction without gold


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake.

    Attributes:
        kind: what is wrong.
        sentence: number of the sentence, from 0.
        line: line of the file at which the entity (else the sentence) stands; 0 where it is not known.
        gold: the gold entity; None where one was invented.
        predicted: the predicted entity; None where one was missed.
        score: score of the predicted entity; of a missed one, how sure the model was of what it said of its words.
            None where no scores are known.
    """

    kind: Kind
    sentence: int
    line: int
    gold: Span | None
    predicted: Span | None
    score: float | None


@dataclass(frozen=True, slots=True)
class Suspect:
    """Gold that may be wrong.

    Attributes:
        reason: `confident` (the model says otherwise and is sure) or `inconsistent` (the same words are mostly tagged
            otherwise elsewhere).
        sentence: number of the sentence, from 0.
        line: as in `Mistake`.
        span: the words in question, with their gold type, or `none`.
        other: what the model or the majority says: a type, or `none`.
        score: the model's score, or the share of the occurrences that agree on `other`.
        votes: of `inconsistent`: how often the words stand with each type, this place included.
    """

    reason: str
    sentence: int
    line: int
    span: Span
    other: str
    score: float
    votes: dict[str, int]


@dataclass(frozen=True)
class Places:
    """Where words stand in their file.

    Attributes:
        sentences: the sentences.
        by_word: whether each word has a line of its own (CoNLL).
    """

    sentences: Sequence[Sentence]
    by_word: bool = False

    def line(self, sentence: int, span: Span | None = None) -> int:
        """The line of a span's first word, or else of its sentence."""
        line = self.sentences[sentence].line
        return line + span.start if self.by_word and span is not None and line else line


def find_mistakes(gold: Spans, predicted: Spans, places: Places, score: ScoreOf = lambda *_: None) -> list[Mistake]:
    """The mistakes, in the order of the text.

    Every gold and every predicted entity that has no counterpart of the same borders and type is in exactly one
    mistake. Of those that overlap, pairs are formed: same borders first, then same type, then the largest overlap.

    Args:
        gold: entities of each sentence, without overlaps.
        predicted: entities of the same sentences, likewise.
        places: the sentences.
        score: score of an entity, or of the words of a missed one, of a sentence.
    """
    found = []
    for number, (wanted, guessed) in enumerate(zip(gold, predicted, strict=True)):
        if wanted == guessed:
            continue
        for mine, other in _pairs(wanted, guessed):
            known = other or mine
            assert known is not None
            line = places.line(number, mine or other)
            found.append(Mistake(_kind(mine, other), number, line, mine, other, score(number, known)))
    return found


def confusion(gold: Spans, mistakes: Iterable[Mistake]) -> dict[str, dict[str, int]]:
    """Entities by gold type and then by predicted type, borders aside; `none` where there is no counterpart.

    Types are in alphabetical order, `none` last; pairs that do not occur are left out.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for wanted in gold:
        counts.update((span.label, span.label) for span in wanted)
    for each in mistakes:
        if each.gold is not None:
            counts[each.gold.label, each.gold.label] -= 1
        counts[each.gold.label if each.gold else NONE, each.predicted.label if each.predicted else NONE] += 1
    table: dict[str, dict[str, int]] = {}
    for (wanted_label, found_label), often in sorted(
        counts.items(), key=lambda item: [(n == NONE, n) for n in item[0]]
    ):
        if often:
            table.setdefault(wanted_label, {})[found_label] = often
    return table


def confident(mistakes: Iterable[Mistake], bound: float = SURE) -> list[Suspect]:
    """Mistakes in which the model is at least so sure of itself, the surest first."""
    found = []
    for each in mistakes:
        if each.score is None or each.score < bound:
            continue
        gold, predicted = each.gold, each.predicted
        span = gold or (predicted._replace(label=NONE) if predicted else None)
        assert span is not None
        other = predicted.label if predicted else NONE
        found.append(Suspect("confident", each.sentence, each.line, span, other, each.score, {}))
    return sorted(found, key=lambda each: -each.score)


def inconsistent(
    gold: Spans,
    places: Places,
    more: Iterable[tuple[Sequence[str], Sequence[Span]]] = (),
    least: int = 3,
    share: float = 0.75,
) -> list[Suspect]:
    """Places where the same words (in the same case) are tagged otherwise than in a clear majority of their places.

    Words that stand inside a longer or beside a crossing entity have no vote; untagged ones vote for `none`.

    Args:
        gold: entities of each sentence.
        places: the sentences.
        more: words and gold entities of further sentences that have a vote, of the training file for example.
        least: fewest places that must agree.
        share: smallest share of all places that must agree.

    Returns:
        The suspects, those with the largest majority first.
    """
    sentences = [sentence.words for sentence in places.sentences]
    others = list(more)
    known = _surfaces([*zip(sentences, gold, strict=True), *others])
    votes: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    here: list[tuple[int, Span, tuple[str, ...]]] = []
    for number, (words, spans) in enumerate(zip(sentences, gold, strict=True)):
        for span, surface in _occurrences(words, spans, known):
            votes[surface][span.label] += 1
            here.append((number, span, surface))
    for row, spans in others:
        for span, surface in _occurrences(row, spans, known):
            votes[surface][span.label] += 1
    found = []
    for number, span, surface in here:
        (other, often), total = votes[surface].most_common(1)[0], votes[surface].total()
        if other != span.label and often >= least and often >= share * total:
            counts = dict(votes[surface].most_common())
            line = places.line(number, span)
            found.append(Suspect("inconsistent", number, line, span, other, often / total, counts))
    return sorted(found, key=lambda each: (-each.score, -sum(each.votes.values())))


def _kind(gold: Span | None, predicted: Span | None) -> Kind:
    if gold is None:
        return Kind.INVENTED
    if predicted is None:
        return Kind.MISSED
    if gold.label == predicted.label:
        return Kind.BOUNDARY
    return Kind.TYPE if (gold.start, gold.end) == (predicted.start, predicted.end) else Kind.BOTH


def _pairs(gold: Sequence[Span], predicted: Sequence[Span]) -> list[tuple[Span | None, Span | None]]:
    right = set(gold) & set(predicted)
    wanted = [span for span in gold if span not in right]
    found = [span for span in predicted if span not in right]
    near = []
    for mine in wanted:
        for other in found:
            common = min(mine.end, other.end) - max(mine.start, other.start)
            if common > 0:
                borders = (mine.start, mine.end) == (other.start, other.end)
                near.append((not borders, mine.label != other.label, -common, mine.start, other.start, mine, other))
    pairs: list[tuple[Span | None, Span | None]] = []
    for *_, mine, other in sorted(near):
        if mine in wanted and other in found:
            pairs.append((mine, other))
            wanted.remove(mine)
            found.remove(other)
    pairs += [(mine, None) for mine in wanted]
    pairs += [(None, other) for other in found]
    return sorted(pairs, key=lambda pair: min(span.start for span in pair if span is not None))


def _surfaces(sentences: Iterable[tuple[Sequence[str], Sequence[Span]]]) -> dict[str, set[tuple[str, ...]]]:
    """Every entity's words, by the first of them."""
    known: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for words, spans in sentences:
        for span in spans:
            known[words[span.start]].add(tuple(words[span.start : span.end]))
    return known


def _occurrences(
    words: Sequence[str], spans: Sequence[Span], known: dict[str, set[tuple[str, ...]]]
) -> Iterator[tuple[Span, tuple[str, ...]]]:
    """Where known surfaces stand in a sentence: with their type, or, where no word is tagged, with `none`."""
    inside = [False] * len(words)
    for span in spans:
        yield span, tuple(words[span.start : span.end])
        inside[span.start : span.end] = [True] * (span.end - span.start)
    for start, word in enumerate(words):
        for surface in sorted(known.get(word, ())):
            end = start + len(surface)
            if tuple(words[start:end]) == surface and not any(inside[start:end]):
                yield Span(NONE, start, end), surface
