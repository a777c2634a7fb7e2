"""One function from any format to any other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tagline.data.arrow import is_saved
from tagline.data.convert import brat, docbin, labelstudio, rows
from tagline.data.convert.conll_tags import write_tags
from tagline.data.convert.flatten import Words, entities, nonempty, note_broken, sentences, worded
from tagline.data.convert.items import Item, Items, Losses
from tagline.data.convert.row_files import FORMATS as ROW_FORMATS
from tagline.data.convert.row_files import write_rows
from tagline.data.corpus import FORMATS as CORPUS_FORMATS
from tagline.data.reading import ReadOptions, SplitWords, decode, read_bytes
from tagline.data.schemes import Scheme
from tagline.data.write_corpus import write_conll
from tagline.errors import DataError, OutputError, UsageError
from tagline.records import Sentence

READABLE = (*CORPUS_FORMATS, "spacy", "brat", "labelstudio", "txt")
WRITABLE = ("conll", *ROW_FORMATS, "spacy", "brat", "labelstudio")
FORMS = ("tokens", "spans")
_SUFFIXES = {
    ".conll": "conll", ".bio": "conll", ".iob": "conll", ".iob2": "conll", ".txt": "conll", ".jsonl": "jsonl",
    ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv", ".parquet": "parquet", ".pq": "parquet", ".spacy": "spacy",
    ".json": "labelstudio",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConvertOptions:
    """What is asked of a conversion.

    Attributes:
        source: how the source is read; its `format` is one of `READABLE`.
        target: format to write, one of `WRITABLE`; None tells it by the name.
        scheme: tag scheme to write; None keeps the source's (IOB2 where it has spans).
        form: `tokens` or `spans`, for JSONL, CSV, TSV, Parquet and `datasets`; None keeps the source's.
        brat: how a brat folder is read.
        split_words: words of a text that has none.
        overwrite: replace what is there.
        may_lose: False writes nothing where anything would be lost.
    """

    source: ReadOptions = field(default_factory=ReadOptions)
    target: str | None = None
    scheme: Scheme | None = None
    form: str | None = None
    brat: brat.BratOptions = field(default_factory=brat.BratOptions)
    split_words: SplitWords | None = None
    overwrite: bool = False
    may_lose: bool = True


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion did.

    Attributes:
        source: the source's format.
        target: the target's format.
        texts: texts read.
        entities: entities read.
        losses: what the target does not hold.
        written: whether the target was written.
        labels: entity labels.
    """

    source: str
    target: str
    texts: int
    entities: int
    losses: Losses
    written: bool
    labels: tuple[str, ...] = ()


def convert(source: str | Path, target: str | Path, options: ConvertOptions | None = None) -> Converted:
    """Reads annotated texts in one format and writes them in another.

    Raises:
        DataError: the source cannot be read.
        OutputError: the target is there already, cannot be written, or cannot hold a word or label.
        UsageError: an unknown format, or one that the names do not tell.
        SchemeError: scheme IO, and entities of one label that touch.
        MissingExtraError: Parquet or a `datasets` folder without pyarrow.
    """
    options = options or ConvertOptions()
    source, target = Path(source), Path(target)
    form = target_format(target, options)
    refuse_occupied(target, options.overwrite)
    if target.exists() and target.resolve() == source.resolve():
        raise UsageError(f"{source} is the source and the target; give two names")
    items = read_items(source, options)
    write = _writer(items, source, target, form, options)
    losses = items.losses
    written = options.may_lose or not losses.found
    if written:
        write()
    count = sum(len(item.spans) for item in items.items)
    return Converted(items.format, form, len(items.items), count, losses, written, tuple(items.labels))


def target_format(target: Path, options: ConvertOptions) -> str:
    """The format to write.

    Raises:
        UsageError: it is unknown, the name does not tell it, or options do not fit it.
    """
    form = options.target or _SUFFIXES.get(target.suffix.lower())
    if form is None:
        raise UsageError(f"the name {target.name!r} tells no format; type --to with one of {', '.join(WRITABLE)}")
    if form not in WRITABLE:
        raise UsageError(f"--to is {form!r}; accepted are {', '.join(WRITABLE)}")
    if options.form is not None:
        if options.form not in FORMS:
            raise UsageError(f"--as is {options.form!r}; accepted are {', '.join(FORMS)}")
        if form not in ROW_FORMATS:
            raise UsageError(f"--as is for {', '.join(ROW_FORMATS)}; {form} has one form only, leave it away")
    if options.scheme is not None and (form not in ("conll", *ROW_FORMATS) or options.form == "spans"):
        raise UsageError("--to-scheme is for tags, and this target holds spans; leave it away")
    return form


