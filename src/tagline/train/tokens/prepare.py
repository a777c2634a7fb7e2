"""From corpora to labelled windows: label set, word rules, window, unknown tags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from tagline.data.corpus import Corpus
from tagline.data.schemes import OUTSIDE, Scheme, prefixes
from tagline.errors import DataError, LabelError, UsageError
from tagline.folder import GAZETTEER
from tagline.models.crf import NAME as CRF
from tagline.models.crf import CrfLoss, add_crf, crf_of
from tagline.models.encoders import TokenEncoder, load_for_tokens
from tagline.models.mixing import with_mix
from tagline.models.segments import with_kinds
from tagline.records import Problem
from tagline.text.context import has_documents, surroundings
from tagline.text.decoding import Decoder
from tagline.text.features import WindowEncoder
from tagline.text.gazetteer import Gazetteer
from tagline.text.words import WordRules
from tagline.train.class_weights import class_weights
from tagline.train.losses import LabelLoss, TagLoss
from tagline.train.prepared import Loss
from tagline.train.tokens.bilstm import load_bilstm
from tagline.train.tokens.examples import TokenExamples, label_windows
from tagline.train.tokens.names import KnownNames, fold_of, known_names
from tagline.train.tokens.score import TagScore
from tagline.train.tokens.settings import BiLstmSettings, TokenSettings

_WINDOW = 256


@dataclass(frozen=True)
class PreparedTokens:
    """What the fit needs.

    Attributes:
        encoder: the model with its fresh head.
        windows: cuts sentences into windows.
        labels: tags by id.
        scheme: scheme of the tags.
        rules: how raw text is split into words, learned from the training words.
        train: labelled windows.
        dev: labelled windows, or None.
        dev_tags: gold tags of dev in the model's scheme, unknown types included.
        unknown: tags of dev that train lacks, counted (with `unknown_tags="miss"`).
        vectors: the file of word vectors that the words begin with, its fingerprint, hits and misses; empty without.
        names: names that segment ids show, or None.
        word_loss: the loss of one word, where there is no CRF.
    """

    encoder: TokenEncoder
    windows: WindowEncoder
    labels: tuple[str, ...]
    scheme: Scheme
    rules: WordRules
    train: TokenExamples
    dev: TokenExamples | None
    dev_tags: list[tuple[str, ...]]
    unknown: dict[str, int]
    vectors: dict[str, Any] = field(default_factory=dict)
    names: KnownNames | None = None
    word_loss: LabelLoss = field(default_factory=lambda: LabelLoss(Problem.SINGLE))
    metric: ClassVar[str] = "f1"

    @property
    def loss(self) -> Loss:
        """The likelihood of the CRF where there is one, else the loss of each word."""
        crf = crf_of(self.encoder.model)
        return TagLoss(self.word_loss) if crf is None else CrfLoss(crf)

    @property
    def pad(self) -> int:
        """Id of the padding token."""
        return self.encoder.subtokens.pad

    @property
    def identity(self) -> str:
        """Labels, gold tags, word vectors, names."""
        return repr((self.labels, self.dev_tags, *self.vectors.values(), *self.files.values()))

    @property
    def files(self) -> dict[str, str]:
        """The names, where there are any."""
        return {} if self.names is None else {GAZETTEER: self.names.whole.to_json()}

    def scorer(self) -> TagScore | None:
        """Strict F1 on dev."""
        if self.dev is None:
            return None
        decoder = Decoder(self.labels, self.scheme)
        return TagScore(self.dev, self.dev_tags, decoder, self.pad, crf_of(self.encoder.model))

    @staticmethod
    def transitions(model: PreTrainedModel) -> list[list[float]]:
        """(L + 1, L + 1) transitions of the model's CRF as the folder keeps them; empty without one."""
        crf = crf_of(model)
        return [] if crf is None else [[float(value) for value in row] for row in crf.learned().tolist()]

    def finish(self, model: PreTrainedModel) -> None:
        """Nothing: the weights are as they were trained."""


def prepare_tokens(train: Corpus, dev: Corpus | None, settings: TokenSettings) -> PreparedTokens:
    """Loads the encoder and turns the corpora into windows.

    Raises:
        LabelError: dev has a type that train lacks (unless `unknown_tags` is `miss`).
        DataError: train has no entity, or the file of names cannot be read.
        EncoderError: the encoder cannot be had or does not fit.
        UsageError: the window is longer than the encoder bears, or context is asked for where no documents are marked.
    """
    labels = label_set(train, settings.scheme)
    if settings.context and not has_documents(train.sentences):
        raise UsageError(
            f"--set context={settings.context}, but {train.path} marks no documents (by -DOCSTART- lines, or a column "
            "`document`), so it is not known what stands together; leave it away"
        )
    unknown = check_types(labels, dev, settings) if dev is not None else {}
    torch.manual_seed(settings.seed)  # loading draws the head and the rows of the word shapes
    rules = WordRules.learn(sentence.words for sentence in train.sentences)
    encoder, names, vectors = _encoder(train, dev, rules, labels, settings)
    longest = settings.window or min(_WINDOW * (1 + encoder.subtokens.characters), encoder.longest)
    if longest > encoder.longest:
        raise UsageError(f"--set window={longest}; encoder {settings.encoder!r} takes at most {encoder.longest}")
    if longest < 1 + encoder.subtokens.characters:
        raise UsageError(f"--set window={longest}; a word with its characters takes {1 + encoder.subtokens.characters}")
    overlap = settings.overlap
    room = longest - encoder.subtokens.specials
    if overlap is not None and not 0 <= overlap < room:
        raise UsageError(f"--set overlap={overlap}; expected 0 to {room - 1}, less than the window")

    def windows_with(gazetteer: Gazetteer | None) -> WindowEncoder:
        return WindowEncoder(encoder.subtokens, longest, overlap, settings.context, gazetteer)

    windows = windows_with(None if names is None else names.whole)
    dev_tags = list(dev.tags(settings.scheme)) if dev is not None else []
    tags = list(train.tags(settings.scheme))
    folds = [windows] if names is None else [windows_with(each) for each in names.folds]
    examples = _examples(folds, train, tags, labels, settings.subtokens == "all")
    dev_examples = _examples([windows], dev, dev_tags, labels, False) if dev is not None else None
    if settings.head == "crf":
        examples = replace(examples, edges=True)
        dev_examples = replace(dev_examples, edges=True) if dev_examples is not None else None
    return PreparedTokens(
        encoder=encoder,
        windows=windows,
        labels=labels,
        scheme=settings.scheme,
        rules=rules,
        train=examples,
        dev=dev_examples,
        dev_tags=dev_tags,
        unknown=unknown,
        vectors=vectors,
        names=names and names.without_folds(),
        word_loss=_word_loss(settings, labels, tags),
    )


