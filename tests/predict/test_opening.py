"""A folder that is replaced while it is read: all of what was made comes from one model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.engines.conftest import classifier_folder

from tagline.data.atomic import atomic_folder
from tagline.engines import EngineSettings
from tagline.errors import FolderError
from tagline.folder import MANIFEST, ModelFolder
from tagline.predict.classifier import Classifier
from tagline.predict.opening import open_whole

__all__ = ["classifier_folder"]


class Replaced:
    """A model folder that another takes the place of, as often as asked, each time it is half read."""

    def __init__(self, original: Path, place: Path, times: int) -> None:
        self.original, self.place, self.times, self.calls = original, place, times, 0
        shutil.copytree(original, place)

    def read(self, folder: ModelFolder) -> tuple[str, str]:
        """The version in the opened manifest, and the one that lies there afterwards."""
        self.calls += 1
        if self.calls <= self.times:
            with atomic_folder(self.place, overwrite=True) as work:
                shutil.copytree(self.original, work, dirs_exist_ok=True)
                manifest = json.loads((work / MANIFEST).read_text(encoding="utf-8"))
                (work / MANIFEST).write_text(json.dumps({**manifest, "version": f"number {self.calls}"}))
        now = json.loads((folder.path / MANIFEST).read_text(encoding="utf-8"))["version"]
        return folder.manifest.version, now


@pytest.mark.parametrize("times", [0, 1, 3])
def test_it_is_read_anew(classifier_folder: Path, tmp_path: Path, times: int) -> None:
    model = Replaced(classifier_folder, tmp_path / "model", times)
    opened, there = open_whole(model.place, EngineSettings(), model.read)
    assert opened == there
    assert model.calls == times + 1


def test_what_was_half_read_need_not_be_sound(classifier_folder: Path, tmp_path: Path) -> None:
    model = Replaced(classifier_folder, tmp_path / "model", 1)

    def read(folder: ModelFolder) -> str:
        opened, there = model.read(folder)
        if opened != there:
            raise FolderError("damaged")
        return opened

    assert open_whole(model.place, EngineSettings(), read) == "number 1"


def test_a_damage_is_said_at_once(classifier_folder: Path, tmp_path: Path) -> None:
    model = Replaced(classifier_folder, tmp_path / "model", 0)

    def read(folder: ModelFolder) -> None:
        model.read(folder)
        raise FolderError("damaged")

    with pytest.raises(FolderError, match=r"^damaged$"):
        open_whole(model.place, EngineSettings(), read)
    assert model.calls == 1


def test_a_folder_that_does_not_come_to_rest_is_refused(classifier_folder: Path, tmp_path: Path) -> None:
    model = Replaced(classifier_folder, tmp_path / "model", 1000)
    with pytest.raises(FolderError, match="replaced 10 times while it was read"):
        open_whole(model.place, EngineSettings(), model.read)


def test_a_classifier_opens_so(classifier_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Replaced(classifier_folder, tmp_path / "model", 1)
    real = Classifier.__init__

    def init(self: Classifier, folder: ModelFolder, engine: object) -> None:
        model.read(folder)
        real(self, folder, engine)  # type: ignore[arg-type]

    monkeypatch.setattr(Classifier, "__init__", init)
    assert Classifier.open(model.place, EngineSettings(threads=1)).folder.manifest.version == "number 1"
    assert model.calls == 2
