"""Lists of names from a file: a kind, a tab and a name on each line (or a space, as in the lists of CoNLL-2003)."""

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

    Raises:
        DataError: it cannot be read, a line has no name, or there are so many kinds that the columns must be others.
    """
    data = read_bytes(path)
    names = []
    for number, line in enumerate(decode(data, path).splitlines(), 1):
        if not line.strip():
            continue
        kind, _, name = (part.strip() for part in line.strip().partition("\t" if "\t" in line else " "))
        if not name:
            raise DataError(f"got {line.strip()[:60]!r}; {_ACCEPTED}", path, number)
        names.append((kind, name))
    found = NameList(path, hashlib.sha256(data).hexdigest(), tuple(names))
    if not names:
        raise DataError(f"has no names; {_ACCEPTED}", path)
    if len(found.kinds) > _MOST_KINDS:
        raise DataError(f"has {len(found.kinds):,} kinds, at most {_MOST_KINDS} are of use; {_ACCEPTED}", path)
    return found
