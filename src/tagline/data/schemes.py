"""Tag schemes as tables of moves.

A scheme is nothing but the moves it allows from one word's tag to the next. From that one table come the reading of
entities, their writing, the search for illegal moves, the repair of broken tags and the mask that constrains decoding.
Before the first and after the last word stands O, so that "ends with B" is an ordinary move.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from tagline.errors import SchemeError
from tagline.records import Span

OUTSIDE = "O"


class Scheme(str, Enum):
    """How tags mark the borders of entities. `IO` also stands for plain labels without prefixes."""

    IO = "IO"
    IOB1 = "IOB1"
    IOB2 = "IOB2"
    IOBES = "IOBES"
    BILOU = "BILOU"


# Each row: prefix of this word, prefix of the next, and what the next word does to an entity
# when both have the same label ("same") and when they have not ("other").
#   +  carries the entity on      /  starts a new one      .  no entity at the next word      x  not allowed
_ROWS = {
    Scheme.IO: "OO.. OI// IO.. II+/",
    Scheme.IOB1: "OO.. OI// OBxx IO.. II+/ IB/x BO.. BI+/ BB/x",
    Scheme.IOB2: "OO.. OB// OIxx BO.. BB// BI+x IO.. IB// II+x",
    Scheme.IOBES: (
        "OO.. OB// OS// OIxx OExx BOxx BBxx BSxx BI+x BE+x IOxx IBxx ISxx II+x IE+x "
        "EO.. EB// ES// EIxx EExx SO.. SB// SS// SIxx SExx"
    ),
}
_ROWS[Scheme.BILOU] = _ROWS[Scheme.IOBES].replace("E", "L").replace("S", "U")

CARRY, START, NONE, ILLEGAL = "+", "/", ".", "x"
Moves = dict[tuple[str, str, bool], str]


@cache
def moves(scheme: Scheme) -> Moves:
    """The scheme's table: (prefix, next prefix, same label?) → one of `CARRY START NONE ILLEGAL`."""
    table: Moves = {}
    for row in _ROWS[scheme].split():
        before, after, same, other = tuple(row)
        table[before, after, True], table[before, after, False] = same, other
    return table


@cache
def prefixes(scheme: Scheme) -> tuple[str, ...]:
    """The prefixes of a scheme, without O, in the order of its name."""
    return tuple(letter for letter in scheme.value if letter != OUTSIDE and letter.isalpha())


@lru_cache(maxsize=4096)  # a corpus has few tags and many words
def split_tag(tag: str, scheme: Scheme, bare: bool = False) -> tuple[str, str]:
    """Prefix and label of a tag: `B-geo-loc` → (`B`, `geo-loc`), `O` → (`O`, ``).

    With `bare` a label is inside: `product` → (`I`, `product`).

    Raises:
        SchemeError: the tag is not of the scheme.
    """
    if tag == OUTSIDE:
        return OUTSIDE, ""
    if bare:
        return "I", tag
    prefix, dash, label = tag.partition("-")
    if not dash or not label or prefix not in prefixes(scheme):
        accepted = ", ".join(f"{letter}-LABEL" for letter in prefixes(scheme))
        raise SchemeError(f"tag {tag!r} is not of scheme {scheme.value}; accepted are O, {accepted}", tag=tag)
    return prefix, label


def spans(tags: Sequence[str], scheme: Scheme = Scheme.IOB2, bare: bool = False) -> list[Span]:
    """Entities of a sentence, as word spans. Illegal moves are repaired as conlleval reads them.

    An illegal move carries the entity on where the scheme's inner prefixes (I, E, L) follow an open entity of the same
    label, and starts a new one everywhere else, so that no annotated word is lost.

    Args:
        tags: one tag a word.
        scheme: scheme of the tags.
        bare: whether tags are labels without prefixes (scheme IO).
    """
    table = moves(scheme)
    found: list[Span] = []
    before, label_before, start = OUTSIDE, "", 0
    for place, tag in enumerate(tags):
        if tag == before == OUTSIDE:  # most words
            continue
        prefix, label = split_tag(tag, scheme, bare)
        move = table[before, prefix, label == label_before]
        if move == ILLEGAL:
            move = _repair(before, prefix, label == label_before)
        if move != CARRY and before != OUTSIDE:
            found.append(Span(label_before, start, place))
        if move == START:
            start = place
        before, label_before = prefix, label
    if before != OUTSIDE:
        found.append(Span(label_before, start, len(tags)))
    return found


def _repair(before: str, prefix: str, same: bool) -> str:
    if prefix == OUTSIDE:
        return NONE
    return CARRY if same and before in "BI" and prefix in "IEL" else START


def tags_of(entities: Iterable[Span], length: int, scheme: Scheme = Scheme.IOB2, bare: bool = False) -> list[str]:
    """Tags of a sentence of `length` words; the inverse of `spans`.

    Raises:
        SchemeError: entities overlap, leave the sentence, or (scheme IO) touch with the same label and would merge.
    """
    tags = [OUTSIDE] * length
    last: Span | None = None
    for span in sorted(entities, key=lambda each: each.start):
        if span.start >= span.end or span.end > length or span.start < 0:
            raise SchemeError(f"entity {span} does not lie within a sentence of {length} words")
        if last is not None and span.start < last.end:
            raise SchemeError(f"entities {last} and {span} overlap; tags can hold only one of them")
        touching = last is not None and last.end == span.start and last.label == span.label
        if touching and scheme is Scheme.IO:
            raise SchemeError(
                f"entities {last} and {span} touch; scheme IO would merge them. Choose IOB1, IOB2, IOBES or BILOU"
            )
        for place in range(span.start, span.end):
            prefix = _prefix(scheme, place == span.start, place == span.end - 1, touching)
            tags[place] = span.label if bare else f"{prefix}-{span.label}"
        last = span
    return tags


