"""The files and models that the pages speak of, made once a session, with a tiny encoder."""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cli.support import LEARN, ROOT, call, write_encoder

import make_corpus
import make_texts

TEXTS = ("John Parker moved to New York.", "Nobody came.", "The bed was lovely, and the coffee was excellent.")


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which the pages' commands are typed. Its files may be written anew, with the same in them."""
    home = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAGLINE_CACHE", str(home / "cache"))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]))
        patch.delenv("TAGLINE_API_KEY", raising=False)
        patch.chdir(home)
        write_entities(home)
        write_texts(home)
        words = (home / "train.conll").read_text("utf-8").split() + (home / "reviews.tsv").read_text("utf-8").split()
        write_encoder(home / "encoder", [" ".join(words)])
        train("train.conll", "--dev", "dev.conll", "-o", "my-model")
        train("reviews.tsv", "-o", "my-classifier")
        train("pairs.tsv", "-o", "my-pairs")
        for copy in ("model-a", "other-model", "models/a", "ner-news"):
            shutil.copytree("my-model", copy)
        shutil.copytree("my-classifier", "models/reviews")
        train("train.conll", "--dev", "dev.conll", "-o", "model-b", "--seed", "2")
        yield home


def train(*arguments: str) -> None:
    """Trains on what lies in the current folder."""
    done = call("train", *arguments, "--encoder", "encoder", *LEARN)
    assert done.code == 0, done


def write_entities(home: Path) -> None:
    """Annotated sentences, and texts to read."""
    make_corpus.main([str(home), "--train", "160", "--dev", "40", "--test", "40"])
    shutil.copy("train.conll", "all.conll")
    shutil.copy("train.conll", "my-words.conll")
    (home / "my-texts.txt").write_text("".join(f"{text}\n" for text in TEXTS), "utf-8")
    (home / "my-texts.csv").write_text("".join(f'"{text}"\n' for text in ("text", *TEXTS)), "utf-8")
    for folder in ("letters", "in"):
        (home / folder).mkdir()
        shutil.copy("my-texts.csv", home / folder / "part.csv")
    done = call("convert", "train.conll", "spans.jsonl", "--as", "spans")
    assert done.code == 0, done


def write_texts(home: Path) -> None:
    """Labelled texts: one file, and the same in three parts."""
    make_texts.write(home, 160, 13)
    header, *rows = (home / "reviews.tsv").read_text("utf-8").splitlines(keepends=True)
    rows = sorted(set(rows))
    random.Random(3).shuffle(rows)
    for name, part in (("train", rows[40:]), ("dev", rows[:20]), ("test", rows[20:40])):
        (home / f"{name}.tsv").write_text("".join([header, *part]), "utf-8")


@pytest.fixture(scope="session")
def address(place: Path) -> Iterator[Callable[[], str]]:
    """Gives the address of a server with the models of the pages, started when first asked for."""
    from tests.serve.support import Server

    started: list[Server] = []

    def url() -> str:
        if not started:
            started.append(Server(place / "my-model", place / "my-classifier"))
        return started[0].url

    yield url
    for server in started:
        assert server.stop() == 0
