"""The page where a whole file is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from tagline.app import pieces
from tagline.app.models import OpenModel
from tagline.app.reading import Opener, named, pick_model
from tagline.app.setup import Setup
from tagline.drawing import STYLE, bars_html, document_html, escape, number_html
from tagline.errors import TaglineError
from tagline.predict.files import FileJob, Progress, RowOptions, columns_of, predict_file
from tagline.records import Classification, Document, Problem

ENDINGS = ["txt", "csv", "tsv", "jsonl", "conll"]
FORMATS = {"JSONL": ".jsonl", "CSV": ".csv", "CoNLL": ".conll"}
MIMES = {".jsonl": "application/jsonl", ".csv": "text/csv", ".conll": "text/plain"}
FIRST = 5
"""Answers that are shown on the page; all are in the download."""
PIECE = 1 << 20  # bytes copied at once


@dataclass
class Result:
    """What came of a file.

    Attributes:
        place: folder of the result; goes with this object.
        target: the result.
        said: the choices that it was made with.
        rows: how many texts.
        counts: labels and how often each was found.
        first: the first answers.
        notes: what to know of the result.
    """

    place: TemporaryDirectory[str]
    target: Path
    said: tuple[Any, ...]
    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    first: list[Document | Classification] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    def take(self, progress: Progress) -> None:
        """Counts what came."""
        self.rows, self.notes = progress.rows, progress.notes or self.notes
        self.first += progress.answers[: FIRST - len(self.first)]
        for answer in progress.answers:
            found = [each.label for each in answer] if isinstance(answer, Document) else answer.labels
            self.counts.update(found)


def file_page(setup: Setup, opener: Opener) -> None:
    """A file to upload, how to read it, and its answers to download."""
    model = opener(pick_model(setup))
    pieces.headline("Read a file", named(model))
    with st.container(key="ask", border=True):
        uploaded = st.file_uploader("File of texts", ENDINGS, key="upload", help=_HELP)
        st.caption("One text a line, a table with a column of texts, or CoNLL with a word a line.")
        if uploaded is None:
            st.session_state.pop("result", None)
            st.session_state.pop("source", None)
            return
        source = _source(uploaded)
        reading, form = _choices(model, source)
        wanted = st.button("Read the file", type="primary", key="start")
    said = (uploaded.file_id, model.name, form, reading)
    if wanted:
        st.session_state.pop("result", None)
        st.session_state["result"] = _work(model, source, said)
    result = st.session_state.get("result")
    if isinstance(result, Result) and result.said == said:
        _show(model, result, Path(uploaded.name).stem)


_HELP = (
    ".txt: a text a line. .csv, .tsv: a table whose first row names the columns. .jsonl: an object with `text` a line. "
    ".conll: a word a line, an empty line after each sentence."
)


def _choices(model: OpenModel, source: Path) -> tuple[RowOptions, str]:
    """Columns to read and the format to write."""
    ending = source.suffix.lower()
    forms = [each for each in FORMATS if model.tags or each != "CoNLL"]
    text: str | int | None = None
    second: str | int | None = None
    header = True
    quotes: bool | None = None
    with st.container(horizontal=True, vertical_alignment="bottom", key="choices"):
        if ending in (".csv", ".tsv"):
            header = st.checkbox("The first row names the columns", value=True, key="header")
            quotes = st.checkbox("Quotes enclose a field", value=ending == ".csv", key=f"quotes{ending}")
            with _short(source):
                columns = columns_of(source, RowOptions(header=header, quotes=quotes))
            usual = columns.index("text") if "text" in columns else 0
            text = st.selectbox("Column of the text", columns, index=usual, key="column")
            if model.paired is not False:
                pairs = [each for each in columns if each != text]
                usual = pairs.index("text_pair") if "text_pair" in pairs else 0
                none = [] if model.paired else ["–"]
                second = st.selectbox("Column of the second text", [*none, *pairs], index=usual, key="second")
                second = None if second == "–" else second
        elif ending in (".jsonl", ".ndjson") and model.paired:
            second = "text_pair"
        form = st.segmented_control("Result as", forms, default=forms[0], key="form", required=True)
    return RowOptions(text_column=text, pair_column=second, header=header, quotes=quotes), FORMATS[form or forms[0]]


def _source(uploaded: UploadedFile) -> Path:
    """The upload as a file of its own name, so that messages name it; written once for each upload."""
    kept = st.session_state.get("source")
    if kept is None or kept[0] != uploaded.file_id:
        place = TemporaryDirectory(prefix="tagline-")
        source = Path(place.name) / ("_" if Path(uploaded.name).name in ("", ".", "..") else Path(uploaded.name).name)
        uploaded.seek(0)
        with source.open("wb") as file:
            while piece := uploaded.read(PIECE):
                file.write(piece)
        kept = st.session_state["source"] = (uploaded.file_id, place, source)
    return Path(kept[2])


@contextmanager
def _short(source: Path) -> Iterator[None]:
    """Errors speak of the file by its name, not of the folder where the server keeps it."""
    try:
        yield
    except TaglineError as error:
        raise TaglineError(str(error).replace(str(source), source.name)) from error


def _work(model: OpenModel, source: Path, said: tuple[Any, ...]) -> Result:
    """Reads the file with a progress bar."""
    place = TemporaryDirectory(prefix="tagline-")
    result = Result(place, Path(place.name) / f"result{said[2]}", said)
    bar = st.progress(0.0, "Reading …")
    try:
        with _short(source):
            for progress in predict_file(model.model, FileJob(source, result.target, said[3]), model.turn):
                result.take(progress)
                bar.progress(progress.share, f"{progress.rows:,} texts, {100 * progress.share:.0f} %")
    finally:
        bar.empty()
    return result


def _show(model: OpenModel, result: Result, stem: str) -> None:
    with st.container(key="answer", border=True):
        pieces.heading(f"{result.rows:,} {'text' if result.rows == 1 else 'texts'} read", "done")
        if result.counts:
            pieces.html(pieces.counted(result.counts), key="counts")
        elif model.problem is not Problem.REGRESSION:
            st.caption("Nothing was found in them.")
        for note in result.notes:
            st.caption(pieces.plain(note))
        ending = result.target.suffix
        st.download_button(
            f"Download {ending[1:].upper()}",
            lambda: result.target.open("rb"),
            f"{stem}.tagline{ending}",
            MIMES[ending],
            key="download",
            type="primary",
            on_click="ignore",
            icon=":material/download:",
        )
    if result.first:
        pieces.heading("The first of them" if result.rows > len(result.first) else "All of them", "some")
        with st.container(key="first", border=True):
            st.html("".join(_preview(model, each) for each in result.first))


def _preview(model: OpenModel, answer: Document | Classification) -> str:
    if isinstance(answer, Document):
        return f'<div class="preview">{document_html(answer).removeprefix(f"<style>{STYLE}</style>")}</div>'
    texts = "".join(f"<p>{escape(each)}</p>" for each in (answer.text, answer.pair) if each is not None)
    if answer.problem is Problem.REGRESSION:
        drawn = number_html(answer)
    else:
        drawn = bars_html(answer.scores[:3], answer.labels, model.thresholds)
    return f'<div class="preview">{texts}{drawn}</div>'
