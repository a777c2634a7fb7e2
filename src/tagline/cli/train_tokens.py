"""Training of a token classifier, as `tagline train` runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagline.cli import options as shared
from tagline.cli.distil import NOBODY, Teaching, teach_tokens
from tagline.cli.leakage import check_leakage
from tagline.cli.training import Run, learn

if TYPE_CHECKING:
    from tagline.data.corpus import Corpus, ReadOptions
    from tagline.train.tokens.settings import TokenSettings


def train_tokens(
    run: Run,
    settings: TokenSettings,
    reading: ReadOptions,
    allow_leakage: bool = False,
    teaching: Teaching = NOBODY,
) -> dict[str, Any]:
    """Reads, trains, judges; gives the metrics, without test where that has leaked into train and is not allowed to."""
    from tagline.train.provenance import manifest_of_tokens
    from tagline.train.tokens.prepare import prepare_tokens

    corpora = read_tagged(run.files, reading, settings)
    leakage = check_leakage(corpora, allow_leakage)
    prepared = prepare_tokens(corpora["train"], corpora.get("dev"), settings)
    if prepared.train.shortened:
        shared.warn(f"{prepared.train.shortened} very long words are shown to the encoder by their first sub-tokens")
    if prepared.vectors:
        shared.say(f"vectors {settings.to_dict()['vectors']}: {prepared.vectors['coverage']}")
    if prepared.names is not None:
        shared.say(f"names: {prepared.names}")
    shapes = "on" if prepared.encoder.shapes else "off"
    shared.say(
        f"encoder {settings.encoder}, {len(prepared.labels)} tags, word shapes {shapes}, "
        f"{sum(prepared.train.lengths):,} sub-tokens in {len(prepared.train.windows):,} windows"
    )
    return learn(
        prepared,
        settings,
        run,
        lambda fitted: teaching.noted(leakage.noted(manifest_of_tokens(fitted, corpora))),
        lambda folder: {"metrics": leakage.marked(_scores(folder, leakage.judged(corpora), settings))},
        teach_tokens(prepared, corpora["train"], settings, teaching),
    )


def read_tagged(files: dict[str, Path], reading: ReadOptions, settings: TokenSettings) -> dict[str, Corpus]:
    """Reads all files, and finds out before any work whether their types fit."""
    from tagline.data.corpus import read_corpus
    from tagline.text.context import has_documents
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
        if role != "train" and settings.context and not has_documents(corpus.sentences):
            shared.warn(f"{corpus.path} marks no documents, so its sentences are read without context")
    return corpora


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
