"""Precision, recall and F1 over entities, read strictly or as conlleval reads them.

Both readings are right where the tags are legal. They differ in what they make of a broken sequence: the strict one
drops whatever does not begin (and, in IOBES and BILOU, end) as the scheme says; conlleval repairs it and counts it.
An entity is found when its label, its first word and its last word are all those of a gold entity.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tagline.data.schemes import CARRY, ILLEGAL, OUTSIDE, START, Scheme, moves, split_tag
from tagline.errors import SchemeError, UsageError
from tagline.evaluate.scores import Score, average
from tagline.records import Span

Tags = Sequence[Sequence[str]]


@dataclass(frozen=True)
class SpanReport:
    """Scores over entities.

    Attributes:
        overall: from the counts of all types together (micro average).
        types: one score a type that gold or prediction has, in alphabetical order.
        macro: mean over the types; `support`, `correct` and `predicted` are totals.
        weighted: mean over the types, weighted by their support; the counts are totals.
    """

    overall: Score
    types: dict[str, Score]
    macro: Score
    weighted: Score


def strict(gold: Tags, predicted: Tags, scheme: Scheme = Scheme.IOB2) -> SpanReport:
    """Scores of the entities that are tagged as the scheme says; equals seqeval's `mode="strict"`.

    Args:
        gold: tags of each sentence.
        predicted: tags of the same words.
        scheme: scheme of both. For IO, which seqeval lacks, an entity is a run of words with one label.

    Raises:
        UsageError: gold and predicted have not the same sentences and words.
        SchemeError: a tag is not of the scheme.
    """
    check_aligned(gold, predicted)
    return score_spans(strict_spans(gold, scheme, "gold"), strict_spans(predicted, scheme, "predicted"))


def conlleval(gold: Tags, predicted: Tags) -> SpanReport:
    """Scores as the script of the CoNLL shared tasks gives them; equals seqeval's default mode.

    Prefixes B, I, E and S are read in any order; L and U (BILOU) are taken as E and S. Every word with a label
    belongs to an entity, so a broken sequence is repaired and counted.

    Raises:
        UsageError: gold and predicted have not the same sentences and words.
        SchemeError: a tag is neither O nor prefix, dash and label.
    """
    check_aligned(gold, predicted)
    return score_spans(conlleval_spans(gold, "gold"), conlleval_spans(predicted, "predicted"))


def strict_spans(sentences: Tags, scheme: Scheme = Scheme.IOB2, name: str = "given") -> list[list[Span]]:
    """The entities of each sentence that `strict` counts; `name` says in messages whose tags they are."""
    return _read(sentences, lambda before, tag: _strict_step(before, tag, scheme), name)


def conlleval_spans(sentences: Tags, name: str = "given") -> list[list[Span]]:
    """The entities of each sentence that `conlleval` counts; `name` says in messages whose tags they are."""
    return _read(sentences, _conlleval_step, name)


def score_spans(gold: Sequence[Iterable[Span]], predicted: Sequence[Iterable[Span]]) -> SpanReport:
    """Scores of predicted entities against gold ones, sentence by sentence; no entity stands twice in a sentence."""
    wanted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for gold_here, found_here in zip(gold, predicted, strict=True):
        wanted.update(span.label for span in gold_here)
        found.update(span.label for span in found_here)
        right.update(span.label for span in set(gold_here).intersection(found_here))
    types = {label: Score.of(right[label], found[label], wanted[label]) for label in sorted({*wanted, *found})}
    averages = average(types)
    return SpanReport(averages.micro, types, averages.macro, averages.weighted)


def check_aligned(gold: Tags, predicted: Tags) -> None:
    """Raises `UsageError` unless gold and predicted have the same number of sentences, of the same lengths."""
    if len(gold) != len(predicted):
        raise UsageError(
            f"gold has {len(gold)} sentences but the prediction has {len(predicted)}; "
            "give one predicted sentence for each gold sentence, in the same order"
        )
    for number, (tags, guesses) in enumerate(zip(gold, predicted, strict=True), 1):
        if isinstance(tags, str) or isinstance(guesses, str):
            raise UsageError(f"sentence {number} is a string, {tags!r}; give a list of tags for each sentence")
        if len(tags) != len(guesses):
            raise UsageError(
                f"sentence {number}: gold has {len(tags)} tags but the prediction has {len(guesses)}; "
                "give one predicted tag for each gold tag"
            )


class _Step(NamedTuple):
    """What going from one tag to the next means for an entity that may be open."""

    carries: bool  # an open entity goes on
    closes: bool  # an open entity that does not go on is complete, else it is dropped
    opens: bool  # a word that carries no entity on begins one
    label: str  # of the next tag


def _read(sentences: Tags, step: Callable[[str, str], _Step], name: str) -> list[list[Span]]:
    steps: dict[tuple[str, str], _Step] = {}  # a corpus has few pairs of tags and very many words
    result = []
    for number, tags in enumerate(sentences, 1):
        try:
            result.append(_walk(tags, step, steps))
        except SchemeError as error:
            raise SchemeError(f"{name} tags, sentence {number}: {error}") from None
    return result


def _walk(tags: Sequence[str], step: Callable[[str, str], _Step], steps: dict[tuple[str, str], _Step]) -> list[Span]:
    found: list[Span] = []
    before, label_before, start = OUTSIDE, "", -1
    for place, tag in enumerate((*tags, OUTSIDE)):
        pair = before, tag
        known = steps.get(pair)
        if known is None:
            known = steps[pair] = step(before, tag)
        carries, closes, opens, label = known
        if start < 0 or not carries:
            if start >= 0 and closes:
                found.append(Span(label_before, start, place))
            start = place if opens else -1
        before, label_before = tag, label
    return found


def _strict_step(before: str, tag: str, scheme: Scheme) -> _Step:
    table = moves(scheme)
    (prefix_before, label_before), (prefix, label) = split_tag(before, scheme), split_tag(tag, scheme)
    same = label == label_before
    move = table[prefix_before, prefix, same]
    # A prefix that may follow O as a beginning (B, S, U; I in IO and IOB1) begins an entity after a broken one too.
    opens = move == START or table[OUTSIDE, prefix, False] == START
    # IOBES and BILOU: an entity without its end is dropped; B and I cannot be followed by O there.
    closes = table[prefix_before, OUTSIDE, False] != ILLEGAL
    # seqeval knows no end for an IOB1 entity of one word B-X before B-Y, which no annotator writes.
    if scheme is Scheme.IOB1 and prefix_before == prefix == "B" and not same:
        closes = False
    return _Step(move == CARRY, closes, opens, label)


def _conlleval_step(before: str, tag: str) -> _Step:
    (prefix_before, label_before), (prefix, label) = _split_any(before), _split_any(tag)
    carries = label == label_before and prefix_before in "BI" and prefix in "IE"
    return _Step(carries, True, prefix != OUTSIDE, label)


def _split_any(tag: str) -> tuple[str, str]:
    if tag.startswith(("L-", "U-")):
        tag = ("E" if tag[0] == "L" else "S") + tag[1:]
    return split_tag(tag, Scheme.IOBES)
