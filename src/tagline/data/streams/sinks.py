"""Results of prediction, streamed to a file that can be carried on after a break, or to standard output."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from tagline.data.streams.journal import why_not_written
from tagline.data.streams.partial import Partial, PartialSink, SinkOptions
from tagline.data.streams.row import OUTPUT_FORMATS, STANDARD_STREAM, Row, format_of
from tagline.data.streams.sink_formats import LineFormat, line_format
from tagline.data.streams.sink_parquet import ParquetSink
from tagline.errors import OutputError, UsageError
from tagline.records import Document

__all__ = ["Sink", "SinkOptions", "open_sink"]

_BUFFER = 1 << 20  # bytes gathered before a write


class Sink(Protocol):
    """Takes results row by row. A context manager: leaving it closes, leaving it by an exception aborts.

    Attributes:
        rows_done: rows written, those of a resumed run among them; give it to `read_rows` as `skip`.
        resumed: whether an earlier run is carried on.
    """

    rows_done: int
    resumed: bool

    def write(self, row: Row, document: Document) -> None:
        """Takes the next row and what was found in its text."""

    def checkpoint(self) -> None:
        """Makes the rows so far safe."""

    def close(self) -> None:
        """Finishes the output."""

    def abort(self) -> None:
        """Ends without finishing and keeps what was written."""

    def notes(self) -> list[str]:
        """What the user should know at the end, as sentences (renamed fields, rows that left no line)."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_sink(path: str | Path | None, options: SinkOptions | None = None, resume: bool = False) -> Sink:
    """Opens an output; its format is told by its name.

    A file is written as `OUTPUT.partial` with a journal `OUTPUT.partial.json`, and renamed when it is whole. What is in
    the journal is on disk; after a kill, a full disk or Ctrl-C, `resume` cuts the partial output back to the journal
    and goes on from there, so that the result is the same byte for byte as without the break.

    Standard output (`-` or None) gets JSONL, each row at once. When its reader goes away (`| head`), `write` raises
    BrokenPipeError, with standard output already turned to the null device: the caller only has to stop, quietly.

    Args:
        path: the file.
        options: how to write. Default: `SinkOptions()`.
        resume: whether to carry on a partial output. Where there is none, the run begins at the first row, and
            `resumed` is False for the caller to say so.

    Raises:
        OutputError: the output is there already, a partial one is there and neither `resume` nor `overwrite` is given,
            it is of another input or other settings, or nothing can be written.
        UsageError: the format is unknown or does not fit standard output.
        MissingExtraError: Parquet is asked and pyarrow is not installed.
    """
    options = options or SinkOptions()
    if options.checkpoint_rows < 1:
        raise UsageError(f"checkpoints every {options.checkpoint_rows} rows; expected 1 or more")
    if path is None or str(path) == STANDARD_STREAM:
        return _standard_output(options, resume)
    kind = format_of(path, options.format, OUTPUT_FORMATS)
    if kind == "parquet":
        return ParquetSink.open(Path(path), options, resume)
    partial = Partial.open(Path(path), kind, options, resume)
    return LineSink.open(partial, options, line_format(kind, partial.journal.state, growing=True))


def _standard_output(options: SinkOptions, resume: bool) -> StandardOutput:
    kind = format_of("standard output", options.format or "jsonl", OUTPUT_FORMATS)
    if resume:
        raise UsageError("--resume needs an output file: what went to standard output cannot be carried on")
    if kind == "parquet":
        raise UsageError("Parquet cannot be written to standard output; give an output file")
    if sys.stdout is None:
        raise OutputError("standard output is closed; give an output file")
    return StandardOutput(sys.stdout.buffer, line_format(kind, {}, growing=False), options.columns)


