"""spaCy's DocBin (`.spacy`), read and written with spaCy, which is an extra.

Its layout would be simple enough without, but the numbers of strings are not: spaCy numbers some four hundred strings
by a table of its own ("LOC", "mark") and all others by their hash.

What Tagline writes holds words, white space, entities, sentence starts and, as user data, the number of the document.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tagline.data.alignment import CharSpan
from tagline.data.atomic import atomic_write
from tagline.data.convert.flatten import Offsets
from tagline.data.convert.items import Item, Items, Losses, renumbered
from tagline.data.reading import read_bytes
from tagline.data.sentence_rows import DOCUMENT_NAME
from tagline.errors import DataError, MissingExtraError
from tagline.records import Span

_BESIDE = {"LEMMA": "lemmas", "POS": "parts of speech", "TAG": "tags", "DEP": "dependencies", "MORPH": "morphology"}


class Token(NamedTuple):
    """A token that is written: its characters, whether a space follows, entity label, and B, I or O."""

    text: str
    spaced: bool
    label: str
    iob: str


def read(path: Path) -> Items:
    """Reads a DocBin. A Doc with sentence starts gives an item a sentence, else it is one item.

    White space between words is no word. Tokens without annotation count as O.

    Raises:
        DataError: the file is missing, or no DocBin.
        MissingExtraError: spaCy is not installed.
    """
    losses = Losses()
    items: list[Item] = []
    keys: list[object] = []
    docs = _docs(path)
    for number, doc in enumerate(docs, start=1):
        groups = _sentences(doc)
        document = doc.user_data.get(DOCUMENT_NAME) if len(groups) == 1 else None
        for group in groups:
            items += _item(doc, group, len(groups) == 1, number, str(path))
            keys += [("doc", number) if document is None else document] * (len(items) - len(keys))
    if not items:
        raise DataError("holds no Doc with a word; expected at least one", path)
    if len({number for number in keys if isinstance(number, tuple)}) == len(items):
        keys = [0] * len(items)  # a Doc a sentence says nothing of documents
    _note(docs, path, losses)
    return Items(renumbered(items, keys), None, False, "spacy", str(path), losses)


def _spacy(purpose: str) -> tuple[Any, Any]:
    """spaCy's modules of tokens and of vocabularies."""
    try:
        return importlib.import_module("spacy.tokens"), importlib.import_module("spacy.vocab")
    except ImportError:
        raise MissingExtraError(f"{purpose} spaCy's DocBin", "spacy") from None


def _docs(path: Path) -> list[Any]:
    tokens, vocabularies = _spacy("reading")
    data = read_bytes(path)
    try:
        return list(tokens.DocBin().from_bytes(data).get_docs(vocabularies.Vocab()))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, EOFError) as error:
        first = str(error).strip().partition("\n")[0]
        raise DataError(f"is no DocBin or is damaged ({first}); expected a file of spaCy's DocBin", path) from None


def _sentences(doc: Any) -> list[list[Any]]:
    """The tokens of a Doc, sentence by sentence where it knows sentences."""
    if doc.has_annotation("SENT_START"):
        return [list(sentence) for sentence in doc.sents]
    return [list(doc)]


def _item(doc: Any, group: Sequence[Any], whole: bool, number: int, path: str) -> Iterator[Item]:
    words = [token for token in group if not token.text.isspace()]
    if not words:
        return
    start, end = (0, len(doc.text)) if whole else (words[0].idx, words[-1].idx + len(words[-1]))
    yield Item(
        text=doc.text[start:end],
        spans=tuple(CharSpan(each.start - start, each.end - start, each.label) for each in _entities(group)),
        words=tuple((token.idx - start, token.idx + len(token) - start) for token in words),
        line=number,
        path=path,
    )


def _entities(tokens: Sequence[Any]) -> list[CharSpan]:
    """Entities of tokens, without white space at their ends."""
    found: list[CharSpan] = []
    running = False
    for token in tokens:
        running = running and token.ent_iob_ == "I"
        if token.ent_type_ and token.ent_iob_ in ("I", "B") and not token.text.isspace():
            start = found[-1].start if running else token.idx
            found[len(found) - running :] = [CharSpan(start, token.idx + len(token), token.ent_type_)]
            running = True
    return found


def _note(docs: Sequence[Any], path: Path, losses: Losses) -> None:
    """Notes what Docs hold beside words and entities."""
    missing = sum(any(not token.ent_iob_ for token in doc) for doc in docs)
    losses.whole("unannotated", str(path), missing, f"{missing:,} Docs have tokens without annotation; read as O")
    for attribute, what in _BESIDE.items():
        count = sum(len(doc) for doc in docs if doc.has_annotation(attribute))
        losses.whole("columns", str(path), count, f"{what} of {count:,} tokens")
    groups = sum(len(doc.spans) > 0 for doc in docs)
    losses.whole("columns", str(path), groups, f"span groups of {groups:,} Docs (doc.spans); entities are in doc.ents")
    cats = sum(bool(doc.cats) for doc in docs)
    losses.whole("columns", str(path), cats, f"categories of {cats:,} Docs (doc.cats)")


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

    Raises:
        OutputError: the file cannot be written.
        MissingExtraError: spaCy is not installed.
    """
    spacy, vocabularies = _spacy("writing")
    vocabulary = vocabularies.Vocab()
    documents = any(item.document for item, _, _ in docs)
    packed = spacy.DocBin(attrs=["ENT_IOB", "ENT_TYPE", "SENT_START"], store_user_data=documents)
    for item, offsets, entities in docs:
        tokens = _laid_out(item.text, offsets, entities)
        doc = spacy.Doc(
            vocabulary,
            words=[token.text for token in tokens],
            spaces=[token.spaced for token in tokens],
            ents=[f"{token.iob}-{token.label}" if token.label else token.iob for token in tokens],
            sent_starts=[place == 0 for place in range(len(tokens))] if starts else None,
        )
        if documents:
            doc.user_data[DOCUMENT_NAME] = item.document
        packed.add(doc)
    with atomic_write(path, "wb") as file:
        file.write(packed.to_bytes())


def _laid_out(text: str, offsets: Offsets, entities: Sequence[Span]) -> list[Token]:
    """Words and the white space between them as tokens.

    One space belongs to the token before it; more than that is a token, within an entity a part of it.
    """
    inside = {place: span for span in entities for place in range(span.start, span.end)}
    tokens: list[Token] = []
    at = 0
    running: Span | None = None
    for place, (start, end) in enumerate(offsets):
        span = inside.get(place)
        within = span is not None and span is running
        _gap(text[at:start], tokens, span.label if span is not None and within else "")
        at = end
        if start < end:
            iob = "O" if span is None else "I" if within else "B"
            tokens.append(Token(text[start:end], False, "" if span is None else span.label, iob))
            running = span
    _gap(text[at:], tokens, "")
    return tokens


def _gap(gap: str, tokens: list[Token], label: str) -> None:
    if gap.startswith(" ") and tokens and not tokens[-1].spaced:
        tokens[-1] = tokens[-1]._replace(spaced=True)
        gap = gap[1:]
    if gap:
        tokens.append(Token(gap, False, label, "I" if label else "O"))
