"""`tagline predict`: entities in texts or labels of texts, from a string, a stream or a file of any size."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tagline.cli import options as shared
from tagline.cli.reader import Reader, ReaderOptions, open_reader
from tagline.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from tagline.cli.predict_spark import SparkRun
    from tagline.data.streams.row import Row, RowOptions
    from tagline.data.streams.rows import RowReader
    from tagline.data.streams.sinks import Sink
    from tagline.engines.base import EngineSettings


@dataclass(frozen=True)
class Given:
    """Texts on the command line."""

    text: Annotated[list[str] | None, typer.Option("--text", help="A text to read; may be given again.")] = None
    text_pair: Annotated[
        list[str] | None, typer.Option("--text-pair", help="Of pairs: the second text, one for each --text.")
    ] = None


@dataclass(frozen=True)
class Place:
    """Options of what the answers find in their place, as they were typed."""

    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", help="File to write: .jsonl, .csv, .tsv, .parquet or .conll.", show_default=False
        ),
    ] = None
    resume: Annotated[bool, typer.Option("--resume", help="Carry on a broken run.")] = False
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False
    json_out: Annotated[bool, typer.Option("--json", help="Print JSON lines, also on a terminal.")] = False


@dataclass(frozen=True)
class Reading:
    """Options of `RowOptions`, as they were typed."""

    form: shared.Format = None
    text_column: Annotated[
        str | None, typer.Option(help="Column of the text: a name, or a number from 0.", show_default=False)
    ] = None
    pair_column: shared.PairColumn = None
    word_column: Annotated[int, typer.Option(help="Column of the words in a CoNLL file, from 0.")] = 0
    header: Annotated[
        bool, typer.Option("--header/--no-header", help="Whether the first row of a table names its columns.")
    ] = True
    quotes: shared.Quotes = None

    def options(self) -> RowOptions:
        """How the input is read."""
        from tagline.data.streams.row import RowOptions

        text, pair = shared.column(self.text_column), shared.column(self.pair_column)
        return RowOptions(self.form, text, self.word_column, shared.quotes(self.quotes), pair, self.header)


@dataclass(frozen=True)
class Answers:
    """What is asked of the answers, as it was typed."""

    top_k: Annotated[int, typer.Option(help="Of texts: how many labels to give with their scores.")] = 1
    all_scores: Annotated[bool, typer.Option("--all-scores", help="Of texts: give every label's score.")] = False
    argmax: shared.Argmax = False

    def check(self) -> None:
        """Raises UsageError for a number of labels that gives none."""
        if self.top_k < 1:
            raise UsageError(f"--top-k is {self.top_k}; expected at least 1")

    def options(self) -> ReaderOptions:
        """What a reader is asked for."""
        return ReaderOptions(self.argmax, None if self.all_scores else self.top_k)


_GIVEN, _PLACE, _READING, _ANSWERS = Given(), Place(), Reading(), Answers()


def predict(
    model: shared.Model,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[INPUT]",
            help="File of texts: .txt (one a line), .jsonl, .csv, .tsv, .parquet, .conll; - is standard input.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Argument(metavar="[OUTPUT]", help="The same as -o; with --spark a folder.", show_default=False),
    ] = None,
    given: Given = _GIVEN,
    place: Place = _PLACE,
    reading: Reading = _READING,
    answers: Answers = _ANSWERS,
    spark: Annotated[
        str | None,
        typer.Option(
            metavar="MASTER",
            help="Read INPUT with Spark (local[2], spark://HOST:7077, yarn, …): a folder of Parquet, JSON or CSV.",
            show_default=False,
        ),
    ] = None,
    running: shared.Running = shared.BY_ITSELF,
) -> None:
    """Read texts: mark the entities in them, or label them, as the model was trained."""
    _check_inputs(source, given, place)
    answers.check()
    place = replace(place, output=_one_output(place.output, target))
    settings = running.settings()
    if spark is not None:
        _check_spark(source, place.resume or answers.argmax or settings.device == "cuda")
        assert source is not None
        from tagline.cli.predict_spark import predict_folder

        predict_folder(model, source, place.output, _spark_run(spark, reading, place, answers, settings))
        return
    options = reading.options()
    if source is not None:
        _check(source, options)
    reader = open_reader(model, settings, answers.options())
    if given.text:
        _print_texts(reader, given.text, given.text_pair, place.json_out)
        return
    assert source is not None
    options = replace(options, pair_column=reader.pair_column(options.pair_column, source, options))
    fixed = {
        "model": reader.folder.manifest.files, "engine": reader.engine.name, "precision": reader.engine.precision,
        "batch_tokens": reader.engine.batch_tokens, **vars(answers), **vars(reading),
    }  # fmt: skip
    _predict_file(reader, source, options, place, fixed)


def _check_inputs(source: str | None, given: Given, place: Place) -> None:
    if (source is None) == (not given.text):
        got = "both" if given.text else "neither"
        raise UsageError(f'got {got} of INPUT and --text; type a file name, - for standard input, or --text "…"')
    for each in (*(given.text or ()), *(given.text_pair or ())):
        _check_text(each)
    if given.text and (place.output or place.resume):
        raise UsageError("--text prints its answer; for -o and --resume give the texts as a file")
    texts, pairs = given.text or (), given.text_pair
    if pairs and len(pairs) != len(texts):
        raise UsageError(f"got {len(texts)} --text and {len(pairs)} --text-pair; give one for each")


def _spark_run(master: str, reading: Reading, place: Place, answers: Answers, settings: EngineSettings) -> SparkRun:
    from tagline.cli.predict_spark import SparkRun

    options = reading.options()
    names = ("engine", "precision", "batch_tokens", "threads")
    return SparkRun(
        master, options.format, options.text_column, options.pair_column, options.header, options.quotes,
        place.overwrite, answers.options().top_k, {name: getattr(settings, name) for name in names},
    )  # fmt: skip


def _one_output(option: str | None, argument: str | None) -> str | None:
    if option is not None and argument is not None:
        raise UsageError(f"got two outputs, {argument} and -o {option}; give one")
    return option or argument


def _check_spark(source: str | None, more: bool) -> None:
    if source is None or more:
        raise UsageError("--spark reads INPUT on processors, whole; leave away --text, --resume, --argmax, --device")


def _check_text(text: str) -> None:
    """Python hides bytes that are not UTF-8 in characters that nothing can write."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        place = len(text[: error.start].encode("utf-8"))
        raise UsageError(f"--text is not UTF-8 at byte {place}; expected text in UTF-8") from None


