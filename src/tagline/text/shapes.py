"""Word shapes: what an uncased encoder does not see of a word, as a small number.

Fed as segment ids (`token_type_ids`) into enlarged rows of the segment embedding, shapes leave the model a plain BERT.
A shape has two ids, for the first sub-token of a word and for its continuations; 0 is kept for special tokens.
"""

from __future__ import annotations

SHAPES = (
    "lower",  # house
    "title",  # Berlin
    "upper",  # NATO
    "initial",  # A, J.
    "acronym",  # U.S.
    "mixed",  # iPhone, McDonald
    "digits",  # 1996
    "number",  # 10,000  6-4  1996-08-30
    "alphanumeric",  # B2B, 5th, F-16
    "hyphenated",  # U.S.-led, Anglo-Dutch: capitals on both sides or inside of a compound
    "user",  # @user
    "hashtag",  # #tag
    "url",  # https://…, e-mail addresses
    "caseless",  # letters of scripts without case
    "punctuation",  # everything without letters and digits
)
TYPES = 1 + 2 * len(SHAPES)
"""How many segment ids shapes need: special tokens, then first and continuation of each shape."""

_INDEX = {name: place for place, name in enumerate(SHAPES)}


def shape(word: str) -> str:
    """Name of a word's shape, one of `SHAPES`."""
    if word.islower() and word.isalpha():
        return "lower"
    if len(word) > 1:
        if word[0] == "@" and any(map(str.isalnum, word)):
            return "user"
        if word[0] == "#" and any(map(str.isalnum, word)):
            return "hashtag"
        if "://" in word or word.lower().startswith("www.") or "@" in word[1:-1]:
            return "url"
    letters = [char for char in word if char.isalpha()]
    if not letters:
        if word.isdigit():
            return "digits"
        return "number" if any(map(str.isdigit, word)) else "punctuation"
    return _cased(word, letters)


def _cased(word: str, letters: list[str]) -> str:
    upper = sum(map(str.isupper, letters))
    lower = sum(map(str.islower, letters))
    if not upper and not lower:
        return "caseless"
    if any(map(str.isdigit, word)):
        return "alphanumeric"
    if not upper:
        return "lower"
    if len(letters) == 1:
        return "initial"
    if "." in word and not lower:
        return "acronym"
    if "-" in word[1:-1]:
        return "hyphenated"
    if not lower:
        return "upper"
    return "title" if upper == 1 and letters[0].isupper() else "mixed"


def shape_ids(word: str) -> tuple[int, int]:
    """Segment ids of a word's first sub-token and of its continuations."""
    place = _INDEX[shape(word)]
    return 1 + 2 * place, 2 + 2 * place


def segment_ids(shapes: bool, kinds: int = 0) -> int:
    """How many segment ids a model reads: those of the shapes (one without), once more for each kind of name."""
    return (TYPES if shapes else 1) * (1 + kinds)
