"""Words to sub-tokens, word by word, with a cache.

A fast tokenizer treats every word of a pre-split text alone, so a word's sub-tokens can be remembered: running text
repeats itself so much that nine words in ten are found in the cache.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer

from tagline.errors import FolderError
from tagline.text.shapes import shape_ids
from tagline.text.specials import frame_of, pad_id, special_id

_CACHE_WORDS = 200_000
_LONGEST = 1_000  # characters of one word that are shown to the tokenizer


class Pieces(NamedTuple):
    """Sub-tokens of one word: at least one id, their segment ids, and whether the word was shortened."""

    ids: tuple[int, ...]
    types: tuple[int, ...]
    shortened: bool


_NONE = Pieces((), (), False)


class SubTokenizer:
    """Turns words into sub-token ids.

    Args:
        tokenizer: a loaded `tokenizers.Tokenizer`; it is changed to put a space before each word where its kind wants
            one (byte-level BPE), and to neither pad nor truncate.
        shapes: whether segment ids carry the words' shapes; otherwise they are 0.
        longest: most sub-tokens that one word may take; the rest of a longer word is left out, and said.
        characters: of a tokenizer that gives each word one id: so many ids of characters follow it, of a longer word
            those of its beginning and its end. Their tokens are `character_token` of each character.
    """

    def __init__(self, tokenizer: Tokenizer, shapes: bool = False, longest: int = 48, characters: int = 0) -> None:
        self.tokenizer = spaced(tokenizer)
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.shapes, self.longest, self.characters = shapes, longest, characters
        self._cache: dict[str, Pieces] = {}
        self.prefix, self.suffix = frame_of(self.tokenizer).parts
        self.unknown = special_id(self.tokenizer, "[UNK]", "<unk>", "[MASK]", "<mask>", "[PAD]", "<pad>")
        self.pad = pad_id(self.tokenizer)

    @classmethod
    def from_file(cls, path: Path, shapes: bool = False, characters: int = 0) -> SubTokenizer:
        """Loads a `tokenizer.json`.

        Raises:
            FolderError: the file is missing or is none.
        """
        try:
            return cls(Tokenizer.from_str(path.read_text(encoding="utf-8")), shapes, characters=characters)
        except Exception as error:  # tokenizers raises plain Exception
            raise FolderError(
                f"{path}: not a tokenizer that can be loaded ({error}); expected the tokenizer.json of a Hugging Face "
                "fast tokenizer. Take the model folder whole from where it was made"
            ) from error

    @property
    def specials(self) -> int:
        """How many special tokens frame a window."""
        return len(self.prefix) + len(self.suffix)

    @property
    def lowercases(self) -> bool:
        """Whether case is lost, so that shapes have something to tell."""
        normalizer = self.tokenizer.normalizer
        return normalizer is not None and bool(normalizer.normalize_str("A").strip(" \u2581") == "a")

    def __call__(self, words: Sequence[str]) -> list[Pieces]:
        """Sub-tokens of each word, none of them without: a word that the tokenizer turns into nothing is unknown."""
        cache = self._cache
        found = list(map(cache.get, words))
        if None in found:
            if len(cache) > _CACHE_WORDS:
                cache.clear()
            fresh = self._encode(word for word, pieces in zip(words, found, strict=True) if pieces is None)
            cache.update(fresh)
            return [pieces or fresh[word] for word, pieces in zip(words, found, strict=True)]
        return found  # type: ignore[return-value]

    def _spelled(self, word: str) -> Iterable[int]:
        """Ids of a word's characters, padded at the end."""
        if len(word) > self.characters:
            word = word[: self.characters // 2] + word[len(word) - (self.characters + 1) // 2 :]
        for character in word:
            found = self.tokenizer.token_to_id(character_token(_encodable(character)))
            yield self.unknown if found is None else found
        yield from [self.pad] * (self.characters - len(word))

    def _encode(self, words: Iterable[str]) -> dict[str, Pieces]:
        fresh: dict[str, Pieces] = dict.fromkeys(words, _NONE)
        encodings = self.tokenizer.encode_batch_fast(
            [[_encodable(word[:_LONGEST])] for word in fresh], is_pretokenized=True, add_special_tokens=False
        )
        for word, encoding in zip(fresh, encodings, strict=True):
            ids = tuple(encoding.ids[: self.longest]) or (self.unknown,)
            shortened = len(encoding.ids) > self.longest or len(word) > _LONGEST
            if self.characters:
                ids = (ids[0], *self._spelled(word))
            first, rest = shape_ids(word) if self.shapes else (0, 0)
            fresh[word] = Pieces(ids, (first, *[rest] * (len(ids) - 1)), shortened)
        return fresh


def character_token(character: str) -> str:
    """The token of a character in a vocabulary of words: none of these has a space in it."""
    return f" {character}"


def _encodable(word: str) -> str:
    """The word with a question mark for each half of a surrogate pair, which UTF-8 does not know and JSON lets in."""
    return word if word.isascii() else word.encode("utf-8", "replace").decode("utf-8")


def spaced(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer with a space put before every word, as byte-level BPE models saw their words in running text."""
    state: dict[str, Any] = json.loads(tokenizer.to_str())
    changed = False
    for part in _walk(state.get("pre_tokenizer")):
        if part.get("type") == "ByteLevel" and part.get("add_prefix_space") is False and part.get("use_regex", True):
            part["add_prefix_space"] = changed = True
    return Tokenizer.from_str(json.dumps(state)) if changed else tokenizer


def _walk(part: dict[str, Any] | None) -> Iterable[dict[str, Any]]:
    if part:
        yield part
        for each in part.get("pretokenizers", ()):
            yield from _walk(each)
