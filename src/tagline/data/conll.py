"""CoNLL files: one word a line, columns separated by spaces or by a tab, blank lines between sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tagline.data.reading import DOCSTART, Raw, ReadOptions, column_number
from tagline.errors import DataError, UsageError

# Only these make a line blank or part its columns: a word may be any other white space (NBSP, U+0085, U+2028).
_BLANKS = " \t\r"


class Kind(Enum):
    """What a line of a CoNLL file is."""

    WORD = "word"
    BLANK = "blank"
    DOCSTART = "document start"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Layout:
    """Separator and number of columns, decided once per file by its line `line`."""

    separator: str
    columns: int
    line: int

    def split(self, line: str) -> list[str]:
        """The cells of a line. Runs of spaces count as one separator, tabs each as one."""
        return line.split("\t") if self.separator == "\t" else [cell for cell in line.split(" ") if cell]

    @property
    def described(self) -> str:
        """For messages: what a line is expected to hold."""
        count = "1 column" if self.columns == 1 else f"{self.columns} columns"
        by = "a tab" if self.separator == "\t" else "spaces"
        return f"{count} separated by {by}, as in line {self.line}"


def read_conll(text: str, path: Path, options: ReadOptions, annotated: bool = True) -> Raw:
    """Reads a CoNLL file.

    Args:
        text: the file's text.
        path: its name, for messages.
        options: the columns of words and tags.
        annotated: whether tags are read; without them one column is enough.

    Raises:
        DataError: too few columns, mixed separators, an empty tag.
        UsageError: a column that the file does not have.
    """
    lines = split_lines(text)
    layout = layout_of(lines, path)
    word_at, tag_at = _columns(layout, lines, path, options, annotated)
    raw = Raw(columns=layout.columns)
    words: list[str] = []
    tags: list[str] = []
    for number, (kind, cells) in enumerate(scan(lines, layout, path), start=1):
        if kind is Kind.WORD:
            words.append(cells[word_at])
            if annotated:
                tag = cells[tag_at].strip(" ")
                if not tag:
                    raise DataError(f"the tag of word {cells[word_at]!r} is empty; expected a tag or O", path, number)
                tags.append(tag)
            continue
        if words:
            raw.add(words, tags, range(number - len(words), number))
            words, tags = [], []
        if kind is Kind.DOCSTART:
            raw.new_document()
    if words:
        raw.add(words, tags, range(len(lines) + 1 - len(words), len(lines) + 1))
    return raw


def split_lines(text: str) -> list[str]:
    """Lines without their ends; only LF and CR LF end a line."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines] if "\r" in text else lines


def layout_of(lines: Sequence[str], path: Path) -> Layout:
    """Separator and columns, by the first line with a word that cannot be a comment.

    Where every such line begins with #, the last one decides: comments stand before the words.

    Raises:
        DataError: the file has no words.
    """
    found: tuple[int, str] | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip(_BLANKS) or is_docstart(line):
            continue
        found = number, line
        if not line.startswith("#"):
            break
    if found is None:
        raise DataError("holds no words; expected one word a line and blank lines between sentences", path)
    number, line = found
    separator = "\t" if "\t" in line else " "
    return Layout(separator, len(Layout(separator, 0, number).split(line)), number)


def scan(lines: Sequence[str], layout: Layout, path: Path) -> Iterator[tuple[Kind, list[str]]]:
    """Kind and cells of every line, in order.

    Raises:
        DataError: a line of words that does not fit the layout.
    """
    tabs, columns = layout.separator == "\t", layout.columns
    running = False
    for number, line in enumerate(lines, start=1):
        if not line.strip(_BLANKS):
            running = False
            yield Kind.BLANK, []
            continue
        cells = line.split(layout.separator)
        if not tabs and "" in cells:
            cells = layout.split(line)
        if line.startswith(DOCSTART) and is_docstart(line):
            running = False
            yield Kind.DOCSTART, cells
        elif len(cells) == columns and (tabs or "\t" not in line) and (running or not _is_key_and_value(cells)):
            running = True
            yield Kind.WORD, cells
        elif line.startswith("#") and not running:
            yield Kind.COMMENT, cells
        else:
            raise _misfit(line, len(cells), layout, path, number)


def is_docstart(line: str) -> bool:
    """Whether a line marks the beginning of a document."""
    return line.startswith(DOCSTART) and line[len(DOCSTART) : len(DOCSTART) + 1] in ("", " ", "\t")


def _is_key_and_value(cells: Sequence[str]) -> bool:
    """Whether cells parted by spaces are a comment as in CoNLL-U, `# id = 1`, however many columns the words have."""
    return len(cells) > 3 and cells[0] == "#" and cells[2] == "="


def _columns(
    layout: Layout, lines: Sequence[str], path: Path, options: ReadOptions, annotated: bool
) -> tuple[int, int]:
    if annotated and layout.columns < 2:
        raise DataError(
            f"{lines[layout.line - 1]!r} has one column; expected at least two, a word and its tag, "
            "separated by spaces or a tab",
            path,
            layout.line,
        )
    word_at = column_number(options.word_column, 0, layout.columns, path)
    if not annotated:
        return word_at, -1
    tag_at = column_number(options.tag_column, -1, layout.columns, path)
    if word_at == tag_at:
        raise UsageError(f"column {word_at} of {path} cannot hold both the words and the tags; give two columns")
    return word_at, tag_at


def _misfit(line: str, count: int, layout: Layout, path: Path, number: int) -> DataError:
    shown = repr(line if len(line) <= 80 else line[:77] + "...")
    tabs = layout.separator == "\t"
    if (tabs and "\t" not in line and " " in line.strip(" ")) or (not tabs and "\t" in line):
        return DataError(
            f"mixed separators: {shown} has {'spaces' if tabs else 'a tab'}; expected {layout.described}", path, number
        )
    amount = "few" if count < layout.columns else "many"
    return DataError(f"too {amount} columns: {shown} has {count}; expected {layout.described}", path, number)
