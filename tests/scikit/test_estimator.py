"""TaglineClassifier as scikit-learn uses estimators, on a tiny random encoder."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from tests.cli.support import environment, write_encoder
from tests.train.labelled import WORDS, toy

from tagline.errors import DataError, OutputError, UsageError
from tagline.predict import Classifier
from tagline.records import Problem
from tagline.scikit import TaglineClassifier
from tagline.scikit.inputs import corpora_of

CORPUS = toy("single", 60, 1)
TEXTS = [each.text for each in CORPUS.texts]
LABELS = [each.labels[0] for each in CORPUS.texts]


@pytest.fixture(scope="module")
def estimator(tmp_path_factory: pytest.TempPathFactory) -> TaglineClassifier:
    """Not fitted yet."""
    words = " ".join([*WORDS, "good bad"])
    encoder = write_encoder(tmp_path_factory.mktemp("scikit") / "encoder", [words] * 3, positions=64)
    settings = {
        "batch_tokens": 160, "head_learning_rate": 3e-3, "freeze_embeddings": False, "precision": "f32", "threads": 1,
    }  # fmt: skip
    return TaglineClassifier(str(encoder), epochs=1, learning_rate=3e-3, settings=settings)


@pytest.fixture(scope="module")
def fitted(estimator: TaglineClassifier) -> TaglineClassifier:
    made: TaglineClassifier = clone(estimator).set_params(epochs=16, validation_fraction=0.2)
    return made.fit(np.array(TEXTS, dtype=object), LABELS)


def test_it_learns_and_its_folder_is_a_model(fitted: TaglineClassifier) -> None:
    assert is_classifier(fitted)
    assert fitted.classes_.tolist() == ["bad", "good"]
    chances = fitted.predict_proba(TEXTS)
    assert chances.shape == (60, 2)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)
    said = fitted.predict(TEXTS)
    assert said.tolist() == [["bad", "good"][best] for best in chances.argmax(axis=1)]
    model = Classifier.open(fitted.model_folder_)
    assert [each.label for each in model(TEXTS)] == said.tolist()
    assert fitted.score(TEXTS, LABELS) > 0.8
    assert fitted.predict_proba([]).shape == (0, 2)
    assert sorted(model.folder.manifest.training["data"]) == ["dev", "train"]
    assert not (fitted.model_folder_.parent / "run").exists()


def test_a_pickle_brings_the_model_along(fitted: TaglineClassifier) -> None:
    again = pickle.loads(pickle.dumps(fitted))
    assert again.model_folder_ != fitted.model_folder_
    np.testing.assert_array_equal(again.predict_proba(TEXTS), fitted.predict_proba(TEXTS))
    place = again.model_folder_
    assert place.is_dir()
    del again
    assert not place.exists()


def test_cross_validation_in_a_pipeline(estimator: TaglineClassifier) -> None:
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    steps = Pipeline([("lower", lower), ("model", clone(estimator))]).set_params(model__random_state=4)
    numbers = [7 if label == "good" else 11 for label in LABELS]  # as text 11 comes first
    scores = cross_val_score(steps, TEXTS, numbers, cv=2, error_score="raise")
    assert scores.shape == (2,)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_numbers_stay_numbers_in_their_own_folder(estimator: TaglineClassifier, tmp_path: Path) -> None:
    model = clone(estimator).set_params(epochs=4, folder=tmp_path / "model", validation_fraction=0)
    numbers = np.array([7 if label == "good" else 11 for label in LABELS])
    model.fit(TEXTS, numbers)
    assert model.classes_.tolist() == [7, 11]
    assert model.predict(TEXTS).dtype == numbers.dtype
    texts = Classifier.open(tmp_path / "model")(TEXTS)
    assert [str(each) for each in model.predict(TEXTS)] == [each.label for each in texts]
    with pytest.raises(OutputError, match="there already; give overwrite=True"):
        model.fit(TEXTS, numbers)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "thesis.txt").touch()
    with pytest.raises(OutputError, match="only models are replaced"):
        clone(model).set_params(folder=tmp_path / "own", overwrite=True).fit(TEXTS, numbers)
    assert model.predict(TEXTS[:2]).shape == (2,)  # what was learned before is still there


def test_parameters_are_kept_as_they_are_given(estimator: TaglineClassifier) -> None:
    given = estimator.get_params()
    assert clone(estimator).get_params() == given
    assert set(given) == {
        "encoder", "epochs", "learning_rate", "settings", "validation_fraction", "random_state", "folder", "overwrite",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "X", "y", "said"),
    [
        ({}, "one text", ["a"], "X is one text"),
        ({}, ["a", 3], ["a", "b"], "a value of type int"),
        ({}, ["a"], ["a", "b"], "1 texts and y 2 labels"),
        ({}, ["a", "b"], [0.5, 1.5], "y is float64"),
        ({}, ["a", "b"], [["a"], ["b"]], "one label a text"),
        ({}, ["a", "b"], [None, "a"], "several kinds"),
        ({"validation_fraction": 1.0}, ["a", "b"], ["a", "b"], "expected 0 up to but not 1"),
        ({"settings": {"epoch": 3}}, ["a", "b"], ["a", "b"], "'epoch'; accepted are batch_tokens"),
    ],
)
def test_bad_input(estimator: TaglineClassifier, changes: dict[str, Any], X: Any, y: Any, said: str) -> None:  # noqa: N803
    with pytest.raises(UsageError, match=said):
        clone(estimator).set_params(**changes).fit(X, y)


def test_one_label_and_no_fit(estimator: TaglineClassifier) -> None:
    with pytest.raises(DataError, match="at least two labels"):
        clone(estimator).fit(["a", "b"], ["x", "x"])
    with pytest.raises(NotFittedError):
        clone(estimator).predict(["a"])


def test_each_label_gives_its_share_to_dev() -> None:
    y = ["a"] * 10 + ["b"] * 4 + ["c"]
    texts = [f"text {number}" for number in range(15)]
    classes, train, dev = corpora_of(texts, y, 0.25, 3)
    assert dev is not None
    assert classes.tolist() == train.labels == ["a", "b", "c"]
    assert sorted(each.labels[0] for each in dev.texts) == ["a", "a", "b"]
    assert sorted(each.text for each in (*train.texts, *dev.texts)) == sorted(texts)
    assert train.problem is Problem.SINGLE
    assert corpora_of(texts, y, 0.25, 3)[1] == train
    assert corpora_of(texts, y, 0.05, 3)[2] is None


def test_without_scikit_learn_one_sentence_says_what_to_type() -> None:
    code = (
        "import sys\nsys.modules['sklearn'] = None\nfrom tagline.errors import MissingExtraError\n"
        "try:\n    import tagline.scikit\nexcept MissingExtraError as error:\n    sys.exit(str(error))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False)
    assert 'pip install "tagline[sklearn]"' in done.stderr
    assert "Traceback" not in done.stderr
