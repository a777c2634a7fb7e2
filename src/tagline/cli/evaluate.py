"""`tagline evaluate`: an honest score of a model on annotated data."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagline.cli import options as shared
from tagline.cli.reporting import (
    check_targets,
    details_of_texts,
    details_of_tokens,
    read_train_texts,
    read_train_tokens,
    source,
    train_file,
    write_pages,
)
from tagline.errors import UsageError

if TYPE_CHECKING:
    from tagline.data.corpus import ReadOptions
    from tagline.data.texts.corpus import TextCorpus
    from tagline.data.texts.options import TextOptions
    from tagline.engines.base import EngineSettings
    from tagline.folder import ModelFolder
    from tagline.predict.classifier import Classifier
    from tagline.predict.text_judging import TextJudgement, TextReport


@dataclass(frozen=True)
class Wanted:
    """What is to be shown and written, as the options were typed."""

    json_out: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False
    predictions: Annotated[
        Path | None,
        typer.Option(help="Write the file with the predictions: CoNLL with one more column; texts as .jsonl, .csv, …"),
    ] = None
    words: Annotated[bool, typer.Option("--words", help="Of entities: print the word-level report, too.")] = False
    plot: Annotated[
        Path | None, typer.Option(help="Of texts: draw the confusion matrix, or F1 by label (.png or .svg).")
    ] = None
    report: Annotated[
        Path | None, typer.Option(help="Write a page (HTML, one file) with scores, plots and a browser of mistakes.")
    ] = None
    markdown: Annotated[Path | None, typer.Option(help="Write the figures of that page as Markdown.")] = None
    train: Annotated[
        Path | None, typer.Option(help="The training file: adds scores of what was seen in training and what not.")
    ] = None

    def check(self) -> None:
        """Finds out before any work whether the files can be written."""
        check_targets(report=self.report, markdown=self.markdown, predictions=self.predictions, plot=self.plot)


@dataclass(frozen=True)
class Reading:
    """How the file is read: of texts the format, of entities all of it."""

    split: Annotated[str | None, typer.Option(help="Split of a datasets folder.")] = None
    form: shared.Format = None
    columns: shared.WordReading = shared.UNTOLD_WORDS
    strict: shared.Strict = False

    def of_words(self) -> bool:
        """Whether a column was named that only files of words have."""
        return self.columns.word_column is not None or self.columns.tag_column is not None

    def words(self) -> ReadOptions:
        """How tagged words are read."""
        return replace(self.columns.options(self.form, self.strict), split=self.split)


_WANTED, _READING = Wanted(), Reading()


def evaluate(
    model: shared.Model,
    data: Annotated[Path, typer.Argument(help="Annotated file or datasets folder.", show_default=False)],
    wanted: Wanted = _WANTED,
    reading: Reading = _READING,
    argmax: shared.Argmax = False,
    texts: shared.TextReading = shared.UNTOLD,
    running: shared.Running = shared.BY_ITSELF,
) -> None:
    """Score a model: entities (strict, conlleval) and words, or labels of texts, with 95 % intervals."""
    from tagline.folder import TEXT_CLASSIFICATION
    from tagline.predict.opening import open_model

    settings = running.settings()
    wanted.check()
    folder = open_model(model, settings)
    if folder.manifest.task == TEXT_CLASSIFICATION:
        if wanted.words or argmax or reading.of_words():
            raise UsageError(
                f"{model} labels texts; --words, --argmax, --word-column and --tag-column are for entities"
            )
        options = texts.options(reading.form)
        options = replace(options, problem=options.problem or folder.manifest.problem)
        _evaluate_texts(folder, data, settings, options, wanted)
        return
    if texts.given() or wanted.plot is not None:
        raise UsageError(f"{model} marks entities; {texts.given() or '--plot'} is for models that label texts")
    _evaluate_tokens(folder, data, settings, reading.words(), wanted, argmax)


def _evaluate_tokens(
    folder: ModelFolder, data: Path, settings: EngineSettings, reading: ReadOptions, wanted: Wanted, argmax: bool
) -> None:
    from tagline.cli.progress import counting
    from tagline.data.corpus import read_corpus
    from tagline.data.write_corpus import copy_with_column
    from tagline.predict.judging import judge
    from tagline.predict.tagger import Tagger
    from tagline.report.entities import entity_report
    from tagline.text.context import has_documents

    tagger = Tagger.open(folder.path, settings, constrained=not argmax)
    folder = tagger.folder
    corpus = read_corpus(data, reading, tagger.splitter)
    shared.tell_warnings(corpus)
    train, warnings = train_file(folder, wanted.train, read_train_tokens(reading, tagger.splitter))
    with counting("evaluating", len(corpus.sentences), "sentences") as advance:
        judgement = judge(tagger, corpus, advance)
    if judgement.unknown:
        shared.warn(
            f"{data} has types that the model does not know ({', '.join(judgement.unknown)}); "
            "all their entities count as missed"
        )
    if folder.manifest.context and not has_documents(corpus.sentences):
        shared.warn(f"{data} marks no documents, so sentences were read without the context that the model knows")
    if judgement.shortened:
        shared.warn(f"{judgement.shortened} very long words were judged by their first sub-tokens")
    if wanted.predictions is not None:
        copy_with_column(data, wanted.predictions, judgement.tags, reading, tagger.splitter)
    details, places = details_of_tokens(judgement, corpus, train)
    named = source(folder, data, wanted.train, warnings)
    page = partial(entity_report, named, judgement.report, details, places)
    write_pages(page, wanted.report, wanted.markdown)
    if wanted.json_out:
        sys.stdout.write(json.dumps({**judgement.report.to_json(), **details.to_json()}) + "\n")
        return
    from rich.console import Console

    console = Console()
    judgement.report.render(console)
    if wanted.words:
        console.print(judgement.report.words.render(), highlight=False, markup=False)


def _evaluate_texts(
    folder: ModelFolder, data: Path, settings: EngineSettings, reading: TextOptions, wanted: Wanted
) -> None:
    from tagline.cli.progress import counting
    from tagline.cli.train_texts import tell_corpus
    from tagline.data.texts.reading import read_texts
    from tagline.predict.classifier import Classifier
    from tagline.predict.text_judging import judge_texts
    from tagline.report.texts import text_report

    classifier = Classifier.open(folder.path, settings)
    folder = classifier.folder
    corpus = read_texts(data, reading)
    tell_corpus(corpus)
    train, warnings = train_file(folder, wanted.train, read_train_texts(reading))
    with counting("evaluating", len(corpus.texts), "texts") as advance:
        judgement = judge_texts(classifier, corpus, advance)
    if judgement.unknown:
        shared.warn(
            f"{data} has labels that the model does not know ({', '.join(judgement.unknown)}); they count as missed"
        )
    if judgement.shortened:
        shared.warn(f"{judgement.shortened} pairs were longer than the window; the longer text was shortened")
    if wanted.predictions is not None:
        _write_predictions(corpus, judgement, classifier, wanted.predictions)
    if wanted.plot is not None:
        _draw(judgement.report, wanted.plot)
    details = details_of_texts(judgement, corpus, train)
    named = source(folder, data, wanted.train, warnings)
    page = partial(text_report, named, judgement.report, details, corpus.texts, judgement.answers)
    write_pages(page, wanted.report, wanted.markdown)
    if wanted.json_out:
        sys.stdout.write(json.dumps({**judgement.report.to_json(), **details.to_json()}) + "\n")
        return
    from rich.console import Console

    judgement.report.render(Console())


def _write_predictions(corpus: TextCorpus, judgement: TextJudgement, classifier: Classifier, target: Path) -> None:
    """Texts with gold and predicted labels, in the formats of `tagline predict`."""
    from tagline.data.streams.answers import classification_columns
    from tagline.data.streams.row import Row
    from tagline.data.streams.sinks import SinkOptions, open_sink
    from tagline.records import Problem

    several = len(classifier.labels) > 1
    answers = classification_columns(classifier.problem, several)
    with open_sink(target, SinkOptions(answers=answers, overwrite=True)) as sink:
        for number, (each, answer) in enumerate(zip(corpus.texts, judgement.answers, strict=True)):
            if classifier.problem is Problem.REGRESSION:
                gold: object = each.score
            else:
                gold = list(each.labels) if classifier.problem is Problem.MULTI else each.labels[0]
            pair = {} if each.pair is None else {"text_pair": each.pair}
            sink.write(Row(number, each.text, None, {**pair, "gold": gold}, each.line, pair=each.pair), answer)


def _draw(report: TextReport, target: Path) -> None:
    from tagline.evaluate.class_reports import ClassReport, LabelSetReport
    from tagline.evaluate.pictures import draw_confusion, draw_label_scores

    if isinstance(report, ClassReport):
        draw_confusion(report, target)
    elif isinstance(report, LabelSetReport):
        draw_label_scores(report, target)
    else:
        raise UsageError("--plot draws labels; a regression has none")
