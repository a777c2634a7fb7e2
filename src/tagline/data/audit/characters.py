"""Characters that went wrong on their way: mojibake, control characters, empty texts, words no encoder sees."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from tagline.data.audit.findings import Finding, quoted
from tagline.data.audit.parts import Part
from tagline.data.corpus import Corpus
from tagline.data.reading import DOCSTART
from tagline.data.subtokens import Vocabulary
from tagline.errors import DataError

# Runs that a wrong decoding leaves: UTF-8 read as Windows-1252 or Latin-1 begins with one of these.
_WINDOWS = "\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122"  # of Windows-1252
_MOJIBAKE = re.compile(f"[\u00c2-\u00f4][\u0080-\u00bf{_WINDOWS}]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffd\ud800-\udfff]")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{2,6}|#x[0-9a-fA-F]{2,5});")
_NAMES = {"\ufffd": "the replacement character", "\ufeff": "a byte-order mark", "\x7f": "the control character"}


def odd_characters(part: Part) -> Iterator[Finding]:
    """`encoding`: one finding a sentence or text, about its first odd place."""
    for number in range(len(part.units)):
        text = part.text(number)
        if found := oddity(text):
            yield Finding("encoding", part.place(number), f"{found} in {quoted(text)}")


def oddity(text: str) -> str:
    """What is odd about the first odd place of a text, "" where nothing is."""
    if not text.isascii():
        for run in _MOJIBAKE.findall(text):
            if repaired := _repaired(run):
                return f"{run!r}, probably {repaired!r} read in a wrong encoding,"
    if match := _CONTROL.search(text):
        character = match.group()
        return f"{_NAMES.get(character, 'the control character')} U+{ord(character):04X}"
    if "&" in text and (match := _ENTITY.search(text)):
        return f"the HTML entity {match.group()}"
    return ""


def _repaired(run: str) -> str:
    """The characters that a run is the mojibake of, "" where it is none. A run may begin with what is no part of it."""
    for encoding in ("cp1252", "latin-1"):
        try:
            return run.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return ""


def empty_examples(part: Part) -> Iterator[Finding]:
    """`empty`: texts without a character that can be seen, sentences without words, documents without sentences."""
    noun = "sentence" if isinstance(part.corpus, Corpus) else "text"
    for number, key in enumerate(part.keys):
        if not key.strip():
            yield Finding("empty", part.place(number), f"the {noun} holds nothing but white space")
    if isinstance(part.corpus, Corpus) and part.corpus.format == "jsonl":
        yield from _skipped_rows(part)


def _skipped_rows(part: Part) -> Iterator[Finding]:
    """Rows of JSONL without any word, which reading passes over."""
    read = {unit.line for unit in part.units}
    try:
        lines = Path(part.path).read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", part.path) from error
    for number, line in enumerate(lines, start=1):
        if number in read or not line.strip(" \t\r"):
            continue
        row = json.loads(line)
        if not any(value == [DOCSTART] for value in row.values()):
            yield Finding("empty", part.place(0)._replace(line=number), "the row holds no words")


def vanishing_words(part: Part, vocabulary: Vocabulary) -> Iterator[Finding]:
    """`vanishing`: one finding a sentence or text, about its first word that the encoder does not see."""
    rows = [part.words(number) for number in range(len(part.units))]
    distinct = list(dict.fromkeys(word for row in rows for word in row))
    costs = vocabulary.words(distinct)
    gone = {word for word, cost in zip(distinct, costs, strict=True) if not cost.pieces}
    if not gone:
        return
    for number, row in enumerate(rows):
        for place, word in enumerate(row):
            if word in gone:
                points = " ".join(f"U+{ord(character):04X}" for character in word[:6])
                message = f"word {place + 1} ({points}) of {quoted(part.text(number))} becomes no sub-token"
                yield Finding("vanishing", part.place(number, place), message)
                break
