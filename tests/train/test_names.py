"""Names that the model is shown: learned across folds, kept in the folder, the same on every road."""

from __future__ import annotations

import dataclasses
import json
from itertools import chain
from pathlib import Path

import pytest
import torch
from tests.families import Encoders
from tests.train.test_context import in_documents
from tests.train.test_fit import Material, material

from tagline.data.corpus import Corpus
from tagline.data.gazetteer import read_gazetteer
from tagline.data.schemes import Scheme, spans
from tagline.engines.base import EngineSettings
from tagline.errors import DataError, EncoderError, FolderError, UsageError
from tagline.folder import GAZETTEER, Manifest, ModelFolder
from tagline.models.encoders import load_for_tokens
from tagline.models.segments import segments, with_kinds
from tagline.predict.judging import judge
from tagline.predict.raw import RawEncoder, Source
from tagline.predict.tagger import Tagger
from tagline.publish.inference import write_inference
from tagline.publish.space import write_space
from tagline.publish.write import Parts, write_model
from tagline.records import Sentence
from tagline.text.shapes import TYPES
from tagline.text.words import WordRules
from tagline.train.fit import fit
from tagline.train.provenance import manifest_of_tokens
from tagline.train.runs import open_run
from tagline.train.tokens.names import FOLDS, fold_of, known_names
from tagline.train.tokens.prepare import PreparedTokens, prepare_tokens
from tagline.train.tokens.settings import BiLstmSettings, TokenSettings

__all__ = ["material"]


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list of names with cities that the corpus does not name."""
    file = tmp_path_factory.mktemp("list") / "cities.tsv"
    lines = ["city\tPort Maribel", "city\tSt. Anselm", "", "PER\tTobias Quill", "city\tO'Brien's Rest"]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def named(material: Material, listed: Path) -> Material:
    settings = dataclasses.replace(material.settings, train_names=True, gazetteer=str(listed), epochs=2)
    return Material(material.train, material.dev, settings)


@pytest.fixture(scope="module")
def trained(named: Material, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A model that is shown names, and its score on dev while it was trained."""
    place = tmp_path_factory.mktemp("names")
    prepared = prepare_tokens(named.train, named.dev, named.settings)
    fitted = fit(prepared, named.settings, place / "work")
    manifest = manifest_of_tokens(fitted, {"train": named.train, "dev": named.dev})
    write_model(Parts(fitted.model, prepared.encoder.tokenizer, None, prepared.files), manifest, place / "model")
    assert fitted.dev_score is not None
    return place / "model", fitted.dev_score


def kinds_shown(prepared: PreparedTokens, corpus: Corpus) -> list[list[int]]:
    """For each training sentence the kind that each word is shown with, read off the windows."""
    found = [[-1] * len(each.words) for each in corpus.sentences]
    for window, sentence in zip(prepared.train.windows, prepared.train.sentence, strict=True):
        for number, place in enumerate(window.places.tolist()):
            found[sentence][window.first + number] = window.types[place] // TYPES
    return found


