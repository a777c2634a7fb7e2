"""Whether what a model is judged on stands in what it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tagline.data.audit.parts import AnyCorpus, Part, parts_of
from tagline.data.corpus import Corpus

LIMIT = 0.01  # share of the words from which on an overlap is a leak
SHORTEST = 5  # words: shorter sentences ("Tennis", "LONDON 1996-08-30") repeat in honest corpora, too

_MOST = 0.5  # share of the words from which on the file as a whole tells nothing


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two files have in common, word for word but for case, white space and compatible characters.

    Attributes:
        known: role of the file that the other's texts are looked for in.
        judged: role of the file whose texts are counted.
        known_path: its file.
        judged_path: its file.
        noun: what the files are made of, in the plural.
        same: texts of `judged` that stand in `known`, too, short sentences left out.
        counted: texts of `judged` that were looked for.
        share: share of the words of the counted texts that lie in the same ones. By words, since a repeated headline
            weighs less than a repeated paragraph.
        short: short sentences that stand in both files and were not counted.
        limit: share from which on this is a leak.
    """

    known: str
    judged: str
    known_path: str
    judged_path: str
    noun: str
    same: int
    counted: int
    share: float
    short: int
    limit: float

    @property
    def leaked(self) -> bool:
        """Whether more than `limit` of the words stand in both."""
        return self.share > self.limit

    def describe(self) -> str:
        """The numbers as a sentence without its full stop."""
        numbers = f"{self.same:,} of the {self.counted:,} {self.noun} of {self.judged_path}"
        return f"{numbers} ({100 * self.share:.1f} % of the words) stand in {self.known_path}, too"

    @property
    def advice(self) -> str:
        """What the overlap means and what to do."""
        shows = "A score on it shows memory, not reading" if self.share > _MOST else "They make a score on it too good"
        return f"{shows}: take the copies out of one of them, or make new parts with tagline split."

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "known": self.known, "judged": self.judged, "same": self.same, "counted": self.counted,
            "share_of_words": self.share, "short": self.short, "limit": self.limit, "leaked": self.leaked,
        }  # fmt: skip


def find_overlap(known: Part, judged: Part, limit: float = LIMIT, shortest: int = SHORTEST) -> Overlap:
    """What of `judged` stands in `known`; the time is linear.

    Args:
        known: for example the training data.
        judged: for example the test data.
        limit: share of the words from which on this is called a leak.
        shortest: sentences of fewer words do not count, unless the file has no longer one. Labelled texts all count.
    """
    keys = set(known.keys)
    sizes = judged.sizes
    least = counted_from(judged, shortest)
    same = [key in keys for key in judged.keys]
    long = [size >= least for size in sizes]
    words = sum(size for size, counts in zip(sizes, long, strict=True) if counts)
    shared = sum(size for size, counts, both in zip(sizes, long, same, strict=True) if counts and both)
    return Overlap(
        known=known.role,
        judged=judged.role,
        known_path=known.path,
        judged_path=judged.path,
        noun=judged.noun,
        same=sum(counts and both for counts, both in zip(long, same, strict=True)),
        counted=sum(long),
        share=shared / words if words else 0.0,
        short=sum(both and not counts for counts, both in zip(long, same, strict=True)),
        limit=limit,
    )


def counted_from(part: Part, shortest: int = SHORTEST) -> int:
    """From how many words on the units of a file count as copies of others."""
    if not isinstance(part.corpus, Corpus):
        return 1
    return shortest if any(size >= shortest for size in part.sizes) else 1


def find_overlaps(corpora: Mapping[str, AnyCorpus], limit: float = LIMIT) -> list[Overlap]:
    """The overlap of every two roles: test in train, dev in train, test in dev.

    Args:
        corpora: by role (`train`, `dev`, `test`), all of one task.
        limit: share of the words from which on an overlap is a leak.
    """
    parts = parts_of(corpora)
    found = [find_overlap(known, judged, limit) for at, judged in enumerate(parts) for known in parts[:at]]
    order = [("train", "test"), ("train", "dev"), ("dev", "test")]
    return sorted(found, key=lambda each: order.index((each.known, each.judged)))
