"""Temperature: found on dev, folded into the head, and no decision changed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.cli.support import write_encoder
from tests.families import FAMILIES, LABELS, Encoders

import make_corpus
import make_texts
from tagline.data.corpus import read_corpus
from tagline.data.schemes import Scheme
from tagline.data.texts.reading import read_texts
from tagline.engines.base import EngineSettings
from tagline.evaluate.calibration import expected_calibration_error
from tagline.folder import ModelFolder
from tagline.models.encoders import last_layer, load_for_texts, load_for_tokens
from tagline.predict.tagger import Tagger
from tagline.publish.write import Parts, write_model
from tagline.records import Problem
from tagline.text.decoding import Decoder
from tagline.text.pooling import pool, softmax
from tagline.train.calibration import HIGHEST, LOWEST, fit_temperature, scale_head
from tagline.train.fit import Fitted, fit
from tagline.train.prepared import Evidence
from tagline.train.provenance import manifest_of_texts, manifest_of_tokens
from tagline.train.texts.prepare import prepare_texts
from tagline.train.texts.settings import TextSettings
from tagline.train.tokens.prepare import prepare_tokens
from tagline.train.tokens.settings import TokenSettings


def drawn(several: bool, sharpness: float, count: int = 40_000) -> Evidence:
    """Gold labels drawn from known probabilities, and logits that are too sharp by a known factor."""
    random = np.random.default_rng(3)
    true = random.normal(0, 2, (count, 5))
    if several:
        gold = (random.random(true.shape) < 1 / (1 + np.exp(-true))).astype(np.int64)
    else:
        gold = (true + random.gumbel(size=true.shape)).argmax(axis=1)  # is a draw from their softmax
    return Evidence((true * sharpness).astype(np.float32), gold)


def nll(logits: NDArray[np.float64], gold: NDArray[np.int64]) -> float:
    """Mean negative log-likelihood by torch."""
    values = torch.from_numpy(logits)
    if gold.ndim == 2:
        return float(torch.nn.functional.binary_cross_entropy_with_logits(values, torch.from_numpy(gold).double()))
    return float(torch.nn.functional.cross_entropy(values, torch.from_numpy(gold)))


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("sharpness", [0.3, 1.0, 4.0])
def test_it_finds_by_how_much_logits_are_too_sharp(several: bool, sharpness: float) -> None:
    evidence = drawn(several, sharpness)
    found = fit_temperature(evidence)
    assert found.temperature == pytest.approx(sharpness, rel=0.03)
    assert found.ece_after < 0.01
    if sharpness != 1.0:
        assert found.ece_after < found.ece_before / 4
    logits = evidence.logits.astype(np.float64)
    assert found.dev_nll_before == pytest.approx(nll(logits, evidence.gold))
    assert found.dev_nll_after == pytest.approx(nll(logits / found.temperature, evidence.gold))
    chances = torch.from_numpy(logits / found.temperature)
    if several:
        error = expected_calibration_error(chances.sigmoid().numpy().ravel(), evidence.gold.ravel() > 0)
    else:
        best = chances.softmax(-1).max(-1)
        error = expected_calibration_error(best.values.numpy(), best.indices.numpy() == evidence.gold)
    assert found.ece_after == pytest.approx(error)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(2, 6), st.floats(-2, 2), st.booleans())
@settings(max_examples=100, deadline=None)
def test_the_best_temperature_on_dev_and_the_same_decisions(
    seed: int, count: int, width: int, scale: float, several: bool
) -> None:
    random = np.random.default_rng(seed)
    logits = (random.normal(0, 1, (count, width)) * 10**scale).astype(np.float32)
    gold = random.integers(0, 2, logits.shape) if several else random.integers(0, width, count)
    found = fit_temperature(Evidence(logits, gold))
    assert LOWEST <= found.temperature <= HIGHEST
    assert found.dev_nll_after <= found.dev_nll_before
    exact = logits.astype(np.float64)
    said = exact > 0 if several else exact.argmax(axis=1)
    least = LOWEST if (said != gold).any() else 1.0
    others = [nll(exact / each, gold) for each in np.geomspace(least, HIGHEST, 60)]
    assert found.dev_nll_after <= min(others) * (1 + 1e-9) + 1e-12
    scaled = logits / np.float32(found.temperature)
    assert ((scaled > 0 if several else scaled.argmax(axis=1)) == said).all()


def test_without_a_mistake_on_dev_scores_are_not_sharpened() -> None:
    gold = np.asarray([0, 1, 2, 1])
    found = fit_temperature(Evidence(np.eye(3, dtype=np.float32)[gold], gold))
    assert found.temperature == pytest.approx(1.0)
    several = np.asarray([[0, 1], [1, 1]])
    found = fit_temperature(Evidence((several * 2 - 1).astype(np.float32), several))
    assert found.temperature == pytest.approx(1.0)


@pytest.mark.parametrize("scheme", [Scheme.IOB2, Scheme.IOBES])
def test_the_best_legal_tags_are_those_before(scheme: Scheme) -> None:
    letters = "BI" if scheme is Scheme.IOB2 else "BIES"
    labels = ("O", *(f"{letter}-{kind}" for kind in ("LOC", "PER") for letter in letters))
    random = np.random.default_rng(8)
    lengths = random.integers(1, 12, 300).tolist()
    emissions = random.normal(0, 2, (sum(lengths), len(labels))).astype(np.float32)
    decoder = Decoder(labels, scheme)
    before, _ = decoder(emissions, lengths)
    assert (before != emissions.argmax(axis=1)).any()  # Viterbi had work to do
    for temperature in (LOWEST, 0.6, 1.7, HIGHEST):
        after, scores = decoder(emissions / np.float32(temperature), lengths)
        assert (before == after).all()
        np.testing.assert_allclose(scores, softmax(emissions / np.float32(temperature)), atol=1e-6)


@pytest.mark.parametrize("task", ["tokens", "one", "several"])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_head_of_every_family_is_divided(name: str, task: str, encoders: Encoders) -> None:
    torch.manual_seed(1)
    labels = (*LABELS, *(f"L{number}" for number in range(32 - len(LABELS)))) if task == "several" else LABELS
    source = str(encoders(name))  # its hidden size is 32, too: layers of that width are not all heads
    if task == "tokens":
        model = load_for_tokens(source, labels).model
    else:
        model = load_for_texts(source, labels, Problem.MULTI if task == "several" else Problem.SINGLE).model
    model.train(False)
    with torch.no_grad():
        last_layer(model, len(labels)).bias.uniform_(-1, 1)
        ids = torch.randint(5, 60, (3, 17))
        mask = torch.ones_like(ids)
        mask[1, 9:] = 0
        before = model(input_ids=ids, attention_mask=mask).logits
        scale_head(model, len(labels), 1.9)
        after = model(input_ids=ids, attention_mask=mask).logits
    assert float(before.abs().max()) > 0.1
    torch.testing.assert_close(after, before / 1.9, atol=1e-5, rtol=1e-5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Corpora of words and of texts, and an encoder that knows their words."""
    made = tmp_path_factory.mktemp("calibration")
    make_corpus.main([str(made), "--train", "100", "--dev", "40", "--test", "1"])
    make_texts.main([str(made), "--count", "120"])
    lines = [line for name in ("train.conll", "reviews.tsv") for line in (made / name).read_text("utf-8").splitlines()]
    write_encoder(made / "encoder", lines, positions=64)
    return made


