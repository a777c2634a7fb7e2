"""What all readers of corpora share: the options, the bytes of a file, and what a reader hands over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tagline.data.schemes import Scheme
from tagline.errors import DataError, UsageError
from tagline.records import Sentence

SplitWords = Callable[[str], Sequence[tuple[int, int]]]
DOCSTART = "-DOCSTART-"
_SNIFFED = 8192  # bytes at the beginning of a file in which a NUL tells a binary file


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read an annotated file. The defaults fit the common corpora.

    Attributes:
        format: `conll`, `jsonl`, `csv`, `tsv`, `parquet` or `datasets`; None tells it by the file's name and content.
        word_column: 0-based number (a negative one counts from the end) or, where columns have names, a name.
            Default: the first column of CoNLL, else `tokens` (or a name that the reader accepts for it).
        tag_column: the same for the tags. Default: the last column of CoNLL, else `ner_tags`.
        scheme: tag scheme; None detects it.
        strict: whether an illegal move (I-X after O in IOB2) is an error instead of being counted.
        split: which split of a `datasets` folder.
    """

    format: str | None = None
    word_column: int | str | None = None
    tag_column: int | str | None = None
    scheme: Scheme | None = None
    strict: bool = False
    split: str | None = None


@dataclass(slots=True)
class Raw:
    """What a reader found, before the tags are understood.

    Attributes:
        sentences: with the tags as they stand in the file.
        lines: for every sentence the line of each word.
        columns: columns of a CoNLL file.
        unaligned: descriptions of character spans that do not fall on word borders.
        scheme: the scheme of the tags where the reader itself wrote them, from character spans.
        document: number of the running document.
    """

    sentences: list[Sentence] = field(default_factory=list)
    lines: list[Sequence[int]] = field(default_factory=list)
    columns: int = 0
    unaligned: list[str] = field(default_factory=list)
    scheme: Scheme | None = None
    document: int = 0

    def add(self, words: Sequence[str], tags: Sequence[str], lines: Sequence[int]) -> None:
        """Takes over one pre-split sentence of at least one word."""
        self.sentences.append(Sentence.from_words(tuple(words), tuple(tags), lines[0], self.document))
        self.lines.append(lines)

    def new_document(self) -> None:
        """The next sentence begins another document; the mark before the first sentence begins document 0."""
        if self.sentences:
            self.document += 1


def read_bytes(path: Path, content: str = "sentence") -> bytes:
    """A file's bytes.

    Args:
        path: the file.
        content: what it is to hold at least one of, for the message.

    Raises:
        DataError: it is missing, a folder, empty or not readable.
    """
    if path.is_dir():
        raise DataError(
            "is a folder; expected a file, or a folder that `datasets` wrote with save_to_disk "
            "(with state.json or dataset_dict.json in it)",
            path,
        )
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError("no such file; give the path of an annotated file", path) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", path) from error
    if not data:
        raise DataError(f"the file is empty; expected at least one {content}", path)
    return data


def decode(data: bytes, path: Path) -> str:
    """UTF-8 text of a file, without its byte-order mark.

    Raises:
        DataError: the file is binary, or not UTF-8 (the message says at which byte).
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(
            "begins with the mark of UTF-16; expected UTF-8. Convert it with: iconv -f UTF-16 -t UTF-8", path
        )
    at = data.find(b"\0", 0, _SNIFFED)
    if at >= 0:
        raise DataError(f"is a binary file (NUL at byte {at}); expected text in UTF-8", path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # the codec counts from behind a byte-order mark
        start = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        raise DataError(
            f"byte 0x{data[start]:02X} at position {start} (counted from 0) is not UTF-8; "
            "expected UTF-8. Convert it, for example from Latin-1: iconv -f LATIN1 -t UTF-8",
            path,
            data.count(b"\n", 0, start) + 1,
        ) from None


def column_number(asked: int | str | None, default: int, columns: int, path: Path) -> int:
    """A column option as a number from 0, for a file whose columns have no names.

    Raises:
        UsageError: it is a name, or out of range.
    """
    if asked is None:
        asked = default
    if isinstance(asked, str):
        if not asked.removeprefix("-").isdecimal():
            raise UsageError(
                f"column {asked!r}: {path} has no column names; give a number from {-columns} to {columns - 1}"
            )
        asked = int(asked)
    if not -columns <= asked < columns:
        raise UsageError(f"column {asked}: {path} has {columns} columns; accepted are {-columns} to {columns - 1}")
    return asked % columns


def column_name(asked: int | str | None, names: Sequence[str], accepted: Sequence[str], path: Path) -> str | None:
    """A column option as a name, for a file whose columns have names; None where none of `accepted` is there.

    A name is matched as it is, then without regard to case.

    Raises:
        UsageError: the column asked for is not in the file.
    """
    if isinstance(asked, str) and asked not in names and asked.removeprefix("-").isdecimal():
        asked = int(asked)
    if isinstance(asked, int):
        return names[column_number(asked, 0, len(names), path)]
    folded: Mapping[str, str] = {name.strip().casefold(): name for name in reversed(names)}
    for name in accepted if asked is None else (asked,):
        if name in names:
            return name
        if name.casefold() in folded:
            return folded[name.casefold()]
    if asked is None:
        return None
    raise UsageError(f"column {asked!r} is not in {path}; its columns are {', '.join(map(repr, names))}")
