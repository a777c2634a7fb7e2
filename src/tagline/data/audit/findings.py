"""What an audit finds: kinds of findings with their reasons, findings with their places, and the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from tagline.data.audit.overlap import Overlap
from tagline.data.audit.parts import Place


class Kind(NamedTuple):
    """A kind of finding.

    Attributes:
        gravity: `error` (scores or labels are wrong), `warning` (look at it) or `note` (know it).
        title: what it is, in the plural.
        why: why it matters.
        advice: what to do.
    """

    gravity: str
    title: str
    why: str
    advice: str


# The order is the order of gravity; the names are stable, since --fail-on and other programs use them.
KINDS: Mapping[str, Kind] = {
    "leakage": Kind(
        "error",
        "texts of one file that stand in another, word for word",
        "A model is asked what it was told: the score shows memory, not reading.",
        "Take the copies out of train, or make new parts with tagline split, which keeps copies together.",
    ),
    "near-leakage": Kind(
        "error",
        "texts that stand in another file nearly word for word",
        "Almost the same question as in training makes the score look better than it will be on new text.",
        "Look at the pairs; take those out of train that say the same.",
    ),
    "conflict": Kind(
        "error",
        "copies of one text with different annotation",
        "At least one of the two is wrong; in training they pull in two directions, in test one of them always counts "
        "as a mistake.",
        "Decide which is right and correct the other.",
    ),
    "illegal": Kind(
        "error",
        "moves between tags that the scheme does not allow",
        "Readers repair them in different ways, so entities and scores depend on the reader.",
        "Correct the tags, or give the right scheme with --scheme.",
    ),
    "unaligned": Kind(
        "error",
        "spans that do not fall on the borders of words",
        "They were widened to whole words, so the model learns another span than was annotated.",
        "Correct the offsets; often a space or a full stop was marked, too.",
    ),
    "vanishing": Kind(
        "warning",
        "words that become no sub-token",
        "The encoder cannot see them; they are read as unknown words, and an entity on them cannot be learned.",
        "Remove the invisible characters, or choose an encoder that knows them.",
    ),
    "encoding": Kind(
        "warning",
        "characters that came out of a wrong decoding",
        "The encoder breaks them into scraps, and the same name in clean text looks different.",
        "Decode the source again in its own encoding (mojibake: UTF-8 read as Latin-1), and undo HTML entities.",
    ),
    "empty": Kind(
        "warning",
        "examples without any text",
        "Nothing can be learned from them, and in test they count.",
        "Remove them.",
    ),
    "duplicate": Kind(
        "warning",
        "texts that stand in one file more than once",
        "They count as often as they stand there, in training and in the score; a split at random tears them apart.",
        "Remove the copies where they are an accident; split with tagline split.",
    ),
    "near-duplicate": Kind(
        "warning",
        "texts that stand in one file twice, nearly word for word",
        "As duplicates; they are often templates or several versions of one message.",
        "Look at the pairs; split with tagline split --near 0.8, which keeps them together.",
    ),
    "absent": Kind(
        "warning",
        "labels that one file has and another lacks",
        "What train lacks cannot be learned; what test lacks is not judged.",
        "Annotate more, merge the label with another, or make new parts with tagline split.",
    ),
    "imbalance": Kind(
        "note",
        "labels that are rare beside the most frequent one",
        "The model sees them seldom and will miss them; accuracy hides it.",
        "Annotate more of them, look at the macro F1, and for texts try --class-weights balanced.",
    ),
    "ambiguous": Kind(
        "note",
        "names that are annotated with several types",
        "Some names are ambiguous (Washington); a single odd one among many is often a slip.",
        "Look at the rare readings first.",
    ),
    "seen": Kind(
        "note",
        "entities that train has with the same type",
        "On these a list of names would do; the score on the unseen ones says how the model does on new text.",
        "Look at the scores of seen and unseen entities apart.",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in one place.

    Attributes:
        kind: one of `KINDS`.
        place: where it stands.
        message: what it is, a sentence without its full stop.
        others: other places that it is about, for example the first copy.
    """

    kind: str
    place: Place
    message: str
    others: tuple[Place, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form; `why` and `advice` stand once a kind, in the audit."""
        return {
            "kind": self.kind,
            "file": self.place.file,
            "line": self.place.line,
            "message": self.message,
            "others": [other._asdict() for other in self.others],
        }


@dataclass(frozen=True)
class Audit:
    """Everything that was found.

    Attributes:
        findings: the gravest kind first, then as they stand in the files.
        overlaps: of every two files, the pair that matters most first.
        files: the files by role.
        unchecked: what could not be looked at, and why.
    """

    findings: tuple[Finding, ...]
    overlaps: tuple[Overlap, ...]
    files: Mapping[str, str]
    unchecked: tuple[str, ...] = ()

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each kind that has any, the gravest first."""
        count = Counter(each.kind for each in self.findings)
        return {kind: count[kind] for kind in KINDS if count[kind]}

    def of(self, kind: str) -> list[Finding]:
        """The findings of one kind."""
        return [each for each in self.findings if each.kind == kind]

    @property
    def headline(self) -> str:
        """What matters most, in one sentence."""
        for overlap in self.overlaps:
            if overlap.leaked:
                return f"{overlap.judged.upper()} IS IN {overlap.known.upper()}: {overlap.describe()}. {overlap.advice}"
        counts = self.counts
        if not counts:
            return f"Nothing was found in {', '.join(self.files.values())}."
        grave = {kind: number for kind, number in counts.items() if KINDS[kind].gravity == "error"}
        numbers = ", ".join(f"{number:,} {kind}" for kind, number in (grave or counts).items())
        leaks = "No leak above 1 % of the words. " if self.overlaps else ""
        return f"{leaks}{'Errors' if grave else 'No errors, but'}: {numbers}."

    def to_json(self) -> dict[str, Any]:
        """The whole, JSON-ready."""
        return {
            "headline": self.headline,
            "files": dict(self.files),
            "overlaps": [each.to_dict() for each in self.overlaps],
            "kinds": {kind: {"count": number, **KINDS[kind]._asdict()} for kind, number in self.counts.items()},
            "findings": [each.to_dict() for each in self.findings],
            "unchecked": list(self.unchecked),
        }


_QUOTED = 70  # characters of a text that a message shows


def quoted(text: str) -> str:
    """A text for a message, on one line and not too long."""
    text = " ".join(text.split())
    return f"“{text if len(text) <= _QUOTED else text[: _QUOTED - 1] + '…'}”"


def ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The gravest kinds first; inside a kind as they were found."""
    rank = {kind: number for number, kind in enumerate(KINDS)}
    return tuple(sorted(findings, key=lambda each: rank[each.kind]))
