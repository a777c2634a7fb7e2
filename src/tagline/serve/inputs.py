"""What a request asks for, checked: its texts as a list, and how answers to them are put together."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tagline.serve.schemas import BadRequest, Pair, TextRequest, TokenRequest
from tagline.serve.settings import Limits

Query = TokenRequest | TextRequest


def unfolded(query: Query, changes: dict[str, Any], hub: bool) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The inputs as a list, and how answers to them are put together: as the pipeline does, or the hub."""
    inputs: Any = query.inputs
    if isinstance(query, TokenRequest):
        split = bool(changes.get("is_split_into_words"))
        if split and isinstance(inputs, str):
            raise BadRequest("inputs is a text; with is_split_into_words a list of words is expected, or several")
        if not split and isinstance(inputs, list) and any(not isinstance(each, str) for each in inputs):
            raise BadRequest("inputs holds lists; for lists of words give is_split_into_words: true")
        if split and inputs and all(isinstance(each, str) for each in inputs):
            return [inputs], list
        return (inputs, list) if isinstance(inputs, list) else ([inputs], lambda answers: answers[0])
    if isinstance(inputs, list):
        return [_plain(each) for each in inputs], list
    bare = isinstance(inputs, Pair) or "top_k" in changes
    if hub or not bare:
        return [_plain(inputs)], list
    return [_plain(inputs)], lambda answers: answers[0]


def _plain(item: str | Pair) -> str | dict[str, str]:
    return item if isinstance(item, str) else item.model_dump(exclude_none=True)


def check(inputs: list[Any], changes: dict[str, Any], limits: Limits) -> int:
    """How many characters there are.

    Raises:
        BadRequest: there is more than is allowed.
    """
    if len(inputs) > limits.texts:
        raise BadRequest(f"got {len(inputs):,} texts; at most {limits.texts:,} are read at once. Send them in parts")
    delimiter, total = len(changes.get("delimiter", " ")), 0
    for number, each in enumerate(inputs):
        if isinstance(each, str):
            length = len(each)
        elif isinstance(each, dict):
            length = sum(map(len, each.values()))
        else:
            length = sum(map(len, each)) + len(each) * max(1, delimiter)
        if length > limits.characters:
            place = f"text {number}" if len(inputs) > 1 else "the text"
            raise BadRequest(f"{place} has {length:,} characters; at most {limits.characters:,} are read. Cut it")
        total += length
    return total


def dumped(answers: Any) -> bytes:
    """The body of an answer."""
    return json.dumps(answers, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
