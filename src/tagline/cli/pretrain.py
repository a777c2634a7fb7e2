"""`tagline pretrain`: a tokenizer and a masked language model from plain text, for `tagline train --encoder FOLDER`."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tagline.cli import options as shared
from tagline.cli.training import Place, check_extra, kept

if TYPE_CHECKING:
    from tagline.train.pretrain.settings import PretrainSettings


@dataclass(frozen=True)
class Fit:
    """Options of `PretrainSettings`."""

    encoder: Annotated[
        str | None,
        typer.Option(help="Go on from minilm, a folder or a hub name. Default: minilm.", show_default=False),
    ] = None
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Begin with random weights: BERT, or with bpe RoBERTa.")
    ] = False
    tokenizer: Annotated[
        str | None,
        typer.Option(help="bpe, wordpiece or keep. Default: keep, from scratch wordpiece.", show_default=False),
    ] = None
    vocabulary: Annotated[
        int, typer.Option(help="Most pieces of a new tokenizer. Default: 16000.", show_default=False)
    ] = 0
    lowercase: Annotated[bool, typer.Option("--lowercase", help="A new tokenizer loses capitals.")] = False
    layers: Annotated[int, typer.Option(help="Layers from scratch. Default: 4.", show_default=False)] = 0
    width: Annotated[int, typer.Option(help="Hidden size from scratch. Default: 256.", show_default=False)] = 0
    heads: Annotated[int, typer.Option(help="Attention heads from scratch. Default: 4.", show_default=False)] = 0
    window: Annotated[int, typer.Option(help="Sub-tokens of a block of text.")] = 128
    held_out: Annotated[float, typer.Option(help="Share of the lines that is never learned, but judges.")] = 0.05
    epochs: Annotated[int, typer.Option(help="Passes over the text.")] = 10
    batch_tokens: Annotated[int, typer.Option(help="Sub-tokens of a step.")] = 4096
    learning_rate: Annotated[
        float, typer.Option(help="Peak rate. Default: 5e-4 from scratch, else 2e-4.", show_default=False)
    ] = 0.0
    checkpoint_steps: Annotated[
        int, typer.Option(help="Steps between checkpoints within an epoch; 0: at its end only.")
    ] = 1000
    precision: Annotated[str, typer.Option(help="auto, bf16 or f32.")] = "auto"
    seed: Annotated[int, typer.Option(help="Seed of all that is random.")] = 13
    threads: shared.Threads = 0

    def settings(self) -> PretrainSettings:
        """How the model is made and trained.

        Raises:
            UsageError: an option that is not accepted, or some that do not go together.
        """
        from tagline.train.pretrain.settings import PretrainSettings

        return PretrainSettings(**vars(self))


@dataclass(frozen=True)
class PretrainPlace(Place):
    """The options of a training's place, with what they are about here."""

    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the folder.")] = False
    json_out: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False


_FIT, _PLACE = Fit(), PretrainPlace()


def pretrain(
    text: Annotated[
        Path,
        typer.Argument(metavar="TEXT", help="Plain text, a sentence or a paragraph a line.", show_default=False),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to make.", show_default=False)],
    fit: Fit = _FIT,
    place: PretrainPlace = _PLACE,
) -> None:
    """Train a tokenizer and a masked language model on plain text, from scratch or onward from an encoder."""
    check_extra()
    settings = fit.settings()
    output, work = place.folders(output)

    def learn() -> dict[str, Any]:
        from tagline.cli.progress import training
        from tagline.train.pretrain.fit import Telling, pretrain
        from tagline.train.pretrain.write import write_pretrained

        with training() as report:
            made = pretrain(text, settings, work, place.resume, Telling(shared.say, report))
        facts = write_pretrained(made, output, place.overwrite)
        shutil.rmtree(work, ignore_errors=True)
        return facts

    facts = kept(work, learn)
    if place.json_out:
        sys.stdout.write(json.dumps({"model": str(output), **facts}) + "\n")
        return
    if facts["loss"] is not None:
        shared.say(f"held-out loss {facts['loss']:.4f}, perplexity {facts['perplexity']:,.2f}")
    shared.say(f"encoder: {output}\nnext: tagline train TRAIN --encoder {output} -o MODEL")