def _check(source: str, reading: RowOptions) -> None:
    """Finds a bad input before the model is loaded; what can be read only once is left alone."""
    if source == "-" or (Path(source).exists() and not Path(source).is_file()):
        return
    from tagline.data.streams.rows import read_rows

    read_rows(source, reading).close()


def _print_texts(reader: Reader, texts: list[str], pairs: list[str] | None, json_out: bool) -> None:
    from tagline.data.streams.row import Row

    rows = [
        Row(number, text, pair=None if pairs is None else pairs[number], line=number + 1)
        for number, text in enumerate(texts)
    ]
    if json_out:
        for _, answer in reader.rows(rows):
            sys.stdout.write(json.dumps(answer.to_dict(), ensure_ascii=False) + "\n")
        return
    _print_rows(reader, rows)


def _predict_file(reader: Reader, source: str, reading: RowOptions, place: Place, fixed: dict[str, Any]) -> None:
    from tagline.data.streams.rows import read_rows
    from tagline.data.streams.sinks import SinkOptions, open_sink
    from tagline.predict.rows import BORDER

    with read_rows(source, reading) as rows:
        if reading.header and reading.text_column is None and rows.text_field not in ("text", "tokens"):
            shared.say(f"no column 'text' in {source}; read is {rows.text_field!r}, name another with --text-column")
        if place.output is None and sys.stdout.isatty() and not place.json_out:
            _print_rows(reader, rows)
            return
        options = SinkOptions(
            source=None if source == "-" else source,
            settings=fixed,
            overwrite=place.overwrite,
            columns=rows.columns,
            schema=rows.schema,
            answers=reader.answers,
        )
        sink = open_sink(place.output, options, place.resume)
        if place.resume:
            done = f"resuming after {sink.rows_done:,} rows" if sink.resumed else "nothing to resume; from the start"
            shared.say(done)
        if not sink.rows_done:
            _write_rows(reader, rows, sink, place.output)
            return
    with read_rows(source, reading, skip=sink.rows_done - sink.rows_done % BORDER) as rows:
        _write_rows(reader, rows, sink, place.output)


def _write_rows(reader: Reader, rows: RowReader, sink: Sink, output: str | None) -> None:
    try:
        with sink:
            _work(reader, rows, sink, streamed=output in (None, "-"))
    except KeyboardInterrupt:
        if output in (None, "-"):
            raise
        if not sink.rows_done:
            raise Interrupted("stopped before the first row was written") from None
        kept = f"stopped after {sink.rows_done:,} rows"
        if rows.total_bytes is None:
            raise Interrupted(f"{kept}; they stand in {output}.partial, for a stream cannot be resumed") from None
        raise Interrupted(f"{kept}, which are kept. To go on type: {shared.resuming()}") from None
    for note in sink.notes():
        shared.say(note)


def _work(reader: Reader, rows: RowReader, sink: Sink, streamed: bool) -> None:
    from tagline.cli.progress import counting

    empty = shortened = windows = alone = 0
    done = sink.rows_done
    total = None if rows.total_bytes is None else rows.total_bytes / 1e6
    before = rows.consumed_bytes
    quiet = streamed and sys.stdout.isatty()  # a bar would be drawn over the results
    with nullcontext(_ignore) if quiet else counting("reading", total, "MB", before / 1e6) as advance:
        for row, answer in reader.rows(rows):
            if row.number < done:  # read again so that the rows after it are batched as they were
                continue
            sink.write(row, answer)
            shortened += answer.shortened
            windows += answer.windows
            empty += not (answer.text.strip() or (row.pair or "").strip())
            alone += row.words is not None and row.document is None
            if rows.consumed_bytes != before:
                advance((rows.consumed_bytes - before) / 1e6)
                before = rows.consumed_bytes
    shared.say(f"{sink.rows_done:,} rows, {windows:,} windows")
    if shortened:
        shared.warn(reader.shortened(shortened))
    if alone and reader.folder.manifest.context:
        shared.warn(
            f"{alone:,} sentences stand in no document that is marked, so they were read without the context that the "
            "model knows"
        )
    if empty and reader.answers_empty:
        shared.warn(f"{empty:,} texts are empty; their labels say nothing but what is most usual")


def _ignore(done: float) -> None:
    """Takes the place of a progress bar."""


def _print_rows(reader: Reader, rows: Iterable[Row]) -> None:
    from rich.console import Console

    console = Console()
    for _, answer in reader.rows(rows):
        reader.show(answer, console)
