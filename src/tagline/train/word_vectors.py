"""Word vectors trained on a corpus of one's own, by gensim."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tagline.data.vectors import WordVectors
from tagline.errors import DataError, MissingExtraError, UsageError
from tagline.train.settings import at_least, one_of

METHODS = ("skipgram", "cbow", "fasttext")


@dataclass(frozen=True)
class VectorSettings:
    """How word vectors are trained; the same settings on the same words give the same vectors.

    Attributes:
        method: `skipgram` or `cbow` (word2vec), or `fasttext`, which makes a word's vector of those of its parts.
        dimensions: numbers of a vector.
        window: words on each side that count as a word's company.
        epochs: passes over the text.
        min_count: words that occur less often get no vector.
        negative: words drawn at random against each pair.
        lowercase: whether all words are lower-cased.
        seed: of all that is random.
    """

    method: str = "skipgram"
    dimensions: int = 100
    window: int = 5
    epochs: int = 20
    min_count: int = 2
    negative: int = 5
    lowercase: bool = True
    seed: int = 13

    def __post_init__(self) -> None:
        one_of("method", self.method, METHODS)
        for name in ("dimensions", "window", "epochs", "min_count", "negative"):
            at_least(name, getattr(self, name), 1)
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"--seed is {self.seed}; expected 0 to {2**32 - 1}")


def train_vectors(
    sentences: Iterable[Sequence[str]], settings: VectorSettings, report: Callable[[float], None] | None = None
) -> WordVectors:
    """Trains word vectors, on one thread, so that they come out the same each time.

    Args:
        sentences: words of the training text. Give nothing else: vectors that have seen the test data flatter a model.
        settings: how.
        report: is called with 1 after each pass.

    Returns:
        The words, the most frequent first, with their vectors.

    Raises:
        MissingExtraError: gensim is not installed.
        DataError: no word occurs often enough.
    """
    try:
        from gensim.models import FastText, Word2Vec
        from gensim.models.callbacks import CallbackAny2Vec
    except ImportError as error:
        raise MissingExtraError("training word vectors", "vectors") from error

    class Passes(CallbackAny2Vec):  # type: ignore[misc] # untyped
        def on_epoch_end(self, model: Any) -> None:
            if report is not None:
                report(1)

    text = [[_form(word, settings.lowercase) for word in sentence] for sentence in sentences]
    kind = FastText if settings.method == "fasttext" else Word2Vec
    model = kind(
        vector_size=settings.dimensions,
        window=settings.window,
        min_count=settings.min_count,
        negative=settings.negative,
        sg=int(settings.method != "cbow"),
        workers=1,
        seed=settings.seed,
    )
    model.build_vocab(text)
    if not len(model.wv):
        raise DataError(f"no word occurs {settings.min_count} times; give more text, or a smaller --min-count")
    model.train(text, total_examples=len(text), epochs=settings.epochs, callbacks=[Passes()])
    return WordVectors(tuple(model.wv.index_to_key), np.asarray(model.wv.vectors, dtype=np.float32))


def _form(word: str, lowercase: bool) -> str:
    """The word as it will be written: white space in it would end it there."""
    word = "_".join(word.split()) or "_"
    return word.lower() if lowercase else word
