"""The pages of `tagline evaluate` and `tagline compare`: what they are made from, and their writing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tagline.cli import options as shared
from tagline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tagline.data.corpus import Corpus, ReadOptions
    from tagline.data.reading import SplitWords
    from tagline.data.texts.corpus import TextCorpus
    from tagline.data.texts.options import TextOptions
    from tagline.evaluate.mistakes import Places
    from tagline.evaluate.text_details import TextDetails
    from tagline.evaluate.token_details import TokenDetails
    from tagline.folder import ModelFolder
    from tagline.predict.judging import Judgement
    from tagline.predict.text_judging import TextJudgement
    from tagline.report import Report

T = TypeVar("T", "Corpus", "TextCorpus")


def check_targets(**targets: Path | None) -> None:
    """Says before the work, not after it, that a file cannot be written or that two are one.

    Raises:
        UsageError: two options name one file.
        OutputError: a folder is missing or stands in the place of a file.
    """
    from tagline.errors import OutputError

    seen: dict[Path, str] = {}
    for name, path in targets.items():
        if path is None:
            continue
        option = f"--{name.replace('_', '-')}"
        if path.resolve() in seen:
            raise UsageError(f"{seen[path.resolve()]} and {option} both name {path}; give two files")
        seen[path.resolve()] = option
        if path.is_dir() or not path.absolute().parent.is_dir():
            reason = "is a folder" if path.is_dir() else "its folder does not exist; make it first"
            raise OutputError(f"{path}: {reason}. {option} takes the name of a file to write")


def write_pages(report: Callable[[], Report], page: Path | None, markdown: Path | None) -> None:
    """Writes a report as HTML, as Markdown, or both; says where it stands and how large it is."""
    if page is None and markdown is None:
        return
    from tagline.data.atomic import atomic_write
    from tagline.report import render_html, render_markdown
    from tagline.report.html import file_size

    made = report()
    for path, render in ((page, render_html), (markdown, render_markdown)):
        if path is not None:
            text = render(made)
            with atomic_write(path) as file:
                file.write(text)
            shared.say(f"wrote {path} ({file_size(len(text.encode('utf-8')))})")


def train_file(folder: ModelFolder, path: Path | None, read: Callable[[Path], T]) -> tuple[T | None, list[str]]:
    """The training file, read, and a warning where the model was not trained on it."""
    if path is None:
        return None, []
    corpus = read(path)
    known = folder.manifest.training.get("data", {}).get("train", {})
    if known.get("sha256") == corpus.fingerprint:
        return corpus, []
    said = (
        f"{path.name} is not the file that the model was trained on ({known['file']}, SHA-256 {known['sha256'][:12]}…; "
        f"this one {corpus.fingerprint[:12]}…)"
        if known.get("sha256")
        else f"{folder.path.name} does not say what it was trained on, so {path.name} is taken for it unchecked"
    )
    warning = f"{said}; what is called seen in training was seen in {path.name}"
    shared.warn(warning)
    return corpus, [warning]


def details_of_tokens(judgement: Judgement, corpus: Corpus, train: Corpus | None) -> tuple[TokenDetails, Places]:
    """What lies behind a tagger's score."""
    from tagline.evaluate.mistakes import Places
    from tagline.evaluate.token_details import TrainEntities, document_scores, token_details

    places = Places(corpus.sentences, by_word=corpus.format == "conll")
    known = None if train is None else TrainEntities.of(train.sentences, train.scheme, train.bare)
    score = document_scores(judgement.documents)
    return token_details(judgement.gold, judgement.tags, places, score, judgement.scheme, known), places


def details_of_texts(judgement: TextJudgement, corpus: TextCorpus, train: TextCorpus | None) -> TextDetails:
    """What lies behind a classifier's score."""
    from tagline.evaluate.text_details import text_details, text_key

    known = None if train is None else {text_key(text) for text in train.texts}
    return text_details(corpus.texts, judgement.answers, known)


def read_train_tokens(options: ReadOptions, splitter: SplitWords) -> Callable[[Path], Corpus]:
    """Reads a training file as the data are read, each format told by its own name."""
    from dataclasses import replace

    from tagline.data.corpus import read_corpus

    return lambda path: read_corpus(path, replace(options, split="train" if path.is_dir() else None), splitter)


def read_train_texts(options: TextOptions) -> Callable[[Path], TextCorpus]:
    """The same for labelled texts."""
    from tagline.data.texts.reading import read_texts

    return lambda path: read_texts(path, options)


def source(folder: ModelFolder, data: Path, train: Path | None, warnings: list[str]) -> Any:
    """The names of a report."""
    from tagline.report.entities import Source

    name = "" if train is None else train.name
    return Source(folder.path.resolve().name, data.name, name, warnings, folder.manifest.calibration)
