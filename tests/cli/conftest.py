"""The workshop: a corpus, an encoder and a trained model, made once a session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cli.support import LEARN, Result, call, write_encoder

import make_corpus


@dataclass(frozen=True)
class Workshop:
    """Files that the tests read and never change.

    Attributes:
        folder: where they lie.
        train, dev, test: annotated files.
        encoder: a tiny random encoder.
        model: a trained model folder.
        training: what the training printed.
    """

    folder: Path
    train: Path
    dev: Path
    test: Path
    encoder: Path
    model: Path
    training: Result


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    folder = tmp_path_factory.mktemp("workshop")
    make_corpus.main([str(folder), "--train", "240", "--dev", "40", "--test", "40"])
    train, dev, test = (folder / f"{split}.conll" for split in ("train", "dev", "test"))
    words = [line.split("\t")[0] for line in train.read_text("utf-8").splitlines() if line]
    encoder = write_encoder(folder / "encoder", [" ".join(words)])
    model = folder / "model"
    training = call("train", train, "--dev", dev, "--test", test, "-o", model, "--encoder", encoder, *LEARN)
    assert training.code == 0, training
    return Workshop(folder, train, dev, test, encoder, model, training)
