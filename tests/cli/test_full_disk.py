"""A disk that fills up: one sentence, what was done is kept, and the named command goes on when there is room."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Workshop
from tests.cli.support import LEARN, Result, call, refused, spawn, tree

from tagline.data.atomic import atomic_folder
from tagline.errors import OutputError

Disk = Callable[[str], Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """`disk(size)` mounts a small disk, or changes its size."""
    place = tmp_path / "disk"
    mounted = False

    def mount(size: str) -> Path:
        nonlocal mounted
        place.mkdir(exist_ok=True)
        options = f"size={size}" if not mounted else f"remount,size={size}"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"cannot mount a small disk here: {done.stderr.strip()}")
        mounted = True
        return place

    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    yield mount
    if mounted:
        subprocess.run(["umount", str(place)], check=True)


def resumed(result: Result) -> list[str]:
    command = result.err.splitlines()[-1].partition("To go on type: ")[2]
    return shlex.split(command)[1:]


@pytest.mark.parametrize(("size", "kept"), [("100k", False), ("600k", False), ("1200k", True)])
def test_while_a_checkpoint_is_written(workshop: Workshop, disk: Disk, size: str, kept: bool) -> None:
    """Room for no weights; for weights but no optimiser; for one checkpoint but no second."""
    model = disk(size) / "m"
    result = spawn("train", workshop.dev, "--dev", workshop.test, "-o", model, "--encoder", workshop.encoder, *LEARN)
    refused(result, str(model), "a checkpoint cannot be written (the disk is full)", "To go on type: tagline train ")
    assert ("the one before is kept" in result.err) == kept, result.err
    assert not model.exists()
    disk("50m")
    again = call(*resumed(result))
    assert again.code == 0, again
    assert ("epoch 1:" not in again.err) == kept
    assert [path.name for path in model.parent.iterdir()] == ["m"]


def test_while_the_model_folder_is_written(workshop: Workshop, disk: Disk) -> None:
    """Every size from nothing to nearly enough fails cleanly, whatever library is writing."""
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    from tagline.folder import ModelFolder
    from tagline.publish.write import Parts, write_model

    manifest = ModelFolder.open(workshop.model).manifest
    model = AutoModelForTokenClassification.from_pretrained(workshop.model)
    parts = Parts(model.eval(), AutoTokenizer.from_pretrained(workshop.model), workshop.model / "runs")
    needed = sum(-(-len(data) // 4096) * 4 for data in tree(workshop.model).values())
    for size in (4, 100, 280, 400, 600, needed - 20, needed - 8):
        place = disk(f"{size}k")
        with pytest.raises(OutputError, match="m cannot be written: the disk is full; free some space"):
            write_model(parts, manifest, place / "m")
        assert list(place.iterdir()) == [], size
    place = disk(f"{needed + 100}k")
    write_model(parts, manifest, place / "m")
    assert call("predict", place / "m", "--text", "Oslo").code == 0


def test_after_training_while_the_folder_is_written(workshop: Workshop, disk: Disk) -> None:
    model = disk("1100k") / "m"
    options = (*LEARN, "--epochs", "1")
    result = call("train", workshop.dev, "-o", model, "--encoder", workshop.encoder, *options)
    refused(result, str(model), "the disk is full", "To go on type: tagline train ")
    assert [path.name for path in model.parent.iterdir()] == ["m.training"]
    disk("50m")
    assert call(*resumed(result)).code == 0
    assert call("predict", model, "--text", "Oslo").code == 0


def test_while_predictions_are_written(workshop: Workshop, tmp_path: Path, disk: Disk) -> None:
    data = tmp_path / "in.jsonl"
    rows = [{"id": number, "text": "John Parker moved from Oslo to New York ."} for number in range(3000)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    whole = tmp_path / "whole.jsonl"
    assert call("predict", workshop.model, data, "-o", whole, "--precision", "f32").code == 0
    output = disk(f"{int(0.6 * whole.stat().st_size) // 1024}k") / "out.jsonl"
    result = call("predict", workshop.model, data, "-o", output, "--precision", "f32")
    refused(result, str(output), "the disk is full", "rows are kept", "--resume")
    assert not output.exists()
    disk("50m")
    result = call("predict", workshop.model, data, "-o", output, "--precision", "f32", "--resume")
    assert result.code == 0, result
    assert output.read_bytes() == whole.read_bytes()


def test_while_judged_tags_are_written(workshop: Workshop, disk: Disk) -> None:
    output = disk("4k") / "out.conll"
    result = call("evaluate", workshop.model, workshop.test, "--predictions", output, "--json")
    refused(result, str(output), "the disk is full")
    assert list(output.parent.iterdir()) == []


def test_an_error_of_a_native_library_is_told_by_its_words(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="the disk is full"), atomic_folder(tmp_path / "m"):
        raise RuntimeError("I/O error: No space left on device (os error 28)")
    assert list(tmp_path.iterdir()) == []