def _encoder(
    train: Corpus, dev: Corpus | None, rules: WordRules, labels: tuple[str, ...], settings: TokenSettings
) -> tuple[TokenEncoder, KnownNames | None, dict[str, Any]]:
    """The model with its fresh head, the names that it is shown, and what is known of its word vectors."""
    vectors: dict[str, Any] = {}
    if isinstance(settings, BiLstmSettings):
        names = known_names(train, dev, rules, settings, unasked=False)
        made = load_bilstm(train, labels, settings, 0 if names is None else len(names.whole.kinds))
        encoder, vectors = made.encoder, made.facts()
    else:
        encoder = with_mix(load_for_tokens(settings.encoder, labels, settings.shapes), settings.mix_layers)
        names = known_names(train, dev, rules, settings, unasked=encoder.shapes)
        encoder = encoder if names is None else with_kinds(encoder, len(names.whole.kinds))
    if settings.head == "crf":
        encoder = _with_crf(encoder, labels, settings.scheme)
    return encoder, names, vectors


def _word_loss(settings: TokenSettings, labels: tuple[str, ...], tags: Sequence[Sequence[str]]) -> LabelLoss:
    """The loss of a word. A weight may be told for a tag, or for a type: then it is that of all tags of the type."""
    counts = Counter(tag for each in tags for tag in each)
    weights = class_weights(
        settings.class_weights, labels, [counts[label] for label in labels], counts.total(), Problem.SINGLE,
        {label: label.partition("-")[2] or label for label in labels},
    )  # fmt: skip
    return LabelLoss(Problem.SINGLE, weights, settings.focal_gamma, settings.label_smoothing or 0.0)


def _with_crf(encoder: TokenEncoder, labels: tuple[str, ...], scheme: Scheme) -> TokenEncoder:
    crf = add_crf(encoder.model, labels, scheme)
    return replace(encoder, fresh=encoder.fresh | {f"{CRF}.{name}" for name, _ in crf.named_parameters()})


def label_set(train: Corpus, scheme: Scheme) -> tuple[str, ...]:
    """The model's tags: O, then for each type that train has, in alphabetical order, every prefix of the scheme.

    Raises:
        DataError: train has no entity.
    """
    if not train.labels:
        raise DataError("no entity in the training data; expected tags other than O in the tag column", train.path)
    order = [letter for letter in "BIELSU" if letter in prefixes(scheme)]
    return (OUTSIDE, *(f"{letter}-{label}" for label in train.labels for letter in order))


def check_types(labels: Sequence[str], corpus: Corpus, settings: TokenSettings) -> dict[str, int]:
    """Counts the tags of types that train lacks.

    Raises:
        LabelError: there are some and `unknown_tags` is `error`.
    """
    known = set(labels)
    counts: Counter[str] = Counter()
    first = 0
    for sentence, tags in zip(corpus.sentences, corpus.tags(settings.scheme), strict=True):
        for tag in tags:
            if tag not in known:
                first = first or sentence.line
                counts[tag] += 1
    if counts and settings.unknown_tags == "error":
        strange = ", ".join(f"{tag} ({times})" for tag, times in sorted(counts.items()))
        types = ", ".join(sorted({label[2:] for label in labels if label != OUTSIDE}))
        raise LabelError(
            f"tags that the training data lacks: {strange}; it has the types {types}. Mend the file, "
            "or type --unknown-tags miss to count them as missed",
            corpus.path,
            first or None,
        )
    return dict(counts)


def _examples(
    folds: Sequence[WindowEncoder],
    corpus: Corpus,
    tags: list[tuple[str, ...]],
    labels: tuple[str, ...],
    spread: bool,
) -> TokenExamples:
    """Labelled windows; as many folds as there are encoders, each cut by its own."""
    number = {label: place for place, label in enumerate(labels)}
    ids: list[NDArray[np.int64]] = [np.asarray([number.get(tag, 0) for tag in each], dtype=np.int64) for each in tags]
    around = surroundings(corpus.sentences, folds[0].context)
    encoders = [folds[fold_of(place, len(ids), len(folds))] for place in range(len(ids))]
    return label_windows(encoders, [sentence.words for sentence in corpus.sentences], ids, spread, around)
