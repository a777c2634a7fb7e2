"""Runs that are stopped or killed, and carried on by the command that they name."""

from __future__ import annotations

import importlib
import json
import shlex
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Workshop
from tests.cli.support import NOISE, call, refused, running, stop, tree

import make_corpus
from tagline.data.streams.row import Row
from tagline.folder import ModelFolder
from tagline.predict.rows import tag_rows
from tagline.predict.tagger import Tagger
from tagline.records import Document

LONG = 14  # epochs: enough for the signal to come in time


def training(workshop: Workshop, folder: Path, epochs: int = LONG) -> tuple[object, ...]:
    """A long training of a small file, run in `folder`."""
    make_corpus.main([str(folder), "--train", "60", "--dev", "15", "--test", "1"])
    return (
        "train", "train.conll", "--dev", "dev.conll", "-o", "model", "--encoder", workshop.encoder,
        "--epochs", epochs, "--learning-rate", "5e-3", "--set", "freeze_embeddings=false",
        "--threads", "1", "--precision", "f32",
    )  # fmt: skip


def pressed(*given: object) -> None:
    """Stands for any work during which Ctrl-C is pressed."""
    raise KeyboardInterrupt


def has(log: Path, text: str) -> Callable[[], bool]:
    return lambda: text in log.read_text("utf-8")


