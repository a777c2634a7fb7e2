"""A text classifier as an estimator of scikit-learn: in a `Pipeline`, under `cross_val_score`, in a search."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.data.texts.corpus import TextCorpus
from tagline.errors import MissingExtraError, UsageError
from tagline.predict.classifier import Classifier
from tagline.records import Problem
from tagline.scikit.inputs import check_free, corpora_of, texts_of
from tagline.text.pooling import probabilities

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise MissingExtraError("TaglineClassifier", "sklearn") from error


class TaglineClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Fine-tunes an encoder on texts with one label each, and gives every text's label.

    `X` is any sequence of texts (str), `y` as many labels. A pickle brings the model along.

    Args:
        encoder: `minilm`, a folder or a hub name.
        epochs: passes over the training data; 0 takes as many as `tagline train` does.
        learning_rate: peak rate of the encoder; None takes the default of `tagline train`.
        settings: further fields of `TextSettings` by name.
        validation_fraction: share of each label's texts, rounded down, that the best epoch is chosen and scores are
            calibrated on; 0 learns from all texts and keeps the last epoch.
        random_state: seed of all that is random.
        folder: model folder to make; None keeps the model in a temporary one as long as the estimator lives. In
            cross-validation leave it away: every fold has a model of its own.
        overwrite: whether `fit` replaces a folder that is there.

    Attributes:
        classes_: (L,) the labels, sorted.
        model_folder_: the model's folder, for `tagline.load` and every command.
    """

    _model: Classifier | None = None

    def __init__(
        self,
        encoder: str = "minilm",
        *,
        epochs: int = 0,
        learning_rate: float | None = None,
        settings: Mapping[str, Any] | None = None,
        validation_fraction: float = 0.1,
        random_state: int = 13,
        folder: str | Path | None = None,
        overwrite: bool = False,
    ) -> None:
        self.encoder, self.epochs, self.learning_rate, self.settings = encoder, epochs, learning_rate, settings
        self.validation_fraction, self.random_state = validation_fraction, random_state
        self.folder, self.overwrite = folder, overwrite

    def fit(self, X: Iterable[str], y: ArrayLike) -> Self:
        """Trains on texts and their labels; raises as `tagline train` does.

        Raises:
            UsageError: texts or labels of another form, settings that there are not, or an impossible share.
            OutputError: `folder` is there already.
            MissingExtraError: training is not installed.
        """
        classes, train, dev = corpora_of(X, y, self.validation_fraction, self.random_state)
        if self.folder is not None:
            check_free(Path(self.folder), self.overwrite)
        place = Path(tempfile.mkdtemp(prefix="tagline-"))
        remove = weakref.finalize(self, shutil.rmtree, place, ignore_errors=True)
        folder = place / "model" if self.folder is None else Path(self.folder)
        try:
            self._learn(train, dev, place / "run", folder)
        except BaseException:
            remove()
            raise
        self.classes_, self.model_folder_, self._model = classes, folder, None
        return self

    def predict(self, X: Iterable[str]) -> NDArray[Any]:
        """(N,) the best label of each text."""
        chances = self.predict_proba(X)
        return np.asarray(self.classes_[chances.argmax(axis=1)])

    def predict_proba(self, X: Iterable[str]) -> NDArray[np.float64]:
        """(N, L) probabilities of each text's labels, in the order of `classes_`; `NotFittedError` before `fit`."""
        check_is_fitted(self, "model_folder_")
        if self._model is None:
            self._model = Classifier.open(self.model_folder_)
        place = [self._model.labels.index(str(each)) for each in self.classes_]
        read = self._model.read((text, None) for text in texts_of(X))
        found = [probabilities(each.logits, Problem.SINGLE)[place] for each in read]
        return np.asarray(found, dtype=np.float64).reshape(len(found), len(place))

    def _learn(self, train: TextCorpus, dev: TextCorpus | None, work: Path, folder: Path) -> None:
        try:
            from tagline.publish.write import Parts, write_model
            from tagline.train.fit import fit
            from tagline.train.provenance import manifest_of_texts
            from tagline.train.texts.prepare import prepare_texts
            from tagline.train.texts.settings import TextSettings
        except ImportError as error:
            raise MissingExtraError("training", "train") from error
        given = {"encoder": self.encoder, "epochs": self.epochs, "seed": self.random_state, **(self.settings or {})}
        given |= {} if self.learning_rate is None else {"learning_rate": self.learning_rate}
        known = sorted(each.name for each in fields(TextSettings))
        if strange := sorted(given.keys() - known):
            raise UsageError(f"settings has {strange[0]!r}; accepted are {', '.join(known)}")
        settings = TextSettings(**given)
        prepared = prepare_texts(train, dev, settings)
        fitted = fit(prepared, settings, work)
        manifest = manifest_of_texts(fitted, {"train": train, **({} if dev is None else {"dev": dev})})
        parts = Parts(fitted.model, prepared.encoder.tokenizer, fitted.logs, prepared.files)
        write_model(parts, manifest, folder, overwrite=self.overwrite)
        shutil.rmtree(work, ignore_errors=True)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = {**super().__getstate__(), "_model": None}
        if self.folder is None and "model_folder_" in state:  # what is temporary here is not there elsewhere
            state["_files"] = {each.name: each.read_bytes() for each in self.model_folder_.iterdir() if each.is_file()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        files = state.pop("_files", None)
        super().__setstate__(state)
        if files is not None:
            self.model_folder_ = Path(tempfile.mkdtemp(prefix="tagline-"))
            weakref.finalize(self, shutil.rmtree, self.model_folder_, ignore_errors=True)
            for name, content in files.items():
                (self.model_folder_ / name).write_bytes(content)
