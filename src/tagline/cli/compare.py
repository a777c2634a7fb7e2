"""`tagline compare`: models, or predictions of any tool, side by side on the same data."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tagline.cli import options as shared
from tagline.cli.compare_show import render, render_sentences, render_texts
from tagline.cli.reporting import check_targets, write_pages
from tagline.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagline.data.corpus import Corpus, ReadOptions
    from tagline.data.schemes import Scheme
    from tagline.data.texts.options import TextOptions
    from tagline.engines.base import EngineSettings
    from tagline.evaluate.comparison import Comparison
    from tagline.folder import ModelFolder
    from tagline.predict.tagger import Tagger

Tags = list[tuple[str, ...]]


@dataclass(frozen=True)
class Wanted:
    """What is to be tested, shown and written, as the options were typed."""

    json_out: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False
    html: Annotated[Path | None, typer.Option(help="Write a page (HTML, one file) with all differences.")] = None
    markdown: Annotated[Path | None, typer.Option(help="Write the figures of that page as Markdown.")] = None
    show: Annotated[int, typer.Option(help="Differing sentences to print.", min=0)] = 3
    rounds: Annotated[int, typer.Option(help="Random exchanges of each paired test.", min=100)] = 10_000
    seed: Annotated[int, typer.Option(help="Seed of the tests.", min=0)] = 0


@dataclass(frozen=True)
class Reading:
    """How files of tagged words are read, as the options were typed."""

    tag_column: Annotated[
        list[str] | None,
        typer.Option(
            help="Column of the tags in files of predictions: once for all, or once for each. Default: the last.",
            show_default=False,
        ),
    ] = None
    gold_column: Annotated[
        str | None, typer.Option(help="Column of the gold tags in DATA. Default: the last.", show_default=False)
    ] = None
    form: shared.Format = None
    word_column: shared.WordColumn = None
    scheme: shared.SchemeOption = None
    split: Annotated[str | None, typer.Option(help="Split of a datasets folder.")] = None

    def gold(self) -> ReadOptions:
        """How DATA is read."""
        words = shared.WordReading(self.word_column, self.gold_column, self.scheme)
        return replace(words.options(self.form), split=self.split)


_WANTED, _READING = Wanted(), Reading()


def compare(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="A B [C…] DATA",
            help="Model folders or CoNLL files with predicted tags, and last the annotated file.",
            show_default=False,
        ),
    ],
    wanted: Wanted = _WANTED,
    reading: Reading = _READING,
    texts: shared.TextReading = shared.UNTOLD,
    running: shared.Running = shared.BY_ITSELF,
) -> None:
    """Hold models or predictions against each other: scores, paired tests, and where they differ."""
    from tagline.folder import TEXT_CLASSIFICATION, ModelFolder
    from tagline.predict.opening import open_model

    if len(paths) < 3:
        raise UsageError(
            f"compare got {len(paths)} paths; give at least two models or files, and last the annotated file"
        )
    *given, data = paths
    check_targets(html=wanted.html, markdown=wanted.markdown)
    settings = running.settings()
    systems = [path if path.is_file() else open_model(path, settings) for path in given]
    tasks = {each.manifest.task for each in systems if not isinstance(each, Path)}
    if len(tasks) > 1:
        raise UsageError("some of the models mark entities and others label texts; compare models for one task")
    if tasks == {TEXT_CLASSIFICATION}:
        files = [each for each in systems if isinstance(each, Path)]
        if files:
            raise UsageError(f"{files[0]} is a file; for labelled texts give model folders only")
        folders = [each for each in systems if isinstance(each, ModelFolder)]
        _compare_texts(folders, data, texts.options(reading.form), settings, wanted)
        return
    if texts.given():
        raise UsageError(f"{texts.given()} is for models that label texts; these mark entities")
    _compare_tokens(systems, data, reading.gold(), reading.tag_column or [], settings, wanted)


def _compare_tokens(
    systems: Sequence[ModelFolder | Path],
    data: Path,
    options: ReadOptions,
    columns: list[str],
    settings: EngineSettings,
    wanted: Wanted,
) -> None:
    from tagline.data.corpus import read_corpus
    from tagline.data.schemes import Scheme
    from tagline.evaluate.comparison import compare_tags
    from tagline.predict.tagger import Tagger
    from tagline.report.comparing import comparison_report, word_items

    files = [each for each in systems if isinstance(each, Path)]
    if columns and len(columns) not in (1, len(files)):
        raise UsageError(
            f"--tag-column was given {len(columns)} times for {len(files)} files of predictions; give it once, or "
            "once for each of them, in their order"
        )
    column = iter(columns * len(files) if len(columns) == 1 else columns)
    taggers = [None if isinstance(each, Path) else Tagger.open(each.path, settings) for each in systems]
    first = next((each for each in taggers if each is not None), None)
    corpus = read_corpus(data, options, first.splitter if first else None)
    shared.tell_warnings(corpus)
    scheme = Scheme.IOB2 if corpus.scheme in (Scheme.IO, Scheme.IOB1) else corpus.scheme
    names = _names(systems)
    tags: list[Tags] = []
    for each, tagger, name in zip(systems, taggers, names, strict=True):
        if isinstance(each, Path):
            reading = replace(options, format=None, split=None, tag_column=shared.column(next(column, None)))
            tags.append(_tags_of_file(each, reading, corpus, scheme))
        elif tagger is not None:
            tags.append(_tags_of_model(tagger, name, corpus, scheme))
    gold = list(corpus.tags(scheme))
    found = compare_tags(gold, tags, names, scheme, wanted.rounds, wanted.seed)
    items = word_items(found, corpus.sentences, gold, tags)
    write_pages(
        lambda: comparison_report(found, data.name, len(gold), "sentences", items), wanted.html, wanted.markdown
    )
    if wanted.json_out:
        rows = [
            {"sentence": number, "line": line, "outcome": outcome, "words": words, "gold": right,
             "predicted": dict(zip(names, sides, strict=True))}
            for (words, right, sides, number, line), outcome in zip(items["texts"], found.outcomes, strict=True)
        ]  # fmt: skip
        _print_json("token-classification", found, len(gold), rows)
        return
    render(found, len(gold), "sentences")
    render_sentences(items, found, wanted.show)


def _tags_of_model(tagger: Tagger, name: str, corpus: Corpus, scheme: Scheme) -> Tags:
    from tagline.cli.progress import counting
    from tagline.data.schemes import convert
    from tagline.predict.judging import judge

    with counting(f"reading with {name}", len(corpus.sentences), "sentences") as advance:
        judgement = judge(tagger, corpus, advance)
    if judgement.unknown:
        shared.warn(f"{name} does not know the types {', '.join(judgement.unknown)}; their entities count as missed")
    if judgement.scheme is scheme:
        return judgement.tags
    return [tuple(convert(tags, judgement.scheme, scheme)) for tags in judgement.tags]


def _tags_of_file(path: Path, options: ReadOptions, corpus: Corpus, scheme: Scheme) -> Tags:
    """Predicted tags of a file whose words are those of the data.

    Tags that could be of the data's scheme are taken as they are: a broken sequence is the tool's own mistake.
    """
    from tagline.data.corpus import read_corpus
    from tagline.data.schemes import OUTSIDE, Scheme, prefixes

    found = read_corpus(path, options)
    for number, (ours, theirs) in enumerate(zip(corpus.sentences, found.sentences, strict=False), 1):
        if ours.words != theirs.words:
            place = next((at for at, (a, b) in enumerate(zip(ours.words, theirs.words, strict=False)) if a != b), None)
            at = min(len(ours.words), len(theirs.words)) if place is None else place
            line = theirs.line + at if found.format == "conll" else theirs.line
            here, there = (repr(each[at]) if at < len(each) else "its end" for each in (theirs.words, ours.words))
            raise DataError(
                f"word {at + 1} of sentence {number} is {here}, but {there} in {corpus.path} (sentence at line "
                f"{ours.line}); predictions must stand on the same words, in the same sentences",
                path,
                line,
            )
    if len(found.sentences) != len(corpus.sentences):
        raise DataError(
            f"has {len(found.sentences):,} sentences, {corpus.path} has {len(corpus.sentences):,}; predictions must "
            "stand on the same sentences",
            path,
        )
    kinds = {tag for sentence in found.sentences for tag in sentence.tags if tag != OUTSIDE}
    fits = not found.bare and corpus.scheme is not Scheme.IOB1 and {tag[0] for tag in kinds} <= set(prefixes(scheme))
    if fits and options.scheme in (None, scheme):
        return [sentence.tags for sentence in found.sentences]
    return list(found.tags(scheme))


def _compare_texts(
    folders: Sequence[ModelFolder], data: Path, options: TextOptions, settings: EngineSettings, wanted: Wanted
) -> None:
    from tagline.cli.progress import counting
    from tagline.cli.train_texts import tell_corpus
    from tagline.data.texts.reading import read_texts
    from tagline.evaluate.comparison import compare_labels, compare_numbers
    from tagline.predict.classifier import Classifier
    from tagline.predict.text_judging import judge_texts
    from tagline.records import Problem
    from tagline.report.comparing import comparison_report, text_items

    problem = folders[0].manifest.problem
    corpus = read_texts(data, replace(options, problem=options.problem or problem))
    tell_corpus(corpus)
    names, answers = _names(folders), []
    for folder, name in zip(folders, names, strict=True):
        with counting(f"reading with {name}", len(corpus.texts), "texts") as advance:
            answers.append(judge_texts(Classifier.open(folder.path, settings), corpus, advance).answers)
    rest = (names, wanted.rounds, wanted.seed)
    if problem is Problem.REGRESSION:
        numbers = [text.score or 0.0 for text in corpus.texts]
        found = compare_numbers(numbers, [[each.score for each in side] for side in answers], *rest)
        gold: list[tuple[str, ...]] = [(f"{number:.4g}",) for number in numbers]
        labels: list[list[tuple[str, ...]]] = [[(f"{each.score:.4g}",) for each in side] for side in answers]
    else:
        gold = [text.labels for text in corpus.texts]
        labels = [[each.labels for each in side] for side in answers]
        found = compare_labels(gold, labels, *rest)
    items = text_items(found, corpus.texts, gold, labels)
    write_pages(lambda: comparison_report(found, data.name, len(gold), "texts", items), wanted.html, wanted.markdown)
    if wanted.json_out:
        rows = [
            {"text": corpus.texts[row].text, "line": corpus.texts[row].line, "outcome": outcome, "gold": gold[row],
             "predicted": {name: side[row] for name, side in zip(names, labels, strict=True)}}
            for row, outcome in zip(found.differing, found.outcomes, strict=True)
        ]  # fmt: skip
        _print_json("text-classification", found, len(gold), rows)
        return
    render(found, len(gold), "texts")
    render_texts(found, [text.text for text in corpus.texts], gold, labels, wanted.show)


def _names(systems: Sequence[ModelFolder | Path]) -> list[str]:
    """Short names, all different: of a folder or file its name, with as much of the path as is needed."""
    paths = [(each if isinstance(each, Path) else each.path).resolve() for each in systems]
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    raise UsageError(f"{paths[0]} was given twice; compare different models or files")


def _print_json(task: str, found: Comparison, units: int, rows: list[dict[str, Any]]) -> None:
    value = {"task": task, **found.to_json(), "units": units, "differing": len(rows), "differences": rows}
    sys.stdout.write(json.dumps(value) + "\n")