class LineSink(PartialSink):
    """A file of lines (JSONL, CSV, TSV, CoNLL). Made by `open_sink`."""

    _lines: LineFormat
    _pending: list[bytes]
    _gathered: int
    _written: int

    @classmethod
    def open(cls, partial: Partial, options: SinkOptions, lines: LineFormat) -> LineSink:
        """Cuts the partial file back to its journal.

        Raises:
            OutputError: the file is shorter than its journal says.
        """
        sink = cls(partial, options)
        sink._lines, sink._pending, sink._gathered, sink._written = lines, [], 0, partial.journal.size
        there = os.fstat(partial.handle).st_size
        if there < sink._written:
            partial.close()
            raise OutputError(
                f"{partial.path}: has {there} bytes but its journal says {sink._written}; it was changed. "
                "Give --overwrite to begin again from the first row"
            )
        sink._rollback()
        return sink

    def notes(self) -> list[str]:
        return self._lines.notes()

    def _append(self, row: Row, document: Document) -> int:
        return self._gather(self._lines.encode(row, document))

    def _gather(self, text: str) -> int:
        data = text.encode("utf-8")
        self._pending.append(data)
        self._gathered += len(data)
        if self._gathered >= _BUFFER:
            self._drain()
        return len(data)

    def _drain(self) -> None:
        data = memoryview(b"".join(self._pending))
        self._pending, self._gathered = [], 0
        while data:
            count = os.write(self._partial.handle, data)
            self._written += count
            data = data[count:]

    def _flush(self) -> int:
        self._drain()
        os.fsync(self._partial.handle)
        return self._written

    def _rollback(self) -> None:
        self._pending, self._gathered, self._written = [], 0, self._partial.journal.size
        os.ftruncate(self._partial.handle, self._written)
        os.lseek(self._partial.handle, self._written, os.SEEK_SET)

    def _finish(self) -> None:
        if self.rows_done == 0:
            self._gather(self._lines.empty(self._options.columns))
            self._flush()
        final = self._lines.final()
        if final is None:
            self._partial.path.replace(self._partial.target)
            return
        whole = self._partial.path.with_name(self._partial.path.name + ".whole")
        try:
            with self._partial.path.open("rb") as old, whole.open("wb") as new:
                for raw in old:
                    new.write(final(raw.decode("utf-8")).encode("utf-8"))
                new.flush()
                os.fsync(new.fileno())
            whole.replace(self._partial.target)
        except OSError:
            whole.unlink(missing_ok=True)
            raise
        self._partial.path.unlink()


class StandardOutput:
    """Lines on standard output, each row at once. Made by `open_sink`."""

    def __init__(self, stream: BinaryIO, lines: LineFormat, columns: tuple[str, ...]) -> None:
        self.rows_done = 0
        self.resumed = False
        self._stream = stream
        self._lines = lines
        self._columns = columns

    def write(self, row: Row, document: Document) -> None:
        """Writes a row.

        Raises:
            BrokenPipeError: nobody reads any more; stop quietly.
            OutputError: the disk behind standard output is full.
        """
        self._put(self._lines.encode(row, document))
        self.rows_done += 1

    def _put(self, text: str) -> None:
        try:
            self._stream.write(text.encode("utf-8"))
            self._stream.flush()
        except BrokenPipeError:
            self._mute()
            raise
        except OSError as error:
            self._mute()
            raise OutputError(
                f"standard output: {why_not_written(error)}. {self.rows_done} rows were written"
            ) from error

    def _mute(self) -> None:
        """Turns standard output to the null device: Python flushes it at exit, and would complain again."""
        try:
            handle = os.open(os.devnull, os.O_WRONLY)
            os.dup2(handle, self._stream.fileno())
            os.close(handle)
        except (OSError, ValueError):
            pass  # no real file behind it: nothing will be flushed

    def checkpoint(self) -> None:
        """Does nothing: every row is out."""

    def close(self) -> None:
        """Writes the header of an output without rows; standard output itself stays open."""
        if self.rows_done == 0:
            self._put(self._lines.empty(self._columns))

    def abort(self) -> None:
        """Does nothing: every row is out."""

    def notes(self) -> list[str]:
        """What the user should know at the end."""
        return self._lines.notes()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
