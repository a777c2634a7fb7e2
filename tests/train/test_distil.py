"""Distillation: the loss against sums by hand, targets against the teacher's own answers, and runs through the CLI."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from tests.cli.conftest import Workshop, workshop
from tests.cli.support import LEARN, call, refused

from tagline.cli.distil import Teaching, teach_tokens
from tagline.data.corpus import read_corpus
from tagline.engines import EngineSettings
from tagline.errors import LabelError
from tagline.folder import ModelFolder, fingerprint
from tagline.predict.judging import shown_all
from tagline.predict.tagger import Tagger, split_words
from tagline.records import Problem
from tagline.train.distil.loss import DistilLoss, divergence
from tagline.train.distil.targets import Targets, columns, packed
from tagline.train.losses import TagLoss
from tagline.train.tokens.prepare import prepare_tokens
from tagline.train.tokens.settings import TokenSettings

__all__ = ["workshop"]  # the fixture
BRIEF = (*LEARN, "--epochs", "1", "--set", "dropout=0")


@settings(deadline=None)
@given(st.integers(0, 1000), st.floats(0.5, 4.0))
def test_the_divergence_is_the_sum_of_its_definition(seed: int, temperature: float) -> None:
    random = np.random.default_rng(seed)
    student, teacher = random.normal(0, 2, (2, 3, 4))
    raised = [np.exp(each / temperature) for each in (teacher, student)]
    p, q = (each / each.sum(1, keepdims=True) for each in raised)
    expected = temperature**2 * (p * np.log(p / q)).sum(1)
    chances = np.exp(teacher) / np.exp(teacher).sum(1, keepdims=True)  # softening chances is softening logits
    found = divergence(torch.tensor(student), torch.tensor(np.log(chances)), temperature, Problem.SINGLE)
    assert found.numpy() == pytest.approx(expected)
    p, q = (1 / (1 + np.exp(-each / temperature)) for each in (teacher, student))
    two = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    found = divergence(torch.tensor(student), torch.tensor(teacher), temperature, Problem.MULTI)
    assert found.numpy() == pytest.approx(temperature**2 * two.mean(1))
    found = divergence(torch.tensor(student), torch.tensor(teacher), temperature, Problem.REGRESSION)
    assert found.numpy() == pytest.approx(((student - teacher) ** 2).mean(1))


def test_chances_are_kept_well_in_half_the_room() -> None:
    chances = np.asarray([[1.0 - 2e-6, 1e-6, 1e-6], [0.7, 0.2, 0.1]], dtype=np.float32)
    kept = packed(chances, Problem.SINGLE)
    assert kept.dtype == np.float16
    assert np.exp(kept.astype(np.float32)) == pytest.approx(chances, rel=1e-2)
    several = 1 / (1 + np.exp(-packed(chances, Problem.MULTI).astype(np.float32)))
    assert several[1] == pytest.approx(chances[1], rel=1e-2)


def batch(weight: float) -> tuple[DistilLoss, torch.Tensor, torch.Tensor, Targets]:
    """Three windows of a batch, the last one without labels: two words, one word, two words."""
    random = torch.Generator().manual_seed(3)
    scores = torch.log_softmax(torch.randn(9, 4, generator=random), -1).numpy().astype(np.float16)
    places = [np.asarray(each) for each in ([1, 3], [2], [1, 2])]
    targets = Targets(scores, np.asarray([0, 5, 7]), places)
    labels = torch.tensor([[2, *[-100] * 5], [0, -100, 1, -100, 3, -100], [1, -100, -100, 2, -100, -100]])
    logits = torch.randn(3, 5, 4, generator=random, requires_grad=True)
    return DistilLoss(TagLoss(), targets, Problem.SINGLE, 2, weight, 2.0), logits, labels, targets


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_the_loss_mixes_labels_and_teachers_word_by_word(weight: float) -> None:
    loss, logits, labels, targets = batch(weight)
    words = [(0, 1, 7, None), (0, 2, 8, None), (1, 1, 0, 1), (1, 3, 1, 3), (2, 2, 5, 2)]  # window, place, row, tag
    expected = torch.tensor(0.0)
    for window, place, row, tag in words:
        said, told = logits[window, place], torch.from_numpy(targets.scores[row].astype(np.float32))
        p, q = torch.softmax(told / 2, -1), torch.softmax(said / 2, -1)
        expected = expected + weight * 4 * (p * (p / q).log()).sum()
        if tag is not None:
            expected = expected - (1 - weight) * torch.log_softmax(said, -1)[tag]
    found = loss(SimpleNamespace(logits=logits), labels)
    torch.testing.assert_close(found, expected / 5)
    assert loss.mass(labels.numpy()) == 5
    assert loss.scored(logits, labels).shape == (5, 4)
    with torch.no_grad():  # dev: plain labels
        plain = labels[1:, 1:]
        torch.testing.assert_close(
            loss(SimpleNamespace(logits=logits[1:]), plain), TagLoss()(SimpleNamespace(logits=logits[1:]), plain)
        )


def test_labels_are_matched_by_name() -> None:
    assert columns("t", ["B-PER", "O", "I-PER"], ["O", "I-PER", "B-PER"]).tolist() == [1, 2, 0]
    with pytest.raises(LabelError, match=r"--teacher t: lacks I-PER and has S-PER, which the training data lacks"):
        columns("t", ["O", "B-PER", "S-PER"], ["O", "B-PER", "I-PER"])


def weights(folder: Path) -> dict[str, Any]:
    return load_file(folder / "model.safetensors")


def same(one: Path, other: Path) -> bool:
    left, right = weights(one), weights(other)
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def student(workshop: Workshop, train: Path, output: Path, *more: object) -> tuple[object, ...]:
    return ("train", train, "-o", output, "--encoder", workshop.encoder, *BRIEF, "--teacher", workshop.model, *more)


@pytest.fixture(scope="module")
def unlabelled(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("raw") / "raw.txt"
    file.write_text("Anna Berg moved to Oslo .\n\nThe ministers of Peru met in Geneva today.\n" * 5, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def taught(workshop: Workshop, unlabelled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("taught") / "student"
    result = call(
        *student(workshop, workshop.train, output, "--unlabelled", unlabelled, "--set", "distil_weight=1", "--teacher",
                 workshop.model)
    )  # fmt: skip
    assert result.code == 0, result
    assert "unlabelled: 10 texts of" in result.err
    return output


def test_teachers_alone_are_learned_from_where_labels_weigh_nothing(
    workshop: Workshop, unlabelled: Path, taught: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.conll"  # every person a place, every place a person
    text = workshop.train.read_text("utf-8")
    for one, other in (("-PER\n", "-XXX\n"), ("-LOC\n", "-PER\n"), ("-XXX\n", "-LOC\n")):
        text = text.replace(one, other)
    wrong.write_text(text, encoding="utf-8")
    asked = student(workshop, wrong, tmp_path / "m", "--unlabelled", unlabelled, "--set", "distil_weight=1")
    assert call(*asked).code == 0
    assert same(tmp_path / "m", taught)  # one teacher, or twice the same


def test_the_manifest_names_teachers_and_text(workshop: Workshop, unlabelled: Path, taught: Path) -> None:
    said = ModelFolder.open(taught).manifest.training
    teacher = {"model": "model", "file": "tagline.json", "sha256": fingerprint(workshop.model / "tagline.json")}
    assert said["distillation"] == {
        "teachers": [teacher, teacher],
        "unlabelled": {"file": "raw.txt", "sha256": fingerprint(unlabelled), "texts": 10},
    }
    assert said["settings"]["distil_weight"] == 1
    assert said["settings"]["distil_temperature"] == 2


def test_a_killed_run_goes_on_and_ends_as_the_unbroken_one(workshop: Workshop, tmp_path: Path) -> None:
    from unittest.mock import patch

    from tagline.train.callbacks import StopOnInterrupt

    more = ("--set", "checkpoint_steps=3", "--set", "rdrop=1", "--set", "dropout=0.1")
    asked = student(workshop, workshop.train, tmp_path / "m", *more)
    assert call(*student(workshop, workshop.train, tmp_path / "whole", *more)).code == 0
    end = StopOnInterrupt.on_step_end

    def stop(self: Any, args: Any, state: Any, control: Any, **others: Any) -> None:
        self.stopped = self.stopped or state.global_step == 5
        end(self, args, state, control, **others)

    with patch.object(StopOnInterrupt, "on_step_end", stop):
        result = call(*asked)
    assert result.code == 130, result
    result = call(*asked, "--set", "distil_weight=0.9", "--resume")
    refused(result, "distil_weight: 0.5 then, 0.9 now")
    assert call(*asked, "--resume").code == 0
    assert same(tmp_path / "m", tmp_path / "whole")


def test_targets_are_the_teachers_answers_at_every_word(workshop: Workshop) -> None:
    tagger = Tagger.open(workshop.model, EngineSettings(precision="f32", threads=1))
    sentences = [each.words for each in read_corpus(workshop.dev).sentences]
    found = [chances for _, chances in tagger.stream_scored(map(split_words, sentences))]
    documents = list(tagger.stream_words(sentences))
    assert [len(each) for each in found] == [len(each) for each in sentences]
    for chances, document in zip(found, documents, strict=True):
        assert chances.sum(1) == pytest.approx(np.ones(len(chances)), abs=1e-5)
        rows = [tagger.folder.labels.index(tag) for tag in document.tags]
        assert chances[np.arange(len(rows)), rows].tolist() == pytest.approx(list(document.scores))


def test_teacher_and_student_read_context(workshop: Workshop, tmp_path: Path) -> None:
    """Each shows as much of a document as it knows; what is learned at a word is what the teacher says of that word."""
    sentences = workshop.dev.read_text("utf-8").strip().split("\n\n")
    lots = ["\n\n".join(sentences[at : at + 5]) for at in range(0, len(sentences), 5)]
    file, raw = tmp_path / "marked.conll", tmp_path / "raw.txt"
    file.write_text("".join(f"-DOCSTART-\tO\n\n{each}\n\n" for each in lots), encoding="utf-8")
    raw.write_text("Anna Berg moved to Oslo . The ministers met in Geneva today .\n", encoding="utf-8")
    shared = ("train", file, "--encoder", workshop.encoder, *LEARN, "--set")
    assert call(*shared, "context=12", "-o", tmp_path / "teacher").code == 0
    teacher = ("--teacher", tmp_path / "teacher", "--unlabelled", raw)
    assert call(*shared, "context=6", "-o", tmp_path / "m", *teacher, "--epochs", "1").code == 0
    chosen = TokenSettings(encoder=str(workshop.encoder), context=6, threads=1)
    corpus = read_corpus(file)
    prepared = prepare_tokens(corpus, None, chosen)
    taught = teach_tokens(prepared, corpus, chosen, Teaching((tmp_path / "teacher",), raw))
    assert taught is not None
    assert taught.train.learned < sum(taught.train.lengths)
    tagger = Tagger.open(tmp_path / "teacher", EngineSettings(precision="f32", threads=1))
    order = columns("t", tagger.folder.labels, prepared.labels)
    expected = [chances for _, chances in tagger.stream_scored(shown_all(tagger, corpus))]
    split = (split_words(each.words) for each in corpus.sentences)
    alone = [chances for _, chances in tagger.stream_scored(split)]
    for number, (window, sentence) in enumerate(zip(prepared.train.windows, prepared.train.sentence, strict=True)):
        where = taught.targets.where([number])
        assert where.index[1].tolist() == window.places.tolist()
        own = slice(window.first, window.first + len(window.places))
        told = taught.targets.of(where.rows).exp().numpy()
        assert told == pytest.approx(expected[sentence][own][:, order], rel=0.02, abs=1e-6)
    assert max(abs(one - other).max() for one, other in zip(expected, alone, strict=True)) > 0.05


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--head", "crf"), "--teacher is for a student with a linear head"),
        (("--set", "scheme=IOBES"), "expected a teacher with the student's labels"),
        (("--set", "distil_weight=2"), "distil_weight=2; expected a share, 0 to 1"),
        (("--set", "distil_temperature=0"), "distil_temperature=0; expected more than 0"),
        (("--teacher", "nowhere"), "nowhere: does not exist; expected a model folder"),
    ],
)
def test_what_does_not_go_together_is_said(
    workshop: Workshop, tmp_path: Path, more: tuple[str, ...], words: str
) -> None:
    refused(call(*student(workshop, workshop.train, tmp_path / "m", *more)), words)
    assert not list(tmp_path.iterdir())


def test_unlabelled_text_needs_a_teacher(workshop: Workshop, unlabelled: Path, tmp_path: Path) -> None:
    result = call("train", workshop.train, "-o", tmp_path / "m", "--unlabelled", unlabelled)
    refused(result, "has nobody who reads it; add --teacher MODEL")


@pytest.mark.parametrize(
    ("teacher", "text", "words"),
    [
        ("nobody", "raw.txt", "nobody: does not exist; expected a model folder"),
        (".", "gone.txt", "gone.txt: no such file; give --unlabelled the path of a file of texts"),
        (".", "-", "-: no such file"),
    ],
)
def test_teachers_and_text_are_looked_for_first(
    workshop: Workshop, unlabelled: Path, tmp_path: Path, teacher: str, text: str, words: str
) -> None:
    asked = ("--teacher", tmp_path / teacher, "--unlabelled", text if text == "-" else unlabelled.parent / text)
    result = call("train", tmp_path / "no-such.conll", "-o", tmp_path / "m", *asked)
    refused(result, words)
    assert "no-such.conll" not in result.err


@pytest.mark.parametrize("kind", ["single", "several", "regression", "pairs"])
def test_classifiers_teach_too(kind: str, tmp_path: Path, workshop: Workshop) -> None:
    from tests.train.labelled import toy

    def write(name: str, count: int, seed: int) -> Path:
        rows: list[dict[str, Any]] = []
        for each in toy(kind, count, seed).texts:
            label: Any = {"several": list(each.labels), "regression": each.score}.get(kind, (each.labels or ("",))[0])
            rows.append({"text": each.text, **({"text_pair": each.pair} if each.pair else {}), "label": label})
        file = tmp_path / name
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return file

    train, dev, raw = write("train.jsonl", 40, 1), write("dev.jsonl", 16, 2), write("raw.jsonl", 12, 3)
    shared = ("train", train, "--dev", dev, "--encoder", workshop.encoder, *BRIEF, "--allow-leakage")
    assert call(*shared, "-o", tmp_path / "teacher").code == 0
    result = call(
        *shared, "-o", tmp_path / "m", "--teacher", tmp_path / "teacher", "--unlabelled", raw, "--set",
        "distil_weight=0.7", "--json",
    )  # fmt: skip
    assert result.code == 0, result
    assert set(json.loads(result.out)) == {"dev"}
    assert ModelFolder.open(tmp_path / "m").manifest.training["distillation"]["unlabelled"]["texts"] == 12
    if kind == "single":
        refused(
            call(*shared, "-o", tmp_path / "n", "--teacher", workshop.model), "expected one for text-classification"
        )