def test_a_stopped_training_names_the_command_that_goes_on(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, log = training(workshop, tmp_path), tmp_path / "log"
    with running(arguments, tmp_path, log) as process:
        assert stop(process, has(log, "epoch 2:"), signal.SIGINT) == 130
    said = log.read_text("utf-8")
    assert not any(noise in said for noise in NOISE), said
    last = said.splitlines()[-1]
    assert last.startswith("tagline: stopped after step ")
    resume = last.partition("To go on type: ")[2]
    assert resume == shlex.join(["tagline", *map(str, arguments), "--resume"])
    assert not (tmp_path / "model").exists()

    monkeypatch.chdir(tmp_path)
    refused(call(*arguments), "model.training", "--resume", "--overwrite")
    refused(call(*arguments, "--resume", "--seed", "5"), "seed: 13 then, 5 now", "--overwrite")
    result = call(*shlex.split(resume)[1:])
    assert result.code == 0, result
    assert "epoch 2:" not in result.err
    assert f"epoch {LONG}:" in result.err
    assert len(ModelFolder.open("model").manifest.training["dev_score_by_epoch"]) == LONG
    assert not (tmp_path / "model.training").exists()


def test_a_killed_training_ends_as_an_unbroken_one(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    (tmp_path / "killed").mkdir()
    (tmp_path / "whole").mkdir()
    arguments = training(workshop, tmp_path / "killed")
    with running(arguments, tmp_path / "killed", log) as process:
        assert stop(process, has(log, "epoch 3:"), signal.SIGKILL) == -signal.SIGKILL
    assert [path.name for path in (tmp_path / "killed").glob("model*")] == ["model.training"]
    monkeypatch.chdir(tmp_path / "killed")
    resumed = call(*arguments, "--resume")
    assert resumed.code == 0, resumed

    monkeypatch.chdir(tmp_path / "whole")
    training(workshop, tmp_path / "whole")
    assert call(*arguments).code == 0
    one, other = (tree(tmp_path / name / "model") for name in ("killed", "whole"))
    for name in ("model.safetensors", "openvino_model.bin", "config.json", "tokenizer.json"):
        assert one[name] == other[name], name
    manifests = [json.loads(each["tagline.json"]) for each in (one, other)]
    for manifest in manifests:
        del manifest["metrics"]["dev"]["seconds"]
    assert manifests[0]["metrics"] == manifests[1]["metrics"]
    assert manifests[0]["training"] == manifests[1]["training"]


def test_stopped_while_the_folder_is_written(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training is over; Ctrl-C now loses nothing either."""
    arguments = training(workshop, tmp_path, epochs=1)
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module("tagline.publish.write"), "write_graph", pressed)
        result = call(*arguments)
    assert (result.code, result.out) == (130, "")
    resume = result.err.splitlines()[-1].partition("tagline: stopped. To go on type: ")[2]
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith((".model", "model/"))]
    result = call(*shlex.split(resume)[1:])
    assert result.code == 0, result
    assert "epoch 1:" not in result.err  # nothing is trained again


def test_overwriting_is_resumed_with_the_old_model_in_place(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = training(workshop, tmp_path, epochs=1)
    assert call(*arguments).code == 0
    before = tree(tmp_path / "model")
    arguments = (*arguments, "--overwrite", "--seed", "3")
    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module("tagline.publish.write"), "write_graph", pressed)
        result = call(*arguments)
    assert result.code == 130
    assert tree(tmp_path / "model") == before
    resume = result.err.splitlines()[-1].partition("To go on type: ")[2]
    assert call(*shlex.split(resume)[1:]).code == 0
    assert tree(tmp_path / "model") != before


@pytest.fixture(scope="module")
def big(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An input that takes long enough to be broken off, also on one busy core, and its answer."""
    folder = tmp_path_factory.mktemp("big")
    sentences = make_corpus.make({"train": 3000}, 5)["train"]
    texts = [" ".join(word for word, _ in sentence) for sentence in sentences] * 5
    (folder / "in.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    for name in ("in.jsonl", "whole.jsonl"):
        assert not (folder / name).exists()
    options = ("--precision", "f32")  # whose last digits depend on the batches
    assert call("predict", workshop.model, folder / "in.txt", "-o", folder / "whole.jsonl", *options).code == 0
    return folder


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_broken_prediction_is_carried_on(
    workshop: Workshop, big: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    arguments = ("predict", workshop.model, big / "in.txt", "-o", "out.jsonl", "--precision", "f32")
    log, journal = tmp_path / "log", tmp_path / "out.jsonl.partial.json"

    def begun() -> bool:
        return journal.exists() and json.loads(journal.read_bytes())["rows"] >= 2000

    with running(arguments, tmp_path, log) as process:
        code = stop(process, begun, number)
    assert not (tmp_path / "out.jsonl").exists()
    monkeypatch.chdir(tmp_path)
    refused(call(*arguments), "out.jsonl", "--resume", "--overwrite")
    if number == signal.SIGINT:
        assert code == 130
        last = log.read_text("utf-8").splitlines()[-1]
        assert last.startswith("tagline: stopped after ")
        resume = shlex.split(last.partition("To go on type: ")[2])[1:]
    else:
        assert code == -signal.SIGKILL
        resume = [*map(str, arguments), "--resume"]
    refused(call(*resume, "--argmax"), "argmax", "--overwrite")
    result = call(*resume)
    assert result.code == 0, result
    rows = int(result.err.splitlines()[0].split()[2].replace(",", ""))
    assert 2000 <= rows < 12000
    assert (tmp_path / "out.jsonl").read_bytes() == (big / "whole.jsonl").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "out.jsonl"]


def test_a_stopped_stream_says_that_it_cannot_be_resumed(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed_after_a_row(tagger: Tagger, rows: Iterable[Row]) -> Iterator[tuple[Row, Document]]:
        yield next(tag_rows(tagger, rows))
        raise KeyboardInterrupt

    monkeypatch.setattr("tagline.predict.rows.tag_rows", pressed_after_a_row)
    monkeypatch.chdir(tmp_path)
    result = call("predict", workshop.model, "-", "-o", "out.jsonl", stdin=b"Oslo\nRome\n")
    assert result.code == 130
    assert "stopped after 1 rows; they stand in out.jsonl.partial" in result.err
    assert "--resume" not in result.err


def test_a_prediction_stopped_before_its_first_row_leaves_nothing(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagline.predict.rows.tag_rows", pressed)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.txt").write_text("Oslo\n", encoding="utf-8")
    for source in ("-", "in.txt"):
        result = call("predict", workshop.model, source, "-o", "out.jsonl", stdin=b"Oslo\n")
        assert (result.code, result.err) == (130, "tagline: stopped before the first row was written\n")
        assert [path.name for path in tmp_path.iterdir()] == ["in.txt"]
    result = call("predict", workshop.model, "-", stdin=b"Oslo\n")
    assert (result.code, result.err) == (130, "tagline: stopped\n")