LEARNING: dict[str, Any] = {
    "batch_tokens": 300, "learning_rate": 5e-3, "head_learning_rate": 2e-2, "freeze_embeddings": False, "threads": 1,
}  # fmt: skip


def heads(fitted: Fitted[Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of the head."""
    layer = last_layer(fitted.model, len(fitted.prepared.labels))
    return layer.weight.detach(), layer.bias.detach()


def test_a_trained_tagger_is_calibrated_in_its_folder(folder: Path, tmp_path: Path) -> None:
    train, dev = read_corpus(folder / "train.conll"), read_corpus(folder / "dev.conll")
    asked = TokenSettings(encoder=str(folder / "encoder"), epochs=3, precision="f32", **LEARNING)
    plain_settings = dataclasses.replace(asked, calibrate=False)
    plain = fit(prepare_tokens(train, dev, plain_settings), plain_settings, tmp_path / "plain")
    fitted = fit(prepare_tokens(train, dev, asked), asked, tmp_path / "work")
    assert plain.calibration is None
    found = fitted.calibration
    assert found is not None
    assert found.temperature != pytest.approx(1.0, abs=0.02)
    assert (fitted.dev_score, len(fitted.history)) == (plain.dev_score, len(plain.history))
    for scaled, own in zip(heads(fitted), heads(plain), strict=True):
        torch.testing.assert_close(scaled * found.temperature, own)
    body = {name: value for name, value in plain.model.state_dict().items() if "classifier" not in name}
    assert all(torch.equal(fitted.model.state_dict()[name], value) for name, value in body.items())

    parts = Parts(fitted.model, fitted.prepared.encoder.tokenizer, files=fitted.prepared.files)
    write_model(parts, manifest_of_tokens(fitted, {"train": train, "dev": dev}), tmp_path / "model")
    assert ModelFolder.open(tmp_path / "model").manifest.calibration == dataclasses.asdict(found)
    card = (tmp_path / "model" / "README.md").read_text("utf-8")
    assert f"temperature {found.temperature:.3f}" in card
    assert f"{100 * found.ece_after:.2f} % after" in card
    write_model(
        Parts(plain.model, plain.prepared.encoder.tokenizer, files=plain.prepared.files),
        manifest_of_tokens(plain, {}),
        tmp_path / "uncalibrated",
    )
    assert ModelFolder.open(tmp_path / "uncalibrated").manifest.calibration == {}
    assert "## Calibration" not in (tmp_path / "uncalibrated" / "README.md").read_text("utf-8")

    words = [sentence.words for sentence in dev.sentences]
    gold = [tag for tags in dev.tags(Scheme.IOB2) for tag in tags]
    read = {}
    for engine in ("openvino", "torch"):
        for name in ("model", "uncalibrated"):
            tagger = Tagger.open(tmp_path / name, EngineSettings(engine, "f32", "cpu", 1))
            read[engine, name] = list(tagger.stream_words(words))
        tags, before = ([tag for each in read[engine, name] for tag in each.tags] for name in ("model", "uncalibrated"))
        assert tags == before
        # Where the scheme forbids the best tag another stands, with a score that is not the largest.
        scores = [score for each in read[engine, "model"] for score in each.scores]
        right = [one == other for one, other in zip(tags, gold, strict=True)]
        assert expected_calibration_error(scores, right) == pytest.approx(found.ece_after, abs=0.01)


def test_texts_are_calibrated_over_their_pooled_logits(folder: Path, tmp_path: Path) -> None:
    corpus = read_texts(folder / "reviews.tsv")
    long = [dataclasses.replace(each, text=" ".join([each.text] * 4)) for each in corpus.texts[100:115]]
    train = dataclasses.replace(corpus, texts=corpus.texts[:80])
    dev = dataclasses.replace(corpus, texts=(*corpus.texts[80:100], *long))
    for pooling in ("mean", "max"):
        asked = TextSettings(encoder=str(folder / "encoder"), epochs=3, window=24, pooling=pooling, **LEARNING)
        prepared = prepare_texts(train, dev, asked)
        fitted = fit(prepared, asked, tmp_path / pooling)
        assert fitted.calibration is not None
        assert prepared.dev is not None
        assert len(prepared.dev.windows) > len(dev.texts) + 15
        scorer = prepared.scorer()
        assert scorer is not None
        rows = np.zeros((len(prepared.dev.windows), len(prepared.labels)), dtype=np.float32)
        with torch.no_grad():
            for number, places in enumerate(scorer.batches.batches):
                inputs = {key: value for key, value in scorer.batches[number].items() if key != "labels"}
                rows[places] = fitted.model(**inputs).logits.numpy()
        owner = prepared.dev.owner
        logits = np.stack([pool(rows[owner == text], pooling) for text in range(len(dev.texts))]).astype(np.float64)
        gold = prepared.dev.targets_by_text.astype(np.int64)
        # The same likelihood on the exported weights, up to the training's bf16.
        assert nll(logits, gold) == pytest.approx(fitted.calibration.dev_nll_after, abs=0.02)
        assert nll(logits * fitted.calibration.temperature, gold) == pytest.approx(
            fitted.calibration.dev_nll_before, abs=0.05
        )


def test_several_labels_share_one_temperature_and_numbers_have_none(folder: Path, tmp_path: Path) -> None:
    common = {"encoder": str(folder / "encoder"), "epochs": 2, "precision": "f32", **LEARNING}
    found = {}
    for file in ("topics.jsonl", "stars.csv"):
        corpus = read_texts(folder / file)
        train, dev = (dataclasses.replace(corpus, texts=corpus.texts[part]) for part in (slice(90), slice(90, None)))
        asked = TextSettings(**common)
        fitted = fit(prepare_texts(train, dev, asked), asked, tmp_path / file)
        found[file] = fitted.calibration
        manifest = manifest_of_texts(fitted, {"train": train, "dev": dev})
        assert manifest.calibration == (dataclasses.asdict(fitted.calibration) if fitted.calibration else {})
    assert found["stars.csv"] is None
    several = found["topics.jsonl"]
    assert several is not None
    assert several.dev_nll_after <= several.dev_nll_before


def test_labels_that_the_model_lacks_bear_no_witness(folder: Path) -> None:
    corpus = read_texts(folder / "reviews.tsv")
    texts = list(corpus.texts[:6])
    texts[2] = dataclasses.replace(texts[2], labels=("elsewhere",))
    dev = dataclasses.replace(corpus, texts=tuple(texts))
    prepared = prepare_texts(corpus, dev, TextSettings(encoder=str(folder / "encoder"), unknown_tags="miss"))
    scorer = prepared.scorer()
    assert scorer is not None
    evidence = scorer.evidence()
    assert evidence is not None
    assert len(evidence.logits) == len(evidence.gold) == 5

    train = read_corpus(folder / "train.conll")
    (folder / "strange.conll").write_text("Ana\tB-GHOST\nmet\tO\nBo\tI-GHOST\n\nsoon\tO\n", encoding="utf-8")
    asked = TokenSettings(encoder=str(folder / "encoder"), unknown_tags="miss")
    tokens = prepare_tokens(train, read_corpus(folder / "strange.conll"), asked).scorer()
    assert tokens is not None
    assert tokens.evidence().gold.tolist() == [0] * len(tokens.evidence().gold)
    assert len(tokens.evidence().logits) == 2


def test_without_dev_there_is_nothing_to_fit_on(folder: Path, tmp_path: Path) -> None:
    asked = TokenSettings(encoder=str(folder / "encoder"), epochs=1, precision="f32", **LEARNING)
    prepared = prepare_tokens(read_corpus(folder / "train.conll"), None, asked)
    assert fit(prepared, asked, tmp_path / "work").calibration is None
