"""Folders of twelve families as transformers saves them: converted when first read, then answering as its pipelines."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from tests.families import FAMILIES, MORE, POSITIONS, TEXT
from tests.foreign.conftest import Folders
from tests.predict.test_pipeline import EVERYTHING, NASTY, Theirs, assert_same, compare
from tests.predict.test_text_pipeline import assert_same as assert_same_labels
from tests.predict.tiny_texts import LINES

import tagline
from tagline.predict import Classifier, Tagger

pytestmark = pytest.mark.filterwarnings("ignore:Tokenizer does not support real words:UserWarning")

TAGS = "O B-PER I-PER B-LOC I-LOC"
NAMES = [*FAMILIES, *MORE]
QUICK = {
    "tokens": {"bert-cased", "roberta", "xlm-roberta", "mpnet", "modernbert", "deberta-v2"},
    "texts": {"bert-uncased", "xlm-roberta", "camembert", "distilbert"},
}
HEADS = ("five", "several", "two", "number", "one", "emotions")


def names(kind: str) -> list[Any]:
    """Some families quickly, and the others where there is time."""
    return [name if name in QUICK[kind] else pytest.param(name, marks=pytest.mark.slow) for name in NAMES]


def scraps(seed: int, count: int) -> list[str]:
    """Random cuts of our text, some of their words mingled with what no one writes."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        words = TEXT.split()
        start = chance.randrange(len(words))
        picked = [*words[start : start + chance.randrange(1, 7)], *chance.choice(NASTY).split()[:2]]
        chance.shuffle(picked)
        found.append(chance.choice([" ", "  ", ""]).join(picked)[:45])
    return found


@pytest.mark.parametrize("name", names("tokens"))
def test_entities(name: str, plain: Folders, tagline_cache: Path) -> None:
    folder = plain(name, TAGS)
    before = sorted(each.name for each in folder.iterdir())
    ours = tagline.pipeline("ner", folder, precision="f32", threads=1)
    assert ours.engine.name == "openvino"
    assert ours.folder.path.is_relative_to(tagline_cache)
    assert ours.folder.manifest.window == POSITIONS
    assert sorted(each.name for each in folder.iterdir()) == before  # a folder that cannot be written serves as well
    compare(Theirs(folder), [ours], [*NASTY[:8], *scraps(NAMES.index(name), 14)], 0.85, [EVERYTHING])


@pytest.mark.parametrize("name", names("texts"))
def test_labels_of_texts(name: str, plain: Folders) -> None:
    import transformers

    folder = plain(name, HEADS[NAMES.index(name) % len(HEADS)])
    theirs: Any = transformers.pipeline("text-classification", model=str(folder), device="cpu")
    ours = tagline.pipeline("text-classification", folder, precision="f32", threads=1, top_k=None)
    assert ours.engine.name == "openvino"
    texts = [*(line[:60] for line in LINES[:4]), *scraps(NAMES.index(name), 8), "", "日本の東京"]
    assert_same_labels(ours(texts), theirs(texts, top_k=None))


def test_a_long_text_is_theirs_as_far_as_they_read_it(plain: Folders) -> None:
    """Where their window ends with a word, our first window shows the same; we then go on to the end."""
    folder = plain("bert-cased", TAGS)
    theirs, ours = Theirs(folder), tagline.pipeline("ner", folder, precision="f32", threads=1, ignore_labels=())
    words = " ".join(LINES[:4]).split()
    compared = 0
    for start in range(12):
        text = " ".join(words[start:])
        pieces = theirs.pipeline.tokenizer.tokenize(text)
        room = POSITIONS - 2
        if pieces[room].startswith("##"):
            continue
        cut, whole = theirs.pipeline(text, ignore_labels=[]), ours(text)
        assert (len(cut), len(whole)) == (room, len(pieces))
        assert_same(whole[: room - POSITIONS // 4], cut[: room - POSITIONS // 4])
        compared += 1
    assert compared >= 3


def test_what_load_reads(plain: Folders) -> None:
    tagger = tagline.load(plain("roberta", TAGS), precision="f32", threads=1)
    assert isinstance(tagger, Tagger)
    assert tagger.folder.manifest.foreign
    assert not tagger.folder.manifest.ours
    document = tagger(TEXT)
    assert document.windows > 3
    assert all(each.text == TEXT[each.start : each.end] for each in document.entities)
    classifier = tagline.load(plain("mpnet", "emotions"), precision="f32", threads=1)
    assert isinstance(classifier, Classifier)
    assert classifier(TEXT).windows > 1
