"""The BiLSTM-CRF on the common road: training, folder, engines, pipeline, command line."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.cli.support import FILES, call, quiet, refused

import make_corpus
import tagline
from tagline.data.corpus import Corpus, read_corpus
from tagline.data.vectors import write_vectors
from tagline.engines.base import EngineSettings
from tagline.errors import FolderError, UsageError
from tagline.folder import ModelFolder
from tagline.models.bilstm import BiLstmForTokenClassification
from tagline.models.crf import crf_of
from tagline.predict.judging import judge
from tagline.predict.tagger import Tagger
from tagline.train.tokens.bilstm import load_bilstm
from tagline.train.tokens.prepare import label_set, prepare_tokens
from tagline.train.tokens.settings import BiLstmSettings, NotebookSettings, TokenSettings, settings_for

LEARN = ("--threads", "1", "--epochs", "8", "--batch-tokens", "64", "--learning-rate", "1e-2", "--set", "dropout=0.1")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus, word vectors of some of its words, and a model that the command line trained on both."""
    place = tmp_path_factory.mktemp("bilstm")
    make_corpus.main([str(place), "--train", "120", "--dev", "40", "--test", "10"])
    words = sorted({word.lower() for each in read(place).sentences for word in each.words})[::2]
    random = np.random.default_rng(1)
    write_vectors(
        place / "vectors.txt", [*words, "zanzibar"], random.normal(0, 1, (len(words) + 1, 12)).astype(np.float32)
    )
    done = call(
        "train", place / "train.conll", "--dev", place / "dev.conll", "--test", place / "test.conll", "--allow-leakage",
        "-o", place / "model", "--encoder", "bilstm", "--vectors", place / "vectors.txt", "--set", "hidden=32", *LEARN,
    )  # fmt: skip
    assert done.code == 0, done.err
    quiet(done)
    (place / "said.txt").write_text(done.err, encoding="utf-8")
    return place


def read(place: Path, part: str = "train") -> Corpus:
    return read_corpus(place / f"{part}.conll")


def test_the_folder_is_as_any_other(place: Path) -> None:
    folder = ModelFolder.open(place / "model")
    folder.verify(folder.manifest.files)
    assert {each.name for each in folder.path.iterdir() if each.is_file()} == FILES
    assert folder.word_level
    assert folder.manifest.shapes
    assert np.asarray(folder.manifest.transitions).shape == (len(folder.labels) + 1,) * 2
    assert set(folder.manifest.metrics) == {"dev", "test"}
    vectors = folder.manifest.training["vectors"]
    assert vectors["file"] == "vectors.txt"
    assert vectors["dimensions"] == 12
    assert vectors["hits"] > 0
    assert vectors["misses"] > 0
    assert "different words have a vector" in (place / "said.txt").read_text(encoding="utf-8")
    assert folder.manifest.training["encoder"] == {"name": "bilstm", "family": "tagline-bilstm"}


def test_it_has_learned_something_and_every_engine_says_the_same(place: Path) -> None:
    words = [each.words for each in read(place, "dev").sentences]
    answers = {}
    for engine in ("openvino", "torch"):
        tagger = Tagger.open(place / "model", EngineSettings(engine, "f32", "cpu", 1, cache=False))
        assert judge(tagger, read(place, "dev")).report.to_json()["strict"]["f1"] > 0
        answers[engine] = list(tagger.stream_words(words))
    for ours, theirs in zip(answers["openvino"], answers["torch"], strict=True):
        assert ours.tags == theirs.tags
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)


def test_batch_mates_do_not_matter(place: Path) -> None:
    settings = EngineSettings("openvino", "f32", cache=False)
    words = [each.words for each in read(place, "dev").sentences]
    together = Tagger.open(place / "model", settings)
    alone = Tagger.open(place / "model", dataclasses.replace(settings, batch_tokens=1))
    for ours, theirs in zip(together.stream_words(words), alone.stream_words(words), strict=True):
        assert ours.tags == theirs.tags
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-5)


def test_raw_text_with_words_that_it_never_saw(place: Path) -> None:
    text = "Xyzzyq Plughov moved to Zanzibar, they say. \U0001f600 北京"
    tagger = tagline.load(place / "model")
    assert isinstance(tagger, Tagger)
    document = tagger(text)
    assert "".join(document.words) == "".join(text.split())
    assert len(document.tags) == len(document.words)
    pipe = tagline.pipeline("token-classification", str(place / "model"), ignore_labels=[])
    answers = pipe(text)
    assert [text[each["start"] : each["end"]] for each in answers] == list(document.words)
    assert pipe("") == []
    long = " ".join(["Zanzibar", "is", "far", "."] * 400)
    assert len(tagger(long).tags) == 1600


