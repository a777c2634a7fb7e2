"""Results of prediction, streamed to a file that can be carried on after a break, or to standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePath
from typing import BinaryIO

from tagline.data.streams.answers import check_answers
from tagline.data.streams.journal import why_not_written
from tagline.data.streams.partial import Partial, PartialSink
from tagline.data.streams.row import OUTPUT_FORMATS, STANDARD_STREAM, Row, format_of
from tagline.data.streams.row_tables import arrow
from tagline.data.streams.sink import Sink, SinkOptions
from tagline.data.streams.sink_formats import LineFormat, line_format
from tagline.data.streams.sink_parquet import ParquetSink
from tagline.errors import OutputError, UsageError
from tagline.records import Answer

__all__ = ["Sink", "SinkOptions", "open_sink"]

_BUFFER = 1 << 20  # bytes gathered before a write


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
        UsageError: the format is unknown, or does not fit standard output or the answers (CoNLL holds tags of words).
        ValueError: an answer column is of an unknown kind.
        MissingExtraError: Parquet is asked and pyarrow is not installed.
    """
    options = options or SinkOptions()
    if options.checkpoint_rows < 1:
        raise UsageError(f"checkpoints every {options.checkpoint_rows} rows; expected 1 or more")
    check_answers(options.answers)
    if path is None or str(path) == STANDARD_STREAM:
        return _standard_output(options, resume)
    kind = _format(path, options.format, options.answers)
    if kind == "parquet":
        arrow("writing Parquet")
        return ParquetSink(Partial.open(Path(path), kind, options, resume), options).begin()
    partial = Partial.open(Path(path), kind, options, resume)
    return LineSink(partial, options, line_format(kind, partial.journal.state, True, options.answers)).begin()


def _format(path: object, given: str | None, answers: Mapping[str, str]) -> str:
    if list(answers.values()) == ["entities"]:
        return format_of(path, given, OUTPUT_FORMATS)
    others = {name: endings for name, endings in OUTPUT_FORMATS.items() if name != "conll"}
    if given == "conll" or (given is None and PurePath(str(path)).suffix.lower() in OUTPUT_FORMATS["conll"]):
        raise UsageError(
            f"{path}: CoNLL output holds one tag a word, but these answers are {', '.join(answers)}. Accepted formats "
            f"are {', '.join(others)}: give an output that ends in {', '.join(each[0] for each in others.values())}"
        )
    return format_of(path, given, others)


def _standard_output(options: SinkOptions, resume: bool) -> StandardOutput:
    kind = _format("standard output", options.format or "jsonl", options.answers)
    if resume:
        raise UsageError("--resume needs an output file: what went to standard output cannot be carried on")
    if kind == "parquet":
        raise UsageError("Parquet cannot be written to standard output; give an output file")
    if sys.stdout is None:
        raise OutputError("standard output is closed; give an output file")
    return StandardOutput(sys.stdout.buffer, line_format(kind, {}, False, options.answers), options.columns)


class LineSink(PartialSink):
    """A file of lines (JSONL, CSV, TSV, CoNLL). Made by `open_sink`."""

    def __init__(self, partial: Partial, options: SinkOptions, lines: LineFormat) -> None:
        super().__init__(partial, options)
        self._lines = lines
        self._pending: list[bytes] = []
        self._gathered = 0
        self._written = partial.journal.size

    def notes(self) -> list[str]:
        return self._lines.notes()

    def _damage(self) -> str | None:
        there, known = os.fstat(self._partial.handle).st_size, self._partial.journal.size
        return f"has {there} bytes but its journal says {known}; it was changed" if there < known else None

    def _append(self, row: Row, answer: Answer) -> int:
        return self._gather(self._lines.encode(row, answer))

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

        def complete(whole: Path) -> None:
            with self._partial.path.open("rb") as old, whole.open("wb") as new:
                for raw in old:
                    new.write(final(raw.decode("utf-8")).encode("utf-8"))

        self._partial.rewrite(complete)


class StandardOutput(Sink):
    """Lines on standard output, each row at once. Made by `open_sink`."""

    def __init__(self, stream: BinaryIO, lines: LineFormat, columns: tuple[str, ...]) -> None:
        self._stream = stream
        self._lines = lines
        self._columns = columns

    def write(self, row: Row, answer: Answer) -> None:
        """Writes a row.

        Raises:
            BrokenPipeError: nobody reads any more; stop quietly.
            OutputError: the disk behind standard output is full.
        """
        self._put(self._lines.encode(row, answer))
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
        with suppress(OSError, ValueError):  # no real file behind it: nothing will be flushed
            handle = os.open(os.devnull, os.O_WRONLY)
            os.dup2(handle, self._stream.fileno())
            os.close(handle)

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
