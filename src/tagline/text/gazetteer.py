"""Lists of names: which words of a text stand in a name that is known, and what kind of name it is.

The kind is shown to the model beside the word's shape (`TYPES` segment ids a kind), so that a list costs nothing when
running but the look-up. The longest name counts, from the left; a name that begins in lower case is none.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tagline.errors import FolderError

_REMEMBERED = 200_000  # words


class Match(NamedTuple):
    """A name in a text: words from `start` to before `end`, and the number of its kind, from 1."""

    start: int
    end: int
    kind: int


class Gazetteer:
    """Names by kind.

    Args:
        kinds: K kinds.
        numbers: for each name, as `key` writes it, the number of its kind, 1 to K.
    """

    def __init__(self, kinds: Sequence[str], numbers: Mapping[str, int]) -> None:
        self.kinds, self.numbers = tuple(kinds), dict(numbers)
        self._reach = _Reach(self.numbers)

    @classmethod
    def count(cls, pairs: Iterable[tuple[Sequence[str], str]], kinds: Sequence[str]) -> Gazetteer:
        """Names with the kind that each has most often, of several the one that came first.

        Args:
            pairs: words of a name, and its kind.
            kinds: all kinds, in the order of their numbers; pairs of other kinds are left out.
        """
        counts: dict[str, Counter[int]] = defaultdict(Counter)
        number = {kind: place for place, kind in enumerate(kinds, start=1)}
        for words, kind in pairs:
            if kind in number and (name := key(words)):
                counts[name][number[kind]] += 1
        return cls(kinds, {name: each.most_common(1)[0][0] for name, each in counts.items()})

    @classmethod
    def load(cls, path: Path) -> Gazetteer:
        """Reads what `to_json` wrote.

        Raises:
            FolderError: the file cannot be read or holds something else.
        """
        try:
            lists = json.loads(path.read_text(encoding="utf-8"))
            numbers = {name: kind for kind, names in enumerate(lists.values(), start=1) for name in names}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise FolderError(
                f"{path}: no lists of names ({error}). Take the model folder whole from where it was made"
            ) from error
        return cls(tuple(lists), numbers)

    def to_json(self) -> str:
        """The names of each kind, in alphabetical order."""
        lists: dict[str, list[str]] = {kind: [] for kind in self.kinds}
        for name, number in sorted(self.numbers.items()):
            lists[self.kinds[number - 1]].append(name)
        return json.dumps(lists, ensure_ascii=False, indent=0) + "\n"

    def __len__(self) -> int:
        return len(self.numbers)

    def __or__(self, others: Gazetteer) -> Gazetteer:
        """These names and others whose kinds follow; of a name that both have, these know the kind."""
        moved = {name: len(self.kinds) + number for name, number in others.numbers.items()}
        return Gazetteer((*self.kinds, *others.kinds), moved | self.numbers)

    def __call__(self, words: Sequence[str]) -> list[Match]:
        """Names in a text, from left to right; no two share a word."""
        reaches = list(map(self._reach.__getitem__, words))
        return list(self._matches(words, reaches)) if any(reaches) else []

    def _matches(self, words: Sequence[str], reaches: Sequence[int]) -> Iterator[Match]:
        taken = 0
        for start, reach in enumerate(reaches):
            if not reach or start < taken:
                continue
            folded = [word.casefold() for word in words[start : start + reach]]
            for size in range(len(folded), 0, -1):
                if number := self.numbers.get(" ".join(folded[:size])):
                    taken = start + size
                    yield Match(start, taken, number)
                    break


class _Reach(dict[str, int]):
    """How many words the longest name has that begins with a word; 0 for a word that begins none."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__()
        self._firsts: dict[str, int] = {}
        for name in names:
            first, size = name.partition(" ")[0], 1 + name.count(" ")
            self._firsts[first] = max(size, self._firsts.get(first, 0))

    def __missing__(self, word: str) -> int:
        if len(self) > _REMEMBERED:
            self.clear()
        found = 0 if word[:1].islower() else self._firsts.get(word.casefold(), 0)
        self[word] = found
        return found


def key(words: Sequence[str]) -> str:
    """A name as it is looked up: whatever its case, single spaces between its words."""
    return " ".join(word.casefold() for word in words)
