"""What every resumable output has in common: a partial output with a journal beside it, finished by a rename."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self

from tagline.data.streams.answers import described
from tagline.data.streams.journal import Journal, fingerprint, lock, sync_folder, why_not_written
from tagline.data.streams.row import Row
from tagline.data.streams.sink import Sink, SinkOptions
from tagline.errors import OutputError
from tagline.records import Answer, Classification

_HELD = 32 << 20  # bytes of results after which a checkpoint is made, however few rows they are


@dataclass(slots=True)
class Partial:
    """An opened and locked place for a partial output.

    Attributes:
        target: the output as it will be called.
        path: the partial output, a file or (Parquet) a folder.
        journal: its journal, of the earlier run or a new one.
        resumed: whether the journal is of an earlier run.
        handle: file descriptor of `path`; holds the lock.
    """

    target: Path
    path: Path
    journal: Journal
    resumed: bool
    handle: int

    @classmethod
    def open(cls, target: Path, kind: str, options: SinkOptions, resume: bool) -> Partial:
        """Looks at what is there, locks the partial output and settles where to begin.

        Raises:
            OutputError: the output or a partial one is there already, is being written, does not fit this run, or
                cannot be written.
        """
        target = Path(os.path.realpath(target))  # a link keeps pointing where it points
        path = target.with_name(target.name + ".partial")
        _refuse(target, path, options, resume)
        fixed = {**options.settings, "format": kind, "answers": described(options.answers)}
        settings = json.loads(json.dumps(fixed))
        source = None if options.source is None else fingerprint(options.source)
        journal_path = path.with_name(path.name + ".json")
        journal = Journal.load(journal_path) if resume and path.exists() else None
        if journal is not None:
            journal.check(source, settings)
        partial = cls(target, path, journal or Journal(journal_path, source, settings), journal is not None, -1)
        try:
            partial._begin(kind == "parquet")
        except OSError as error:
            partial.close()
            raise OutputError(f"{target}: {why_not_written(error)}; nothing was written") from error
        return partial

    def _begin(self, folder: bool) -> None:
        if not self.resumed and not self.path.exists():
            self.journal.path.unlink(missing_ok=True)  # of a run that was killed right after it had finished
        self.handle = _open(self.path, folder, replace=not self.resumed)
        if not self.resumed:
            self.journal.save()

    def close(self) -> None:
        """Gives the lock back."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1

    def rewrite(self, write: Callable[[Path], None]) -> None:
        """Makes the output from the partial one: under another name first, then forced to disk and renamed.

        Args:
            write: writes the whole output to the path that it is given.

        Raises:
            OSError: the disk is full, or cannot be written. The partial output is kept.
        """
        whole = self.path.with_name(self.path.name + ".whole")
        try:
            write(whole)
            with whole.open("rb+") as stream:
                os.fsync(stream.fileno())
            whole.replace(self.target)
        except OSError:
            whole.unlink(missing_ok=True)
            raise
        _remove(self.path)

    def done(self) -> None:
        """Forgets the journal, for the output has its name, and gives the lock back."""
        with contextlib.suppress(OSError):  # the output is whole; a journal without partial output is of no account
            self.journal.path.unlink(missing_ok=True)
            sync_folder(self.target.parent)
        self.close()

    def leave(self) -> None:
        """Gives the lock back; what holds no row is of use to nobody, and is removed before that."""
        with contextlib.suppress(OSError):  # what cannot be removed can still be resumed or overwritten
            if not self.journal.rows:
                _remove(self.path)
                self.journal.path.unlink(missing_ok=True)
        self.close()


def _refuse(target: Path, path: Path, options: SinkOptions, resume: bool) -> None:
    if not target.parent.is_dir():
        raise OutputError(f"{target}: the folder {target.parent} does not exist; make it first")
    if target.is_dir():
        raise OutputError(f"{target}: is a folder; expected the name of a file")
    if target.exists() and not target.is_file():
        raise OutputError(f"{target}: is no ordinary file; for standard output give - (or no output)")
    if options.source is not None and _same(target, options.source):
        raise OutputError(f"{target}: is the input itself; give another output")
    begun = path.exists()
    if begun and not resume and not options.overwrite:
        raise OutputError(
            f"{target}: an earlier run broke off and left {path}. "
            "Give --resume to carry it on, or --overwrite to begin again from the first row"
        )
    if target.exists() and not options.overwrite and not (begun and resume):
        finished = "; nothing is left to resume" if resume else ""
        raise OutputError(f"{target}: is there already{finished}. Give --overwrite to replace it, or another output")


