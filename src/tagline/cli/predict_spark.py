"""`tagline predict --spark`: folders of Parquet, JSON or CSV through a model on Apache Spark."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tagline.cli import options as shared
from tagline.errors import DataError, Interrupted, OutputError, TaglineError, UsageError

_SUFFIXES = {
    ".parquet": "parquet", ".json": "json", ".jsonl": "json", ".ndjson": "json", ".csv": "csv", ".tsv": "tsv",
}  # fmt: skip
_FORMATS = ("parquet", "json", "csv", "tsv")
_POLL = 0.5  # seconds between two looks at the job


@dataclass(frozen=True)
class SparkRun:
    """What was asked for.

    Attributes:
        master: `local[2]`, `spark://host:7077`, `yarn`, `k8s://…`.
        form: the format of the input; None tells it from the names of its files.
        text, pair: columns of the texts, by name or number.
        header: whether the first row of a table names its columns.
        quotes: whether quotes around a field of a table are none of its text; None takes them so in CSV only.
        overwrite: whether the output may be replaced.
        top_k: of a classifier: how many labels to give; None gives all.
        settings: of the engine, as `tagline.spark.predict` takes them.
    """

    master: str
    form: str | None = None
    text: int | str | None = None
    pair: int | str | None = None
    header: bool = True
    quotes: bool | None = None
    overwrite: bool = False
    top_k: int | None = 1
    settings: dict[str, Any] = field(default_factory=dict)


def predict_folder(model: Path, source: str, output: str | None, run: SparkRun) -> None:
    """Reads a file or folder with Spark and writes a folder with the answers beside the texts.

    Raises:
        MissingExtraError: PySpark is not installed.
        UsageError: no Java, an unknown format or column, no output.
        OutputError: the output is there already.
    """
    if output is None:
        raise UsageError("--spark writes a folder; type: tagline predict MODEL INPUT OUTPUT --spark MASTER")
    if "://" not in output and Path(output).exists() and not run.overwrite:  # known before Spark has started
        raise OutputError(f"{output}: is there already; choose another name or add --overwrite")
    from tagline.spark import counts, predict
    from tagline.spark import session as start

    form = _format(source, run.form)
    target = _SUFFIXES.get(Path(output).suffix, form)
    if os.path.realpath(source) == os.path.realpath(output):
        raise UsageError(f"{output}: input and output are the same folder; give another output")
    with _aside() as log:
        session = start(run.master, "tagline predict", spark__ui__showConsoleProgress="false")
        try:
            frame = _read(session, source, form, run)
            text, pair = _column(frame, run.text), run.pair if run.pair is None else _column(frame, run.pair)
            before = frame.columns
            answers = predict(frame, str(model), text, pair, run.top_k, **run.settings)
            _work(session, _flat(answers, before) if target in ("csv", "tsv") else answers, output, target, run)
            done = counts(session)
        except TaglineError:
            raise
        except Exception as error:
            raise _told(error, source, output, log) from error
        finally:
            session.stop()
    shared.say(f"{done.rows:,} rows, {done.windows:,} windows")
    if done.shortened:
        shared.warn(f"{done.shortened:,} words were not shown to the encoder whole")
    if done.errors:
        shared.warn(f"{done.errors:,} rows could not be read; the column tagline_error says why")


def _format(source: str, given: str | None) -> str:
    form = {"jsonl": "json"}.get(given or "", given)
    if form is None:
        place = Path(source)
        names = [each.name for each in sorted(place.rglob("*")) if each.is_file()] if place.is_dir() else [source]
        found = (_SUFFIXES.get(suffix) for name in names for suffix in Path(name.removesuffix(".gz")).suffixes[-1:])
        form = next((each for each in found if each is not None), None)
        if form is None:
            raise UsageError(
                f"{source}: no file in it is named *.parquet, *.json, *.jsonl, *.csv or *.tsv; add --format"
            )
    if form not in _FORMATS:
        raise UsageError(f"--format is {given!r}; with --spark accepted are {', '.join(_FORMATS)}")
    return form


def _read(session: Any, source: str, form: str, run: SparkRun) -> Any:
    if "://" not in source and not any(mark in source for mark in "*?[{") and not Path(source).exists():
        raise DataError("no such file or folder; expected Parquet, JSON or CSV", source)
    if form in ("csv", "tsv"):
        quoted = run.quotes if run.quotes is not None else form == "csv"
        reader = session.read.options(
            header=run.header, sep="\t" if form == "tsv" else ",", quote='"' if quoted else "", escape='"',
            multiLine=quoted,
        )  # fmt: skip
        return reader.csv(source)
    return session.read.format(form).load(source)


def _column(frame: Any, given: int | str | None) -> str:
    names = frame.columns
    if isinstance(given, int):
        if not 0 <= given < len(names):
            raise UsageError(f"column {given}: the input has {len(names)} columns, numbered from 0: {', '.join(names)}")
        return str(names[given])
    if given is not None or "text" in names:
        return given or "text"  # whether it is there, tagline.spark says
    strings = [name for name, kind in frame.dtypes if kind == "string"]
    if len(strings) != 1:
        raise UsageError(f"no column 'text'; there are {', '.join(names)}. Add --text-column NAME")
    return str(strings[0])


def _flat(frame: Any, before: list[str]) -> Any:
    """The answers as strings, for a table cannot hold lists."""
    from pyspark.sql import functions

    lists = [name for name, kind in frame.dtypes if name not in before and kind.startswith("array")]
    return frame.withColumns({name: functions.to_json(name) for name in lists})


def _work(session: Any, frame: Any, output: str, form: str, run: SparkRun) -> None:
    """Writes on a thread of its own, and shows from this one how far it has come."""
    from tagline.cli.progress import counting

    failed: list[BaseException] = []

    def write() -> None:
        try:
            mode = "overwrite" if run.overwrite else "errorifexists"
            writer = frame.write.mode(mode)
            if form in ("csv", "tsv"):
                writer = writer.options(header=True, sep="\t" if form == "tsv" else ",", escape='"')
            writer.format("csv" if form == "tsv" else form).save(output)
        except BaseException as error:  # noqa: BLE001 - raised again below, on the thread that waits
            failed.append(error)

    worker = threading.Thread(target=write, daemon=True)
    tasks, tracker = frame.rdd.getNumPartitions(), session.sparkContext.statusTracker()
    seen = 0
    try:
        with counting("reading", tasks, "partitions") as advance:
            worker.start()
            while worker.is_alive():
                worker.join(_POLL)
                infos = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
                done = max((info.numCompletedTasks for info in infos if info is not None), default=seen)
                advance(max(0, done - seen))
                seen = max(seen, done)
            advance(max(0, tasks - seen))
    except KeyboardInterrupt:
        session.sparkContext.cancelAllJobs()
        worker.join(30)
        raise Interrupted(f"stopped; {output} is not complete and has no _SUCCESS") from None
    if failed:
        raise failed[0]


def _told(error: Exception, source: str, output: str, log: Path) -> TaglineError:
    """What Spark says, as a sentence."""
    said = str(error)
    if "PATH_ALREADY_EXISTS" in said:
        return OutputError(f"{output}: is there already; choose another name or add --overwrite")
    marks = ("tagline.errors.", "Caused by: ", "Error: ", "Exception: ")
    lines = [line.strip() for line in said.splitlines() if any(mark in line for mark in marks)] or said.splitlines()
    first = lines[0] if lines else repr(error)
    for mark in marks[:1]:
        first = first.partition(mark)[2].partition(": ")[2] or first
    kept = Path(tempfile.gettempdir()) / f"tagline-spark-{os.getpid()}.log"
    with contextlib.suppress(OSError):
        kept.write_bytes(log.read_bytes())
        return DataError(f"Spark: {first.strip()}. All that Spark has said stands in {kept}", source)
    return DataError(f"Spark: {first.strip()}", source)


@contextlib.contextmanager
def _aside() -> Iterator[Path]:
    """What the JVM writes on standard error goes into a file; our own words still come out."""
    sys.stderr.flush()
    with tempfile.TemporaryDirectory(prefix="tagline-spark-") as folder:
        log = Path(folder) / "spark.log"
        try:
            number = sys.stderr.fileno()
        except (OSError, AttributeError, ValueError):  # a stream without a file behind it: nothing to lead aside
            log.touch()
            yield log
            return
        ours = os.dup(number)
        stream = os.fdopen(os.dup(number), "w", buffering=1, encoding="utf-8", errors="replace")
        aside = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        before = sys.stderr
        try:
            os.dup2(aside, number)
            sys.stderr = stream
            yield log
        finally:
            sys.stderr = before
            os.dup2(ours, number)
            for each in (ours, aside):
                os.close(each)
            stream.close()
