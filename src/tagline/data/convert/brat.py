"""brat's standoff: a folder of NAME.txt with NAME.ann beside it, entities as lines that begin with T.

The format: https://brat.nlplab.org/standoff.html
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tagline.data.alignment import CharSpan
from tagline.data.atomic import atomic_folder
from tagline.data.convert.items import Item, Items, Losses, ordered
from tagline.data.reading import decode
from tagline.errors import DataError, OutputError, UsageError

DISCONTINUOUS = ("refuse", "join", "drop")
UNITS = ("line", "file")
_CONFIG = "annotation.conf"
_OTHERS = {
    "R": "relations",
    "E": "events",
    "A": "attributes",
    "M": "attributes",
    "N": "links",
    "#": "notes",
    "*": "sets",
}
_LABEL = re.compile(r"\S+")
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class BratOptions:
    """How a brat folder is read.

    Attributes:
        discontinuous: what becomes of an entity in several pieces: `refuse` the folder, `join` it over the gaps, or
            `drop` it. Pieces that only a line end parts are one entity, for so brat writes it.
        unit: what becomes one text: a `line` (lines that an entity crosses stay together) or a `file`.
    """

    discontinuous: str = "refuse"
    unit: str = "line"

    def __post_init__(self) -> None:
        for name, value, accepted in (
            ("discontinuous", self.discontinuous, DISCONTINUOUS),
            ("brat-texts", self.unit, UNITS),
        ):
            if value not in accepted:
                raise UsageError(f"--{name} is {value!r}; accepted are {', '.join(accepted)}")


def is_brat(path: Path) -> bool:
    """Whether a folder holds brat's files."""
    return path.is_dir() and any(path.glob("*.ann"))


def read(path: Path, options: BratOptions) -> Items:
    """Reads a folder of .txt and .ann files; every pair is a document. A .txt without an .ann has no annotation.

    Raises:
        DataError: no pair, an .ann without its .txt, a broken line, a span outside the text, or (unless told
            otherwise) entities in several pieces, all of them named.
    """
    if not path.is_dir():
        raise DataError("is no folder; expected a folder of .txt and .ann files, as brat keeps them", path)
    losses = Losses()
    items: list[Item] = []
    pieces: list[str] = []
    texts = {file.stem: file for file in sorted(path.glob("*.txt"))}
    annotations = {file.stem: file for file in sorted(path.glob("*.ann"))}
    alone = sorted(annotations.keys() - texts.keys())
    if alone or not texts:
        missing = f"{alone[0]}.txt is missing beside {alone[0]}.ann" if alone else "holds no .txt files"
        raise DataError(f"{missing}; expected pairs NAME.txt and NAME.ann", path)
    for number, (name, file) in enumerate(texts.items()):
        text = decode(_bytes(file), file)
        if name not in annotations:
            losses.add("unannotated", Item("", (), None, path=str(file)), "has no .ann file; left out")
            continue
        document = Item(text, (), None, (), 0, number, str(annotations[name]), name)
        spans, broken = _entities(document, annotations[name], options, losses)
        pieces += broken
        items += _units(document, spans, str(file), options.unit)
    if pieces and options.discontinuous == "refuse":
        shown = "; ".join(pieces[:_SHOWN]) + (f"; and {len(pieces) - _SHOWN} more" if len(pieces) > _SHOWN else "")
        raise DataError(
            f"{len(pieces)} entities are in several pieces; type --discontinuous join to take them over their gaps, or "
            f"--discontinuous drop to leave them out: {shown}",
            path,
        )
    return Items(items, None, False, "brat", str(path), losses)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", file) from error


def _entities(
    document: Item, file: Path, options: BratOptions, losses: Losses
) -> tuple[tuple[CharSpan, ...], list[str]]:
    """The spans of a document, and descriptions of those in several pieces."""
    found, broken = [], []
    for number, line in enumerate(decode(_bytes(file), file).split("\n"), start=1):
        line = line.removesuffix("\r")
        if not line.strip():
            continue
        place = Item(document.text, (), None, line=number, path=str(file))
        if not line.startswith("T"):
            what = _OTHERS.get(line[0])
            if what is None:
                raise DataError(f"{line[:60]!r} is no line of brat's; expected T, {', '.join(_OTHERS)}", file, number)
            losses.add("columns", place, f"{what} are not entities: {line[:60]!r}; left out")
            continue
        label, parts = _span(line, document.text, file, number)
        start, end = parts[0][0], parts[-1][1]
        if any(document.text[one[1] : other[0]].strip() for one, other in pairwise(parts)):
            told = f"{label} {';'.join(f'{one} {other}' for one, other in parts)} is in {len(parts)} pieces"
            broken.append(f"{file}, line {number}: {told}")
            if options.discontinuous == "drop":
                losses.add("discontinuous", place, f"{told}; left out")
                continue
            losses.add("discontinuous", place, f"{told}; read as {document.text[start:end]!r}")
        found.append(CharSpan(start, end, label))
    return ordered(found), broken


