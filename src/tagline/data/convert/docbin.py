"""spaCy's DocBin (`.spacy`), read and written without spaCy: compressed MessagePack around arrays of numbers.

A token's row holds hashes of its strings; the strings themselves stand beside the rows once each. What Tagline writes
holds words, white space, entities, sentence starts and, as user data, the number of the document.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.data.alignment import CharSpan
from tagline.data.atomic import atomic_write
from tagline.data.convert.flatten import Offsets
from tagline.data.convert.items import Item, Items, Losses, renumbered
from tagline.data.convert.msgpack import pack, unpack
from tagline.data.reading import read_bytes
from tagline.data.sentence_rows import DOCUMENT_NAME
from tagline.errors import DataError
from tagline.records import Span

# Numbers of spaCy's token attributes, which its files have had since version 2.
ORTH, ENT_IOB, ENT_TYPE, SENT_START = 65, 77, 78, 80
_BESIDE = {73: "lemmas", 74: "parts of speech", 75: "tags", 76: "dependencies", 453: "morphology", 452: "entity links"}
_INSIDE, _OUTSIDE, _BEGINS = 1, 2, 3
_EMPTY_GROUPS = (b"", b"\x90", b"\x80")
_MULTIPLIER, _MASK = 0xC6A4A7935BD1E995, (1 << 64) - 1


@lru_cache(maxsize=1 << 16)
def hash_of(text: str) -> int:
    """spaCy's number of a string: MurmurHash64A of its UTF-8 with seed 1 (Austin Appleby, public domain); "" is 0."""
    if not text:
        return 0
    data = text.encode("utf-8")
    value = 1 ^ (len(data) * _MULTIPLIER & _MASK)
    whole = len(data) // 8 * 8
    for at in range(0, whole, 8):
        block = int.from_bytes(data[at : at + 8], "little") * _MULTIPLIER & _MASK
        block = (block ^ block >> 47) * _MULTIPLIER & _MASK
        value = (value ^ block) * _MULTIPLIER & _MASK
    if data[whole:]:
        value = (value ^ int.from_bytes(data[whole:], "little")) * _MULTIPLIER & _MASK
    value = (value ^ value >> 47) * _MULTIPLIER & _MASK
    return value ^ value >> 47


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a Doc: where it stands and its entity, `iob` as spaCy numbers it (0 missing, 1 I, 2 O, 3 B)."""

    start: int
    end: int
    iob: int
    label: str
    starts: bool


def read(path: Path) -> Items:
    """Reads a DocBin. A Doc with sentence starts gives an item a sentence, else it is one item.

    White space between words is no word. Tokens without annotation count as O.

    Raises:
        DataError: the file is missing, or no DocBin.
    """
    losses = Losses()
    items: list[Item] = []
    keys: list[object] = []
    unknown = 0
    for number, (text, tokens, data) in enumerate(_docs(path, losses), start=1):
        unknown += any(token.iob == 0 for token in tokens)
        for item in _sentences(text, tokens, number, str(path)):
            items.append(item)
            keys.append(data.get(DOCUMENT_NAME, ("doc", number)) if _single(tokens) else ("doc", number))
    if not items:
        raise DataError("holds no Doc with a word; expected at least one", path)
    if not any(isinstance(key, int) for key in keys) and len(set(keys)) == len(items):
        keys = [0] * len(items)  # a Doc a sentence says nothing of documents
    losses.whole("unannotated", str(path), unknown, f"{unknown:,} Docs have tokens without annotation; read as O")
    return Items(renumbered(items, keys), None, False, "spacy", str(path), losses)


def _single(tokens: Sequence[Token]) -> bool:
    return sum(token.starts for token in tokens) <= 1


def _docs(path: Path, losses: Losses) -> Iterator[tuple[str, list[Token], dict[Any, Any]]]:
    """Text, tokens and user data of every Doc."""
    try:
        held = unpack(zlib.decompress(read_bytes(path)))
        attributes, strings = list(held["attrs"]), {hash_of(text): text for text in held["strings"]}
        lengths = np.frombuffer(held["lengths"], dtype="<i4")
        rows = np.frombuffer(held["tokens"], dtype="<u8").reshape(-1, len(attributes))
        spaces = np.frombuffer(held["spaces"], dtype=np.bool_)
        if len(rows) != lengths.sum() or len(spaces) != len(rows):
            raise ValueError("its parts have different lengths")
        columns = {attribute: rows[:, place] for place, attribute in enumerate(attributes)}
        words = [strings[int(each)] for each in columns[ORTH]]
        labels = [strings.get(int(each), "") for each in columns.get(ENT_TYPE, np.zeros(len(rows), np.uint64))]
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"is no DocBin or is damaged ({error!r}); expected a file of spaCy's DocBin", path) from None
    _note(held, columns, path, losses)
    users = held.get("user_data") or [None] * len(lengths)
    flags = held.get("flags") or [{}] * len(lengths)
    at = 0
    for length, user, flag in zip(lengths.tolist(), users, flags, strict=True):
        part = slice(at, at + length)
        after = np.ones(length, np.bool_) if flag.get("has_unknown_spaces") else spaces[part]
        text, tokens = _tokens(words[part], labels[part], after, {key: each[part] for key, each in columns.items()})
        yield text, tokens, unpack(user) if user else {}
        at += length


def _tokens(
    words: Sequence[str], labels: Sequence[str], after: NDArray[np.bool_], columns: dict[int, NDArray[np.uint64]]
) -> tuple[str, list[Token]]:
    iobs = columns.get(ENT_IOB)
    starts = columns.get(SENT_START)
    tokens, at, parts = [], 0, []
    for place, word in enumerate(words):
        iob = 0 if iobs is None else int(iobs[place])
        begins = starts is not None and int(starts[place]) == 1
        tokens.append(Token(at, at + len(word), iob, labels[place], begins))
        parts += [word, " " if after[place] else ""]
        at += len(word) + bool(after[place])
    return "".join(parts), tokens


def _note(held: dict[str, Any], columns: dict[int, NDArray[np.uint64]], path: Path, losses: Losses) -> None:
    """Notes what a DocBin holds beside words and entities."""
    for attribute, what in _BESIDE.items():
        count = int(np.count_nonzero(columns[attribute])) if attribute in columns else 0
        losses.whole("columns", str(path), count, f"{what} of {count:,} tokens")
    groups = sum(each not in _EMPTY_GROUPS for each in held.get("span_groups", ()))
    losses.whole("columns", str(path), groups, f"span groups of {groups:,} Docs (doc.spans); entities are in doc.ents")
    cats = sum(bool(each) for each in held.get("cats", ()))
    losses.whole("columns", str(path), cats, f"categories of {cats:,} Docs (doc.cats)")


def _sentences(text: str, tokens: Sequence[Token], number: int, path: str) -> Iterator[Item]:
    groups: list[list[Token]] = [[]]
    whole = _single(tokens)
    for token in tokens:
        if token.starts and groups[-1] and not whole:
            groups.append([])
        groups[-1].append(token)
    for group in groups:
        words = [token for token in group if not text[token.start : token.end].isspace()]
        if not words:
            continue
        start, end = (0, len(text)) if whole else (words[0].start, words[-1].end)
        yield Item(
            text=text[start:end],
            spans=tuple(CharSpan(each.start - start, each.end - start, each.label) for each in _entities(group)),
            words=tuple((token.start - start, token.end - start) for token in words),
            line=number,
            path=path,
        )


def _entities(tokens: Sequence[Token]) -> list[CharSpan]:
    found: list[CharSpan] = []
    running = False
    for token in tokens:
        if token.label and token.iob == _INSIDE and running:
            found[-1] = found[-1]._replace(end=token.end)
        elif token.label and token.iob in (_INSIDE, _BEGINS):
            found.append(CharSpan(token.start, token.end, token.label))
            running = True
        else:
            running = False
    return found


def note(source: Items, losses: Losses) -> None:
    """Notes words that a Doc cannot hold, or that are read back as white space between words."""
    for item in source.items:
        for start, end in item.words or ():
            if start == end:
                losses.add("empty", item, "a word without a character; left out")
            elif item.text[start:end].isspace():
                losses.add("words", item, f"word {item.text[start:end]!r} is white space; read back it is no word")


def write(path: Path, docs: Sequence[tuple[Item, Offsets, Sequence[Span]]], starts: bool) -> None:
    """Writes a DocBin, a Doc an item.

    Args:
        path: the file.
        docs: every item with its words and their entities.
        starts: whether an item is one sentence, so that its first token begins one and no other does.
    """
    rows, spaces, lengths, strings = [], [], [], {""}
    for item, offsets, entities in docs:
        tokens = _laid_out(item.text, offsets, entities)
        lengths.append(len(tokens))
        for place, (word, after, label, iob) in enumerate(tokens):
            begins = (1 if place == 0 else _MASK) if starts else 0
            rows.append((hash_of(word), iob, hash_of(label), begins))
            spaces.append(after)
            strings |= {word, label}
    held: dict[str, Any] = {
        "version": "0.1",
        "attrs": [ORTH, ENT_IOB, ENT_TYPE, SENT_START],
        "tokens": np.asarray(rows, dtype="<u8").tobytes(),
        "spaces": np.asarray(spaces, dtype=np.bool_).tobytes(),
        "lengths": np.asarray(lengths, dtype="<i4").tobytes(),
        "strings": sorted(strings),
        "cats": [{} for _ in docs],
        "flags": [{"has_unknown_spaces": False} for _ in docs],
        "span_groups": [b"" for _ in docs],
    }
    if any(item.document for item, _, _ in docs):
        held["user_data"] = [pack({DOCUMENT_NAME: item.document}) for item, _, _ in docs]
    with atomic_write(path, "wb") as file:
        file.write(zlib.compress(pack(held)))


def _laid_out(text: str, offsets: Offsets, entities: Sequence[Span]) -> list[tuple[str, bool, str, int]]:
    """Words and the white space between them as tokens: characters, whether a space follows, label, IOB number.

    One space belongs to the token before it; more than that is a token, within an entity a part of it.
    """
    inside = {place: span for span in entities for place in range(span.start, span.end)}
    tokens: list[tuple[str, bool, str, int]] = []
    at = 0
    open_: Span | None = None
    for place, (start, end) in enumerate(offsets):
        span = inside.get(place)
        within = span is not None and span is open_
        _gap(text[at:start], tokens, span.label if within and span is not None else "")
        at = end
        if start == end:
            continue
        iob = _OUTSIDE if span is None else _INSIDE if within else _BEGINS
        tokens.append((text[start:end], False, "" if span is None else span.label, iob))
        open_ = span
    _gap(text[at:], tokens, "")
    return tokens


def _gap(gap: str, tokens: list[tuple[str, bool, str, int]], label: str) -> None:
    if gap.startswith(" ") and tokens and not tokens[-1][1]:
        tokens[-1] = (tokens[-1][0], True, *tokens[-1][2:])
        gap = gap[1:]
    if gap:
        tokens.append((gap, False, label, _INSIDE if label else _OUTSIDE))
