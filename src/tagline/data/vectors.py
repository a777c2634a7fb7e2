"""Word vectors in the formats of word2vec and GloVe: text with or without a first line of sizes, and word2vec's binary.

Any of them may be packed with gzip (`.gz`).
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from tagline.data.atomic import atomic_write
from tagline.errors import DataError

_LONGEST = 1 << 16  # bytes of a line, of a header, of a word
_ACCEPTED = (
    "Accepted are word2vec text (a first line with the number of words and of dimensions), GloVe text (a word and its "
    "numbers a line), word2vec binary, each also as .gz"
)


@dataclass(frozen=True)
class WordVectors:
    """Words with their vectors.

    Attributes:
        words: N words, each once.
        matrix: (N, D) vectors.
        path: the file.
    """

    words: tuple[str, ...]
    matrix: NDArray[np.float32]
    path: str = ""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of words and vectors, in hexadecimal."""
        return hashlib.sha256("\n".join(self.words).encode() + self.matrix.tobytes()).hexdigest()

    def rows(self, lowercase: bool) -> dict[str, int]:
        """The row of each word; with `lowercase` by its lower form, whose own vector goes before that of `Word`."""
        found = {word: row for row, word in enumerate(self.words) if not lowercase or word == word.lower()}
        if lowercase:
            for row, word in enumerate(self.words):
                found.setdefault(word.lower(), row)
        return found


@dataclass(frozen=True)
class Coverage:
    """How many words of a text have a vector.

    Attributes:
        hits: different words that have one.
        misses: different words that have none.
        running_hits: words of the running text that have one.
        running: words of the running text.
        missing: the most frequent words without.
    """

    hits: int
    misses: int
    running_hits: int
    running: int
    missing: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Share of the running words that have a vector, in [0, 1]."""
        return self.running_hits / self.running if self.running else 0.0

    def __str__(self) -> str:
        shown = f", such as {', '.join(self.missing)}" if self.missing else ""
        return (
            f"{self.hits:,} of {self.hits + self.misses:,} different words have a vector, {100 * self.share:.1f} % of "
            f"the running words; {self.misses:,} have none{shown}"
        )


def cover(counts: dict[str, int], known: Collection[str]) -> Coverage:
    """Counts which words of a text have a vector.

    Args:
        counts: how often each word occurs.
        known: the words that have a vector.
    """
    missing = sorted((word for word in counts if word not in known), key=lambda word: (-counts[word], word))
    lacking = sum(counts[word] for word in missing)
    running = sum(counts.values())
    return Coverage(len(counts) - len(missing), len(missing), running - lacking, running, tuple(missing[:5]))


def read_vectors(path: str | Path, most: int = 0, needed: Collection[str] = ()) -> WordVectors:
    """Reads a file of word vectors; of a word that occurs twice the first.

    Args:
        path: the file; its form is told by its content.
        most: so many words are kept from the beginning of the file, where the frequent ones stand; 0: all.
        needed: words (in lower case) that are kept wherever they stand.

    Raises:
        DataError: the file cannot be read, is in no form that is known, or is damaged.
    """
    path = Path(path)
    needed = frozenset(needed)
    words: dict[str, None] = {}
    rows: list[NDArray[np.float32]] = []
    try:
        with _opened(path) as file:
            for number, (word, row) in enumerate(_rows(file, path)):
                if word not in words and (not most or number < most or word.lower() in needed):
                    words[word] = None
                    rows.append(row)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot be read ({reason}). {_ACCEPTED}", path) from error
    if not rows:
        raise DataError(f"holds no word vector. {_ACCEPTED}", path)
    return WordVectors(tuple(words), np.stack(rows), str(path))


def write_vectors(path: str | Path, words: Sequence[str], matrix: NDArray[np.float32]) -> None:
    """Writes word2vec text, whole or not at all.

    Args:
        path: the file.
        words: N words without white space.
        matrix: (N, D) vectors.

    Raises:
        OutputError: the file cannot be written.
    """
    with atomic_write(path) as file:
        file.write(f"{len(words)} {matrix.shape[1]}\n")
        for word, row in zip(words, matrix.tolist(), strict=True):
            file.write(f"{word} {' '.join(f'{value:.6g}' for value in row)}\n")


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if packed else path.open("rb")


def _rows(file: Any, path: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    first = file.readline(_LONGEST)
    sizes = first.split()
    if len(sizes) != 2 or not all(each.isdigit() for each in sizes):
        if len(sizes) < 2:
            raise DataError(f"begins with {_shown(first)}. {_ACCEPTED}", path, 1)
        yield from _text(file, path, len(sizes) - 1, first)
        return
    count, width = int(sizes[0]), int(sizes[1])
    if not count or not width:
        raise DataError(f"says that it holds {count} words of {width} dimensions. {_ACCEPTED}", path, 1)
    start = file.tell()
    second = file.readline(_LONGEST)
    file.seek(start)
    rows = _text(file, path, width) if _numbers(second, width) is not None else _binary(file, path, count, width)
    found = 0
    for found, row in enumerate(rows, 1):  # noqa: B007 (counted for the check behind the loop)
        yield row
    if found != count:
        raise DataError(f"holds {found:,} vectors, its first line says {count:,}; take the file anew", path)


def _text(file: Any, path: Path, width: int, first: bytes = b"") -> Iterator[tuple[str, NDArray[np.float32]]]:
    number = 1
    while line := first or file.readline(_LONGEST):
        number += not first
        first = b""
        if not line.strip():
            continue
        row = _numbers(line, width)
        if row is None:
            raise DataError(f"expected a word and {width} numbers, got {_shown(line)}. {_ACCEPTED}", path, number)
        yield line.rsplit(None, width)[0].decode("utf-8", "replace").strip(), row


def _numbers(line: bytes, width: int) -> NDArray[np.float32] | None:
    """The last `width` fields of a line that has a word before them, as finite numbers; GloVe has words with spaces."""
    fields = line.rsplit(None, width)
    if len(fields) != width + 1:
        return None
    try:
        row = np.array(fields[1:], dtype=np.float32)
    except ValueError:
        return None
    return row if np.isfinite(row).all() else None


def _binary(file: Any, path: Path, count: int, width: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for number in range(1, count + 1):
        word = bytearray()
        while (byte := file.read(1)) != b" ":
            if not byte or len(word) > _LONGEST:
                raise DataError(f"breaks off in word {number:,} of {count:,}; take the file anew", path)
            word += byte
        values = file.read(4 * width)
        if len(values) != 4 * width:
            raise DataError(f"breaks off in the vector of word {number:,} of {count:,}; take the file anew", path)
        row = np.frombuffer(values, dtype="<f4").astype(np.float32)
        if not np.isfinite(row).all():
            raise DataError(f"the vector of word {number:,} has numbers that are not finite. {_ACCEPTED}", path)
        yield bytes(word).lstrip(b"\n").decode("utf-8", "replace"), row


def _shown(line: bytes) -> str:
    text = line[:60].decode("utf-8", "replace").strip()
    return repr(text + ("…" if len(line) > 60 else ""))
