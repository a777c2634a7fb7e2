"""A folder that gets more files: whole, linked, or as it was."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tagline.errors import FolderError, OutputError, RefusedError
from tagline.folder import Manifest, ModelFolder, seal
from tagline.publish.alone import look
from tagline.publish.amend import amend

ROOT = Path(__file__).resolve().parent.parent.parent
RECORD = {
    "engine": "onnx", "precision": "f32", "agreement": 0.9991, "largest": 0.01, "mean": 1e-5, "count": 1200,
    "unit": "words",
}  # fmt: skip
STOPPING = """
import sys, time
from pathlib import Path
from tagline.publish.amend import amend
def write(folder):
    (folder / "more.bin").write_bytes(b"1" * 1000)
def learn(folder):
    sys.stdout.write("written\\n"); sys.stdout.flush()
    time.sleep(60)
amend(Path(sys.argv[1]), ("more.bin",), write, learn)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "model"
    (place / "runs").mkdir(parents=True)
    (place / "runs" / "log").write_text("log")
    (place / "config.json").write_text(json.dumps({"id2label": {"0": "O", "1": "B-X"}}))
    (place / "tokenizer.json").write_text("{}")
    (place / "model.safetensors").write_bytes(b"weights")
    (place / "README.md").write_text("# mine\n\nMy own words.\n\n## Limits\n\nMany.\n")
    seal(place, Manifest(window=32, version="test"))
    return place


def tree(place: Path) -> dict[str, bytes]:
    return {str(each.relative_to(place)): each.read_bytes() for each in place.rglob("*") if each.is_file()}


def learn(record: dict[str, object], place: Path) -> dict[str, object]:
    return {"parity": [record]}


def add(place: Path) -> None:
    (place / "more.bin").write_bytes(b"1")


def test_files_are_added_and_the_rest_is_linked(folder: Path) -> None:
    before, weights = tree(folder), (folder / "model.safetensors").stat().st_ino
    found = amend(folder, ("more.bin",), add, lambda place: {"parity": [RECORD]})
    found.verify(["more.bin", "model.safetensors"])
    assert found.manifest.parity == [RECORD]
    assert set(found.manifest.files) == {"config.json", "more.bin", "model.safetensors", "tokenizer.json"}
    after = tree(folder)
    assert set(after) == {*before, "more.bin"}
    assert {name for name in before if before[name] != after[name]} == {"README.md", "tagline.json"}
    assert (folder / "model.safetensors").stat().st_ino == weights
    assert [each.name for each in folder.parent.iterdir()] == ["model"]


def test_the_card_keeps_what_people_wrote(folder: Path) -> None:
    for record in (RECORD, {**RECORD, "agreement": 0.75}):
        amend(folder, ("more.bin",), add, partial(learn, record))
    card = (folder / "README.md").read_text()
    assert "My own words." in card
    assert card.endswith("## Limits\n\nMany.\n")
    assert card.count("## Agreement of the engines") == 1
    assert "| onnx | f32 | 75.000 % | 0.01 | 1e-05 | 1,200 words |" in card
    assert "99.910" not in card


def test_a_refusal_leaves_the_old_folder(folder: Path) -> None:
    before = tree(folder)

    def refuse(place: Path) -> dict[str, object]:
        assert (place / "more.bin").read_bytes() == b"1"
        raise RefusedError("too little")

    with pytest.raises(RefusedError):
        amend(folder, ("more.bin",), add, refuse)
    assert tree(folder) == before
    assert [each.name for each in folder.parent.iterdir()] == ["model"]


def test_a_damaged_folder_is_not_sealed_anew(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"wrong")
    with pytest.raises(FolderError, match="damaged"):
        amend(folder, ("more.bin",), add, lambda place: {})


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_kill_in_the_middle_leaves_the_old_folder(folder: Path, number: signal.Signals) -> None:
    before = tree(folder)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPING, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    assert len(list(folder.parent.iterdir())) == 2  # the new folder is in the making
    time.sleep(0.05)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert tree(folder) == before
    ModelFolder.open(folder).verify(["model.safetensors", "tokenizer.json"])
    amend(folder, ("more.bin",), add, lambda place: {})  # no lock is left


def test_a_second_change_is_told_at_once(folder: Path) -> None:
    """And the lock goes with the first, also where that broke off."""

    def second(place: Path) -> None:
        add(place)
        with pytest.raises(OutputError, match=r"another export is at work on .*model.*type the command again"):
            amend(folder, ("other.bin",), add, lambda place: {})
        raise RefusedError("enough")

    before = tree(folder)
    with pytest.raises(RefusedError):
        amend(folder, ("more.bin",), second, lambda place: {})
    assert tree(folder) == before
    amend(folder, ("more.bin",), add, lambda place: {})
    assert (folder / "more.bin").is_file()


def edited(folder: Path) -> None:
    (folder / "README.md").write_text("# mine\n\nOther words.\n")


def more(folder: Path) -> None:
    (folder / "runs" / "log2").write_text("log")


def exchanged(folder: Path) -> None:
    """Another export, on a system without locks."""
    other = folder.with_name("other")
    shutil.copytree(folder, other)
    amend(other, ("more.bin",), add, partial(learn, RECORD))
    folder.rename(folder.with_name("old"))
    other.rename(folder)
    shutil.rmtree(folder.with_name("old"))


def gone(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


@pytest.mark.parametrize("change", [edited, more, exchanged, gone])
@pytest.mark.parametrize("when", ["before", "within", "at the end"])
def test_what_others_did_meanwhile_is_kept(folder: Path, change: Callable[[Path], None], when: str) -> None:
    seen, after = look(folder), {}

    def now(moment: str) -> None:
        if when == moment:
            change(folder)
            after.update(tree(folder))

    def write(place: Path) -> None:
        add(place)
        now("within")

    def known(place: Path) -> dict[str, object]:
        now("at the end")
        return {}

    now("before")
    with pytest.raises(OutputError, match=r"model was changed by something else meanwhile.*type the command again"):
        amend(folder, ("more.bin",), write, known, seen)
    assert tree(folder) == after
    assert [each.name for each in folder.parent.iterdir()] == ["model"]


def test_a_mount_point_is_refused_before_the_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.ismount", lambda path: Path(path) == folder)
    with pytest.raises(OutputError, match=r"model is a mount point.*cp -r .*model my-model"):
        amend(folder, ("more.bin",), add, lambda place: {})
    assert not (folder / "more.bin").exists()
