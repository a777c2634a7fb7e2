"""Document context from training to the answer: each word's tag comes from its own row, in files and in raw text."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.cli.support import call
from tests.train.test_fit import Material, material

from tagline.data.corpus import Corpus
from tagline.data.streams.rows import read_rows
from tagline.data.write_corpus import write_corpus
from tagline.engines.base import EngineSettings
from tagline.engines.torch import load_model
from tagline.errors import UsageError
from tagline.folder import ModelFolder
from tagline.predict.judging import judge
from tagline.predict.rows import tag_rows
from tagline.predict.sampling import sample_of, unrun
from tagline.predict.tagger import Tagger
from tagline.publish.write import Parts, write_model
from tagline.train.fit import fit
from tagline.train.provenance import manifest_of_tokens
from tagline.train.tokens.prepare import prepare_tokens

__all__ = ["material"]
CONTEXT = 12


def in_documents(corpus: Corpus, size: int = 5) -> Corpus:
    """The corpus with a new document every few sentences."""
    marked = tuple(dataclasses.replace(each, document=number // size) for number, each in enumerate(corpus.sentences))
    return dataclasses.replace(corpus, sentences=marked)


@pytest.fixture(scope="module")
def documents(material: Material) -> Material:
    settings = dataclasses.replace(material.settings, context=CONTEXT, epochs=2, batch_tokens=0)
    return Material(in_documents(material.train), in_documents(material.dev), settings)


@pytest.fixture(scope="module")
def trained(documents: Material, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A model that reads context, and its score on dev while it was trained."""
    place = tmp_path_factory.mktemp("context")
    prepared = documents.prepared(documents.settings)
    fitted = fit(prepared, documents.settings, place / "work")
    manifest = manifest_of_tokens(fitted, {"train": documents.train, "dev": documents.dev})
    write_model(Parts(fitted.model, prepared.encoder.tokenizer, files=prepared.files), manifest, place / "model")
    assert fitted.dev_score is not None
    return place / "model", fitted.dev_score


def test_windows_of_training_show_and_do_not_score_it(documents: Material, material: Material) -> None:
    plain = prepare_tokens(material.train, None, material.settings).train
    shown = prepare_tokens(documents.train, None, documents.settings).train
    assert shown.learned == sum(plain.lengths) == plain.learned
    assert sum(shown.lengths) > 1.5 * shown.learned
    for one, other in zip(plain.labels, shown.labels, strict=True):
        assert other[other >= 0].tolist() == one[one >= 0].tolist()
    settings = documents.settings.sized(shown.learned, sum(shown.lengths) / shown.learned)
    unshown = dataclasses.replace(documents.settings, context=0).sized(plain.learned)
    assert settings.epochs == unshown.epochs
    assert settings.batch_tokens / unshown.batch_tokens == pytest.approx(sum(shown.lengths) / shown.learned, rel=0.01)


def test_dev_is_scored_as_by_the_folder(documents: Material, trained: tuple[Path, float]) -> None:
    folder, score = trained
    tagger = Tagger.open(folder, EngineSettings("openvino", "f32", cache=False))
    assert tagger.folder.manifest.context == CONTEXT
    found = judge(tagger, documents.dev)
    assert found.report.to_json()["strict"]["f1"] == pytest.approx(score, abs=1e-9)
    assert "sub-tokens of its document" in (folder / "README.md").read_text(encoding="utf-8")
    sample = sample_of(unrun(tagger.folder), documents.dev, 4)
    assert [len(each.before) > 0 for each in sample.split] == [False, True, True, True]


def in_a_file(corpus: Corpus, folder: Path, form: str) -> Path:
    """The sentences with their marks, as `tagline predict` reads them."""
    file = folder / f"marked.{form}"
    bare = tuple(dataclasses.replace(each, tags=()) for each in corpus.sentences)
    write_corpus(file, dataclasses.replace(corpus, sentences=bare))
    return file


