"""The lines of a UTF-8 file or of standard input, one at a time, with their place in bytes."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tagline.data.streams.row import STANDARD_STREAM
from tagline.errors import DataError

_BOM = b"\xef\xbb\xbf"
_PROBE = 8192  # bytes looked at to tell text from binary
_MANY_NULS = 16  # fewer are taken as characters of an odd text
_KNOWN = {
    b"PAR1": "a Parquet file; give the format parquet",
    b"PK\x03\x04": "a zip archive (or an Office document); unpack or export it first",
    b"\x1f\x8b": "a gzip file; unpack it first",
    b"%PDF-": "a PDF document; extract its text first",
    b"\x89PNG": "a picture",
    b"\x7fELF": "a program",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
}


def check_input(path: str | Path) -> int | None:
    """Size in bytes of a readable input, None where it cannot be known (`-`, a pipe).

    Raises:
        DataError: the file is missing, empty, a folder, or may not be read.
    """
    if str(path) == STANDARD_STREAM:
        return None
    try:
        found = Path(path).stat()
    except OSError as error:
        raise DataError(
            f"cannot be read ({error.strerror}); expected an existing file, or - for standard input", path
        ) from error
    if stat.S_ISDIR(found.st_mode):
        raise DataError("is a folder; expected a file", path)
    if not stat.S_ISREG(found.st_mode):
        return None
    if found.st_size == 0:
        raise DataError("the file is empty: there is nothing to read", path)
    return found.st_size


def open_input(path: str | Path) -> BinaryIO:
    """The bytes of a file or of standard input.

    Raises:
        DataError: it cannot be opened.
    """
    if str(path) == STANDARD_STREAM:
        if sys.stdin is None:
            raise DataError("standard input is closed; give a file")
        return sys.stdin.buffer
    try:
        return Path(path).open("rb", buffering=1 << 18)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror}); expected a readable file", path) from error


class TextLines:
    """Lines of a UTF-8 stream. They end at `\\n` only; a byte-order mark at the start is dropped.

    Args:
        stream: the bytes.
        name: the file, for messages.
        probed: whether `probe` has looked at the file already; else the first line is looked at.

    Attributes:
        number: 1-based number of the line last read.
        consumed: bytes read so far.
    """

    def __init__(self, stream: BinaryIO, name: str | Path, probed: bool = False) -> None:
        self.name = "standard input" if str(name) == STANDARD_STREAM else str(name)
        self.number = 0
        self.consumed = 0
        self._stream = stream
        self._start = 0
        self._probed = probed

    def read(self) -> bytes:
        """The next line with its line end, undecoded; empty at the end.

        Raises:
            DataError: the first line shows a binary file, or reading failed.
        """
        try:
            raw = self._stream.readline()
        except OSError as error:
            raise DataError(f"reading failed ({error.strerror})", self.name, self.number + 1) from error
        self._start = self.consumed
        self.consumed += len(raw)
        if self.number == 0 and raw:
            if not self._probed:
                refuse_binary(raw[:_PROBE], self.name)
            if raw.startswith(_BOM):
                self._start, raw = len(_BOM), raw[len(_BOM) :]
                if not raw:
                    return raw
        self.number += bool(raw)
        return raw

    def decode(self, raw: bytes) -> str:
        """The line just read, as text.

        Raises:
            DataError: it is not UTF-8; the message has the offset in the file.
        """
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"not UTF-8: byte {raw[error.start]:#04x} at offset {self._start + error.start} of the file "
                f"({error.reason}). Save the file as UTF-8",
                self.name,
                self.number,
            ) from error

    def __iter__(self) -> Iterator[str]:
        while raw := self.read():
            yield self.decode(raw)


def refuse_binary(block: bytes, name: str) -> None:
    """Looks at the first bytes of a file.

    Raises:
        DataError: they are no text.
    """
    for magic, meaning in _KNOWN.items():
        if block.startswith(magic):
            raise DataError(f"expected text, but this is {meaning}", name)
    nuls = block.count(0)
    if nuls >= _MANY_NULS and nuls * 10 > len(block):
        raise DataError(
            f"expected text, but this is a binary file ({nuls} of its first {len(block)} bytes are NUL)", name
        )


def probe(path: str | Path) -> None:
    """Looks at the first block of a regular file before anything is read from it; pipes are looked at while reading.

    Raises:
        DataError: it is no text, or cannot be opened.
    """
    with open_input(path) as stream:
        refuse_binary(stream.read(_PROBE), str(path))


def without_end(line: str) -> str:
    """A line without its `\\n` or `\\r\\n`."""
    return line[:-2] if line.endswith("\r\n") else line.removesuffix("\n")
