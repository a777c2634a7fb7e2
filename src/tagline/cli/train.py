"""`tagline train`: from an annotated file to a model folder."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tagline.cli import options as shared
from tagline.errors import Interrupted, MissingExtraError, OutputError, UsageError

if TYPE_CHECKING:
    from tagline.data.corpus import Corpus, ReadOptions
    from tagline.train.tokens.settings import TokenSettings

_NEEDED = ("torch", "transformers", "accelerate", "safetensors", "tensorboard")


def train(
    train_file: Annotated[Path, typer.Argument(metavar="TRAIN", help="Annotated training data.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Model folder to make.", show_default=False)],
    dev: Annotated[Path | None, typer.Option(help="Annotated data that the best epoch is chosen on.")] = None,
    test: Annotated[Path | None, typer.Option(help="Annotated data that is looked at once, at the end.")] = None,
    encoder: Annotated[str, typer.Option(help="minilm, a folder, or a hub name.")] = "minilm",
    epochs: Annotated[int | None, typer.Option(help="Passes over the training data.", show_default=False)] = None,
    batch_tokens: Annotated[int | None, typer.Option(help="Sub-tokens of a step.", show_default=False)] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak rate of the encoder.", show_default=False)] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of all that is random.", show_default=False)] = None,
    patience: Annotated[
        int | None, typer.Option(help="End after so many epochs without a better dev F1.", show_default=False)
    ] = None,
    unknown_tags: Annotated[
        str | None, typer.Option(help="Types in dev or test that train lacks: error, or miss.", show_default=False)
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other setting as NAME=VALUE, e.g. scheduler=cosine."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the model folder.")] = False,
    json_out: Annotated[bool, typer.Option("--json", help="Print the scores as one JSON object.")] = False,
    form: shared.Format = None,
    word_column: shared.WordColumn = None,
    tag_column: shared.TagColumn = None,
    scheme: shared.SchemeOption = None,
    strict: shared.Strict = False,
    precision: Annotated[str | None, typer.Option(help="auto, bf16 or f32.", show_default=False)] = None,
    threads: shared.Threads = 0,
) -> None:
    """Train a model on annotated text, keep the best epoch on dev, and write its folder."""
    _check_extra()
    from tagline.train.tokens.settings import TokenSettings

    given = {
        "encoder": encoder, "epochs": epochs, "batch_tokens": batch_tokens, "learning_rate": learning_rate,
        "seed": seed, "patience": patience, "unknown_tags": unknown_tags, "precision": precision, "threads": threads,
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value is not None}
    chosen = TokenSettings(**{**given, **_more(settings or [])})
    output, work = _places(output, resume, overwrite)
    reading = shared.read_options(form, word_column, tag_column, scheme, strict)
    files = {"train": train_file, "dev": dev, "test": test}
    corpora = _read({role: path for role, path in files.items() if path is not None}, reading, chosen)
    try:
        metrics = _run(corpora, chosen, output, work, resume, overwrite)
    except (Interrupted, OutputError, KeyboardInterrupt) as error:
        why = "stopped" if isinstance(error, KeyboardInterrupt) else str(error).removesuffix(".")
        kind = OutputError if isinstance(error, OutputError) else Interrupted
        raise kind(why + (f". To go on type: {shared.resuming()}" if work.is_dir() else "")) from error
    if json_out:
        sys.stdout.write(json.dumps(metrics) + "\n")
    else:
        shared.say(f'model: {output}\nnext: tagline predict {output} --text "…"')


def _places(output: Path, resume: bool, overwrite: bool) -> tuple[Path, Path]:
    """The model folder and, beside it, the folder of the run. Whether they can be made is found out before any work.

    Raises:
        OutputError: something is there that may not be replaced, or nothing can be made there.
    """
    if output.name in ("", ".."):
        output = output.resolve()
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is a file; expected the name of a folder to make")
    if output.is_dir() and any(output.iterdir()):
        if not (output / "config.json").is_file():
            raise OutputError(f"{output} is a folder that holds no model, and only models are replaced; name another")
        if not overwrite:
            raise OutputError(f"{output} is there already; type --overwrite to replace it, or another name with -o")
    work = output.with_name(output.name + ".training")
    if work.exists() and not resume and not overwrite:
        raise OutputError(f"{work} holds an unfinished run; type --resume to go on, or --overwrite to begin anew")
    if resume and not work.exists():
        shared.say(f"nothing to resume in {work}; training begins at the beginning")
    place = output.absolute().parent
    while not place.exists():
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        reason = "may not be written to" if place.is_dir() else "is a file"
        raise OutputError(f"{output} cannot be made: {place} {reason}; give another place with -o")
    return output, work


def _check_extra() -> None:
    import importlib.util

    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise MissingExtraError("training", "train")


def _more(pairs: list[str]) -> dict[str, Any]:
    """`--set NAME=VALUE` by the types of the settings."""
    from tagline.train.tokens.settings import TokenSettings

    known = TokenSettings.__dataclass_fields__
    chosen: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.replace("-", "_")
        if not equals or name not in known:
            raise UsageError(f"--set got {pair!r}; expected NAME=VALUE with one of {', '.join(sorted(known))}")
        if name == "scheme":
            chosen[name] = shared.scheme(text)
            continue
        try:
            value = json.loads(text.lower() if text in ("True", "False", "None") else text)
        except ValueError:
            value = text
        wanted = known[name].type
        if not isinstance(value, _accepted(str(wanted))) or (isinstance(value, bool) and "bool" not in str(wanted)):
            raise UsageError(f"--set {name}: got {text!r}; expected {wanted}")
        chosen[name] = value
    return chosen


def _accepted(annotation: str) -> tuple[type, ...]:
    kinds: dict[str, tuple[type, ...]] = {
        "int": (int,), "float": (int, float), "str": (str,), "bool": (bool,), "None": (type(None),),
    }  # fmt: skip
    return tuple(kind for name in annotation.split(" | ") for kind in kinds[name])


def _read(files: dict[str, Path], reading: ReadOptions, settings: TokenSettings) -> dict[str, Corpus]:
    """Reads all files, and finds out before any work whether their types fit."""
    from tagline.data.corpus import read_corpus
    from tagline.text.words import WordSplitter
    from tagline.train.tokens.prepare import check_types, label_set

    splitter = WordSplitter()
    corpora = {role: read_corpus(path, reading, splitter) for role, path in files.items()}
    labels = label_set(corpora["train"], settings.scheme)
    for role, corpus in corpora.items():
        shared.tell_warnings(corpus)
        words = sum(len(sentence.words) for sentence in corpus.sentences)
        shared.say(f"{role}: {len(corpus.sentences):,} sentences, {words:,} words, scheme {corpus.scheme.value}")
        if role != "train" and (unknown := check_types(labels, corpus, settings)):
            shared.warn(f"{corpus.path}: {sum(unknown.values())} tags of types that train lacks count as missed")
    return corpora


def _run(
    corpora: dict[str, Corpus], settings: TokenSettings, output: Path, work: Path, resume: bool, overwrite: bool
) -> dict[str, Any]:
    from tagline.cli.progress import training
    from tagline.publish.write import Parts, write_model
    from tagline.train.fit import fit
    from tagline.train.tokens.prepare import prepare_tokens
    from tagline.train.provenance import manifest_of_tokens

    prepared = prepare_tokens(corpora["train"], corpora.get("dev"), settings)
    if prepared.train.shortened:
        shared.warn(f"{prepared.train.shortened} very long words are shown to the encoder by their first sub-tokens")
    shapes = "on" if prepared.encoder.shapes else "off"
    shared.say(
        f"encoder {settings.encoder}, {len(prepared.labels)} tags, word shapes {shapes}, "
        f"{sum(prepared.train.lengths):,} sub-tokens in {len(prepared.train.windows):,} windows"
    )
    with training() as report:
        fitted = fit(prepared, settings, work, resume, report)

    def scores(folder: Path) -> dict[str, Any]:
        return _scores(folder, corpora, settings)

    parts = Parts(fitted.model, prepared.encoder.tokenizer, fitted.logs)
    folder = write_model(parts, manifest_of_tokens(fitted, corpora), output, scores, overwrite)
    shutil.rmtree(work, ignore_errors=True)
    return folder.manifest.metrics


def _scores(folder: Path, corpora: dict[str, Corpus], settings: TokenSettings) -> dict[str, Any]:
    """Dev and test through the engine that users will run."""
    from rich.console import Console

    from tagline.engines.base import EngineSettings
    from tagline.predict.judging import judge
    from tagline.predict.tagger import Tagger

    console = Console(stderr=True)
    tagger = Tagger.open(folder, EngineSettings(threads=settings.threads))
    reports = {}
    for role, corpus in corpora.items():
        if role != "train":
            report = judge(tagger, corpus).report
            shared.say(f"\n{role} ({corpus.path}), {tagger.engine.name} in {tagger.engine.precision}:")
            report.render(console)
            reports[role] = report.to_json()
    return reports