def _same(target: Path, source: str | Path) -> bool:
    return target.exists() and Path(source).exists() and target.samefile(source)


def _open(path: Path, folder: bool, replace: bool) -> int:
    """Opens and locks; with `replace` whatever an earlier run left of another kind goes first."""
    if replace and path.exists() and path.is_dir() != folder:
        _remove(path)
    if folder:
        path.mkdir(exist_ok=True)
    handle = os.open(path, os.O_RDONLY if folder else os.O_RDWR | os.O_CREAT, 0o666)
    try:
        lock(handle, path)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


class PartialSink(Sink):
    """Writes results so that a broken run can be carried on.

    Args:
        partial: the opened place.
        options: how to write.
    """

    def __init__(self, partial: Partial, options: SinkOptions) -> None:
        self._partial = partial
        self._options = options
        self.rows_done = partial.journal.rows
        self.resumed = partial.resumed
        self._held_rows = self._held_bytes = 0
        self._broken = False

    def begin(self) -> Self:
        """Cuts the partial output back to its journal and gives itself.

        Raises:
            OutputError: the partial output has lost what its journal names, or cannot be written.
        """
        if damage := self._damage():
            self._partial.close()
            raise OutputError(f"{self._partial.path}: {damage}. Give --overwrite to begin again from the first row")
        try:
            self._rollback()
        except OSError as error:
            self._fail(error)
        return self

    def write(self, row: Row, answer: Answer) -> None:
        """Takes the result of the next row.

        Raises:
            OutputError: the disk is full, or the format cannot hold the row.
            ValueError: the row is not the next one, or the answer is of another text or has other columns.
        """
        if self._broken or self._partial.handle < 0:
            raise ValueError("the sink is closed")
        if row.number != self.rows_done:
            raise ValueError(f"row {row.number} is not the next one; expected row {self.rows_done}")
        if row.text != answer.text or (isinstance(answer, Classification) and row.pair != answer.pair):
            raise ValueError(f"row {row.number}: the answer is of another text")
        try:
            self._held_bytes += self._append(row, answer)
        except OSError as error:
            self._fail(error)
        self._held_rows += 1
        self.rows_done += 1
        if self._held_rows >= self._options.checkpoint_rows or self._held_bytes >= _HELD:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Forces all rows so far to disk and then notes them in the journal.

        Raises:
            OutputError: the disk is full. What the last checkpoint held is kept.
        """
        if not self._held_rows:
            return
        try:
            self._partial.journal.advance(self.rows_done, self._flush())
        except OSError as error:
            self._fail(error)
        self._held_rows = self._held_bytes = 0

    def close(self) -> None:
        """Finishes the output and gives it its name.

        Raises:
            OutputError: the disk is full. The partial output is kept.
        """
        if self._partial.handle < 0:
            return
        self.checkpoint()
        try:
            self._finish()
        except OSError as error:
            self._fail(error)
        self._partial.done()

    def abort(self) -> None:
        """Keeps the rows that are written as a partial output, for `--resume`; without any nothing is left."""
        if self._partial.handle < 0:
            return
        try:
            with contextlib.suppress(OutputError):  # the error that led here matters more; the last checkpoint is kept
                self.checkpoint()
        finally:
            self._partial.leave()

    def _fail(self, error: OSError) -> NoReturn:
        self._broken = True
        journal = self._partial.journal
        with contextlib.suppress(OSError):  # what stands after the journalled end is cut off on resume anyway
            self._rollback()
        self._partial.leave()
        self.rows_done = journal.rows
        why = f"{self._partial.target}: {why_not_written(error)}"
        if not journal.rows:
            raise OutputError(f"{why}; no row was written. Make room (or mend the cause) and begin again") from error
        raise OutputError(
            f"{why}. The first {journal.rows} rows are kept in "
            f"{self._partial.path}; make room (or mend the cause) and give the same command with --resume"
        ) from error

    @abstractmethod
    def _damage(self) -> str | None:
        """What the partial output has lost of what its journal names, as part of a sentence; None: nothing."""

    @abstractmethod
    def _append(self, row: Row, answer: Answer) -> int:
        """Takes a row and returns roughly how many bytes it holds in memory."""

    @abstractmethod
    def _flush(self) -> int:
        """Makes all rows durable and returns the journal's `size`."""

    @abstractmethod
    def _rollback(self) -> None:
        """Takes back what came after the journal's `size`."""

    @abstractmethod
    def _finish(self) -> None:
        """Makes the output whole and renames it to the target."""
