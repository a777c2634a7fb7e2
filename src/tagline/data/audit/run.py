"""The whole audit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from tagline.data.audit.characters import empty_examples, odd_characters, vanishing_words
from tagline.data.audit.copies import exact_copies, near_copies
from tagline.data.audit.findings import KINDS, Audit, Finding, ordered
from tagline.data.audit.labels import (
    absent_labels,
    ambiguous_names,
    illegal_moves,
    rare_labels,
    seen_entities,
    unaligned_spans,
)
from tagline.data.audit.near import THRESHOLD
from tagline.data.audit.overlap import find_overlaps
from tagline.data.audit.parts import AnyCorpus, Part, parts_of
from tagline.data.subtokens import Vocabulary
from tagline.errors import UsageError

_EACH: Sequence[Callable[[Part], Iterator[Finding]]] = (
    illegal_moves,
    unaligned_spans,
    odd_characters,
    empty_examples,
    rare_labels,
)
_TOGETHER: Sequence[Callable[[Sequence[Part]], Iterator[Finding]]] = (
    exact_copies,
    absent_labels,
    ambiguous_names,
    seen_entities,
)


def audit_corpora(
    corpora: Mapping[str, AnyCorpus], vocabulary: Vocabulary | None = None, threshold: float = THRESHOLD
) -> Audit:
    """Looks for everything that is wrong or worth knowing; the time is linear in the size of the files.

    Args:
        corpora: by role (`train`, `dev`, `test`, any of them), all of one task.
        vocabulary: of the encoder, for words that vanish; None leaves that out, and says so.
        threshold: least Jaccard similarity of near duplicates, from 0.4 to 1.

    Raises:
        UsageError: a threshold out of range.
    """
    parts = parts_of(corpora)
    found = chain(
        (finding for check in _TOGETHER for finding in check(parts)),
        near_copies(parts, threshold),
        (finding for part in parts for check in _EACH for finding in check(part)),
        (finding for part in parts if vocabulary is not None for finding in vanishing_words(part, vocabulary)),
    )
    unchecked = () if vocabulary is not None else ("vanishing: no encoder's vocabulary was given",)
    return Audit(
        findings=ordered(list(found)),
        overlaps=tuple(find_overlaps(corpora)),
        files={part.role: part.path for part in parts},
        unchecked=unchecked,
    )


def check_kinds(names: Sequence[str]) -> tuple[str, ...]:
    """Names of kinds, each accepted.

    Raises:
        UsageError: one of them is no kind of finding.
    """
    for name in names:
        if name not in KINDS:
            raise UsageError(f"--fail-on got {name!r}; accepted are {', '.join(KINDS)}")
    return tuple(names)
