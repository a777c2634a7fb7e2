"""The whole road with every family: a file, a trained folder, both engines, and plain transformers."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.families import FAMILIES, Encoders
from transformers import AutoModelForTokenClassification, AutoTokenizer

from tagline.data.corpus import Corpus, read_corpus
from tagline.engines.base import EngineSettings
from tagline.predict.judging import judge
from tagline.predict.tagger import Tagger
from tagline.publish.graph import input_names
from tagline.publish.write import Parts, write_model
from tagline.text.batches import pad
from tagline.train.fit import fit
from tagline.train.provenance import manifest_of_tokens
from tagline.train.tokens.prepare import prepare_tokens
from tagline.train.tokens.settings import TokenSettings

PEOPLE = ["Maria Novak", "Peter", "Okafor", "Ana O'Brien", "Lindqvist", "J. Gómez"]
PLACES = ["Lisbon", "Oslo", "Rivertown", "São Paulo", "Geneva", "北 京"]
FRAMES = [
    "PER moved from LOC to LOC in 1996 .",
    "In LOC , PER said : don't go !",
    "LOC beat LOC 6-4 .",
    "@ana PER \u200b ?",
]


def annotated(count: int, seed: int) -> str:
    """Sentences in CoNLL form, as tags of IOB2."""
    chance = random.Random(seed)
    lines = []
    for _ in range(count):
        for part in chance.choice(FRAMES).split():
            if part in ("PER", "LOC"):
                words = chance.choice(PEOPLE if part == "PER" else PLACES).split()
                lines += [f"{word}\t{'BI'[number > 0]}-{part}" for number, word in enumerate(words)]
            else:
                lines.append(f"{part}\tO")
        lines.append("")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> tuple[Corpus, Corpus]:
    folder = tmp_path_factory.mktemp("annotated")
    for name, count in (("train", 40), ("dev", 10)):
        (folder / name).write_text(annotated(count, count), encoding="utf-8")
    return read_corpus(folder / "train"), read_corpus(folder / "dev")


@pytest.mark.parametrize("name", FAMILIES)
def test_from_a_file_to_entities(name: str, encoders: Encoders, corpora: tuple[Corpus, Corpus], tmp_path: Path) -> None:
    train, dev = corpora
    settings = TokenSettings(
        encoder=str(encoders(name)), epochs=3, batch_tokens=40, learning_rate=5e-3, head_learning_rate=2e-2,
        freeze_embeddings=False, precision="f32", threads=1,
    )  # fmt: skip
    torch.manual_seed(0)
    prepared = prepare_tokens(train, dev, settings)
    before = {key: value.clone() for key, value in prepared.encoder.model.state_dict().items()}
    fitted = fit(prepared, settings, tmp_path / "work")
    trained = fitted.model.state_dict()
    assert fitted.dev_score is not None
    assert fitted.dev_score > 0
    assert any(not torch.equal(trained[key], before[key]) for key in trained if "classifier" not in key)
    target = tmp_path / "model"
    parts = Parts(fitted.model, prepared.encoder.tokenizer, files=prepared.files)
    folder = write_model(parts, manifest_of_tokens(fitted, {"train": train, "dev": dev}), target)
    assert folder.manifest.shapes is FAMILIES[name].shapes

    taggers = [Tagger.open(target, EngineSettings(engine, "f32", "cpu", 1)) for engine in ("openvino", "torch")]
    long = [word for sentence in train.sentences for word in sentence.words]
    ours, theirs = (list(tagger.stream_words([long, *(each.words for each in dev.sentences)])) for tagger in taggers)
    assert ours[0].windows > 5
    assert len(ours[0].entities) > 0
    for one, other in zip(ours, theirs, strict=True):
        assert one.words == other.words
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)
        # A word may lie so near the border of two tags that the last digit decides.
        assert sum(tag != tag_ for tag, tag_ in zip(one.tags, other.tags, strict=True)) <= 1
    reports = [judge(tagger, dev).report for tagger in taggers]
    assert reports[0].strict.overall.f1 == pytest.approx(fitted.dev_score, abs=0.05)
    assert reports[1].strict.overall.f1 == pytest.approx(fitted.dev_score, abs=0.05)
    check_plain(target, taggers[0], fitted.model, dev)


def check_plain(target: Path, tagger: Tagger, model: Any, dev: Corpus) -> None:
    """The folder is one of transformers: same weights, same labels, same sub-tokens."""
    plain, found = AutoModelForTokenClassification.from_pretrained(target, output_loading_info=True)
    assert not any(found[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert tuple(plain.config.id2label.values()) == tagger.folder.labels
    tokenizer: Any = AutoTokenizer.from_pretrained(target)
    assert tokenizer.model_max_length == tagger.encoder.length
    for sentence in dev.sentences:
        words = [word for word in sentence.words if word != "\u200b"]  # ours is unknown, theirs is nothing
        (window,) = tagger.encoder(words).windows
        assert window.ids.tolist() == tokenizer(words, is_split_into_words=True)["input_ids"]
        batch = pad([window.ids], [window.types], tagger.encoder.subtokens.pad)
        inputs = {key: torch.from_numpy(getattr(batch, key)) for key in input_names(plain)}
        plain.train(False)
        with torch.no_grad():
            assert torch.equal(plain(**inputs).logits, model(**inputs).logits)