def test_a_training_sentence_is_shown_what_the_other_folds_name(material: Material) -> None:
    """Against the rule in its plainest form, for names of one word: counted where they stand outside the fold."""
    settings = dataclasses.replace(material.settings, train_names=True)
    prepared = prepare_tokens(material.train, None, settings)
    assert prepared.names is not None
    train = material.train
    shown = kinds_shown(prepared, train)
    rows = len(train.sentences)
    mentions = [
        (row, tuple(word.casefold() for word in sentence.words[span.start : span.end]), span.label)
        for row, (sentence, tags) in enumerate(zip(train.sentences, train.tags(Scheme.IOB2), strict=True))
        for span in spans(tags, Scheme.IOB2)
    ]
    longest = max(len(name) for _, name, _ in mentions)
    alone = 0
    for row, sentence in enumerate(train.sentences):
        fold = row * FOLDS // rows
        elsewhere = [(name, label) for other, name, label in mentions if other * FOLDS // rows != fold]
        known = {name for name, _ in elsewhere}
        for at, word in enumerate(sentence.words):
            around = [
                tuple(each.casefold() for each in sentence.words[start : start + size])
                for size in range(1, longest + 1)
                for start in range(max(0, at - size + 1), at + 1)
            ]
            if not shown[row][at]:
                assert (word.casefold(),) not in known or word[0].islower()
            else:
                assert any(name in known for name in around)
        own = {name for other, name, _ in mentions if other == row} - known
        alone += len(own)
    assert alone  # the corpus has names of one fold only, which their own sentences are not shown


def test_every_row_is_in_one_fold() -> None:
    for rows in range(1, 40):
        folds = [fold_of(row, rows, FOLDS) for row in range(rows)]
        assert folds == sorted(folds)
        assert set(folds) <= set(range(FOLDS))
        assert max(folds.count(fold) for fold in folds) - min(folds.count(fold) for fold in range(FOLDS)) <= 1


def test_facts_say_what_is_found(named: Material) -> None:
    rules = WordRules.learn(sentence.words for sentence in named.train.sentences)
    names = known_names(named.train, named.dev, rules, named.settings, unasked=False)
    assert names is not None
    assert names.whole.kinds == (*named.train.labels, "list: city", "list: PER")
    assert names.whole(["in", "PORT", "Maribel", "and", "St.", "Anselm"])[0][1:] == (3, len(named.train.labels) + 1)
    words = named.dev.sentences
    found = [{at for m in names.whole(each.words) for at in range(m.start, m.end)} for each in words]
    gold = [{at for at, tag in enumerate(tags) if tag != "O"} for tags in named.dev.tags(Scheme.IOB2)]
    both = sum(len(one & other) for one, other in zip(found, gold, strict=True))
    assert names.facts["dev"]["found"] == pytest.approx(both / sum(map(len, gold)))
    assert names.facts["dev"]["right"] == pytest.approx(both / sum(map(len, found)))
    assert names.facts["list"]["names"] == 4
    assert "names of" in str(names)


@pytest.mark.parametrize("name", ["bert-uncased", "bert-cased", "albert"])
def test_a_name_is_read_as_any_word_at_the_start(name: str, encoders: Encoders) -> None:
    encoder = with_kinds(load_for_tokens(str(encoders(name)), ("O", "B-A", "I-A")), 3)
    rows = segments(encoder.model)
    assert rows is not None
    width = TYPES if encoder.shapes else 1
    assert len(rows.weight) == encoder.model.config.type_vocab_size == 4 * width
    assert any("token_type" in each for each in encoder.fresh)
    ids = torch.tensor([[2, 7, 8, 9, 3]])
    types = torch.tensor([[0, 1, 2, 1, 0]]) % width
    with torch.no_grad():
        model = encoder.model
        model.train(False)
        plain, shown = (model(ids, token_type_ids=each).logits for each in (types, types + width * (ids % 4)))
    assert torch.equal(plain, shown)
    with pytest.raises(EncoderError, match="has no segment ids, which names are shown by"):
        with_kinds(load_for_tokens(str(encoders("roberta")), ("O", "B-A", "I-A")), 1)


def test_dev_is_scored_as_by_the_folder(named: Material, trained: tuple[Path, float]) -> None:
    folder, score = trained
    for engine in ("openvino", "torch"):
        tagger = Tagger.open(folder, EngineSettings(engine, "f32", "cpu", cache=False))
        found = judge(tagger, named.dev).report.to_json()["strict"]["f1"]
        assert found == pytest.approx(score, abs=1e-9)
    manifest = ModelFolder.open(folder).manifest
    assert manifest.gazetteer
    assert set(manifest.training["names"]) == {"names", "kinds", "train", "dev", "list"}
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "Segment ids carry word shapes and the kinds of known names" in card


def test_raw_text_is_shown_what_words_are(named: Material, trained: tuple[Path, float]) -> None:
    tagger = Tagger.open(trained[0], EngineSettings("openvino", "f32", cache=False))
    raw = RawEncoder(ModelFolder.open(trained[0]))
    shown = set()
    for sentence in named.dev.sentences:
        text = f"{' '.join(sentence.words)} to Port Maribel."
        words = tagger.splitter.split(text)[1]
        (ours,) = tagger.encoder(words).windows
        (theirs,) = next(iter(raw([Source(text)]))).windows
        assert ours.ids.tolist() == theirs.ids
        assert ours.types.tolist() == theirs.types
        shown |= {each // TYPES for each in ours.types}
    assert len(shown) > 2


def test_every_form_of_the_folder_carries_the_names(trained: tuple[Path, float], tmp_path: Path) -> None:
    pytest.importorskip("nncf", reason="int8 needs the extra int8")
    folder = ModelFolder.open(trained[0])
    write_inference(folder, tmp_path / "small")
    write_space(ModelFolder.open(tmp_path / "small"), tmp_path / "space")
    words = ["Maria", "Novak", "left", "Port", "Maribel", "for", "Oslo", "in", "1996", "."]
    expected = [each.types.tolist() for each in Tagger.open(trained[0]).encoder(words).windows]
    for place in (tmp_path / "small", tmp_path / "space" / "model"):
        assert (place / GAZETTEER).read_bytes() == (trained[0] / GAZETTEER).read_bytes()
        assert [each.types.tolist() for each in Tagger.open(place).encoder(words).windows] == expected
    changed = json.loads((tmp_path / "small" / GAZETTEER).read_text(encoding="utf-8"))
    changed["names"][-2] = []
    (tmp_path / "small" / GAZETTEER).write_text(json.dumps(changed), encoding="utf-8")
    with pytest.raises(FolderError, match=r"gazetteer.json: damaged \(SHA-256"):
        ModelFolder.open(tmp_path / "small")


def test_a_bilstm_is_shown_them_too(material: Material, listed: Path) -> None:
    settings = BiLstmSettings(train_names=True, gazetteer=str(listed), hidden=8, embedding=8)
    prepared = prepare_tokens(material.train, None, settings)
    assert prepared.names is not None
    rows = prepared.encoder.model.get_parameter("shapes.weight")
    assert len(rows) == TYPES * (1 + len(prepared.names.whole.kinds))
    assert torch.equal(rows[:TYPES], rows[TYPES : 2 * TYPES])
    most = max(chain.from_iterable(window.types for window in prepared.train.windows))
    assert TYPES <= most < len(rows)
    cased = dataclasses.replace(settings, lowercase=False)
    prepared = prepare_tokens(material.train, None, cased)
    assert len(prepared.encoder.model.get_parameter("shapes.weight")) == 1 + len(prepared.names.whole.kinds)  # type: ignore[union-attr]


def test_unasked_where_names_recur(material: Material) -> None:
    unasked = dataclasses.replace(material.settings, train_names=None)
    twice = dataclasses.replace(material.train, sentences=material.train.sentences * 2)
    prepared = prepare_tokens(twice, None, unasked)
    assert prepared.names is not None
    assert prepared.names.facts["train"]["found"] >= 1 / 3
    for other in (dataclasses.replace(unasked, shapes=False), BiLstmSettings(hidden=8, embedding=8)):
        assert prepare_tokens(twice, None, other).names is None
    tags = ("O", "B-LOC", "O", "O")
    rare = tuple(Sentence.from_words(("Near", f"Place{row}", "it", "rained"), tags, row) for row in range(1, 30))
    strangers = dataclasses.replace(material.train, sentences=rare)
    assert prepare_tokens(strangers, None, unasked).names is None
    assert prepare_tokens(strangers, None, dataclasses.replace(unasked, train_names=True)).names is not None


def test_without_names_nothing_changes(material: Material) -> None:
    prepared = prepare_tokens(material.train, None, dataclasses.replace(material.settings, train_names=False))
    assert prepared.names is None
    assert prepared.files == {}
    assert max(chain.from_iterable(window.types for window in prepared.train.windows)) < TYPES
    assert not TokenSettings().gazetteer


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("city\tOslo\nBergen\n", "expected a kind, a tab and a name"),
        ("city\tOslo\nPort Maribel\n", "got 'Port Maribel'; expected a kind, a tab and a name"),
        ("city\tOslo\t59.9\n", "expected a kind, a tab and a name"),
        ("Oslo\n", "expected a kind, a tab and a name"),
        ("city\tOslo\ncity\t \n", "expected a kind, a tab and a name"),
        ("New York\nBoca Juniors\n", r"has no tabs, and the first words of its lines \(New, Boca, …\) are no kinds"),
        ("\n \n", "has no names"),
        ("".join(f"kind{n}\tname\n" for n in range(300)), "has 300 kinds, at most 200"),
    ],
)
def test_a_list_that_is_none_is_said(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "list.tsv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_gazetteer(file)
    with pytest.raises(DataError, match="no such file; expected a kind, a tab and a name"):
        read_gazetteer(tmp_path / "none.tsv")
    with pytest.raises(DataError, match="is a folder; expected a kind, a tab and a name"):
        read_gazetteer(tmp_path)
    file.write_bytes(b"")
    with pytest.raises(DataError, match="the file is empty; expected at least one name"):
        read_gazetteer(file)


def test_names_of_spaces_and_tabs(tmp_path: Path) -> None:
    file = tmp_path / "list.tsv"
    file.write_bytes("\ufeffLOC\tAachen\r\nworks of art\tThe\u2028Night  Watch\r\n".encode())
    found = read_gazetteer(file)
    assert found.names == (("LOC", "Aachen"), ("works of art", "The\u2028Night  Watch"))
    assert found.kinds == ("LOC", "works of art")
    file.write_text("LOC Aachen\nPER  Tobias Quill\n", encoding="utf-8")  # as the lists of CoNLL-2003 are
    assert read_gazetteer(file).names == (("LOC", "Aachen"), ("PER", "Tobias Quill"))
    file.write_text("city Aachen\ncity Oslo\n", encoding="utf-8")
    assert read_gazetteer(file).kinds == ("city",)


def test_a_run_goes_on_with_its_own_names_only(material: Material, tmp_path: Path) -> None:
    def begun(names: str, resume: bool) -> None:
        (tmp_path / "list.tsv").write_text(names, encoding="utf-8")
        settings = dataclasses.replace(material.settings, gazetteer=str(tmp_path / "list.tsv"))
        open_run(prepare_tokens(material.train, material.dev, settings), settings, tmp_path / "work", resume)

    begun("city\tQuarrymouth\n", resume=False)
    begun("city\tQuarrymouth\n", resume=True)
    for other in ("city\tPenhallow\n", "river\tQuarrymouth\n", "city\tQuarrymouth\nriver\tTeal\n"):
        with pytest.raises(UsageError, match="on other training or dev data"):
            begun(other, resume=True)


def test_context_of_a_fold_is_shown_its_names(material: Material) -> None:
    documents = in_documents(material.train)
    settings = dataclasses.replace(material.settings, train_names=True, context=12)
    alone = prepare_tokens(documents, None, dataclasses.replace(settings, context=0))
    shown = prepare_tokens(documents, None, settings)
    assert kinds_shown(alone, documents) == kinds_shown(shown, documents)
    beside = 0
    for window in shown.train.windows:
        own = set(chain.from_iterable(range(p, p + c) for p, c in zip(window.places, window.counts, strict=True)))
        beside += sum(each >= TYPES for at, each in enumerate(window.types) if at not in own)
    assert beside


def test_raw_text_of_a_model_without_shapes(material: Material, listed: Path, tmp_path: Path) -> None:
    settings = dataclasses.replace(material.settings, train_names=True, gazetteer=str(listed), shapes=False)
    prepared = prepare_tokens(material.train, None, settings)
    assert prepared.names is not None
    manifest = Manifest(words=prepared.rules, gazetteer=True)
    parts = Parts(prepared.encoder.model, prepared.encoder.tokenizer, None, prepared.files)
    folder = write_model(parts, manifest, tmp_path / "model")
    tagger, raw = Tagger.open(folder.path), RawEncoder(folder)
    text = "Tobias Quill left Port Maribel for St. Anselm."
    (ours,) = tagger.encoder(tagger.splitter.split(text)[1]).windows
    (theirs,) = next(iter(raw([Source(text)]))).windows
    assert (ours.ids.tolist(), ours.types.tolist()) == (theirs.ids, theirs.types)
    assert set(theirs.types) == {0, len(prepared.names.whole.kinds), len(prepared.names.whole.kinds) - 1}
