"""`tagline predict`: entities in texts or labels of texts, from a string, a stream or a file of any size."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagline.cli import options as shared
from tagline.cli.reader import Reader, ReaderOptions, open_reader
from tagline.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from tagline.data.streams.row import Row, RowOptions
    from tagline.data.streams.rows import RowReader
    from tagline.data.streams.sinks import Sink


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
    text: Annotated[list[str] | None, typer.Option("--text", help="A text to read; may be given again.")] = None,
    text_pair: Annotated[
        list[str] | None, typer.Option("--text-pair", help="Of pairs: the second text, one for each --text.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", help="File to write: .jsonl, .csv, .tsv, .parquet or .conll.", show_default=False
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Carry on a broken run.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
    json_out: Annotated[bool, typer.Option("--json", help="Print JSON lines, also on a terminal.")] = False,
    form: shared.Format = None,
    text_column: Annotated[
        str | None, typer.Option(help="Column of the text: a name, or a number from 0.", show_default=False)
    ] = None,
    pair_column: shared.PairColumn = None,
    word_column: Annotated[int, typer.Option(help="Column of the words in a CoNLL file, from 0.")] = 0,
    header: Annotated[
        bool, typer.Option("--header/--no-header", help="Whether the first row of a table names its columns.")
    ] = True,
    quotes: shared.Quotes = None,
    top_k: Annotated[int, typer.Option(help="Of texts: how many labels to give with their scores.")] = 1,
    all_scores: Annotated[bool, typer.Option("--all-scores", help="Of texts: give every label's score.")] = False,
    argmax: shared.Argmax = False,
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
    if (source is None) == (not text):
        got = "both" if text else "neither"
        raise UsageError(f'got {got} of INPUT and --text; type a file name, - for standard input, or --text "…"')
    for each in (*(text or ()), *(text_pair or ())):
        _check_text(each)
    if text and (output or resume):
        raise UsageError("--text prints its answer; for -o and --resume give the texts as a file")
    if text_pair and len(text_pair) != len(text or ()):
        raise UsageError(f"got {len(text or ())} --text and {len(text_pair)} --text-pair; give one for each")
    if top_k < 1:
        raise UsageError(f"--top-k is {top_k}; expected at least 1")
    output = _one_output(output, target)
    from tagline.data.streams.row import RowOptions

    settings = running.settings()
    pair = shared.column(pair_column)
    if spark is not None:
        _check_spark(source, resume or argmax or settings.device == "cuda")
        assert source is not None
        from tagline.cli.predict_spark import SparkRun, predict_folder

        engine = {"engine": settings.engine, "precision": settings.precision, "batch_tokens": settings.batch_tokens}
        run = SparkRun(
            spark, form, shared.column(text_column), pair, header, shared.quotes(quotes), overwrite,
            None if all_scores else top_k, {**engine, "threads": settings.threads},
        )  # fmt: skip
        predict_folder(model, source, output, run)
        return
    reading = RowOptions(form, shared.column(text_column), word_column, shared.quotes(quotes), pair, header)
    if source is not None:
        _check(source, reading)
    reader = open_reader(model, settings, ReaderOptions(argmax, None if all_scores else top_k))
    if text:
        _print_texts(reader, text, text_pair, json_out)
        return
    assert source is not None
    reading = replace(reading, pair_column=reader.pair_column(pair, source, reading))
    fixed = {
        "model": reader.folder.manifest.files, "argmax": argmax, "engine": reader.engine.name,
        "precision": reader.engine.precision, "batch_tokens": settings.batch_tokens, "top_k": top_k,
        "all_scores": all_scores, "text_column": text_column, "pair_column": pair_column,
        "word_column": word_column, "form": form, "header": header, "quotes": quotes,
    }  # fmt: skip
    _predict_file(reader, source, output, reading, _Run(resume, overwrite, json_out, fixed))


def _one_output(option: str | None, argument: str | None) -> str | None:
    if option is not None and argument is not None:
        raise UsageError(f"got two outputs, {argument} and -o {option}; give one")
    return option or argument


def _check_spark(source: str | None, more: bool) -> None:
    if source is None or more:
        raise UsageError("--spark reads INPUT on processors, whole; leave away --text, --resume, --argmax, --device")


class _Run:
    """How a file is worked through."""

    def __init__(self, resume: bool, overwrite: bool, json_out: bool, fixed: dict[str, object]) -> None:
        self.resume, self.overwrite, self.json_out, self.fixed = resume, overwrite, json_out, fixed


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


def _predict_file(reader: Reader, source: str, output: str | None, reading: RowOptions, run: _Run) -> None:
    from tagline.data.streams.rows import read_rows
    from tagline.data.streams.sinks import SinkOptions, open_sink
    from tagline.predict.rows import BORDER

    with read_rows(source, reading) as rows:
        if output is None and sys.stdout.isatty() and not run.json_out:
            _print_rows(reader, rows)
            return
        options = SinkOptions(
            source=None if source == "-" else source,
            settings=run.fixed,
            overwrite=run.overwrite,
            columns=rows.columns,
            schema=rows.schema,
            answers=reader.answers,
        )
        sink = open_sink(output, options, run.resume)
        if run.resume:
            done = f"resuming after {sink.rows_done:,} rows" if sink.resumed else "nothing to resume; from the start"
            shared.say(done)
        if not sink.rows_done:
            _write_rows(reader, rows, sink, output)
            return
    with read_rows(source, reading, skip=sink.rows_done - sink.rows_done % BORDER) as rows:
        _write_rows(reader, rows, sink, output)


def _write_rows(reader: Reader, rows: RowReader, sink: Sink, output: str | None) -> None:
    try:
        with sink:
            _work(reader, rows, sink, streamed=output in (None, "-"))
    except KeyboardInterrupt:
        if output in (None, "-"):
            raise
        kept = f"stopped after {sink.rows_done:,} rows"
        if rows.total_bytes is None:
            raise Interrupted(f"{kept}; they stand in {output}.partial, for a stream cannot be resumed") from None
        raise Interrupted(f"{kept}, which are kept. To go on type: {shared.resuming()}") from None
    for note in sink.notes():
        shared.say(note)


def _work(reader: Reader, rows: RowReader, sink: Sink, streamed: bool) -> None:
    from tagline.cli.progress import counting

    empty = shortened = windows = 0
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
            if rows.consumed_bytes != before:
                advance((rows.consumed_bytes - before) / 1e6)
                before = rows.consumed_bytes
    shared.say(f"{sink.rows_done:,} rows, {windows:,} windows")
    if shortened:
        shared.warn(reader.shortened(shortened))
    if empty and reader.answers_empty:
        shared.warn(f"{empty:,} texts are empty; their labels say nothing but what is most usual")


def _ignore(done: float) -> None:
    """Takes the place of a progress bar."""


def _print_rows(reader: Reader, rows: Iterable[Row]) -> None:
    from rich.console import Console

    console = Console()
    for _, answer in reader.rows(rows):
        reader.show(answer, console)
