"""`tagline evaluate`: an honest score of a model on annotated data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tagline.cli import options as shared


def evaluate(
    model: shared.Model,
    data: Annotated[Path, typer.Argument(help="Annotated file or datasets folder.", show_default=False)],
    json_out: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    predictions: Annotated[
        Path | None, typer.Option(help="Write the CoNLL file with one more column, the predicted tag.")
    ] = None,
    words: Annotated[bool, typer.Option("--words", help="Print the word-level report, too.")] = False,
    split: Annotated[str | None, typer.Option(help="Split of a datasets folder.")] = None,
    form: shared.Format = None,
    word_column: shared.WordColumn = None,
    tag_column: shared.TagColumn = None,
    scheme: shared.SchemeOption = None,
    strict: shared.Strict = False,
    argmax: shared.Argmax = False,
    engine: shared.EngineOption = "auto",
    precision: shared.Precision = "auto",
    device: shared.Device = "auto",
    threads: shared.Threads = 0,
    batch_tokens: shared.BatchTokens = 1024,
) -> None:
    """Score a model: strict precision, recall and F1 by type, conlleval's figure, words."""
    import json
    from dataclasses import replace

    from tagline.cli.progress import counting
    from tagline.data.corpus import read_corpus
    from tagline.data.write_corpus import copy_with_column
    from tagline.engines.base import EngineSettings
    from tagline.predict.judging import judge
    from tagline.predict.tagger import Tagger

    settings = EngineSettings(engine, precision, device, threads, batch_tokens)
    reading = replace(shared.read_options(form, word_column, tag_column, scheme, strict), split=split)
    tagger = Tagger.open(model, settings, constrained=not argmax)
    corpus = read_corpus(data, reading, tagger.splitter)
    shared.tell_warnings(corpus)
    with counting("evaluating", len(corpus.sentences), "sentences") as advance:
        judgement = judge(tagger, corpus, advance)
    if judgement.unknown:
        shared.warn(
            f"{data} has types that the model does not know ({', '.join(judgement.unknown)}); "
            "all their entities count as missed"
        )
    if judgement.shortened:
        shared.warn(f"{judgement.shortened} very long words were judged by their first sub-tokens")
    if predictions is not None:
        copy_with_column(data, predictions, judgement.tags, reading, tagger.splitter)
    if json_out:
        sys.stdout.write(json.dumps(judgement.report.to_json()) + "\n")
        return
    from rich.console import Console

    console = Console()
    judgement.report.render(console)
    if words:
        console.print(judgement.report.words.render(), highlight=False, markup=False)
