"""What every resumable output has in common: a partial output with a journal beside it, finished by a rename."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tagline.data.streams.journal import Journal, fingerprint, lock, sync_folder, why_not_written
from tagline.data.streams.row import Row
from tagline.errors import OutputError
from tagline.records import Document

_HELD = 32 << 20  # bytes of results after which a checkpoint is made, however few rows they are


@dataclass(frozen=True, slots=True)
class SinkOptions:
    """How to write results.

    Attributes:
        source: the input file, whose fingerprint goes into the journal. None: standard input.
        settings: what must stay the same for a resumed run to fit (model, columns, …); JSON-ready.
        format: one of `jsonl csv tsv parquet conll`; None tells it by the file's name (standard output: jsonl).
        overwrite: whether a finished or partial output may be replaced.
        columns: the input's header (`RowReader.columns`): header of an output without rows.
        schema: Arrow schema of a Parquet input (`RowReader.schema`): keeps its column types in a Parquet output.
        checkpoint_rows: rows after which a checkpoint is made unasked.
    """

    source: str | Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    format: str | None = None
    overwrite: bool = False
    columns: tuple[str, ...] = ()
    schema: Any = None
    checkpoint_rows: int = 1000


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
        settings = json.loads(json.dumps({**options.settings, "format": kind}))
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

    def done(self) -> None:
        """Forgets the journal; the output has its name."""
        with contextlib.suppress(OSError):  # the output is whole; a journal without partial output is of no account
            self.journal.path.unlink(missing_ok=True)
            sync_folder(self.target.parent)


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
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if folder:
        path.mkdir(exist_ok=True)
    handle = os.open(path, os.O_RDONLY if folder else os.O_RDWR | os.O_CREAT, 0o666)
    try:
        lock(handle, path)
    except BaseException:
        os.close(handle)
        raise
    return handle


class PartialSink(ABC):
    """Writes results so that a broken run can be carried on. See `tagline.data.streams.sinks.Sink`.

    Args:
        partial: the opened place.
        options: how to write.

    Attributes:
        rows_done: rows written, those of the earlier run among them: as many are to be skipped in the input.
        resumed: whether an earlier run is carried on.
    """

    def __init__(self, partial: Partial, options: SinkOptions) -> None:
        self._partial = partial
        self._options = options
        self.rows_done = partial.journal.rows
        self.resumed = partial.resumed
        self._held_rows = self._held_bytes = 0
        self._broken = False

    def write(self, row: Row, document: Document) -> None:
        """Takes the result of the next row.

        Raises:
            OutputError: the disk is full, or the format cannot hold the row.
            ValueError: the row is not the next one, or the document is of another text.
        """
        if self._broken or self._partial.handle < 0:
            raise ValueError("the sink is closed")
        if row.number != self.rows_done:
            raise ValueError(f"row {row.number} is not the next one; expected row {self.rows_done}")
        if row.text != document.text:
            raise ValueError(f"row {row.number}: the document is of another text")
        try:
            self._held_bytes += self._append(row, document)
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
        journal = self._partial.journal
        kept = journal.rows, journal.size
        try:
            journal.size = self._flush()
            journal.rows = self.rows_done
            journal.save()
        except OSError as error:
            journal.rows, journal.size = kept
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
            self._partial.done()
        except OSError as error:
            self._fail(error)
        self._partial.close()

    def abort(self) -> None:
        """Keeps what is written as a partial output, for `--resume`."""
        try:
            if self._partial.handle >= 0 and not self._broken:
                self.checkpoint()
        except OutputError:
            pass  # the error that led here matters more; the last checkpoint is kept
        finally:
            self._partial.close()

    def _fail(self, error: OSError) -> None:
        self._broken = True
        journal = self._partial.journal
        with contextlib.suppress(OSError):  # what stands after the journalled end is cut off on resume anyway
            self._rollback()
        self._partial.close()
        self.rows_done = journal.rows
        raise OutputError(
            f"{self._partial.target}: {why_not_written(error)}. The first {journal.rows} rows are kept in "
            f"{self._partial.path}; make room (or mend the cause) and give the same command with --resume"
        ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()

    @abstractmethod
    def notes(self) -> list[str]:
        """What the user should know at the end, as sentences."""

    @abstractmethod
    def _append(self, row: Row, document: Document) -> int:
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
