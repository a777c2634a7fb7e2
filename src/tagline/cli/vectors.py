"""`tagline vectors`: word vectors trained on a corpus, for `tagline train --encoder bilstm --vectors FILE`."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagline.cli import options as shared
from tagline.errors import OutputError

if TYPE_CHECKING:
    from tagline.train.word_vectors import VectorSettings


@dataclass(frozen=True)
class Fit:
    """Options of `VectorSettings`."""

    method: Annotated[str, typer.Option(help="skipgram, cbow or fasttext.")] = "skipgram"
    dimensions: Annotated[int, typer.Option(help="Numbers of a vector.")] = 100
    window: Annotated[int, typer.Option(help="Words on each side that count as company.")] = 5
    epochs: Annotated[int, typer.Option(help="Passes over the text.")] = 20
    min_count: Annotated[int, typer.Option(help="Rarer words get no vector.")] = 2
    negative: Annotated[int, typer.Option(help="Words drawn at random against each pair.")] = 5
    cased: Annotated[bool, typer.Option("--cased", help="Keep capitals; default: lower case.")] = False
    seed: Annotated[int, typer.Option(help="Seed of all that is random.")] = 13

    def settings(self) -> VectorSettings:
        """How the vectors are trained.

        Raises:
            UsageError: an option that is not accepted.
        """
        from tagline.train.word_vectors import VectorSettings

        return VectorSettings(
            self.method, self.dimensions, self.window, self.epochs, self.min_count, self.negative, not self.cased,
            self.seed,
        )  # fmt: skip


_FIT = Fit()


def vectors(
    train_file: Annotated[
        Path, typer.Argument(metavar="TRAIN", help="The training part of a corpus, nothing else.", show_default=False)
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="File to write, in word2vec's text format.", show_default=False)
    ],
    fit: Fit = _FIT,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
    json_out: Annotated[bool, typer.Option("--json", help="Print the counts as one JSON object.")] = False,
    form: shared.Format = None,
    columns: shared.WordReading = shared.UNTOLD_WORDS,
) -> None:
    """Train word vectors on the words of an annotated file, by gensim (extra: vectors)."""
    from tagline.cli.progress import counting
    from tagline.data.corpus import read_corpus
    from tagline.data.vectors import write_vectors
    from tagline.text.words import WordSplitter
    from tagline.train.word_vectors import train_vectors

    settings = fit.settings()
    if output.exists() and not overwrite:
        raise OutputError(f"{output} is there already; type --overwrite to replace it, or another name with -o")
    corpus = read_corpus(train_file, columns.options(form), WordSplitter())
    shared.tell_warnings(corpus)
    running = sum(len(sentence.words) for sentence in corpus.sentences)
    with counting("vectors", fit.epochs, "passes") as report:
        found = train_vectors([sentence.words for sentence in corpus.sentences], settings, report)
    write_vectors(output, found.words, found.matrix)
    if json_out:
        facts = {"file": str(output), "words": len(found.words), "dimensions": fit.dimensions, "running_words": running}
        sys.stdout.write(json.dumps({**facts, "fingerprint": found.fingerprint}) + "\n")
        return
    shared.say(
        f"{len(found.words):,} vectors of {fit.dimensions} dimensions from {running:,} words: {output}\n"
        f"next: tagline train {train_file} --encoder bilstm --vectors {output} …"
    )
