"""Texts that stand in the files more than once, exactly or nearly, and copies that are annotated differently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tagline.data.audit.findings import Finding, quoted
from tagline.data.audit.near import find_near
from tagline.data.audit.overlap import counted_from
from tagline.data.audit.parts import Part, Place
from tagline.records import LabelledText, Sentence

_SHORTEST = 5  # words of a text that is looked at for near duplicates


class _At(NamedTuple):
    part: Part
    unit: int


def exact_copies(parts: Sequence[Part]) -> Iterator[Finding]:
    """`leakage`, `duplicate` and `conflict`: every text that stands earlier, in its own file or one before.

    Short sentences that repeat across files or inside one are no finding, unless their annotation differs.
    """
    first_of_all: dict[str, list[_At]] = {}  # the first of each file
    for part in parts:
        least = counted_from(part)
        for unit, key in enumerate(part.keys):
            size = part.sizes[unit]
            if not size:
                continue  # empty texts are a finding of their own
            here, before = _At(part, unit), first_of_all.setdefault(key, [])
            if size >= least and before:
                yield _copy(here, before)
            if conflict := _conflict(here, before):
                yield conflict
            if not before or before[-1].part is not part:
                before.append(here)


def _copy(here: _At, before: Sequence[_At]) -> Finding:
    part, unit = here
    shown = quoted(here.part.text(here.unit))
    elsewhere = [each for each in before if each.part is not part]
    if elsewhere:
        files = " and ".join(_where(each) for each in elsewhere)
        others = tuple(each.part.place(each.unit) for each in elsewhere)
        return Finding("leakage", part.place(unit), f"{shown} stands in {files}", others)
    return Finding("duplicate", part.place(unit), f"{shown} stands in {_where(before[0])} already", _places(before))


def _conflict(here: _At, before: Sequence[_At]) -> Finding | None:
    for each in before:
        if difference := _difference(here, each):
            message = f"{quoted(here.part.text(here.unit))} is annotated otherwise in {_where(each)}: {difference}"
            return Finding("conflict", here.part.place(here.unit), message, _places([each]))
    return None


def _difference(here: _At, there: _At) -> str:
    one, other = here.part.units[here.unit], there.part.units[there.unit]
    if isinstance(one, LabelledText) and isinstance(other, LabelledText):
        if (set(one.labels), one.score) == (set(other.labels), other.score):
            return ""
        return f"{_labels(one)} here, {_labels(other)} there"
    if not isinstance(one, Sentence) or not isinstance(other, Sentence) or len(one.words) != len(other.words):
        return ""  # split into words in two ways: their tags cannot be compared
    tagged, before = set(here.part.entities[here.unit]), set(there.part.entities[there.unit])
    if tagged == before:
        return ""
    differing = min(tagged ^ before, key=lambda span: (span.start, span.end, span.label))
    words = quoted(" ".join(one.words[differing.start : differing.end]))
    sides = [next((span.label for span in side if span[1:] == differing[1:]), "no entity") for side in (tagged, before)]
    return f"{words} is {sides[0]} here, {sides[1]} there"


def _labels(text: LabelledText) -> str:
    if text.score is not None:
        return f"{text.score:g}"
    return ", ".join(sorted(text.labels)) or "no label"


def near_copies(parts: Sequence[Part], threshold: float) -> Iterator[Finding]:
    """`near-leakage` and `near-duplicate`: texts of at least five words that are nearly the same as an earlier one.

    Of exact copies the first alone is looked at.

    Args:
        parts: the files, train first.
        threshold: least Jaccard similarity of the 4-character shingles.

    Raises:
        UsageError: a threshold out of range.
    """
    seen: set[str] = set()
    texts: list[str] = []
    groups: list[int] = []
    at: list[_At] = []
    for group, part in enumerate(parts):
        for unit, (key, size) in enumerate(zip(part.keys, part.sizes, strict=True)):
            if size >= _SHORTEST and key not in seen:
                seen.add(key)
                texts.append(key)
                groups.append(group)
                at.append(_At(part, unit))
    for pair in find_near(texts, groups, threshold):
        one, other = at[pair.first], at[pair.second]
        kind = "near-duplicate" if one.part is other.part else "near-leakage"
        likeness = f"{quoted(other.part.text(other.unit))} is {_percent(pair.similarity)} like {_where(one)}"
        message = f"{likeness}: {quoted(one.part.text(one.unit))}"
        yield Finding(kind, other.part.place(other.unit), message, _places([one]))


def _percent(similarity: float) -> str:
    return f"{int(100 * similarity)} %"  # never rounded up to the 100 % of exact copies


def _where(at: _At) -> str:
    place = at.part.place(at.unit)
    return f"{place.file}, line {place.line}"


def _places(found: Sequence[_At]) -> tuple[Place, ...]:
    return tuple(each.part.place(each.unit) for each in found)
