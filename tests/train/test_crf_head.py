"""An encoder with a CRF: from training to the folder, the same answers through every engine."""

from __future__ import annotations

import dataclasses
import json
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.cli.support import write_encoder
from transformers import AutoModelForTokenClassification

import make_corpus
from tagline.data.corpus import Corpus, read_corpus
from tagline.data.schemes import Scheme, allowed, violations
from tagline.engines.base import EngineSettings
from tagline.errors import FolderError, Interrupted, UsageError
from tagline.folder import MANIFEST, WEIGHTS, ModelFolder
from tagline.models.crf import crf_of
from tagline.predict.judging import judge
from tagline.predict.parity import _KeepingDecoder
from tagline.predict.tagger import Tagger
from tagline.publish.onnx import write_onnx
from tagline.publish.write import Parts, write_model
from tagline.train.callbacks import ProgressEvent
from tagline.train.fit import Fitted, fit
from tagline.train.provenance import manifest_of_tokens
from tagline.train.tokens.prepare import PreparedTokens, prepare_tokens
from tagline.train.tokens.settings import TokenSettings


@dataclasses.dataclass(frozen=True)
class Trained:
    """A small model with a CRF head, its folder and its data."""

    fitted: Fitted[PreparedTokens]
    folder: Path
    train: Corpus
    dev: Corpus
    settings: TokenSettings


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    place = tmp_path_factory.mktemp("crf")
    make_corpus.main([str(place), "--train", "100", "--dev", "30", "--test", "1"])
    train, dev = (read_corpus(place / f"{split}.conll") for split in ("train", "dev"))
    encoder = write_encoder(place / "encoder", [" ".join(each.words) for each in train.sentences], positions=64)
    settings = TokenSettings(
        encoder=str(encoder), head="crf", epochs=3, batch_tokens=256, learning_rate=1e-2, head_learning_rate=2e-2,
        freeze_embeddings=False, precision="f32", threads=1, window=24, overlap=6,
    )  # fmt: skip
    prepared = prepare_tokens(train, dev, settings)
    fitted = fit(prepared, settings, place / "work")
    manifest = manifest_of_tokens(fitted, {"train": train, "dev": dev})
    write_model(Parts(fitted.model, prepared.encoder.tokenizer, files=prepared.files), manifest, place / "model")
    write_onnx(fitted.model, place / "model")
    return Trained(fitted, place / "model", train, dev, settings)


def test_it_learns_moves_and_keeps_them(trained: Trained) -> None:
    folder = ModelFolder.open(trained.folder)
    labels = folder.labels
    learned = np.asarray(folder.manifest.transitions, dtype=np.float32)
    mask = allowed(labels, Scheme.IOB2)
    crf = crf_of(trained.fitted.model)
    assert crf is not None
    assert learned.shape == mask.shape
    assert np.array_equal(learned, np.where(mask, crf.transitions.detach().numpy(), 0))
    assert np.abs(learned[mask]).max() > 0.05
    assert not learned[~mask].any()
    assert "CRF" in (trained.folder / "README.md").read_text(encoding="utf-8")


def test_dev_is_scored_while_training_as_by_the_folder(trained: Trained) -> None:
    tagger = Tagger.open(trained.folder, EngineSettings("openvino", "f32", cache=False))
    found = judge(tagger, trained.dev).report.to_json()["strict"]["f1"]
    assert trained.fitted.dev_score is not None
    assert found == pytest.approx(trained.fitted.dev_score, abs=1e-9)
    assert found > 0


def test_every_engine_gives_the_same_tags(trained: Trained) -> None:
    words = [sentence.words for sentence in trained.dev.sentences]
    answers = {}
    for engine in ("openvino", "torch", "onnx"):
        tagger = Tagger.open(trained.folder, EngineSettings(engine, "f32", "cpu", cache=False))
        answers[engine] = list(tagger.stream_words(words))
        for document in answers[engine]:
            assert violations(document.tags, Scheme.IOB2) == []
    for engine in ("torch", "onnx"):
        for ours, theirs in zip(answers["openvino"], answers[engine], strict=True):
            assert ours.tags == theirs.tags
            np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)