def test_vectors_begin_the_embedding_and_their_words_are_known(place: Path) -> None:
    corpus = read(place)
    settings = BiLstmSettings(vectors=str(place / "vectors.txt"), hidden=8)
    made = load_bilstm(corpus, label_set(corpus, settings.scheme), settings)
    assert made.vectors is not None
    model, subtokens = made.encoder.model, made.encoder.subtokens
    assert isinstance(model, BiLstmForTokenClassification)
    length = np.linalg.norm(made.vectors.matrix, axis=1).mean()
    for word in (made.vectors.words[3], "zanzibar"):
        row = made.vectors.matrix[made.vectors.words.index(word)]
        ids = subtokens([word.upper()])[0].ids
        assert len(ids) == 1
        np.testing.assert_allclose(model.words.weight.detach()[ids[0]].numpy(), row / length, rtol=1e-5)
    assert subtokens(["never-seen"])[0].ids == (subtokens.unknown,) == (1,)
    assert model.unknown_rates is not None
    assert model.unknown_rates[:2].tolist() == [0, 0]
    few = load_bilstm(corpus, label_set(corpus, settings.scheme), dataclasses.replace(settings, vocabulary=1))
    assert few.encoder.subtokens(["zanzibar"])[0].ids == (1,)
    assert made.coverage == few.coverage  # words of the training data are looked for in the whole file


def test_case_and_shapes_by_option(place: Path) -> None:
    corpus = read(place)
    cased = prepare_tokens(corpus, None, BiLstmSettings(lowercase=False, hidden=8))
    assert not cased.encoder.shapes
    word = next(word for each in corpus.sentences for word in each.words if word.istitle())
    subtokens = cased.encoder.subtokens
    assert subtokens([word])[0].ids != subtokens([word.swapcase()])[0].ids
    lower = prepare_tokens(corpus, None, BiLstmSettings(hidden=8))
    assert lower.encoder.shapes
    subtokens = lower.encoder.subtokens
    assert subtokens([word])[0].ids == subtokens([word.swapcase()])[0].ids
    assert subtokens([word])[0].types != subtokens([word.lower()])[0].types


def test_characters_by_option(place: Path) -> None:
    """Words that were never seen are told apart by their letters."""
    common = ("--encoder", "bilstm", "--set", "hidden=16", "--set", "filters=16", *LEARN, "--batch-tokens", 512)
    done = call(
        "train", place / "train.conll", "--dev", place / "dev.conll", "-o", place / "spelt", "--characters", 7,
        "--epochs", 2, *common,
    )  # fmt: skip
    assert done.code == 0, done.err
    folder = ModelFolder.open(place / "spelt")
    assert folder.manifest.characters == 7
    answers = {}
    for engine in ("openvino", "torch"):
        tagger = Tagger.open(folder.path, EngineSettings(engine, "f32", "cpu", 1, cache=False))
        answers[engine] = [tagger(text) for text in ("Xyzzyq moved.", "", "Pl\u00f9gh \U0001f600 " * 300)]
    for ours, theirs in zip(answers["openvino"], answers["torch"], strict=True):
        assert ours.tags == theirs.tags
        assert len(ours.tags) == len(ours.words)
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)
    subtokens = Tagger.open(folder.path).encoder.subtokens
    one, other, long = subtokens(["Xab", "Xba", "abcdefghijXYZ"])
    assert one.ids[0] == other.ids[0] == subtokens.unknown
    assert one.ids != other.ids
    assert one.ids[4:] == (subtokens.pad,) * 4
    assert len(long.ids) == 8
    assert long.ids[1:4] == subtokens(["abcdXYZ"])[0].ids[1:4]
    assert long.ids[5:] == subtokens(["abcdXYZ"])[0].ids[5:]
    with pytest.raises(FolderError, match="reads characters"):
        tagline.pipeline("token-classification", str(folder.path))
    with pytest.raises(UsageError, match="--set window=8; a word with its characters takes 11"):
        prepare_tokens(read(place), None, BiLstmSettings(characters=10, window=8))
    with pytest.raises(UsageError, match="--characters is 99; expected 0 to 40"):
        BiLstmSettings(characters=99)


def test_the_notebooks_setting(place: Path) -> None:
    prepared = prepare_tokens(read(place), None, NotebookSettings())
    model = prepared.encoder.model
    assert isinstance(model, BiLstmForTokenClassification)
    assert [layer.ahead.hidden_size for layer in model.layers] == [50, 50]  # type: ignore[union-attr]
    assert model.dense is not None
    assert model.dense.out_features == 25
    assert model.shapes is None
    assert crf_of(model) is not None
    assert settings_for("bilstm-notebook") is NotebookSettings
    assert settings_for("bilstm") is BiLstmSettings
    assert settings_for("minilm") is TokenSettings


def test_the_same_seed_makes_the_same_model(place: Path) -> None:
    corpus = read(place)
    models = [prepare_tokens(corpus, None, BiLstmSettings(hidden=8, seed=seed)).encoder.model for seed in (1, 2, 1)]
    one, two, again = (model.state_dict() for model in models)
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["words.weight"], two["words.weight"])


def test_a_linear_head_and_what_does_not_fit(place: Path) -> None:
    common = ("train", place / "train.conll", "-o", place / "linear", "--set", "hidden=8", "--set", "dense=4")
    done = call(*common, "--encoder", "bilstm", "--head", "linear", *LEARN, "--epochs", 1, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out) == {}
    assert ModelFolder.open(place / "linear").manifest.transitions == []
    refused(call(*common, "--overwrite", "--vectors", place / "vectors.txt"), "--vectors is for --encoder bilstm")
    refused(
        call(*common, "--overwrite", "--encoder", "bilstm", "--vectors", place / "none.txt"), "none.txt", "Accepted"
    )
    refused(
        call(*common, "--overwrite", "--encoder", "bilstm", "--set", "hidden=0"), "--set hidden=0; expected at least 1"
    )
