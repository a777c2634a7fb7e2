"""The part of MessagePack that spaCy's files use: read whole, written in its smallest form.

The format: https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

_FIXED: dict[int, Any] = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
_SIZED = {
    0xC4: ("bin", ">B"), 0xC5: ("bin", ">H"), 0xC6: ("bin", ">I"), 0xD9: ("str", ">B"), 0xDA: ("str", ">H"),
    0xDB: ("str", ">I"), 0xDC: ("list", ">H"), 0xDD: ("list", ">I"), 0xDE: ("map", ">H"), 0xDF: ("map", ">I"),
    0xC7: ("ext", ">B"), 0xC8: ("ext", ">H"), 0xC9: ("ext", ">I"),
}  # fmt: skip
_EXTENSIONS = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}


def unpack(data: bytes) -> Any:
    """The value that the bytes hold. Maps may have any hashable keys; extensions come as their bytes.

    Raises:
        ValueError: the bytes are no MessagePack, or there are too few or too many of them.
    """
    try:
        value, end = _value(data, 0)
    except (struct.error, IndexError, UnicodeDecodeError, TypeError, RecursionError) as error:
        raise ValueError(f"broken off or damaged ({error})") from None
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes too many")
    return value


def _value(data: bytes, at: int) -> tuple[Any, int]:
    head = data[at]
    at += 1
    if head <= 0x7F:
        return head, at
    if head >= 0xE0:
        return head - 256, at
    if head in _FIXED:
        return _FIXED[head], at
    if head in _NUMBERS:
        kind = _NUMBERS[head]
        return struct.unpack_from(kind, data, at)[0], at + struct.calcsize(kind)
    if head <= 0x8F:
        return _filled("map", head & 0x0F, data, at)
    if head <= 0x9F:
        return _filled("list", head & 0x0F, data, at)
    if head <= 0xBF:
        return _filled("str", head & 0x1F, data, at)
    if head in _EXTENSIONS:
        return _filled("ext", _EXTENSIONS[head], data, at)
    if head not in _SIZED:
        raise ValueError(f"byte 0x{head:02X} means nothing")
    name, kind = _SIZED[head]
    return _filled(name, struct.unpack_from(kind, data, at)[0], data, at + struct.calcsize(kind))


def _filled(name: str, size: int, data: bytes, at: int) -> tuple[Any, int]:
    if name in ("list", "map"):
        values = []
        for _ in range(size * (2 if name == "map" else 1)):
            value, at = _value(data, at)
            values.append(value)
        if name == "list":
            return values, at
        # a list cannot be a key; spaCy writes tuples as lists
        keys = [tuple(key) if isinstance(key, list) else key for key in values[::2]]
        return dict(zip(keys, values[1::2], strict=True)), at
    at += name == "ext"  # its type
    end = at + size
    if end > len(data):
        raise ValueError("broken off")
    part = data[at:end]
    return (part.decode("utf-8") if name == "str" else part), end


def pack(value: Any) -> bytes:
    """A value as bytes: None, truth values, whole numbers up to 64 bits, floats, str, bytes, lists, maps.

    Raises:
        TypeError: another kind of value.
    """
    parts: list[bytes] = []
    _pack(value, parts)
    return b"".join(parts)


def _pack(value: Any, parts: list[bytes]) -> None:
    if value is None or isinstance(value, bool):
        parts.append({None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value])
    elif isinstance(value, int):
        parts.append(_whole(value))
    elif isinstance(value, float):
        parts.append(struct.pack(">Bd", 0xCB, value))
    elif isinstance(value, str):
        encoded = value.encode("utf-8")
        parts += [_head(len(encoded), 0xA0, 32, (0xD9, 0xDA, 0xDB)), encoded]
    elif isinstance(value, bytes):
        parts += [_head(len(value), 0, 0, (0xC4, 0xC5, 0xC6)), value]
    elif isinstance(value, Mapping):
        parts.append(_head(len(value), 0x80, 16, (None, 0xDE, 0xDF)))
        for pair in value.items():
            _pack(pair[0], parts)
            _pack(pair[1], parts)
    elif isinstance(value, list | tuple):
        parts.append(_head(len(value), 0x90, 16, (None, 0xDC, 0xDD)))
        for each in value:
            _pack(each, parts)
    else:
        raise TypeError(f"{type(value).__name__} cannot be packed")


def _whole(value: int) -> bytes:
    if 0 <= value < 128:
        return struct.pack(">B", value)
    if -32 <= value < 0:
        return struct.pack(">b", value)
    for head, kind in _NUMBERS.items():
        if head < 0xCC:
            continue
        try:
            return struct.pack(f">B{kind[1]}", head, value)
        except struct.error:
            continue
    raise TypeError(f"{value} has more than 64 bits")


def _head(size: int, short: int, below: int, heads: tuple[int | None, int, int]) -> bytes:
    """Kind and size of what follows: in one byte below a bound, else a byte and 1, 2 or 4 more."""
    if size < below:
        return struct.pack(">B", short | size)
    if heads[0] is not None and size < 1 << 8:
        return struct.pack(">BB", heads[0], size)
    return struct.pack(">BH", heads[1], size) if size < 1 << 16 else struct.pack(">BI", heads[2], size)
