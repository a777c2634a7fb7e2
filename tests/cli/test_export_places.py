"""`tagline export` and `tagline train` where the folder is not theirs alone, or cannot be replaced."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Workshop
from tests.cli.support import LEARN, call, refused, tree

from tagline.folder import ONNX, ModelFolder


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A mounted disk of 50 MB."""
    place = tmp_path / "vol"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=50m", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here (needs root)")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_of_two_at_once_the_second_is_told_at_once(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tagline.cli.export_graph import _Export

    model, right = tmp_path / "model", _Export._write
    shutil.copytree(workshop.model, model)

    def slowly(work: _Export, place: Path) -> None:
        monkeypatch.setattr(_Export, "_write", right)
        result = call("export", model, "--to", "openvino", "--sample", workshop.dev)
        refused(result, f"another export is at work on {model}", "type the command again when it has ended")
        assert "writing" not in result.err
        right(work, place)

    monkeypatch.setattr(_Export, "_write", slowly)
    assert call("export", model, "--to", "onnx", "--sample", workshop.dev).code == 0
    ModelFolder.open(model).verify([ONNX])
    assert [each.name for each in tmp_path.iterdir()] == ["model"]


def test_a_record_that_came_after_the_reading_is_kept(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export that ends while this one reads its sample, before it holds the folder."""
    from tagline.cli import export_graph

    model, right = tmp_path / "model", export_graph._read
    shutil.copytree(workshop.model, model)

    def slowly(*given: object) -> object:
        monkeypatch.setattr(export_graph, "_read", right)
        assert call("export", model, "--to", "onnx", "--sample", workshop.dev).code == 0
        return right(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(export_graph, "_read", slowly)
    result = call("export", model, "--to", "openvino", "--sample", workshop.dev)
    refused(result, "was changed by something else meanwhile", "type the command again")
    folder = ModelFolder.open(model)
    folder.verify([ONNX])
    assert "onnx" in {each["engine"] for each in folder.manifest.parity}


def test_a_volume_is_not_replaced_but_filled(workshop: Workshop, volume: Path) -> None:
    train = ("train", workshop.dev, "--encoder", workshop.encoder, *LEARN, "--epochs", "1")
    result = call(*train, "-o", volume)
    refused(result, f"{volume} is a mount point", f"name a folder inside it: -o {volume}/model")
    assert "epoch" not in result.err
    assert [each.name for each in volume.parent.iterdir()] == ["vol"]
    result = call("export", workshop.model, "--to", "hf", volume)
    refused(result, f"{volume} is a mount point", "name a folder inside it")
    shutil.copytree(workshop.model, volume, dirs_exist_ok=True)
    before = tree(volume)
    result = call("export", volume, "--to", "onnx", "--sample", workshop.dev)
    refused(result, f"{volume} is a mount point", f"cp -r {volume} my-model")
    assert "writing" not in result.err
    assert tree(volume) == before
    assert call("export", workshop.model, "--to", "hf", volume / "model").code == 0
