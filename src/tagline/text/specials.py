"""Special tokens of a tokenizer: padding, and what frames a text or a pair of texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Frame:
    """What the tokenizer puts around one text (A) or a pair (A, B), with segment ids.

    Attributes:
        parts: special tokens before A, after A (for a pair: between A and B), and for a pair after B.
        segments: segment ids of those tokens, part by part.
        inner: segment id of A, and of B.
    """

    parts: tuple[tuple[int, ...], ...]
    segments: tuple[tuple[int, ...], ...]
    inner: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many special tokens there are."""
        return sum(map(len, self.parts))


def special_id(tokenizer: Any, *names: str) -> int:
    """Id of the first of these tokens that the tokenizer knows, else 0."""
    for name in names:
        number = tokenizer.token_to_id(name)
        if number is not None:
            return int(number)
    return 0


def pad_id(tokenizer: Any) -> int:
    """Id of the padding token, by its usual names."""
    return special_id(tokenizer, "[PAD]", "<pad>", "<|padding|>", "[UNK]", "<unk>")


def frame_of(tokenizer: Any) -> Frame:
    """The frame of one text."""
    return _frame(tokenizer.encode("a"), [tokenizer.encode("a", add_special_tokens=False).ids])


def pair_frame_of(tokenizer: Any) -> Frame:
    """The frame of a pair, in the tokenizer's own form: `[CLS] A [SEP] B [SEP]`, `<s> A </s></s> B </s>`."""
    inner = [tokenizer.encode(text, add_special_tokens=False).ids for text in ("a", "b")]
    return _frame(tokenizer.encode("a", "b"), inner)


def _frame(whole: Any, inner: list[list[int]]) -> Frame:
    parts, segments, kinds, at = [], [], [], 0
    for ids in inner:
        start = next((n for n in range(at, len(whole.ids) - len(ids) + 1) if whole.ids[n : n + len(ids)] == ids), at)
        parts.append(tuple(whole.ids[at:start]))
        segments.append(tuple(whole.type_ids[at:start]))
        kinds.append(whole.type_ids[start] if start < len(whole.type_ids) else 0)
        at = start + len(ids)
    parts.append(tuple(whole.ids[at:]))
    segments.append(tuple(whole.type_ids[at:]))
    return Frame(tuple(parts), tuple(segments), tuple(kinds))
