"""From labelled texts to windows, a model with a fresh head, and its loss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from transformers import PreTrainedModel

from tagline.data.texts.corpus import TextCorpus
from tagline.errors import DataError, LabelError, UsageError
from tagline.models.encoders import LoadedEncoder, last_layer, load_for_texts
from tagline.models.mixing import with_mix
from tagline.records import LabelledText, Problem
from tagline.text.sequences import SequenceEncoder
from tagline.train.class_weights import class_weights
from tagline.train.losses import LabelLoss
from tagline.train.texts.examples import TextExamples, encode_texts
from tagline.train.texts.score import METRIC, LabelScore
from tagline.train.texts.settings import TextSettings

_WINDOW = 256
_NUMBER = ("score",)
"""The one label of a regression."""


@dataclass(frozen=True)
class PreparedTexts:
    """What the fit needs.

    Attributes:
        encoder: the model with its fresh head.
        sequences: cuts texts into windows.
        problem: one label, several, or a number.
        labels: labels by id.
        paired: whether texts come in pairs.
        train: labelled windows; numbers are brought to mean 0 and deviation 1.
        dev: labelled windows, or None.
        loss: the loss.
        pooling: how windows become one answer.
        scale: mean and deviation of the numbers of train, (0, 1) for labels.
        empty: empty texts of train, which were left out.
        unknown: labels of dev that train lacks, counted (with `unknown_tags="miss"`).
    """

    encoder: LoadedEncoder
    sequences: SequenceEncoder
    problem: Problem
    labels: tuple[str, ...]
    paired: bool
    train: TextExamples
    dev: TextExamples | None
    loss: LabelLoss
    pooling: str
    scale: tuple[float, float]
    empty: int
    unknown: dict[str, int]

    @property
    def pad(self) -> int:
        """Id of the padding token."""
        return self.sequences.pad

    @property
    def metric(self) -> str:
        """Name of the score on dev."""
        return METRIC[self.problem]

    @property
    def identity(self) -> str:
        """Labels and problem."""
        return repr((self.labels, self.problem.value))

    @property
    def files(self) -> dict[str, str]:
        """None."""
        return {}

    def scorer(self) -> LabelScore | None:
        """The score on dev."""
        if self.dev is None:
            return None
        return LabelScore(self.dev, self.problem, len(self.labels), self.pad, self.pooling)

    def finish(self, model: PreTrainedModel) -> None:
        """Lets the head of a regression give numbers on their own scale."""
        mean, deviation = self.scale
        if self.problem is Problem.REGRESSION:
            head = last_layer(model, len(self.labels))
            with torch.no_grad():
                head.weight.mul_(deviation)
                head.bias.mul_(deviation).add_(mean)


def prepare_texts(train: TextCorpus, dev: TextCorpus | None, settings: TextSettings) -> PreparedTexts:
    """Loads the encoder and turns the texts into windows.

    Raises:
        DataError: train has fewer than two labels, or nothing but empty texts.
        LabelError: dev has a label that train lacks (unless `unknown_tags` is `miss`).
        EncoderError: the encoder cannot be had or does not fit.
        UsageError: the window is longer than the encoder bears, dev is of another kind, or class weights do not fit.
    """
    labels = label_set(train)
    unknown = check_labels(labels, train, dev, settings) if dev is not None else {}
    texts = [each for each in train.texts if each.text.strip() or (each.pair or "").strip()]
    if not texts:
        raise DataError("every text is empty; expected texts to learn from", train.path)
    counts = Counter(label for each in texts for label in each.labels)
    frequency = [counts[label] for label in labels]
    loss = _loss(settings, labels, frequency, len(texts), train.problem)
    torch.manual_seed(settings.seed)  # loading draws the head
    encoder = with_mix(load_for_texts(settings.encoder, labels, train.problem), settings.mix_layers)
    sequences = _sequences(encoder, settings)
    scale = _scale(texts) if train.problem is Problem.REGRESSION else (0.0, 1.0)
    if train.problem is Problem.REGRESSION:
        texts = [replace(each, score=((each.score or 0.0) - scale[0]) / scale[1]) for each in texts]
    else:
        _begin_with_frequencies(encoder.model, frequency, len(texts), train.problem)
    return PreparedTexts(
        encoder=encoder,
        sequences=sequences,
        problem=train.problem,
        labels=labels,
        paired=train.paired,
        train=encode_texts(sequences, texts, labels, train.problem),
        dev=encode_texts(sequences, dev.texts, labels, train.problem) if dev is not None else None,
        loss=loss,
        pooling=settings.pooling,
        scale=scale,
        empty=len(train.texts) - len(texts),
        unknown=unknown,
    )


def label_set(train: TextCorpus) -> tuple[str, ...]:
    """The model's labels: those of train, sorted; one name for a regression.

    Raises:
        DataError: there are fewer than two labels (for several labels: none).
    """
    if train.problem is Problem.REGRESSION:
        return _NUMBER
    labels = tuple(train.labels)
    if len(labels) < (2 if train.problem is Problem.SINGLE else 1):
        found = f"the only label is {labels[0]!r}" if labels else "no label"
        raise DataError(f"{found}; expected at least two labels to tell apart", train.path)
    return labels


def check_labels(labels: Sequence[str], train: TextCorpus, other: TextCorpus, settings: TextSettings) -> dict[str, int]:
    """Finds out whether dev or test is of train's kind, and counts its labels that train lacks.

    Raises:
        UsageError: another problem, or pairs in one of the two only.
        LabelError: there are unknown labels and `unknown_tags` is `error`.
    """
    if train.paired != other.paired:
        one, two = ("pairs", "single texts") if other.paired else ("single texts", "pairs")
        raise UsageError(f"{other.path} holds {one} and {train.path} {two}; give the same columns in both files")
    if train.problem is not other.problem:
        raise UsageError(
            f"{other.path} is read as {other.problem.value} and {train.path} as {train.problem.value}; "
            "if one of the two is meant, say so with --problem single, multi or regression"
        )
    known = set(labels)
    counts = Counter(label for each in other.texts for label in each.labels if label not in known)
    if counts and settings.unknown_tags == "error":
        line = next(each.line for each in other.texts if not known.issuperset(each.labels))
        raise LabelError(_strange(counts, labels), other.path, line)
    return dict(counts)


def _strange(counts: Counter[str], labels: Sequence[str]) -> str:
    strange = ", ".join(f"{label!r} ({times})" for label, times in sorted(counts.items())[:8])
    known = ", ".join(map(repr, labels[:8])) + (", …" if len(labels) > 8 else "")
    numbers = [all(each.lstrip("-").isdigit() for each in group) for group in (counts, labels)]
    cure = "Mend the file, or type --unknown-tags miss to count them as missed"
    if numbers[0] != numbers[1]:
        kinds = ("numbers", "text") if numbers[0] else ("text", "numbers")
        cure = (
            f"The labels are {kinds[0]} here and {kinds[1]} in the training data: name the right --label-column, or "
            "turn numbers into names with --label-names FILE"
        )
    return f"labels that the training data lacks: {strange}; it has {known}. {cure}"


def _sequences(encoder: LoadedEncoder, settings: TextSettings) -> SequenceEncoder:
    longest = settings.window or min(_WINDOW, encoder.longest)
    if longest > encoder.longest:
        raise UsageError(f"--set window={longest}; encoder {settings.encoder!r} takes at most {encoder.longest}")
    segments = int(getattr(encoder.model.config, "type_vocab_size", 2) or 1)
    return SequenceEncoder(encoder.raw_tokenizer(), longest, settings.overlap, segments)


def _scale(texts: Sequence[LabelledText]) -> tuple[float, float]:
    numbers = np.asarray([each.score for each in texts], dtype=np.float64)
    return float(numbers.mean()), float(numbers.std()) or 1.0


def _begin_with_frequencies(model: PreTrainedModel, counts: Sequence[int], texts: int, problem: Problem) -> None:
    """The head begins by saying each label as often as it comes (Lin et al. 2017), which spares rare ones a shock."""
    share = (torch.tensor(counts, dtype=torch.float32) + 0.5) / (texts + 1)
    with torch.no_grad():
        last_layer(model, len(counts)).bias.copy_(share.log() if problem is Problem.SINGLE else torch.logit(share))


def _loss(
    settings: TextSettings, labels: Sequence[str], counts: Sequence[int], texts: int, problem: Problem
) -> LabelLoss:
    """The loss, or `UsageError` where options of classes meet numbers."""
    options = {
        "--focal-gamma is ": settings.focal_gamma, "--label-smoothing is ": settings.label_smoothing,
        "--set rdrop=": settings.rdrop,
    }  # fmt: skip
    for said, value in options.items():
        if value and problem is Problem.REGRESSION:
            raise UsageError(f"{said}{value}, but numbers have no classes; leave it away")
    weights = class_weights(settings.class_weights, labels, counts, texts, problem)
    return LabelLoss(problem, weights, settings.focal_gamma, settings.smoothing(problem))
