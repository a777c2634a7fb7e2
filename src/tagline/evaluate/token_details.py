"""What lies behind a tagger's score: partial scores, confusions, groups, calibration, mistakes, doubtful gold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tagline.data.schemes import Scheme, spans
from tagline.evaluate.breakdown import (
    Group,
    Seen,
    by_entity_length,
    by_frequency,
    by_novelty,
    by_sentence_length,
    by_type,
    count_surfaces,
)
from tagline.evaluate.calibration import Calibration
from tagline.evaluate.mistakes import (
    Kind,
    Mistake,
    Places,
    ScoreOf,
    Suspect,
    confident,
    confusion,
    find_mistakes,
    inconsistent,
)
from tagline.evaluate.partial import Matching, PartialReport, score_partial
from tagline.evaluate.spans import Tags, conlleval_spans, strict_spans
from tagline.records import Document, Sentence, Span

Spans = Sequence[Sequence[Span]]


@dataclass(frozen=True)
class TokenDetails:
    """What a report on entities shows beside the scores. Entities are read strictly, but for `partial`.

    Attributes:
        gold: gold entities of each sentence.
        predicted: predicted entities of each sentence.
        partial: scores by way of matching, as nervaluate gives them.
        types: scores by type, with intervals.
        confusion: entities by gold and then by predicted type.
        groups: scores by `entity_length` and `sentence_length`, and where the training file is known by `novelty` and
            `train_frequency`.
        calibration: of the predicted entities' scores; None without scores.
        mistakes: every mistake.
        suspects: gold that may be wrong.
    """

    gold: Spans
    predicted: Spans
    partial: dict[Matching, PartialReport]
    types: list[Group]
    confusion: dict[str, dict[str, int]]
    groups: dict[str, list[Group]]
    calibration: Calibration | None
    mistakes: list[Mistake]
    suspects: list[Suspect]

    def kinds(self) -> dict[str, int]:
        """How many mistakes there are of each kind."""
        counts = Counter(each.kind for each in self.mistakes)
        return {kind.value: counts[kind] for kind in Kind}

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON-ready objects, to stand beside those of `TokenReport.to_json`."""
        reasons = Counter(each.reason for each in self.suspects)
        return {
            "partial": {way.value: report.to_dict() for way, report in self.partial.items()},
            "type_intervals": {each.name: list(each.interval) for each in self.types},
            "mistakes": self.kinds(),
            "confusion": self.confusion,
            "groups": {name: {each.name: each.to_dict() for each in rows} for name, rows in self.groups.items()},
            "calibration": None if self.calibration is None else self.calibration.to_dict(),
            "doubtful_gold": {reason: reasons[reason] for reason in ("confident", "inconsistent")},
        }


@dataclass(frozen=True)
class TrainEntities:
    """The entities of a training file.

    Attributes:
        words: words of each sentence.
        spans: entities of each sentence.
        seen: how often each entity's words stand with its type.
    """

    words: Sequence[Sequence[str]]
    spans: Spans
    seen: Seen

    @classmethod
    def of(cls, sentences: Iterable[Sentence], scheme: Scheme, bare: bool = False) -> TrainEntities:
        """The entities of a corpus."""
        words, found = [], []
        for sentence in sentences:
            words.append(sentence.words)
            found.append(spans(sentence.tags, scheme, bare))
        return cls(words, found, count_surfaces(words, found))


def token_details(
    gold: Tags, predicted: Tags, places: Places, score: ScoreOf, scheme: Scheme, train: TrainEntities | None = None
) -> TokenDetails:
    """Looks behind the score.

    Args:
        gold: tags of each sentence in `scheme`.
        predicted: tags of the same words in the same scheme.
        places: the sentences.
        score: score of an entity of a sentence; gives None where scores are not known.
        scheme: scheme of both.
        train: entities of the training file, where it is known.
    """
    wanted, found = strict_spans(gold, scheme, "gold"), strict_spans(predicted, scheme, "predicted")
    words = [sentence.words for sentence in places.sentences]
    mistakes = find_mistakes(wanted, found, places, score)
    groups = {
        "entity_length": by_entity_length(wanted, found),
        "sentence_length": by_sentence_length(wanted, found, words),
    }
    if train is not None:
        groups["novelty"] = by_novelty(wanted, found, words, train.seen)
        groups["train_frequency"] = by_frequency(wanted, found, words, train.seen)
    more = () if train is None else zip(train.words, train.spans, strict=True)
    return TokenDetails(
        gold=wanted,
        predicted=found,
        partial=score_partial(conlleval_spans(gold, "gold"), conlleval_spans(predicted, "predicted")),
        types=by_type(wanted, found),
        confusion=confusion(wanted, mistakes),
        groups=groups,
        calibration=_calibration(wanted, found, score),
        mistakes=mistakes,
        suspects=[*confident(mistakes), *inconsistent(wanted, places, more)],
    )


def document_scores(documents: Sequence[Document]) -> ScoreOf:
    """Scores of entities as the tagger gave them; of other words (a missed entity) the mean score of their tags."""
    known = [{(each.start, each.end): each.score for each in document.entities} for document in documents]

    def score(row: int, span: Span) -> float | None:
        document = documents[row]
        place = document.offsets[span.start][0], document.offsets[span.end - 1][1]
        given = known[row].get(place)
        words = document.scores[span.start : span.end]
        return sum(words) / len(words) if given is None else given

    return score


def _calibration(gold: Spans, predicted: Spans, score: ScoreOf) -> Calibration | None:
    scores, correct = [], []
    for row, (wanted, found) in enumerate(zip(gold, predicted, strict=True)):
        right = set(wanted)
        for span in found:
            given = score(row, span)
            if given is None:
                return None
            scores.append(min(given, 1.0))
            correct.append(span in right)
    return Calibration.of(scores, correct)