def _prefix(scheme: Scheme, first: bool, last: bool, touching: bool) -> str:
    if scheme is Scheme.IO:
        return "I"
    if scheme is Scheme.IOB1:
        return "B" if first and touching else "I"
    if scheme is Scheme.IOB2:
        return "B" if first else "I"
    end, single = ("E", "S") if scheme is Scheme.IOBES else ("L", "U")
    if first:
        return single if last else "B"
    return end if last else "I"


def convert(tags: Sequence[str], source: Scheme, target: Scheme, bare: bool = False) -> list[str]:
    """Tags of one scheme in another, entity for entity (`bare` describes the source)."""
    return tags_of(spans(tags, source, bare), len(tags), target)


def violations(tags: Sequence[str], scheme: Scheme, bare: bool = False) -> list[int]:
    """Places of the words that a move of the scheme does not allow; `len(tags)` stands for a bad end."""
    table = moves(scheme)
    bad: list[int] = []
    before, label_before = OUTSIDE, ""
    for place, tag in enumerate((*tags, OUTSIDE)):
        prefix, label = split_tag(tag, scheme, bare)
        if table[before, prefix, label == label_before] == ILLEGAL:
            bad.append(place)
        before, label_before = prefix, label
    return bad


def allowed(labels: Sequence[str], scheme: Scheme, bare: bool = False) -> NDArray[np.bool_]:
    """Mask of the moves between tags that the scheme allows.

    Args:
        labels: the tags of a model, L of them, O among them or not.
        scheme: their scheme.
        bare: whether they are labels without prefixes.

    Returns:
        (L + 1, L + 1) booleans, [from, to]; the last row is the start of a sentence and the last column its end.
    """
    table = moves(scheme)
    pairs = [split_tag(tag, scheme, bare) for tag in labels] + [(OUTSIDE, "")]
    mask = np.empty((len(pairs), len(pairs)), dtype=np.bool_)
    for row, (before, label_before) in enumerate(pairs):
        for column, (prefix, label) in enumerate(pairs):
            mask[row, column] = table[before, prefix, label == label_before] != ILLEGAL
    return mask


def detect(sentences: Iterable[Sequence[str]]) -> tuple[Scheme, bool]:
    """Tells a corpus's scheme by a rule, from its tags alone.

    1. No tag has a known prefix: plain labels, scheme IO, `bare`.
    2. Prefixes L or U: BILOU. Prefixes E or S: IOBES.
    3. Only I: IO. Only B, or B and I where an entity may begin with I nowhere: IOB2.
    4. B and I where B stands only between entities of the same label: IOB1.
    5. Both kinds of moves are broken: the one of IOB2 and IOB1 with fewer violations (IOB2 on a tie).

    Returns:
        The scheme, and whether tags are plain labels.

    Raises:
        SchemeError: some tags have a known prefix and others none, or prefixes of two schemes are mixed.
    """
    rows = [tuple(tags) for tags in sentences]
    kinds = sorted({tag for tags in rows for tag in tags if tag != OUTSIDE})
    found = {tag.split("-", 1)[0] for tag in kinds if _has_prefix(tag)}
    if not found:
        return Scheme.IO, True
    plain = [tag for tag in kinds if not _has_prefix(tag)]
    if plain:
        example = next(tag for tag in kinds if _has_prefix(tag))
        raise SchemeError(
            f"tag {plain[0]!r} has no prefix but {example!r} has one; expected all tags with a prefix of "
            "IO, IOB1, IOB2, IOBES or BILOU, or none. To take them as plain labels give the scheme IO",
            tag=plain[0],
        )
    if found & set("LU"):
        return _only(kinds, Scheme.BILOU)
    if found & set("ES"):
        return _only(kinds, Scheme.IOBES)
    if found == {"I"}:
        return Scheme.IO, False
    wrong = {each: sum(len(violations(tags, each)) for tags in rows) for each in (Scheme.IOB2, Scheme.IOB1)}
    return min(wrong, key=lambda each: wrong[each]), False


def _has_prefix(tag: str) -> bool:
    return len(tag) > 2 and tag[1] == "-" and tag[0] in "BIESLU"


def _only(kinds: Sequence[str], scheme: Scheme) -> tuple[Scheme, bool]:
    strange = [tag for tag in kinds if tag != OUTSIDE and tag[0] not in prefixes(scheme)]
    if strange:
        known = sorted({tag[0] for tag in kinds if tag != OUTSIDE})
        raise SchemeError(
            f"prefixes {', '.join(known)} belong to no one scheme ({strange[0]!r} is not of {scheme.value}); "
            "accepted are IO, IOB1, IOB2, IOBES and BILOU",
            tag=strange[0],
        )
    return scheme, False
