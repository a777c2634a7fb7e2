"""Lists of names: which words of a text stand in a name that is known, and what kind of name it is.

The kind is shown to the model beside the word's shape (`TYPES` segment ids a kind), so that a list costs nothing when
running but the look-up. The longest name counts, from the left; a name that begins in lower case is none.

Names are kept as fingerprints, so a model folder can be given away without the names of the people in its training
data. (Whoever guesses a name can test the guess: this is no secret, only no list. And a BiLSTM's tokenizer knows its
words.)
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from tagline.errors import FolderError

_REMEMBERED = 200_000  # answers
_BYTES = 8  # of a fingerprint; that any of a billion words is mistaken for one of a million names: 1 in 20,000
Sizes = tuple[int, ...]
V = TypeVar("V")


class Match(NamedTuple):
    """A name in a text: words from `start` to before `end`, and the number of its kind, from 1."""

    start: int
    end: int
    kind: int


class Gazetteer:
    """Names by kind.

    Args:
        kinds: K kinds.
        numbers: for the fingerprint of each name the number of its kind, 1 to K.
        sizes: for the fingerprint of each first word how many words the names have that begin with it, longest first.
    """

    def __init__(self, kinds: Sequence[str], numbers: Mapping[str, int], sizes: Mapping[str, Sizes]) -> None:
        self.kinds, self.numbers, self.sizes = tuple(kinds), dict(numbers), dict(sizes)
        self._kind_of = _Memo(lambda name: self.numbers.get(fingerprint(name), 0))
        self._sizes_of = _Memo(
            lambda word: () if word[:1].islower() else self.sizes.get(fingerprint(word.casefold()), ())
        )

    @classmethod
    def count(cls, pairs: Iterable[tuple[Sequence[str], str]], kinds: Sequence[str]) -> Gazetteer:
        """Names with the kind that each has most often, of several the one that came first.

        Args:
            pairs: words of a name, and its kind.
            kinds: all kinds, in the order of their numbers.
        """
        counts: dict[str, Counter[int]] = defaultdict(Counter)
        sizes: dict[str, set[int]] = defaultdict(set)
        number = {kind: place for place, kind in enumerate(kinds, start=1)}
        for words, kind in pairs:
            if not words:
                continue
            folded = [word.casefold() for word in words]
            counts[fingerprint(" ".join(folded))][number[kind]] += 1
            sizes[fingerprint(folded[0])].add(len(folded))
        numbers = {name: each.most_common(1)[0][0] for name, each in counts.items()}
        return cls(kinds, numbers, {word: _descending(each) for word, each in sizes.items()})

    @classmethod
    def load(cls, path: Path) -> Gazetteer:
        """Reads what `to_json` wrote.

        Raises:
            FolderError: the file cannot be read or holds something else.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            kinds, lists = found["kinds"], found["names"]
            numbers = {
                name: kind for kind, names in zip(range(1, 1 + len(kinds)), lists, strict=True) for name in names
            }
            sizes = {str(word): _descending(map(int, each)) for word, each in found["sizes"].items()}
        except (OSError, ValueError, LookupError, AttributeError, TypeError) as error:
            raise FolderError(
                f"{path}: no lists of names ({error}). Take the model folder whole from where it was made"
            ) from error
        return cls(kinds, numbers, sizes)

    def to_json(self) -> str:
        """Kinds, the fingerprints of each kind's names, sorted, and the sizes."""
        lists: list[list[str]] = [[] for _ in self.kinds]
        for name, number in sorted(self.numbers.items()):
            lists[number - 1].append(name)
        found = {"kinds": self.kinds, "names": lists, "sizes": dict(sorted(self.sizes.items()))}
        return json.dumps(found, ensure_ascii=False) + "\n"

    def __len__(self) -> int:
        return len(self.numbers)

    def __or__(self, others: Gazetteer) -> Gazetteer:
        """These names and others whose kinds follow; of a name that both have, these know the kind."""
        moved = {name: len(self.kinds) + number for name, number in others.numbers.items()}
        both = {
            word: _descending((*self.sizes.get(word, ()), *others.sizes.get(word, ())))
            for word in self.sizes.keys() | others.sizes.keys()
        }
        return Gazetteer((*self.kinds, *others.kinds), moved | self.numbers, both)

    def __call__(self, words: Sequence[str]) -> list[Match]:
        """Names in a text, from left to right; no two share a word."""
        sizes = list(map(self._sizes_of.__getitem__, words))
        return list(self._matches(words, sizes)) if any(sizes) else []

    def _matches(self, words: Sequence[str], sizes: Sequence[Sizes]) -> Iterator[Match]:
        taken = 0
        for start, possible in enumerate(sizes):
            if not possible or start < taken:
                continue
            folded = [word.casefold() for word in words[start : start + possible[0]]]
            for size in possible:
                if size <= len(folded) and (number := self._kind_of[" ".join(folded[:size])]):
                    taken = start + size
                    yield Match(start, taken, number)
                    break


class _Memo(dict[str, V], Generic[V]):
    """Answers of a function, remembered as long as there are not too many."""

    def __init__(self, function: Callable[[str], V]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, key: str) -> V:
        if len(self) > _REMEMBERED:
            self.clear()
        found = self[key] = self._function(key)
        return found


def fingerprint(name: str) -> str:
    """Of a name in folded case, its words separated by single spaces."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=_BYTES).hexdigest()


def _descending(sizes: Iterable[int]) -> Sizes:
    return tuple(sorted(set(sizes), reverse=True))
