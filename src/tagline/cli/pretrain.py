"""`tagline pretrain`: a tokenizer and a masked language model from plain text, for `tagline train --encoder FOLDER`."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from tagline.cli import options as shared
from tagline.cli.training import check_extra, kept, places


def pretrain(
    text: Annotated[
        Path,
        typer.Argument(metavar="TEXT", help="Plain text, a sentence or a paragraph a line.", show_default=False),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to make.", show_default=False)],
    encoder: Annotated[
        str | None,
        typer.Option(help="Go on from minilm, a folder or a hub name. Default: minilm.", show_default=False),
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Begin with random weights: BERT, or with bpe RoBERTa.")
    ] = False,
    tokenizer: Annotated[
        str | None,
        typer.Option(help="bpe, wordpiece or keep. Default: keep, from scratch wordpiece.", show_default=False),
    ] = None,
    vocabulary: Annotated[
        int, typer.Option(help="Most pieces of a new tokenizer. Default: 16000.", show_default=False)
    ] = 0,
    lowercase: Annotated[bool, typer.Option("--lowercase", help="A new tokenizer loses capitals.")] = False,
    layers: Annotated[int, typer.Option(help="Layers from scratch. Default: 4.", show_default=False)] = 0,
    width: Annotated[int, typer.Option(help="Hidden size from scratch. Default: 256.", show_default=False)] = 0,
    heads: Annotated[int, typer.Option(help="Attention heads from scratch. Default: 4.", show_default=False)] = 0,
    window: Annotated[int, typer.Option(help="Sub-tokens of a block of text.")] = 128,
    held_out: Annotated[float, typer.Option(help="Share of the lines that is never learned, but judges.")] = 0.05,
    epochs: Annotated[int, typer.Option(help="Passes over the text.")] = 10,
    batch_tokens: Annotated[int, typer.Option(help="Sub-tokens of a step.")] = 4096,
    learning_rate: Annotated[
        float, typer.Option(help="Peak rate. Default: 5e-4 from scratch, else 2e-4.", show_default=False)
    ] = 0.0,
    checkpoint_steps: Annotated[
        int, typer.Option(help="Steps between checkpoints within an epoch; 0: at its end only.")
    ] = 1000,
    precision: Annotated[str, typer.Option(help="auto, bf16 or f32.")] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of all that is random.")] = 13,
    threads: shared.Threads = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the folder.")] = False,
    json_out: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Train a tokenizer and a masked language model on plain text, from scratch or onward from an encoder."""
    check_extra()
    from tagline.train.pretrain.settings import PretrainSettings

    settings = PretrainSettings(
        encoder=encoder, from_scratch=from_scratch, tokenizer=tokenizer, vocabulary=vocabulary, lowercase=lowercase,
        layers=layers, width=width, heads=heads, window=window, held_out=held_out, epochs=epochs,
        batch_tokens=batch_tokens, learning_rate=learning_rate, checkpoint_steps=checkpoint_steps, precision=precision,
        threads=threads, seed=seed,
    )  # fmt: skip
    output, work = places(output, resume, overwrite)

    def learn() -> dict[str, Any]:
        from tagline.cli.progress import training
        from tagline.train.pretrain.fit import Telling, pretrain
        from tagline.train.pretrain.write import write_pretrained

        with training() as report:
            made = pretrain(text, settings, work, resume, Telling(shared.say, report))
        facts = write_pretrained(made, output, overwrite)
        shutil.rmtree(work, ignore_errors=True)
        return facts

    facts = kept(work, learn)
    if json_out:
        sys.stdout.write(json.dumps({"model": str(output), **facts}) + "\n")
        return
    if facts["loss"] is not None:
        shared.say(f"held-out loss {facts['loss']:.4f}, perplexity {facts['perplexity']:,.2f}")
    shared.say(f"encoder: {output}\nnext: tagline train TRAIN --encoder {output} -o MODEL")