def test_the_moves_take_part_in_the_answer(trained: Trained) -> None:
    """With other transitions in the manifest the same emissions give other tags."""
    tagger = Tagger.open(trained.folder, EngineSettings("openvino", "f32", cache=False))
    words = [sentence.words for sentence in trained.dev.sentences]
    before = [document.tags for document in tagger.stream_words(words)]
    assert any(tag != "O" for tags in before for tag in tags)
    moves = np.zeros((len(tagger.folder.labels) + 1,) * 2)
    moves[:, 1:-1] = -1e3  # all but O
    manifest = dataclasses.replace(tagger.folder.manifest, transitions=moves.tolist())
    other = Tagger(dataclasses.replace(tagger.folder, manifest=manifest), tagger.engine)
    assert all(tag == "O" for document in other.stream_words(words) for tag in document.tags)
    kept = _KeepingDecoder(other)  # what engines are compared by decodes alike
    assert np.array_equal(kept.moves, other.decoder.moves)


def test_plain_transformers_loads_the_emissions(trained: Trained) -> None:
    model = AutoModelForTokenClassification.from_pretrained(trained.folder)
    ids = torch.tensor([[2, 7, 8, 9, 3]])
    with torch.no_grad():
        assert torch.equal(model(input_ids=ids).logits, trained.fitted.model(input_ids=ids).logits)
    assert crf_of(model) is None


def test_calibration_scales_moves_too_and_changes_no_decision(trained: Trained, tmp_path: Path) -> None:
    assert trained.fitted.calibration is not None
    assert trained.fitted.calibration.dev_nll_after <= trained.fitted.calibration.dev_nll_before
    settings = dataclasses.replace(trained.settings, calibrate=False)
    plain = fit(prepare_tokens(trained.train, trained.dev, settings), settings, tmp_path / "work")
    before, after = crf_of(plain.model), crf_of(trained.fitted.model)
    assert before is not None
    assert after is not None
    scaled = before.transitions / trained.fitted.calibration.temperature
    torch.testing.assert_close(scaled, after.transitions, rtol=1e-4, atol=1e-6)


def test_a_window_in_the_middle_of_a_sentence_is_neither_beginning_nor_end(trained: Trained) -> None:
    examples = trained.fitted.prepared.train
    assert len(examples.windows) > len(examples.words)
    rows = list(range(len(examples.windows)))
    targets = examples.targets(rows, max(examples.lengths))
    assert targets.shape[1] == max(examples.lengths) + 2
    for row, (begins, *_, ends) in zip(rows, targets.tolist(), strict=True):
        own = [other for other in rows if examples.sentence[other] == examples.sentence[row]]
        assert begins == (row == own[0])
        assert ends == (row == own[-1])
    tags = targets[:, 1:-1]
    assert (tags >= 0).sum() == sum(examples.words)


def test_resumed_it_ends_as_the_unbroken_run(trained: Trained, tmp_path: Path) -> None:
    settings = dataclasses.replace(trained.settings, epochs=2)

    whole = fit(prepare_tokens(trained.train, trained.dev, settings), settings, tmp_path / "whole")
    with pytest.raises(Interrupted):
        fit(prepare_tokens(trained.train, trained.dev, settings), settings, tmp_path / "broken", report=_after_epoch())
    again = fit(prepare_tokens(trained.train, trained.dev, settings), settings, tmp_path / "broken", resume=True)
    one, other = whole.model.state_dict(), again.model.state_dict()
    assert one.keys() == other.keys()
    assert "crf.transitions" in one
    assert all(torch.equal(one[name], other[name]) for name in one)


def _after_epoch() -> Callable[[ProgressEvent], None]:
    """Presses Ctrl-C in the second epoch."""

    def report(event: ProgressEvent) -> None:
        if event.epoch > 1 and not event.evaluated:
            signal.raise_signal(signal.SIGINT)

    return report


def test_settings_that_do_not_go_together() -> None:
    with pytest.raises(UsageError, match="--head is 'softmax'; accepted are linear, crf"):
        TokenSettings(head="softmax")
    with pytest.raises(UsageError, match="--head crf has one tag a word"):
        TokenSettings(head="crf", subtokens="all")
    with pytest.raises(UsageError, match="--class-weights is 'balanced', but a CRF scores whole sentences"):
        TokenSettings(head="crf", class_weights="balanced")


def test_transitions_of_another_shape_are_a_damaged_folder(trained: Trained, tmp_path: Path) -> None:
    for each in trained.folder.iterdir():
        if each.is_file() and each.name != WEIGHTS:
            (tmp_path / each.name).write_bytes(each.read_bytes())
    facts = json.loads((tmp_path / MANIFEST).read_text(encoding="utf-8"))
    facts["transitions"] = facts["transitions"][:-1]
    (tmp_path / MANIFEST).write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(FolderError, match=r"holds transitions of \d+ rows"):
        ModelFolder.open(tmp_path)
