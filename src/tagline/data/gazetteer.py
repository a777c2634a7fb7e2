"""Lists of names from a file: a kind, a tab and a name on each line (or spaces, as in the lists of CoNLL-2003)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tagline.data.reading import decode, read_bytes
from tagline.errors import DataError

_MOST_KINDS = 200
_ACCEPTED = "expected a kind, a tab and a name on each line, such as: city<tab>New York"


@dataclass(frozen=True)
class NameList:
    """A file of names.

    Attributes:
        path: the file.
        fingerprint: SHA-256 of the file, in hexadecimal.
        names: (kind, name) of each line.
    """

    path: Path
    fingerprint: str
    names: tuple[tuple[str, str], ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds in the order of their first lines."""
        return tuple(dict.fromkeys(kind for kind, _ in self.names))


def read_gazetteer(path: Path) -> NameList:
    """Reads a file of names in UTF-8; empty lines are passed over.

    In a file with a tab every line has one; in a file without, the first word of a line is the kind.

    Raises:
        DataError: it cannot be read, a line has no name or more than two columns, there are so many kinds that the
            columns must be others, or a file without a tab begins its lines with words that are no kinds: neither in
            capitals nor said of two names on average.
    """
    if path.is_dir() or not path.exists():
        raise DataError(f"{'is a folder' if path.is_dir() else 'no such file'}; {_ACCEPTED}", path)
    data = read_bytes(path, "name")
    text = decode(data, path)
    separator = "\t" if "\t" in text else None
    names = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.strip().split(separator, -1 if separator else 1)]
        if len(cells) != 2 or not all(cells):
            raise DataError(f"got {line.strip()[:60]!r}; {_ACCEPTED}", path, number)
        names.append((cells[0], cells[1]))
    found = NameList(path, hashlib.sha256(data).hexdigest(), tuple(names))
    if not names:
        raise DataError(f"has no names; {_ACCEPTED}", path)
    if len(found.kinds) > _MOST_KINDS:
        raise DataError(f"has {len(found.kinds):,} kinds, at most {_MOST_KINDS} are of use; {_ACCEPTED}", path)
    capitals = all(kind.isupper() for kind in found.kinds)
    if separator is None and not capitals and 2 * len(found.kinds) > len(names):
        first = ", ".join(found.kinds[:3])
        raise DataError(f"has no tabs, and the first words of its lines ({first}, …) are no kinds; {_ACCEPTED}", path)
    return found
