"""What all parts of the measurement share: what was asked for, texts in files, the line-up of a model."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from common import DATA
from peers.driver import WORK
from peers.environments import Missing
from peers.lineup import Entry, lineup
from shapes import subtokens, test_texts


@dataclass(frozen=True)
class Asked:
    """What the command line asked for.

    Attributes:
        model: the model folder.
        rounds: rounds that count.
        limit: most texts; 0: all.
        threads: processor threads of every peer.
        without: parts of names of peers that are left out.
    """

    model: Path
    rounds: int
    limit: int
    threads: int
    without: tuple[str, ...] = ()

    def texts(self) -> list[str]:
        """The sentences of CoNLL-2003 test, or the first of them."""
        return _texts()[: self.limit or None]

    def int8(self) -> Path | None:
        """The copy of the model with an int8 graph; none is made for a trial, where it would take the longest."""
        folder = WORK / f"{self.model.name}-int8"
        return int8_copy(self.model) if not self.limit else folder if folder.is_dir() else None

    def entries(self, model: Path | None = None, int8: bool = True) -> list[Entry]:
        """The line-up for a model, by default the one asked for."""
        from tagline.machine import processor_has_bf16

        chosen = model or self.model
        copy = self.int8() if int8 and model is None else None
        return [
            entry
            for entry in lineup(chosen, copy, processor_has_bf16())
            if not any(part.lower() in entry.name.lower() for part in self.without)
        ]


@cache
def _texts() -> list[str]:
    return test_texts()


@dataclass(frozen=True)
class TextFile:
    """Texts that lie in a file, with their sub-tokens.

    Attributes:
        path: the file.
        texts: the texts.
        lengths: sub-tokens of each.
    """

    path: Path
    texts: list[str]
    lengths: list[int]

    @property
    def total(self) -> int:
        """Sub-tokens of all."""
        return sum(self.lengths)


def write_texts(name: str, texts: Sequence[str], model: Path) -> TextFile:
    """Writes texts for the peers to read."""
    path = WORK / "texts" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(list(texts)), encoding="utf-8")
    return TextFile(path, list(texts), subtokens(model, texts))


def int8_copy(model: Path) -> Path | None:
    """A copy of a model with the int8 graph that `tagline export` makes and accepts; None where it refuses."""
    folder = WORK / f"{model.name}-int8"
    refused = WORK / f"{model.name}-int8.refused"
    if folder.is_dir():
        return folder
    if refused.is_file():
        return None
    print(f"bench: int8 graph of {model.name}", flush=True)
    making = WORK / f"{model.name}-int8.making"
    shutil.rmtree(making, ignore_errors=True)
    shutil.copytree(model, making)
    command = [sys.executable, "-m", "tagline", "export", str(making), "--to", "int8"]
    dev = str(DATA / "conll2003" / "valid.txt")
    train = str(DATA / "conll2003" / "train.txt")
    done = subprocess.run(
        [*command, "--dev", dev, "--calibrate", train, "--min-agreement", "0.9"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 1:
        refused.write_text(done.stderr, encoding="utf-8")
        return None
    if done.returncode:
        raise Missing(f"tagline export: {done.stderr.strip()}")
    making.rename(folder)
    return folder
