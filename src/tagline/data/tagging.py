"""From the tags as they stand in a file to a scheme, and the complaints about those that do not fit."""

from __future__ import annotations

from pathlib import Path

from tagline.data.reading import Raw, ReadOptions
from tagline.data.schemes import OUTSIDE, Scheme, detect, prefixes, split_tag, violations
from tagline.errors import SchemeError


def scheme_of(raw: Raw, options: ReadOptions, path: Path) -> tuple[Scheme, bool]:
    """Scheme of the tags and whether they are plain labels: as given, else detected.

    With scheme IO given, tags are taken as plain labels as soon as one of them has no prefix that any scheme knows.

    Raises:
        SchemeError: the tags do not fit; the message names the line where the first that does not stands.
    """
    if raw.scheme is not None:  # the reader wrote the tags itself, from character spans
        return raw.scheme, False
    kinds = dict.fromkeys(tag for sentence in raw.sentences for tag in sentence.tags if tag != OUTSIDE)
    try:
        if options.scheme is None:
            return detect(sentence.tags for sentence in raw.sentences)
        bare = options.scheme is Scheme.IO and not all(_looks_prefixed(tag) for tag in kinds)
        for tag in kinds:
            split_tag(tag, options.scheme, bare)
    except SchemeError as error:
        raise SchemeError(str(error), path, _line_of(error.tag, raw), error.tag) from None
    return options.scheme, bare


def count_violations(raw: Raw, scheme: Scheme, bare: bool, strict: bool, path: Path) -> tuple[int, str]:
    """How many moves of the corpus the scheme does not allow, and the first of them described with its place.

    Raises:
        SchemeError: with `strict`, at the first such move.
    """
    count, first = 0, ""
    legal: set[tuple[str, ...]] = set()  # most sentences share their tags with others
    for sentence, lines in zip(raw.sentences, raw.lines, strict=True):
        if sentence.tags in legal:
            continue
        bad = violations(sentence.tags, scheme, bare)
        if not bad:
            legal.add(sentence.tags)
            continue
        if not first:
            place = bad[0]
            what = _described(sentence.tags, place, scheme)
            line = lines[min(place, len(lines) - 1)]
            if strict:
                raise SchemeError(what, path, line, sentence.tags[min(place, len(lines) - 1)])
            first = f"{path}, line {line}: {what}"
        count += len(bad)
    return count, first


def _described(tags: tuple[str, ...], place: int, scheme: Scheme) -> str:
    if place == len(tags):
        return f"the sentence ends after tag {tags[-1]!r}, which scheme {scheme.value} does not allow"
    before = f"after tag {tags[place - 1]!r}" if place else "at the beginning of a sentence"
    expected = f"; in {scheme.value} an entity begins with {_openers(scheme)}"
    return f"tag {tags[place]!r} {before} is not allowed{expected}"


def _openers(scheme: Scheme) -> str:
    if scheme is Scheme.IOB1:
        return "I, and with B only behind an entity of the same label"
    return " or ".join(letter for letter in prefixes(scheme) if letter in "BSU")


def _looks_prefixed(tag: str) -> bool:
    return len(tag) > 2 and tag[1] == "-" and tag[0] in "BIESLU"


def _line_of(tag: str, raw: Raw) -> int | None:
    for sentence, lines in zip(raw.sentences, raw.lines, strict=True):
        if tag in sentence.tags:
            return lines[sentence.tags.index(tag)]
    return None
