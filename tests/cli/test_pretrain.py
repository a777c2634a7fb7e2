"""`tagline pretrain` as a user calls it: from text to an encoder that `tagline train` takes, broken off or not."""

from __future__ import annotations

import contextlib
import json
import shlex
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.cli.conftest import Workshop
from tests.cli.support import call, quiet, refused, running, stop, tree

SMALL = (
    "--from-scratch", "--vocabulary", 400, "--layers", 1, "--width", 16, "--heads", 2, "--window", 32,
    "--threads", 1, "--precision", "f32", "--learning-rate", "5e-3",
)  # fmt: skip


@pytest.fixture(scope="module")
def text(workshop: Workshop) -> Path:
    """The words of the workshop's training file, a sentence a line."""
    file = workshop.folder / "plain.txt"
    blocks = workshop.train.read_text("utf-8").strip().split("\n\n")
    lines = [" ".join(line.split("\t")[0] for line in block.splitlines()) for block in blocks]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def has(log: Path, said: str) -> Callable[[], bool]:
    return lambda: said in log.read_text("utf-8")


@pytest.mark.parametrize("kind", ["wordpiece", "bpe"])
def test_from_text_to_entities(kind: str, text: Path, workshop: Workshop, tmp_path: Path) -> None:
    encoder, model = tmp_path / "encoder", tmp_path / "model"
    done = call(
        "pretrain", text, "-o", encoder, *SMALL, "--tokenizer", kind, "--epochs", 6, "--batch-tokens", 256, "--json"
    )
    assert done.code == 0, done
    quiet(done)
    facts = json.loads(done.out)
    assert [each["epoch"] for each in facts["by_epoch"]] == [1, 2, 3, 4, 5, 6]
    losses = [each["loss"] for each in facts["by_epoch"]]
    assert facts["loss"] == min(losses) < losses[0]
    assert facts["loss"] < 5.5  # a guess among 400 pieces costs 6.0
    assert f"epoch 6: held-out loss {losses[-1]:.4f}, perplexity" in done.err
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md", "pretraining.json"} <= set(tree(encoder))
    assert {file.name for file in tmp_path.iterdir()} == {"encoder"}
    (tmp_path / "new").touch()
    assert {file.stat().st_mode for file in encoder.iterdir()} == {(tmp_path / "new").stat().st_mode}
    train = call(
        "train", workshop.train, "--dev", workshop.dev, "-o", model, "--encoder", encoder, "--epochs", 1,
        "--threads", 1, "--precision", "f32",
    )  # fmt: skip
    assert train.code == 0, train
    assert call("predict", model, "--text", "Mira Solen spoke .").code == 0


def test_onward_with_another_vocabulary(text: Path, workshop: Workshop, tmp_path: Path) -> None:
    given = ("--encoder", workshop.encoder, "--tokenizer", "wordpiece", "--vocabulary", 300, "--window", 32)
    done = call("pretrain", text, "-o", tmp_path / "on", *given, "--epochs", 1, "--threads", 1, "--json")
    assert done.code == 0, done
    moved = json.loads(done.out)["moved"]
    assert f"{moved['kept']:,} pieces keep their vectors, {moved['spelled']:,} begin at the mean" in done.err
    assert moved["kept"] > 50


def long(text: Path) -> tuple[object, ...]:
    """A training that lasts long enough for a signal to come in time."""
    return ("pretrain", text, "-o", "encoder", *SMALL, "--epochs", 10, "--batch-tokens", 256, "--checkpoint-steps", 5)


@pytest.fixture(scope="module")
def whole(text: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """What that training gives where nothing breaks it off."""
    folder = tmp_path_factory.mktemp("whole")
    with contextlib.chdir(folder):
        done = call(*long(text))
    assert done.code == 0, done
    return tree(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_broken_off_ends_as_an_unbroken_one(
    number: signal.Signals, text: Path, whole: Mapping[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, log, place = long(text), tmp_path / "log", tmp_path / "broken"
    place.mkdir()
    with running(arguments, place, log) as process:
        assert stop(process, has(log, "epoch 2:"), number) == (130 if number == signal.SIGINT else -number)
    assert [path.name for path in place.iterdir()] == ["encoder.training"]
    monkeypatch.chdir(place)
    resume = shlex.join(["tagline", *map(str, arguments), "--resume"])
    if number == signal.SIGINT:
        assert log.read_text("utf-8").rstrip().endswith(f"To go on type: {resume}")
        refused(call(*arguments), "--resume", "--overwrite")
        refused(call(*arguments, "--resume", "--seed", 5), "seed: 13 then, 5 now")
    resumed = call(*shlex.split(resume)[1:])
    assert resumed.code == 0, resumed
    assert "epoch 1:" not in resumed.err
    assert "epoch 10:" in resumed.err
    assert tree(place) == whole


@pytest.mark.parametrize("content", ["", "\n \n\t\n"])
def test_empty_text(content: str, tmp_path: Path) -> None:
    file = tmp_path / "empty.txt"
    file.write_text(content, "utf-8")
    refused(call("pretrain", file, "-o", tmp_path / "encoder", *SMALL), "empty.txt")
    assert [each.name for each in tmp_path.iterdir()] == ["empty.txt"]


def test_mistakes_leave_nothing_behind(text: Path, workshop: Workshop, tmp_path: Path) -> None:
    output = tmp_path / "encoder"
    refused(call("pretrain", tmp_path / "no.txt", "-o", output, *SMALL), "no.txt")
    refused(call("pretrain", text, "-o", output, "--encoder", tmp_path / "none"), "none")
    refused(call("pretrain", text, "-o", output, "--encoder", workshop.encoder, "--window", 400), "--window", "256")
    refused(call("pretrain", text, "-o", text, *SMALL), "is a file")
    control = tmp_path / "control.txt"
    control.write_text("\u200b\u200b\n\u200b\n", "utf-8")
    refused(call("pretrain", control, "-o", output, *SMALL, "--held-out", 0), "control.txt")
    assert {each.name for each in tmp_path.iterdir()} == {"control.txt"}
