"""`tagline convert`: annotated texts from one format into another, and a list of what the target cannot hold."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tagline.cli import options as shared
from tagline.errors import UsageError

if TYPE_CHECKING:
    from tagline.data.convert.brat import BratOptions
    from tagline.data.convert.items import Losses
    from tagline.data.convert.run import Converted, ConvertOptions
    from tagline.data.reading import ReadOptions, SplitWords

_SHOWN = 5  # places of each kind on a terminal


@dataclass(frozen=True)
class Forms:
    """What IN is, and what OUT is to be."""

    form: Annotated[
        str | None,
        typer.Option(
            "--from",
            "--format",
            help="Format of IN: conll, jsonl, csv, tsv, parquet, datasets, spacy, brat, labelstudio, txt.",
            show_default=False,
        ),
    ] = None
    to: Annotated[
        str | None,
        typer.Option(
            help="Format of OUT: conll, jsonl, csv, tsv, parquet, datasets, spacy, brat, labelstudio.",
            show_default=False,
        ),
    ] = None
    to_scheme: Annotated[
        str | None, typer.Option(help="Tag scheme to write: IO, IOB1, IOB2, IOBES, BILOU.", show_default=False)
    ] = None
    rows_as: Annotated[
        str | None,
        typer.Option("--as", help="Rows of JSONL, CSV, TSV, Parquet, datasets: tokens or spans.", show_default=False),
    ] = None


@dataclass(frozen=True)
class Text:
    """How text becomes words and items."""

    words: Annotated[
        str, typer.Option(help="How texts are split into words: rules (Tagline's own) or space (at white space only).")
    ] = "rules"
    discontinuous: Annotated[str, typer.Option(help="Of brat: entities in several pieces: refuse, join or drop.")] = (
        "refuse"
    )
    brat_texts: Annotated[str, typer.Option(help="Of brat: what becomes one text: line or file.")] = "line"

    def check(self) -> None:
        """Raises UsageError for a way to split words that there is not."""
        if self.words not in ("rules", "space"):
            raise UsageError(f"--words is {self.words!r}; accepted are rules and space")

    def splitter(self) -> SplitWords:
        """What finds the words of a text."""
        from tagline.data.convert.flatten import split_at_blanks
        from tagline.text.words import WordSplitter

        return split_at_blanks if self.words == "space" else WordSplitter()

    def brat(self) -> BratOptions:
        """How files of brat are read.

        Raises:
            UsageError: an option that is not accepted.
        """
        from tagline.data.convert.brat import BratOptions

        return BratOptions(self.discontinuous, self.brat_texts)


@dataclass(frozen=True)
class Outcome:
    """What may be replaced and lost, and how that is told."""

    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False
    fail_on_loss: Annotated[
        bool, typer.Option("--fail-on-loss", help="Write nothing, and leave with 1, where anything would be lost.")
    ] = False
    lost: Annotated[
        Path | None, typer.Option(help="File for the whole list of what is lost (TSV).", show_default=False)
    ] = None
    json_out: Annotated[bool, typer.Option("--json", help="Print counts and losses as one JSON object.")] = False

    def check(self, *files: Path) -> None:
        """Raises UsageError where the list of losses would replace one of the files."""
        if self.lost is not None and self.lost.resolve() in [file.resolve() for file in files]:
            raise UsageError(f"--lost is {self.lost}, which is the source or the target; give another name")


@dataclass(frozen=True)
class Reading:
    """How the files are read, whatever is annotated in them."""

    split: Annotated[str | None, typer.Option(help="Split of a datasets folder.", show_default=False)] = None
    task: shared.Task = None
    columns: shared.WordReading = shared.UNTOLD_WORDS
    strict: shared.Strict = False
    texts: shared.TextReading = shared.UNTOLD

    def of_texts(self, source: Path, to: str | None) -> bool:
        """Whether the source holds texts with labels, not with entities.

        Raises:
            UsageError: options for texts with labels where there are none.
        """
        given = self.texts.given()
        if source.is_dir() or to in ("conll", "datasets", "spacy", "brat", "labelstudio"):
            if given:
                raise UsageError(f"{given} is for texts with labels: from and to TSV, CSV, JSONL or Parquet")
            return False
        return shared.task(self.task, given, source) == shared.TASKS["sequence-classification"]

    def items(self, form: str | None) -> ReadOptions:
        """How entities are read."""
        return replace(self.columns.options(form, self.strict), split=self.split)


_FORMS, _TEXT, _OUTCOME, _READING = Forms(), Text(), Outcome(), Reading()


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Annotated file or folder.", show_default=False)],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File or folder to make.", show_default=False)],
    forms: Forms = _FORMS,
    predictions_of: Annotated[
        Path | None,
        typer.Option(help="Write what this model finds, as Label Studio's pre-annotations.", show_default=False),
    ] = None,
    text: Text = _TEXT,
    outcome: Outcome = _OUTCOME,
    reading: Reading = _READING,
    engine: shared.EngineOption = "auto",
    threads: shared.Threads = 0,
) -> None:
    """Convert annotated texts: CoNLL in any scheme, JSONL, CSV, TSV, Parquet, datasets, spaCy, brat, Label Studio."""
    from tagline.data.convert.run import ConvertOptions

    text.check()
    options = ConvertOptions(
        source=reading.items(forms.form),
        target=forms.to,
        scheme=shared.scheme(forms.to_scheme, "--to-scheme"),
        form=forms.rows_as,
        brat=text.brat(),
        split_words=text.splitter(),
        overwrite=outcome.overwrite,
        may_lose=not outcome.fail_on_loss,
    )
    outcome.check(source, target)
    if predictions_of is not None:
        done = _predict(source, target, options, predictions_of, (engine, threads))
    elif reading.of_texts(source, forms.to):
        done = _texts(source, target, reading.texts, options)
    else:
        from tagline.data.convert.run import convert as convert_items

        done = convert_items(source, target, options)
    _tell(done, target, outcome.lost, outcome.json_out)
    if not done.written:
        raise typer.Exit(1)


def _texts(source: Path, target: Path, texts: shared.TextReading, options: ConvertOptions) -> Converted:
    from tagline.data.convert.texts import convert_texts

    for name, value in (("--as", options.form), ("--to-scheme", options.scheme)):
        if value is not None:
            raise UsageError(f"{name} is for entities, and {source} holds texts with labels; leave it away")
    done, notes = convert_texts(source, target, texts.options(), options.target, options.overwrite, options.may_lose)
    for note in notes:
        shared.say(f"{source}: {note}")
    return done


def _predict(source: Path, target: Path, options: ConvertOptions, model: Path, how: tuple[str, int]) -> Converted:
    """What a tagger finds in the texts of a file, as tasks of Label Studio."""
    from tagline.data.alignment import CharSpan
    from tagline.data.convert import labelstudio
    from tagline.data.convert.run import Converted, read_items, refuse_occupied
    from tagline.predict import Tagger, load

    if options.target not in (None, "labelstudio"):
        raise UsageError(f"--predictions-of writes Label Studio's tasks, not {options.target}; leave --to away")
    refuse_occupied(target, options.overwrite)
    if options.source.format is None and source.suffix.lower() == ".txt":
        options = replace(options, source=replace(options.source, format="txt"))
    items = read_items(source, options, annotated=False)
    tagger = load(model, engine=how[0], threads=how[1])
    if not isinstance(tagger, Tagger):
        raise UsageError(f"{model} labels whole texts; --predictions-of needs a model that marks entities")
    found = []
    for item, document in zip(items.items, tagger.stream(item.text for item in items.items), strict=True):
        spans = tuple(CharSpan(each.start, each.end, each.label) for each in document.entities)
        found.append(replace(item, spans=spans, scores=tuple(each.score for each in document.entities)))
    labelstudio.write(target, replace(items, items=found), model=tagger.folder.path.resolve().name)
    count = sum(len(item.spans) for item in found)
    return Converted(items.format, "labelstudio", len(found), count, items.losses, True, tuple(tagger.labels))


def _tell(done: Converted, target: Path, lost: Path | None, json_out: bool) -> None:
    """Says what was done and what is lost."""
    if lost is not None:
        _list(done.losses, lost)
    if json_out:
        facts: dict[str, Any] = {
            "source": done.source,
            "target": done.target,
            "texts": done.texts,
            "entities": done.entities,
            "written": done.written,
            "lost": done.losses.counts(),
            "losses": [
                {"kind": each.kind, "file": each.path, "line": each.line, "count": each.count, "detail": each.detail}
                for each in done.losses.found
            ],
        }
        sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
        return
    _warn(done.losses, lost)
    if not done.written:
        shared.say(f"{target} is not written: something would be lost (--fail-on-loss)")
        return
    shared.say(f"{target}: {done.texts:,} texts, {done.entities:,} entities or labels, {done.source} to {done.target}")
    if done.target == "labelstudio":
        from tagline.data.convert.labelstudio import labels_config

        shared.say(f"labelling interface that fits: {labels_config(done.labels)}")


def _warn(losses: Losses, lost: Path | None) -> None:
    from tagline.data.convert.items import KINDS

    shown: Counter[str] = Counter()
    for kind, count in losses.counts().items():
        shared.warn(f"{count:,} × {KINDS[kind]}:")
        places = [each for each in losses.found if each.kind == kind]
        for each in places[:_SHOWN]:
            shared.say(f"  {each}")
            shown[kind] += 1
        if len(places) > _SHOWN:
            where = f"in {lost}" if lost else "with --lost FILE or --json"
            shared.say(f"  and {len(places) - _SHOWN:,} more; all of them {where}")


def _list(losses: Losses, path: Path) -> None:
    """Writes every loss as a row: kind, file, line, count, detail."""
    from tagline.data.atomic import atomic_write

    with atomic_write(path) as file:
        file.write("kind\tfile\tline\tcount\tdetail\n")
        for each in losses.found:
            cells = (each.kind, each.path, each.line or "", each.count, each.detail)
            file.write("\t".join(" ".join(str(cell).split()) for cell in cells) + "\n")
