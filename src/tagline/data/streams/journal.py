"""The journal beside a partial output: how far a run came and what it was, so that it can be carried on."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tagline.data.streams.row import STANDARD_STREAM
from tagline.errors import OutputError

_VERSION = 2
_ENDS = 1 << 16  # bytes hashed at either end of an input
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def fingerprint(path: str | Path) -> dict[str, Any] | None:
    """What tells one input from another: size, and SHA-256 of the first and the last 64 KiB.

    A change that keeps the size and stays clear of both ends is not noticed: an input of any size costs the same.

    Returns:
        `{"size": bytes, "sha256": hex}`; None for standard input and pipes, which cannot be read twice.
    """
    if str(path) == STANDARD_STREAM or not Path(path).is_file():
        return None
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        digest.update(stream.read(_ENDS))
        stream.seek(max(0, size - _ENDS))
        digest.update(stream.read(_ENDS))
    return {"size": size, "sha256": digest.hexdigest()}


@dataclass(slots=True)
class Journal:
    """How far a run came. On disk it is one JSON object, replaced as a whole.

    Attributes:
        path: its file.
        input: fingerprint of the input, None where there can be none.
        settings: what else must stay the same for the results to fit together.
        rows: rows whose results are safe in the partial output.
        size: bytes of the partial output that hold them (Parquet: number of parts).
        state: what the output format has to remember.
    """

    path: Path
    input: dict[str, Any] | None
    settings: dict[str, Any]
    rows: int = 0
    size: int = 0
    state: dict[str, Any] = field(default_factory=dict)

    def save(self) -> None:
        """Writes the journal under another name, forces it to disk and renames it.

        Raises:
            OSError: the disk is full, or cannot be written.
        """
        content = {"version": _VERSION} | asdict(self)
        del content["path"]
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            with fresh.open("wb") as stream:
                stream.write(json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8"))
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(self.path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        sync_folder(self.path.parent)

    def advance(self, rows: int, size: int) -> None:
        """Notes how far the run is; a journal that cannot be saved stays as it was.

        Raises:
            OSError: the disk is full, or cannot be written.
        """
        before = self.rows, self.size
        self.rows, self.size = rows, size
        try:
            self.save()
        except OSError:
            self.rows, self.size = before
            raise

    @classmethod
    def load(cls, path: Path) -> Journal | None:
        """The journal of an earlier run; None where there is none.

        Raises:
            OutputError: it is damaged or of another version.
        """
        try:
            content = json.loads(path.read_bytes())
            if content.pop("version") != _VERSION:
                raise ValueError("of another version of Tagline")
            return cls(path, **content)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise OutputError(
                f"{path}: the journal of the broken run cannot be used ({error}). "
                "Give --overwrite to begin again from the first row"
            ) from error

    def check(self, source: Mapping[str, Any] | None, settings: Mapping[str, Any]) -> None:
        """Compares with the run that wants to carry on.

        Raises:
            OutputError: the input or the settings are others.
        """
        again = "Give them as before, or --overwrite to begin again from the first row"
        if source is None or self.input is None:
            raise OutputError(
                f"{self.path}: standard input and pipes cannot be read twice, so there is no --resume. "
                "Save the input in a file, or give --overwrite to begin again from the first row"
            )
        if source != self.input:
            raise OutputError(
                f"{self.path}: the input is not the one of the broken run ({self.input['size']} bytes then, "
                f"{source['size']} now{'' if source['size'] != self.input['size'] else ', other content'}). {again}"
            )
        names = sorted(self.settings.keys() | settings.keys())
        other = [name for name in names if self.settings.get(name) != settings.get(name)]
        if other:
            changes = "; ".join(
                f"{name}: {self.settings.get(name)!r} then, {settings.get(name)!r} now" for name in other
            )
            raise OutputError(f"{self.path}: the settings are not those of the broken run ({changes}). {again}")


def sync_folder(folder: Path) -> None:
    """Forces a folder's entries to disk, so that a rename outlives a loss of power; where that can be done.

    A failure is of no account: the rename has happened, and should the older journal come back, it is a true one too.
    """
    with contextlib.suppress(OSError):  # not every system opens folders, not every file system syncs them
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def why_not_written(error: OSError) -> str:
    """The cause of a failed write, as part of a sentence."""
    if error.errno in _FULL:
        return f"the disk is full ({error.strerror})"
    return f"it cannot be written ({error.strerror or error})"


def lock(handle: int, partial: Path) -> None:
    """Keeps a second run away from a partial output until `handle` is closed.

    Raises:
        OutputError: another run has it.
    """
    try:
        import fcntl
    except ImportError:  # not a POSIX system: nothing to lock with, and nothing is lost but the message
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(f"{partial}: another run is writing it. Wait for its end or give another output") from error
    except OSError:
        return  # file systems without locks
