"""`tagline predict`: entities in texts, from a string, a stream or a file of any size."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagline.cli import options as shared
from tagline.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from tagline.data.streams.row import RowOptions
    from tagline.data.streams.rows import RowReader
    from tagline.data.streams.sinks import Sink
    from tagline.predict.tagger import Tagger


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
    text: Annotated[list[str] | None, typer.Option("--text", help="A text to read; may be given again.")] = None,
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
    word_column: Annotated[int, typer.Option(help="Column of the words in a CoNLL file, from 0.")] = 0,
    argmax: shared.Argmax = False,
    engine: shared.EngineOption = "auto",
    precision: shared.Precision = "auto",
    device: shared.Device = "auto",
    threads: shared.Threads = 0,
    batch_tokens: shared.BatchTokens = 1024,
) -> None:
    """Read texts and mark the entities in them."""
    if (source is None) == (not text):
        got = "both" if text else "neither"
        raise UsageError(f'got {got} of INPUT and --text; type a file name, - for standard input, or --text "…"')
    for each in text or ():
        _check_text(each)
    if text and (output or resume):
        raise UsageError("--text prints its answer; for -o and --resume give the texts as a file")
    from tagline.data.streams.row import RowOptions
    from tagline.engines.base import EngineSettings
    from tagline.predict.tagger import Tagger

    settings = EngineSettings(engine, precision, device, threads, batch_tokens)
    reading = RowOptions(form, shared.column(text_column), word_column)
    if source is not None:
        _check(source, reading)
    tagger = Tagger.open(model, settings, constrained=not argmax)
    if text:
        _print_texts(tagger, text, json_out)
        return
    assert source is not None
    fixed = {
        "model": tagger.folder.manifest.files, "argmax": argmax, "engine": tagger.engine.name,
        "precision": tagger.engine.precision, "batch_tokens": batch_tokens,
        "text_column": text_column, "word_column": word_column, "form": form,
    }  # fmt: skip
    _predict_file(tagger, source, output, reading, _Run(resume, overwrite, json_out, fixed))


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


def _print_texts(tagger: Tagger, texts: list[str], json_out: bool) -> None:
    if json_out:
        for document in tagger.stream(texts):
            sys.stdout.write(json.dumps(document.to_dict(), ensure_ascii=False) + "\n")
        return
    from rich.console import Console

    from tagline.cli.show import show

    console = Console()
    for document in tagger.stream(texts):
        show(document, tagger.labels, console)


def _predict_file(tagger: Tagger, source: str, output: str | None, reading: RowOptions, run: _Run) -> None:
    from tagline.data.streams.rows import read_rows
    from tagline.data.streams.sinks import SinkOptions, open_sink
    from tagline.predict.rows import BORDER

    with read_rows(source, reading) as rows:
        if output is None and sys.stdout.isatty() and not run.json_out:
            _print_rows(tagger, rows)
            return
        options = SinkOptions(
            source=None if source == "-" else source,
            settings=run.fixed,
            overwrite=run.overwrite,
            columns=rows.columns,
            schema=rows.schema,
        )
        sink = open_sink(output, options, run.resume)
        if run.resume:
            done = f"resuming after {sink.rows_done:,} rows" if sink.resumed else "nothing to resume; from the start"
            shared.say(done)
        if not sink.rows_done:
            _write_rows(tagger, rows, sink, output)
            return
    with read_rows(source, reading, skip=sink.rows_done - sink.rows_done % BORDER) as rows:
        _write_rows(tagger, rows, sink, output)


def _write_rows(tagger: Tagger, rows: RowReader, sink: Sink, output: str | None) -> None:
    try:
        with sink:
            _work(tagger, rows, sink, streamed=output in (None, "-"))
    except KeyboardInterrupt:
        if output in (None, "-"):
            raise
        kept = f"stopped after {sink.rows_done:,} rows"
        if rows.total_bytes is None:
            raise Interrupted(f"{kept}; they stand in {output}.partial, for a stream cannot be resumed") from None
        raise Interrupted(f"{kept}, which are kept. To go on type: {shared.resuming()}") from None
    for note in sink.notes():
        shared.say(note)


def _work(tagger: Tagger, rows: RowReader, sink: Sink, streamed: bool) -> None:
    from tagline.cli.progress import counting
    from tagline.predict.rows import tag_rows

    shortened = windows = 0
    done = sink.rows_done
    total = None if rows.total_bytes is None else rows.total_bytes / 1e6
    before = rows.consumed_bytes
    quiet = streamed and sys.stdout.isatty()  # a bar would be drawn over the results
    with nullcontext(_ignore) if quiet else counting("reading", total, "MB", before / 1e6) as advance:
        for row, document in tag_rows(tagger, rows):
            if row.number < done:  # read again so that the rows after it are batched as they were
                continue
            sink.write(row, document)
            shortened += document.shortened
            windows += document.windows
            if rows.consumed_bytes != before:
                advance((rows.consumed_bytes - before) / 1e6)
                before = rows.consumed_bytes
    shared.say(f"{sink.rows_done:,} rows, {windows:,} windows")
    if shortened:
        shared.warn(f"{shortened} very long words were read by their first sub-tokens")


def _ignore(done: float) -> None:
    """Takes the place of a progress bar."""


def _print_rows(tagger: Tagger, rows: RowReader) -> None:
    from rich.console import Console

    from tagline.cli.show import show
    from tagline.predict.rows import tag_rows

    console = Console()
    for _, document in tag_rows(tagger, rows):
        show(document, tagger.labels, console)