@pytest.mark.parametrize("form", ["conll", "jsonl"])
def test_rows_of_a_file_are_shown_what_evaluating_shows(
    form: str, documents: Material, trained: tuple[Path, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tagger = Tagger.open(trained[0], EngineSettings("openvino", "f32", cache=False))
    expected = judge(tagger, documents.dev).documents
    file = in_a_file(documents.dev, tmp_path, form)
    with read_rows(file) as rows:
        found = [document for _, document in tag_rows(tagger, rows)]
    assert [each.tags for each in found] == [each.tags for each in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
    border = 7
    monkeypatch.setattr("tagline.predict.rows.BORDER", border)
    with read_rows(file) as rows:
        whole = list(tag_rows(tagger, rows))
    assert any(one.scores != other.scores for (_, one), other in zip(whole, found, strict=True))  # a document was cut
    with read_rows(file, skip=2 * border) as rows:
        resumed = list(tag_rows(tagger, rows))
    assert resumed == whole[2 * border :]


def test_predicting_says_where_no_document_is_marked(
    documents: Material, trained: tuple[Path, float], tmp_path: Path
) -> None:
    file = in_a_file(documents.dev, tmp_path, "conll")
    done = call("predict", trained[0], file, "-o", tmp_path / "marked.jsonl")
    assert done.code == 0, done
    assert "no document that is marked" not in done.err
    plain = tmp_path / "plain.conll"
    plain.write_text(file.read_text("utf-8").replace("-DOCSTART-\n\n", ""), encoding="utf-8")
    done = call("predict", trained[0], plain, "-o", tmp_path / "plain.jsonl")
    assert done.code == 0, done
    assert f"{len(documents.dev.sentences)} sentences stand in no document that is marked" in done.err


def test_tags_of_raw_text_come_from_their_own_rows(trained: tuple[Path, float]) -> None:
    folder = ModelFolder.open(trained[0])
    sentences = ["Maria Novak moved to Oslo in 1996.", "The Kremlin sent doctors to Nepal.", "Peter stayed behind."]
    text = " ".join(sentences)
    tagger = Tagger.open(trained[0], EngineSettings("torch", "f32", "cpu", 1), constrained=False)
    document = tagger(text)
    split = tagger.split(text)
    assert len(split.sentences) == 3
    assert [text[start:end] for start, end in document.offsets] == list(split.words)
    model, subtokens = load_model(folder), tagger.encoder.subtokens
    pieces = subtokens(split.words)
    for first, last in split.sentences:
        left, right = first, last
        while left > 0 and sum(len(each.ids) for each in pieces[left - 1 : first]) <= CONTEXT:
            left -= 1
        while right < len(pieces) and sum(len(each.ids) for each in pieces[last : right + 1]) <= CONTEXT:
            right += 1
        shown = pieces[left:right]
        ids = [*subtokens.prefix, *(each for piece in shown for each in piece.ids), *subtokens.suffix]
        types = [0, *(each for piece in shown for each in piece.types), 0]
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([types])).logits[0]
        at = 1 + sum(len(each.ids) for each in pieces[left:first])
        for word in range(first, last):
            chances = logits[at].softmax(-1)
            assert document.tags[word] == folder.labels[int(chances.argmax())]
            assert document.scores[word] == pytest.approx(float(chances.max()), abs=1e-5)
            at += len(pieces[word].ids)
    alone = tagger(sentences[1])
    middle = slice(*split.sentences[1])
    assert len(alone.tags) == len(document.tags[middle])
    assert not np.allclose(alone.scores, document.scores[middle], atol=1e-5)  # what stands around it matters


def test_documents_must_be_marked(material: Material) -> None:
    settings = dataclasses.replace(material.settings, context=8)
    with pytest.raises(UsageError, match=r"--set context=8, but .* marks no documents"):
        prepare_tokens(material.train, None, settings)
    with pytest.raises(UsageError, match="--set context=-1"):
        dataclasses.replace(material.settings, context=-1)
