"""Texts and labels as scikit-learn gives them, as corpora."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.data.texts.corpus import TextCorpus
from tagline.errors import OutputError, UsageError
from tagline.folder import CONFIG
from tagline.records import LabelledText, Problem


def corpora_of(
    X: Iterable[str], y: ArrayLike, share: float, seed: int
) -> tuple[NDArray[Any], TextCorpus, TextCorpus | None]:
    """The labels sorted, train, and dev with `share` of each label's texts, rounded down; None where that is nothing.

    Raises:
        UsageError: texts or labels of another form, or an impossible share.
    """
    texts, (classes, numbers) = texts_of(X), _classes(y)
    if len(texts) != len(numbers):
        raise UsageError(f"X holds {len(texts)} texts and y {len(numbers)} labels; expected one label a text")
    if not 0 <= share < 1:
        raise UsageError(f"validation_fraction is {share}; expected 0 up to but not 1")
    rows = [LabelledText(text, labels=(str(classes[at]),)) for text, at in zip(texts, numbers, strict=True)]
    chance, held = np.random.default_rng(seed), set[int]()
    for at in range(len(classes)):
        mine = chance.permutation(np.flatnonzero(numbers == at))
        held.update(mine[: int(share * len(mine))].tolist())
    train = _corpus([row for number, row in enumerate(rows) if number not in held])
    return classes, train, _corpus([rows[number] for number in sorted(held)]) if held else None


def texts_of(given: Iterable[object]) -> list[str]:
    """The texts; raises `UsageError` where something else is given."""
    if isinstance(given, str):
        raise UsageError("X is one text; expected a sequence of texts (str)")
    texts: list[str] = []
    for each in given:
        if not isinstance(each, str):
            raise UsageError(f"X holds a value of type {type(each).__name__}; expected texts (str)")
        texts.append(str(each))
    return texts


def check_free(folder: Path, overwrite: bool) -> None:
    """Raises `OutputError` where a folder may not be made, before any work."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / CONFIG).is_file():
        raise OutputError(f"{folder} is there already and holds no model, and only models are replaced; name another")
    if not overwrite:
        raise OutputError(f"{folder} is there already; give overwrite=True to replace it, or name another folder")


def _classes(given: ArrayLike) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The labels sorted, and each text's as a number."""
    labels = np.asarray(given)
    if labels.ndim != 1 or labels.dtype.kind not in "OUSbiu":
        what = f"{labels.dtype} of shape {labels.shape}"
        raise UsageError(f"y is {what}; expected one label a text, as text or whole numbers")
    try:
        classes, numbers = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise UsageError(
            f"y holds labels of several kinds ({error}); expected all text or all whole numbers"
        ) from error
    return classes, numbers


def _corpus(rows: Sequence[LabelledText]) -> TextCorpus:
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()
    empty = sum(not each.text.strip() for each in rows)
    return TextCorpus(tuple(rows), Problem.SINGLE, "X", "python", digest, empty=empty)
