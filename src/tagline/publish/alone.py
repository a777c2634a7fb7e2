"""One change of a folder at a time: a lock while one is made, and a look at whether something came between."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tagline.errors import OutputError
from tagline.folder import MANIFEST


@dataclass(frozen=True)
class Look:
    """What tells one state of a folder from another.

    Attributes:
        manifest: the bytes of `tagline.json`, which names the contents of most others.
        files: size and time of change of every file. Not its number on the disk, which an overlay (a container's image)
            may change when the file gets a second name.
    """

    manifest: bytes
    files: dict[str, tuple[int, int]]


def look(path: Path) -> Look:
    """The state of a folder now; files that vanish meanwhile are no part of it."""
    manifest, found = b"", {}
    with suppress(OSError):
        manifest = (path / MANIFEST).read_bytes()
    for each in path.rglob("*"):
        with suppress(OSError):
            if each.is_file():
                state = each.stat()
                found[str(each.relative_to(path))] = (state.st_size, state.st_mtime_ns)
    return Look(manifest, found)


def refuse_changed(path: Path, seen: Look) -> None:
    """Raises OutputError where a folder is no longer as it was seen."""
    if look(path) != seen:
        raise OutputError(
            f"{path} was changed by something else meanwhile, which is kept, and nothing was written; type the command "
            "again"
        )


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Holds a folder for the whole of a change, so that a second one is told at once and not after its own work.

    The lock is on the folder itself: it leaves nothing behind, ends with the process however that ends, and needs no
    right to write. Where there are no locks, `refuse_changed` is left to find the other.

    Raises:
        OutputError: another change is being made.
    """
    handle = _lock(path)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _lock(path: Path) -> int | None:
    try:
        import fcntl
    except ImportError:  # not a POSIX system
        return None
    while True:
        handle = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        except BlockingIOError as error:
            os.close(handle)
            raise OutputError(
                f"another export is at work on {path}, and nothing was written; type the command again when it has "
                "ended"
            ) from error
        except OSError:  # a file system without locks
            return handle
        os.close(handle)  # the folder was exchanged between opening and locking: this is the old one
