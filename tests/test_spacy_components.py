"""The components in a spaCy pipeline say what the models say."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import spacy
from spacy import ty
from spacy.language import Language
from tests.conftest import ROOT
from tests.families import TEXT
from tests.predict.test_pipeline import tiny
from tests.predict.tiny_texts import HEADS, write_classifier

import tagline
import tagline.spacy_components
from tagline.errors import FolderError, UsageError
from tagline.predict import Classifier

LINES = [line for line in TEXT.splitlines() if line]


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny("bert-cased", ("O", "B-PER", "I-PER"), tmp_path_factory.mktemp("tagger") / "model")


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classifier("bert-cased", HEADS["five"], tmp_path_factory.mktemp("classifier") / "model")


def pipeline(factory: str, model: Path, **config: object) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, config={"model": str(model), "options": {"precision": "f32", "threads": 1}, **config})
    return nlp


@pytest.mark.filterwarnings("ignore:tagline_ner. entities that do not fall:UserWarning")
@pytest.mark.parametrize("mode", ["expand", "contract", "strict"])
def test_entities_are_the_models(tagger: Path, mode: str) -> None:
    nlp = pipeline("tagline_ner", tagger, alignment_mode=mode)
    known = tagline.load(tagger, precision="f32", threads=1)
    docs = list(nlp.pipe([*LINES, ""], batch_size=3))
    assert [doc.text for doc in docs] == [*LINES, ""]
    unaligned = 0
    for doc in docs:
        entities = known(doc.text).entities  # type: ignore[union-attr]
        spans, scores = doc.spans["tagline_ner"], doc.spans["tagline_ner"].attrs["scores"]
        borders = {token.idx for token in doc}, {token.idx + len(token) for token in doc}
        exact = [each for each in entities if each.start in borders[0] and each.end in borders[1]]
        unaligned += len(entities) - len(exact)
        found = {
            (span.start_char, span.end_char, span.label_): score for span, score in zip(spans, scores, strict=True)
        }
        assert all(found[each.start, each.end, each.label] == pytest.approx(each.score) for each in exact)
        assert len(spans) <= len(entities)
        if mode == "strict":
            assert len(spans) == len(exact)
        if mode == "expand":
            assert len(spans) == len(entities)
            for span, each in zip(spans, entities, strict=True):
                assert span.start_char <= each.start < each.end <= span.end_char
        assert {(each.start, each.end) for each in doc.ents} <= {(each.start, each.end) for each in spans}
    component = nlp.get_pipe("tagline_ner")
    assert component.unaligned == unaligned  # type: ignore[attr-defined]
    assert sum(len(doc.ents) for doc in docs) > 10


def test_what_does_not_align_is_said_once(tagger: Path) -> None:
    nlp = pipeline("tagline_ner", tagger, alignment_mode="strict")
    nlp.tokenizer = lambda text: spacy.tokens.Doc(nlp.vocab, [text], [False])
    with pytest.warns(UserWarning, match=r"do not fall on spaCy's tokens are left out") as said:
        docs = list(nlp.pipe(LINES))
    assert len(said) == 1
    assert nlp.get_pipe("tagline_ner").unaligned > 5  # type: ignore[attr-defined]
    assert all(len(entity) == 1 for doc in docs for entity in doc.ents)


@pytest.mark.filterwarnings("ignore:tagline_ner. entities that do not fall:UserWarning")
def test_entities_that_stand_there_stay(tagger: Path) -> None:
    nlp = pipeline("tagline_ner", tagger)
    ruler = nlp.add_pipe("entity_ruler", before="tagline_ner")
    ruler.add_patterns([{"label": "CITY", "pattern": "Lisbon"}])  # type: ignore[attr-defined]
    assert "CITY" in {each.label_ for each in nlp(LINES[0]).ents}


def test_labels_of_texts(classifier: Path) -> None:
    nlp = pipeline("tagline_textcat", classifier)
    known = tagline.load(classifier, precision="f32", threads=1)
    assert isinstance(known, Classifier)
    for doc in nlp.pipe(LINES[:4]):
        scores = known(doc.text, top_k=None).scores
        assert doc.cats == pytest.approx({each.label: each.score for each in scores}, rel=1e-5)


@pytest.mark.filterwarnings("ignore:tagline_ner. entities that do not fall:UserWarning")
def test_a_saved_pipeline_brings_its_model(tagger: Path, tmp_path: Path) -> None:
    copied = tmp_path / "model"
    copied.symlink_to(tagger)
    nlp = pipeline("tagline_ner", copied)
    expected = nlp(LINES[0]).to_json()["ents"]
    nlp.to_disk(tmp_path / "pipeline")
    copied.unlink()  # the model that it was made with is gone
    assert spacy.load(tmp_path / "pipeline")(LINES[0]).to_json()["ents"] == expected


@pytest.mark.parametrize("protocol", [ty.ListenedToComponent, ty.TrainableComponent, ty.InitializableComponent])
def test_what_spacy_asks_components_for_opens_no_model(tmp_path: Path, protocol: type) -> None:
    # In what order, and so how far, it asks differs from run to run: names of a protocol are a set.
    component = pipeline("tagline_ner", tmp_path / "absent").get_pipe("tagline_ner")
    for name in {*dir(protocol), *getattr(protocol, "__annotations__", ())}:
        hasattr(component, name)


def test_what_is_refused(tagger: Path, classifier: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="alignment_mode is 'sideways'; accepted are expand, contract, strict"):
        pipeline("tagline_ner", tagger, alignment_mode="sideways")
    with pytest.raises(UsageError, match="add it as tagline_textcat"):
        pipeline("tagline_ner", classifier)("Oslo")
    with pytest.raises(FolderError, match="does not exist"):
        pipeline("tagline_ner", tmp_path / "absent")("Oslo")


def test_the_entry_points_name_the_factories() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    points = project["entry-points"]["spacy_factories"]
    assert points.keys() == {"tagline_ner", "tagline_textcat"}
    for name, place in points.items():
        module, _, function = place.partition(":")
        assert module == tagline.spacy_components.__name__
        assert callable(getattr(tagline.spacy_components, function))
        assert Language.has_factory(name)
