"""Files and folders that appear whole or not at all, also when the disk fills up."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagline.data import atomic
from tagline.data.atomic import atomic_folder, atomic_write, is_mount
from tagline.errors import OutputError


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        done = False
    if not done:
        pytest.skip("no small file system can be mounted here (needs root)")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_text_and_bytes_take_their_place(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a") as text:
        text.write("é\r\n\n")
        assert not (tmp_path / "a").exists()
    with atomic_write(str(tmp_path / "b"), "wb") as data:
        data.write(b"\xff")
    assert (tmp_path / "a").read_bytes() == b"\xc3\xa9\r\n\n"
    assert (tmp_path / "b").read_bytes() == b"\xff"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, FileNotFoundError])
def test_an_exception_leaves_the_old_file_alone(tmp_path: Path, kind: type[BaseException]) -> None:
    (tmp_path / "a").write_text("old")

    def fail() -> None:
        with atomic_write(tmp_path / "a") as file:
            file.write("new")
            raise kind

    with pytest.raises(kind):
        fail()
    assert (tmp_path / "a").read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_a_file_that_is_read_inside_is_not_blamed_on_the_output(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "a"):
        (tmp_path / "input").read_text()
    with pytest.raises(FileNotFoundError), atomic_folder(tmp_path / "b"):
        (tmp_path / "input").read_text()
    assert not list(tmp_path.iterdir())


def test_mode_and_links_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o640)
    (tmp_path / "link").symlink_to("a")
    with atomic_write(tmp_path / "link") as file:
        file.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a").read_text() == "new"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_places_where_no_file_can_be(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    for place, words in (
        (tmp_path, "it is a folder"),
        (tmp_path / "no" / "a", "its folder does not exist"),
        (tmp_path / "f" / "a", "a part of its path is a file"),
        (tmp_path / ("x" * 300), "the name is too long"),
    ):
        with pytest.raises(OutputError, match=words) as caught, atomic_write(place):
            pass
        assert str(place) in str(caught.value)
    assert [each.name for each in tmp_path.iterdir()] == ["f"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_device_is_written_directly_and_its_fullness_told() -> None:
    with (
        pytest.raises(OutputError, match="/dev/full cannot be written: the disk is full"),
        atomic_write("/dev/full") as file,
    ):
        file.write("x")
    assert Path("/dev/full").is_char_device()
    with atomic_write("/dev/null", "wb") as data:
        data.write(b"x")
    assert Path("/dev/null").is_char_device()


def test_a_disk_that_fills_up_leaves_nothing(small_disk: Path) -> None:
    (small_disk / "a").write_text("old")
    with pytest.raises(OutputError, match="the disk is full"), atomic_write(small_disk / "a") as file:
        file.write("x" * 200_000)

    def fill() -> None:
        with atomic_folder(small_disk / "b") as folder:
            (folder / "part").write_bytes(b"x" * 30_000)
            (folder / "more").write_bytes(b"x" * 200_000)

    with pytest.raises(OutputError, match="the disk is full"):
        fill()
    assert (small_disk / "a").read_text() == "old"
    assert [each.name for each in small_disk.iterdir()] == ["a"]


def test_a_full_disk_at_the_last_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="the disk is full"), atomic_write(tmp_path / "a") as file:
        file.write("x")
    assert not list(tmp_path.iterdir())


def test_the_words_of_native_libraries_for_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="the disk is full"), atomic_folder(tmp_path / "a"):
        raise RuntimeError("I/O error: No space left on device (os error 28)")
    with pytest.raises(RuntimeError, match="other"), atomic_folder(tmp_path / "a"):
        raise RuntimeError("other")
    assert not list(tmp_path.iterdir())


def test_a_folder_takes_its_place_whole(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "model"
    with atomic_folder(place) as folder:
        (folder / "x").write_text("1")
        assert not place.exists()
    assert (place / "x").read_text() == "1"
    assert [each.name for each in place.parent.iterdir()] == ["model"]


def test_an_empty_folder_is_filled_and_a_full_one_refused(tmp_path: Path) -> None:
    place = tmp_path / "model"
    place.mkdir()
    with atomic_folder(place) as folder:
        (folder / "x").write_text("1")
    with pytest.raises(OutputError, match="a folder that is not empty"), atomic_folder(place):
        pytest.fail("the work began although the place is taken")
    (tmp_path / "f").write_text("")
    with pytest.raises(OutputError, match="is a file"), atomic_folder(tmp_path / "f", overwrite=True):
        pytest.fail("the work began although the place is taken")
    with pytest.raises(OutputError, match="a part of its path is a file"), atomic_folder(tmp_path / "f" / "g"):
        pytest.fail("the work began in a place that cannot be")


def test_overwriting_replaces_the_old_folder_only_when_the_new_one_is_complete(tmp_path: Path) -> None:
    place = tmp_path / "model"
    place.mkdir()
    (place / "old").write_text("1")

    def fail() -> None:
        with atomic_folder(place, overwrite=True) as folder:
            (folder / "new").write_text("2")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert [each.name for each in place.iterdir()] == ["old"]
    with atomic_folder(place, overwrite=True) as folder:
        (folder / "new").write_text("2")
        assert (place / "old").exists()
    assert [each.name for each in place.iterdir()] == ["new"]
    assert [each.name for each in tmp_path.iterdir()] == ["model"]


def test_a_place_filled_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    place = tmp_path / "model"

    def race() -> None:
        with atomic_folder(place) as folder:
            (folder / "x").write_text("1")
            place.mkdir()
            (place / "theirs").write_text("2")

    with pytest.raises(OutputError, match="not empty"):
        race()
    assert [each.name for each in place.iterdir()] == ["theirs"]


def test_the_old_folder_comes_back_if_the_rename_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "model"
    place.mkdir()
    (place / "old").write_text("1")
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if ".tmp-" in self.name:
            raise PermissionError(errno.EACCES, "no", str(self), None, str(target))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    monkeypatch.setattr(atomic, "_exchange", lambda one, other: False)  # as where the system cannot swap
    with pytest.raises(OutputError, match="permission denied"), atomic_folder(place, overwrite=True) as folder:
        (folder / "new").write_text("2")
    assert [each.name for each in place.iterdir()] == ["old"]
    assert [each.name for each in tmp_path.iterdir()] == ["model"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux swaps two folders")
def test_a_folder_is_replaced_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "model"
    place.mkdir()
    (place / "old").write_text("1")
    # Two renames would leave a moment without a folder.
    monkeypatch.setattr(Path, "rename", lambda self, target: pytest.fail(f"{self} was renamed to {target}"))
    with atomic_folder(place, overwrite=True) as folder:
        (folder / "new").write_text("2")
    assert [each.name for each in place.iterdir()] == ["new"]
    assert [each.name for each in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_a_mount_point_is_refused_before_the_work(tmp_path: Path, kind: str) -> None:
    """A volume of its own, and a folder of the same file system bound to another place."""
    place, source = tmp_path / "my vol", tmp_path / "source"
    place.mkdir()
    source.mkdir()
    command = ["mount", "-t", "tmpfs", "tmpfs"] if kind == "tmpfs" else ["mount", "--bind", str(source)]
    if os.geteuid() or subprocess.run([*command, str(place)], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here (needs root)")
    try:
        assert is_mount(place)
        assert not is_mount(source)
        with pytest.raises(OutputError, match=r"vol is a mount point, .*; name a folder inside"), atomic_folder(place):
            pytest.fail("the work began")
        assert sorted(each.name for each in tmp_path.iterdir()) == ["my vol", "source"]
        with atomic_folder(place / "model") as folder:
            (folder / "a").touch()
        assert (place / "model" / "a").is_file()
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_folder_in_use_by_the_system_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="in use by the system, as a mounted volume"), atomic_folder(tmp_path / "m"):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(tmp_path / "m"))