def _span(line: str, text: str, file: Path, number: int) -> tuple[str, list[tuple[int, int]]]:
    """Label and pieces of a line `T1<TAB>PER 0 5;9 12<TAB>Maria …`."""
    cells = line.split("\t", 2)
    label, _, places = (cells[1] if len(cells) > 1 else "").partition(" ")
    try:
        parts = sorted((int(start), int(end)) for start, end in (part.split() for part in places.split(";")))
    except ValueError:
        parts = []
    if not label or not parts:
        raise DataError(f"{line[:60]!r}; expected an entity such as 'T1<TAB>PER 0 5<TAB>Maria'", file, number)
    if any(not 0 <= start < end <= len(text) for start, end in parts):
        raise DataError(
            f"{line[:60]!r} is not within the text; expected 0 <= start < end <= {len(text)}, in characters",
            file,
            number,
        )
    covered = "".join(text[start:end] for start, end in parts)
    if len(cells) > 2 and "".join(cells[2].split()) != "".join(covered.split()):
        raise DataError(
            f"entity {cells[0]} says {cells[2][:40]!r}, but its places hold {covered[:40]!r}; expected places counted "
            "in characters of the .txt file",
            file,
            number,
        )
    return label, parts


def _units(document: Item, spans: tuple[CharSpan, ...], path: str, unit: str) -> Iterator[Item]:
    """A document as items: whole, or line by line."""
    text = document.text
    if unit == "file":
        if text.strip():
            yield Item(text, spans, None, (), 1, document.document, path, document.name)
        return
    crossed = set()
    for span in spans:
        at = text.find("\n", span.start, span.end)
        while at >= 0:
            crossed.add(at)
            at = text.find("\n", at + 1, span.end)
    waiting = deque(spans)
    start = 0
    line = first = 1
    for end in [*(match.start() for match in re.finditer("\n", text)), len(text)]:
        line += 1
        if end in crossed:
            continue
        part = text[start:end].removesuffix("\r")
        own = []
        while waiting and waiting[0].end <= end:
            span = waiting.popleft()
            own.append(CharSpan(span.start - start, span.end - start, span.label))
        if part.strip():
            yield Item(part, tuple(own), None, (), first, document.document, path, document.name)
        start, first = end + 1, line


def note(source: Items, losses: Losses) -> None:
    """Notes what brat's files cannot hold: texts that would not be read back as they are."""
    for item in source.items:
        if not item.text.strip():
            losses.add("empty", item, "the text is blank; read back it is none")
        elif "\n" in item.text or item.text.endswith("\r"):
            losses.add("texts", item, "has line ends; read back line by line it is several texts")


def write(path: Path, source: Items, overwrite: bool = False) -> None:
    """Writes a pair of files for every document, a line an item, and the configuration that makes brat show them.

    Raises:
        OutputError: the folder cannot be written, or a label has white space in it.
    """
    strange = [label for label in source.labels if not _LABEL.fullmatch(label)]
    if strange:
        raise OutputError(f"{path} cannot be written: label {strange[0]!r} has white space, which brat does not take")
    documents: dict[int, list[Item]] = {}
    for item in source.items:
        documents.setdefault(item.document, []).append(item)
    names = _names(documents)
    with atomic_folder(path, overwrite) as folder:
        for number, items in documents.items():
            lines: list[str] = []
            at = 0
            for item in items:
                lines += _lines(item, at, len(lines))
                at += len(item.text) + 1
            _put(folder / f"{names[number]}.txt", "".join(item.text + "\n" for item in items))
            _put(folder / f"{names[number]}.ann", "".join(lines))
        _put(folder / _CONFIG, "\n".join(["[entities]", *source.labels, "[relations]", "[events]", "[attributes]", ""]))


def _put(file: Path, text: str) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        stream.write(text)


def _lines(item: Item, at: int, before: int) -> list[str]:
    lines: list[str] = []
    for span in item.spans:
        shown = item.text[span.start : span.end]
        flat = re.sub(r"[\t\r\n]+", " ", shown)
        pieces = [
            f"{at + span.start + match.start()} {at + span.start + match.end()}"
            for match in re.finditer(r"[^\r\n]+", shown)
        ] or [f"{at + span.start} {at + span.end}"]
        number = before + len(lines) + 1
        lines.append(f"T{number}\t{span.label} {';'.join(pieces)}\t{flat}\n")
    return lines


def _names(documents: dict[int, list[Item]]) -> dict[int, str]:
    """File names: those of the documents where each has its own, else numbers."""
    given = {number: items[0].name for number, items in documents.items()}
    fit = all(name and "/" not in name and not name.startswith(".") for name in given.values())
    if fit and len(set(given.values())) == len(given):
        return given
    digits = max(4, len(str(len(documents))))
    return {number: f"doc-{place:0{digits}}" for place, number in enumerate(documents, start=1)}


def names_lost(items: Sequence[Item]) -> int:
    """How many documents have a name that only brat's files keep."""
    return len({item.name for item in items if item.name})
