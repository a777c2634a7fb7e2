"""`tagline train`: from an annotated file to a model folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tagline.cli import options as shared
from tagline.cli.train_options import Fit, Held, Reading, Teachers, TextFit, Work
from tagline.cli.training import Place, Run, check_extra, kept, one_voice

_HELD, _FIT, _PLACE, _READING = Held(), Fit(), Place(), Reading()
_TEXT_FIT, _TEACHERS, _WORK = TextFit(), Teachers(), Work()


def train(
    train_file: Annotated[Path, typer.Argument(metavar="TRAIN", help="Annotated training data.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Model folder to make.", show_default=False)],
    held: Held = _HELD,
    fit: Fit = _FIT,
    place: Place = _PLACE,
    reading: Reading = _READING,
    text_fit: TextFit = _TEXT_FIT,
    teachers: Teachers = _TEACHERS,
    work: Work = _WORK,
) -> None:
    """Train a model on annotated text, keep the best epoch on dev, and write its folder.

    On several GPUs or processors: torchrun --nproc-per-node 2 -m tagline train TRAIN -o MODEL. A step stays the same.
    """
    check_extra()
    with one_voice() as first:
        from tagline.train.settings import check_tracker

        check_tracker(work.tracker)
        fit = fit.named()
        teaching = teachers.teaching()
        files = held.files(train_file)
        if reading.of_texts(train_file):
            from tagline.cli.train_texts import train_texts
            from tagline.train.texts.settings import TextSettings

            text_settings = fit.of(TextSettings, text_fit, work)
            run = Run(files, *place.folders(output, first), place, work.tracker)
            metrics = kept(
                run.work,
                lambda: train_texts(
                    run, text_settings, reading.labelled(), reading.split, held.allow_leakage, teaching
                ),
            )
        else:
            from tagline.cli.train_tokens import train_tokens
            from tagline.train.tokens.settings import settings_for

            fit.check_words()
            token_settings = fit.of(settings_for(str(fit.encoder)), text_fit, work)
            run = Run(files, *place.folders(output, first), place, work.tracker)
            words = reading.words()
            metrics = kept(run.work, lambda: train_tokens(run, token_settings, words, held.allow_leakage, teaching))
        if place.json_out:
            sys.stdout.write(json.dumps(metrics) + "\n")
        else:
            shared.say(f'model: {output}\nnext: tagline predict {output} --text "…"')