def refuse_occupied(target: Path, overwrite: bool) -> None:
    """Raises `OutputError` where something stands in the target's place that may not be replaced."""
    if target.exists() and not overwrite and not (target.is_dir() and not any(target.iterdir())):
        raise OutputError(f"{target} is there already; type --overwrite to replace it, or give another name")


def read_items(source: Path, options: ConvertOptions, annotated: bool = True) -> Items:
    """Reads any format.

    Args:
        source: a file or folder.
        options: how it is read.
        annotated: whether annotation is read; without it `txt`, one text a line, is accepted, too.

    Raises:
        As `convert`.
    """
    reading = options.source
    form = reading.format
    if form is not None and form not in READABLE:
        raise UsageError(f"--from is {form!r}; accepted are {', '.join(READABLE)}")
    if form is None:
        form = _told(source)
    if form == "brat":
        return brat.read(source, options.brat)
    if form == "spacy":
        return docbin.read(source)
    if form == "labelstudio":
        return labelstudio.read(source, reading.word_column, annotated)
    if form == "txt":
        if annotated:
            raise UsageError(f"{source} is plain text without annotation; plain texts are for --predictions-of MODEL")
        return _lines(source)
    return rows.read(source, reading, annotated)


def _told(source: Path) -> str | None:
    """A format that the readers of corpora do not know, by the source's name and content."""
    if source.is_dir() and not is_saved(source):
        return "brat" if brat.is_brat(source) else None
    if source.suffix.lower() == ".spacy":
        return "spacy"
    return "labelstudio" if labelstudio.is_labelstudio(source) else None


def _lines(source: Path) -> Items:
    lines = decode(read_bytes(source), source).split("\n")
    items = [
        Item(line.removesuffix("\r"), (), None, line=number, path=str(source))
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not items:
        raise DataError("holds no text; expected one text a line", source)
    return Items(items, None, False, "txt", str(source), Losses())


def _writer(items: Items, source: Path, target: Path, form: str, options: ConvertOptions) -> Callable[[], None]:
    """What writes the target; everything that it cannot hold is noted before."""
    losses = items.losses
    if form != "brat":
        names = brat.names_lost(items.items)
        losses.whole("names", items.path, names, f"names of {names:,} documents; only brat's files have them")
    words = Words(options.split_words, options.scheme)
    if form == items.format == "conll":
        losses.found[:] = [each for each in losses.found if each.kind not in ("columns", "comments")]
        retagged = [each.tags for each in sentences(items, words, losses, spacing=False)]
        return lambda: write_tags(source, target, iter(retagged), options.source)
    if form == "conll" or (form in ROW_FORMATS and _as_tokens(items, options)):
        made = list(sentences(items, words, losses))
        if not made:
            raise DataError("holds no words; expected at least one", items.path)
        if form == "conll":
            tagged = ((each, [each.tags]) for each in made)
            return lambda: write_conll(target, tagged, _separator(made))
        table = rows.as_words(made)
        return lambda: write_rows(target, table, form, options.overwrite)
    for item in items.items:
        note_broken(item, items, losses)
    items = nonempty(items, losses)
    if form == "spacy":
        docbin.note(items, losses)
        docs = [(item, offsets, entities(item, offsets, losses)) for item, offsets in worded(items, words, losses)]
        return lambda: docbin.write(target, docs, starts=items.of_words)
    return _span_writer(items, target, form, options)


def _span_writer(items: Items, target: Path, form: str, options: ConvertOptions) -> Callable[[], None]:
    if items.of_words:
        count = len(items.items)
        told = f"borders of words in {count:,} texts; read back as they are with --words space"
        items.losses.whole("words", items.path, count, told)
    if form == "brat":
        brat.note(items, items.losses)
        return lambda: brat.write(target, items, options.overwrite)
    if form == "labelstudio":
        return lambda: labelstudio.write(target, items)
    spans = rows.as_spans(items)
    return lambda: write_rows(target, spans, form, options.overwrite)


def _as_tokens(items: Items, options: ConvertOptions) -> bool:
    """Whether rows hold words: as asked, else as the source does, or where a scheme is asked for."""
    if options.form is not None:
        return options.form == "tokens"
    return options.scheme is not None or items.of_words


def _separator(made: list[Sentence]) -> str:
    cells = (cell for each in made for cell in (*each.words, *each.tags))
    return "\t" if any(not cell or " " in cell for cell in cells) else " "
