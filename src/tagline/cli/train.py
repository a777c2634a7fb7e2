"""`tagline train`: from an annotated file to a model folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tagline.cli import options as shared
from tagline.cli.distil import Teaching
from tagline.cli.training import Run, check_extra, kept, one_voice, places, read_settings, settings_of
from tagline.errors import UsageError


def train(
    train_file: Annotated[Path, typer.Argument(metavar="TRAIN", help="Annotated training data.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Model folder to make.", show_default=False)],
    dev: Annotated[Path | None, typer.Option(help="Annotated data that the best epoch is chosen on.")] = None,
    test: Annotated[Path | None, typer.Option(help="Annotated data that is looked at once, at the end.")] = None,
    task: shared.Task = None,
    encoder: shared.Encoder = None,
    head: Annotated[
        str | None, typer.Option(help="linear, or crf. Default: linear, of bilstm crf.", show_default=False)
    ] = None,
    vectors: Annotated[
        Path | None, typer.Option(help="Word vectors of word2vec or GloVe, for --encoder bilstm.", show_default=False)
    ] = None,
    characters: Annotated[
        int | None, typer.Option(help="Characters of a word that --encoder bilstm reads, e.g. 14.", show_default=False)
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training data.", show_default=False)] = None,
    batch_tokens: Annotated[int | None, typer.Option(help="Sub-tokens of a step.", show_default=False)] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak rate of the encoder.", show_default=False)] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of all that is random.", show_default=False)] = None,
    patience: Annotated[
        int | None, typer.Option(help="End after so many epochs without a better score on dev.", show_default=False)
    ] = None,
    unknown_tags: Annotated[
        str | None, typer.Option(help="Labels in dev or test that train lacks: error, or miss.", show_default=False)
    ] = None,
    settings: shared.Set = None,
    settings_file: Annotated[
        Path | None,
        typer.Option(
            "--settings",
            help="JSON or TOML file of settings, as tagline tune writes; other options win over it.",
            show_default=False,
        ),
    ] = None,
    allow_leakage: Annotated[
        bool,
        typer.Option("--allow-leakage", help="Report the test score although test texts stand in the training data."),
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the model folder.")] = False,
    json_out: Annotated[bool, typer.Option("--json", help="Print the scores as one JSON object.")] = False,
    form: shared.Format = None,
    columns: shared.WordReading = shared.UNTOLD_WORDS,
    strict: shared.Strict = False,
    texts: shared.TextReading = shared.UNTOLD,
    split: Annotated[
        str | None,
        typer.Option(help="Of texts without --dev: shares of train, dev and test, or none. Default: 80/10/10."),
    ] = None,
    pooling: Annotated[
        str | None, typer.Option(help="Windows of a long text: mean or max.", show_default=False)
    ] = None,
    class_weights: Annotated[
        str | None, typer.Option(help="Weights of labels: balanced, or spam=2,ham=1.", show_default=False)
    ] = None,
    focal_gamma: Annotated[float | None, typer.Option(help="Focal loss; 2 is usual.", show_default=False)] = None,
    label_smoothing: Annotated[
        float | None, typer.Option(help="Share of the target spread over all labels.", show_default=False)
    ] = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(help="Model to learn from beside the labels; several give their mean.", show_default=False),
    ] = None,
    unlabelled: Annotated[
        Path | None, typer.Option(help="Texts without labels that the teachers label.", show_default=False)
    ] = None,
    tracker: Annotated[
        str,
        typer.Option(help="Where the log goes: tensorboard, mlflow (MLFLOW_TRACKING_URI, or mlruns), both or none."),
    ] = "tensorboard",
    precision: Annotated[str | None, typer.Option(help="auto, bf16 or f32.", show_default=False)] = None,
    threads: shared.Threads = 0,
) -> None:
    """Train a model on annotated text, keep the best epoch on dev, and write its folder.

    On several GPUs or processors: torchrun --nproc-per-node 2 -m tagline train TRAIN -o MODEL. A step stays the same.
    """
    check_extra()
    first = one_voice()
    from tagline.train.settings import check_tracker

    check_tracker(tracker)
    if encoder is None and settings_file is not None:
        encoder = read_settings(settings_file).get("encoder")
    encoder = str(encoder or "minilm")
    given = {
        "encoder": encoder, "epochs": epochs, "batch_tokens": batch_tokens, "learning_rate": learning_rate,
        "seed": seed, "patience": patience, "unknown_tags": unknown_tags, "precision": precision,
        "threads": threads or None,
        "pooling": pooling, "class_weights": class_weights, "focal_gamma": focal_gamma,
        "label_smoothing": label_smoothing, "head": head, "vectors": None if vectors is None else str(vectors),
        "characters": characters,
    }  # fmt: skip
    teaching = Teaching(tuple(teacher or ()), unlabelled)
    chosen_task = shared.task(task, texts.given() or ("--split" if split else ""), train_file)
    files = {role: path for role, path in (("train", train_file), ("dev", dev), ("test", test)) if path is not None}
    if chosen_task == "token-classification":
        from tagline.cli.train_tokens import train_tokens
        from tagline.train.tokens.settings import settings_for

        if not encoder.startswith("bilstm") and (vectors is not None or characters is not None):
            name = "vectors" if vectors is not None else "characters"
            raise UsageError(f"--{name} is for --encoder bilstm, not for {encoder!r}; leave one of the two away")
        token_settings = settings_of(settings_for(encoder), given, settings or [], settings_file)
        run = Run(files, *places(output, resume, overwrite, first), resume, overwrite, tracker)
        reading = columns.options(form, strict)
        metrics = kept(run.work, lambda: train_tokens(run, token_settings, reading, allow_leakage, teaching))
    else:
        from tagline.cli.train_texts import train_texts
        from tagline.train.texts.settings import TextSettings

        text_settings = settings_of(TextSettings, given, settings or [], settings_file)
        run = Run(files, *places(output, resume, overwrite, first), resume, overwrite, tracker)
        metrics = kept(
            run.work, lambda: train_texts(run, text_settings, texts.options(form), split, allow_leakage, teaching)
        )
    if json_out:
        sys.stdout.write(json.dumps(metrics) + "\n")
    else:
        shared.say(f'model: {output}\nnext: tagline predict {output} --text "…"')
