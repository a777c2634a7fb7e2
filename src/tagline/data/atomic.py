"""Files and folders that appear whole or not at all: written under a temporary name beside the place, then renamed."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, TextIO, overload

from tagline.errors import OutputError

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space or choose another place",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another place",
    errno.EFBIG: "the file would grow beyond the size allowed; choose another place",
    errno.EACCES: "permission denied; choose a place where you may write",
    errno.EPERM: "permission denied; choose a place where you may write",
    errno.EROFS: "the file system is read-only; choose another place",
    errno.ENOENT: "its folder does not exist; make it first or choose another place",
    errno.ENOTDIR: "a part of its path is a file, not a folder; choose another place",
    errno.EEXIST: "a part of its path is a file, not a folder; choose another place",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.EBUSY: "it is in use by the system, as a mounted volume is; choose a folder inside it or another place",
}


@overload
def atomic_write(path: str | Path, mode: Literal["w"] = "w") -> AbstractContextManager[TextIO]: ...
@overload
def atomic_write(path: str | Path, mode: Literal["wb"]) -> AbstractContextManager[BinaryIO]: ...
def atomic_write(path: str | Path, mode: Literal["w", "wb"] = "w") -> AbstractContextManager[Any]:
    """A context manager: a file to write, which takes its place only when the block ends without an exception.

    On any exception the temporary file is removed and an earlier file at `path` stays as it was. A link is followed;
    a device or pipe (/dev/stdout) is written directly.

    Args:
        path: the file; its folder must exist.
        mode: "w" for text in UTF-8 with line ends as they are given, "wb" for bytes.

    Raises:
        OutputError: the file cannot be written: a folder stands there, no permission, the disk is full.
    """
    return _write(Path(path), mode)


@contextmanager
def atomic_folder(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """A context manager: a new empty folder to fill, which takes its place when the block ends without an exception.

    On any exception the temporary folder is removed and an earlier folder at `path` stays as it was. Missing parent
    folders are made.

    Args:
        path: the folder; it may be there if it is empty.
        overwrite: whether a folder that is not empty is replaced, once the new one is complete.

    Raises:
        OutputError: a file, a mount point or a folder that is not empty stands there, no permission, the disk is full.
    """
    shown, place = path, Path(os.path.realpath(path))
    _refuse_occupied(place, overwrite, shown)
    if is_mount(place):
        raise OutputError(f"{shown} is a mount point, which cannot be replaced whole; name a folder inside it")
    work = _beside(place, "tmp")
    try:
        work.parent.mkdir(parents=True, exist_ok=True)
        work.mkdir()
        yield work
        _refuse_occupied(place, overwrite, shown)  # somebody else may have filled it meanwhile
        _replace_folder(work, place)
    except OutputError:
        raise
    except Exception as error:
        reason = _reason(error, work, place)
        if reason is None:
            raise
        raise OutputError(f"{shown} cannot be written: {reason}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def is_mount(path: str | Path) -> bool:
    """Whether a folder is a mount point, as a volume of Docker is: it cannot be renamed, nor another take its place."""
    place = os.path.realpath(path)
    if os.path.ismount(place):
        return True
    try:  # a folder of the same file system that is bound here has no device of its own to tell it by
        table = Path("/proc/self/mountinfo").read_bytes()
    except OSError:  # not Linux
        return False
    points = (line.split(b" ")[4] for line in table.splitlines())  # a space in a name is written \040
    return any(re.sub(rb"\\([0-7]{3})", _byte, each) == os.fsencode(place) for each in points)


def _byte(code: re.Match[bytes]) -> bytes:
    return bytes([int(code[1], 8)])


def settle(folder: Path) -> None:
    """Gives the files of a new folder the rights that new files have here, and brings them to the disk.

    Libraries that write weights (safetensors) make their files for their owner alone.
    """
    probe = folder / f".{secrets.token_hex(4)}"
    probe.touch()
    mode = stat.S_IMODE(probe.stat().st_mode)
    probe.unlink()
    for path in folder.iterdir():
        if path.is_file():
            path.chmod(mode)
            with path.open("rb") as file:
                os.fsync(file.fileno())


@contextmanager
def _write(path: Path, mode: str) -> Iterator[IO[Any]]:
    place = Path(os.path.realpath(path))
    direct = _is_device(path)  # a rename would put a file in the place of the device
    work = path if direct else _beside(place, "tmp")
    file: IO[Any] | None = None
    try:
        text = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
        file = work.open(mode if direct else mode.replace("w", "x"), **text)  # type: ignore[call-overload]
        yield file
        file.flush()
        if not direct:
            os.fsync(file.fileno())
            if place.exists():
                work.chmod(stat.S_IMODE(place.stat().st_mode))
        file.close()
        if not direct:
            work.replace(place)
    except OutputError:
        raise
    except Exception as error:
        reason = _reason(error, work, place)
        if reason is None:
            raise
        raise OutputError(f"{path} cannot be written: {reason}") from error
    finally:
        if file is not None:
            with suppress(OSError):  # what is still in the buffer does not fit either
                file.close()
        if not direct:
            with suppress(OSError):
                work.unlink()


def _is_device(path: Path) -> bool:
    try:
        if path.is_dir():
            raise OutputError(f"{path} cannot be written: it is a folder; give the name of a file")
        return path.exists() and not path.is_file()
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {_reason(error, path, path)}") from error


def _beside(place: Path, kind: str) -> Path:
    return place.with_name(f".{place.name[:100]}.{kind}-{secrets.token_hex(4)}")


def _refuse_occupied(place: Path, overwrite: bool, shown: str | Path) -> None:
    try:
        if place.is_dir():
            if overwrite or not any(place.iterdir()):
                return
            raise OutputError(f"{shown} is a folder that is not empty; choose another place, or allow overwriting")
        if place.exists():
            raise OutputError(f"{shown} is a file; expected a folder, or a place where nothing is")
    except OSError as error:
        raise OutputError(f"{shown} cannot be written: {_reason(error, place, place)}") from error


def _replace_folder(work: Path, place: Path) -> None:
    if not place.exists():
        work.rename(place)
        return
    if _exchange(work, place):
        return  # the old folder now has the temporary name, and goes with it
    old = _beside(place, "old")
    place.rename(old)
    try:
        work.rename(place)
    except BaseException:
        old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swaps two folders in one step, so that whoever looks finds one or the other; False where the system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, TypeError, AttributeError):  # not Linux, or a C library without it
        return False
    here, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(rename(here, os.fsencode(one), here, os.fsencode(other), swap) == 0)


def _reason(error: Exception, work: Path, place: Path) -> str | None:
    """Why the output failed, or None where the exception is about something else, such as a file that was read."""
    if "No space left on device" in str(error):  # native libraries have exceptions of their own for it
        return _REASONS[errno.ENOSPC]
    if not isinstance(error, OSError):
        return None
    for name in (error.filename, error.filename2):
        if name is None or isinstance(name, int):
            continue
        touched = Path(os.fsdecode(name))
        if touched != place and not touched.is_relative_to(work) and not work.is_relative_to(touched):
            return None
    if error.filename is None and error.errno is None:
        return None
    return _REASONS.get(error.errno or 0, error.strerror or str(error))
