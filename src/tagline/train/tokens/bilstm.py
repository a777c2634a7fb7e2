"""A BiLSTM over the words of a corpus: its settings, its vocabulary, its word vectors."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from tagline.data.corpus import Corpus
from tagline.data.vectors import Coverage, WordVectors, cover, read_vectors
from tagline.models.bilstm import BiLstmConfig, BiLstmForTokenClassification
from tagline.models.encoders import TokenEncoder, transformers_logging
from tagline.text.shapes import segment_ids
from tagline.text.subtokens import SubTokenizer, character_token
from tagline.train.tokens.settings import BiLstmSettings

PADDING, UNKNOWN = "[PAD]", "[UNK]"
_WORDS = 512  # most that are read at once


@dataclass(frozen=True)
class BiLstm:
    """A fresh BiLSTM and what its words are made of.

    Attributes:
        encoder: model and tokenizer.
        vectors: the vectors that it began with, None without.
        coverage: which of the training words have one, None without vectors.
    """

    encoder: TokenEncoder
    vectors: WordVectors | None
    coverage: Coverage | None

    def facts(self) -> dict[str, Any]:
        """What the manifest says of the vectors; empty without."""
        if self.vectors is None or self.coverage is None:
            return {}
        return {
            "file": self.vectors.path.rpartition("/")[2],
            "fingerprint": self.vectors.fingerprint,
            "dimensions": self.vectors.matrix.shape[1],
            "words": len(self.vectors.words),
            "hits": self.coverage.hits,
            "misses": self.coverage.misses,
            "share_of_running_words": self.coverage.share,
            "coverage": str(self.coverage),
        }


def load_bilstm(train: Corpus, labels: tuple[str, ...], settings: BiLstmSettings, kinds: int = 0) -> BiLstm:
    """Makes a BiLSTM over the words of the training data and those of the vectors; dev and test are not looked at.

    Args:
        train: the training data.
        labels: tags by id.
        settings: its sizes.
        kinds: how many kinds of names segment ids show.

    Raises:
        DataError: the file of vectors cannot be read.
    """
    transformers_logging.disable_progress_bar()
    normalizer = normalizers.Lowercase() if settings.lowercase else None
    counts: Counter[str] = Counter()
    for word, times in Counter(word for sentence in train.sentences for word in sentence.words).items():
        counts[normalizer.normalize_str(word) if normalizer else word] += times
    vectors = coverage = None
    known: dict[str, int] = {}
    if settings.vectors is not None:
        vectors = read_vectors(settings.vectors, settings.vocabulary, {word.lower() for word in counts})
        known = vectors.rows(settings.lowercase)
        coverage = cover(counts, known)
    spelt = {character for each in train.sentences for word in each.words for character in word}
    alphabet = [PADDING, UNKNOWN, *map(character_token, sorted(spelt if settings.characters else ()))]
    words = [*alphabet, *sorted(counts.keys() | known.keys())]
    longest = _WORDS * (1 + settings.characters)
    tokenizer = _tokenizer(words, normalizer, longest)
    shapes = settings.lowercase if settings.shapes is None else settings.shapes
    config = BiLstmConfig(
        vocab_size=len(words),
        embedding_size=settings.embedding if vectors is None else vectors.matrix.shape[1],
        hidden_size=settings.hidden,
        num_hidden_layers=settings.layers,
        dense_size=settings.dense,
        type_vocab_size=segment_ids(shapes, kinds),
        characters=settings.characters,
        alphabet_size=len(alphabet),
        filters=settings.filters,
        dropout=0.5 if settings.dropout is None else settings.dropout,
        max_position_embeddings=longest,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    model = BiLstmForTokenClassification(config)
    if kinds and shapes and model.shapes is not None:  # a word in a name begins as any of its shape
        with torch.no_grad():
            model.shapes.weight.copy_(model.shapes.weight[: segment_ids(shapes)].repeat(1 + kinds, 1))
    if vectors is not None:
        _fill(model, words, vectors, known)
    if settings.word_dropout:
        occurs = torch.tensor([counts.get(word, 0) for word in words], dtype=torch.float32)
        model.unknown_rates = settings.word_dropout / (settings.word_dropout + occurs)
        model.unknown_rates[:2] = 0.0
    subtokens = SubTokenizer(
        Tokenizer.from_str(tokenizer.backend_tokenizer.to_str()), shapes, characters=settings.characters
    )
    fresh = frozenset(name for name, _ in model.named_parameters() if name.startswith("classifier."))
    encoder = TokenEncoder(model, tokenizer, longest, settings.encoder, fresh, subtokens, shapes)
    return BiLstm(encoder, vectors, coverage)


def _tokenizer(words: list[str], normalizer: Any, longest: int) -> Any:
    """A tokenizer that gives every word one id."""
    backend = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token=UNKNOWN))
    if normalizer is not None:
        backend.normalizer = normalizer
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=backend, pad_token=PADDING, unk_token=UNKNOWN, model_max_length=longest
    )


def _fill(model: BiLstmForTokenClassification, words: list[str], vectors: WordVectors, known: dict[str, int]) -> None:
    """Puts the vectors in, all scaled by one number so that they are as long as random ones, 1 on the average."""
    length = float(np.linalg.norm(vectors.matrix, axis=1).mean()) or 1.0
    places = [place for place, word in enumerate(words) if word in known]
    rows = vectors.matrix[[known[words[place]] for place in places]] / length
    with torch.no_grad():
        model.words.weight[places] = torch.from_numpy(rows)
