"""Training of a text classifier, as `tagline train` runs it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagline.cli import options as shared
from tagline.cli.distil import NOBODY, Teaching, teach_texts
from tagline.cli.leakage import check_leakage
from tagline.cli.training import Run, learn
from tagline.errors import UsageError

if TYPE_CHECKING:
    from tagline.data.texts.corpus import TextCorpus
    from tagline.data.texts.options import TextOptions
    from tagline.train.texts.prepare import PreparedTexts
    from tagline.train.texts.settings import TextSettings

_SHARES, _WITH_TEST = "80/10/10", "90/10/0"  # of a single file; of training data that come with a test file


def train_texts(
    run: Run,
    settings: TextSettings,
    reading: TextOptions,
    shares: str | None,
    allow_leakage: bool = False,
    teaching: Teaching = NOBODY,
) -> dict[str, Any]:
    """Reads, splits where there is one file, trains, tunes thresholds on dev, judges; gives the metrics.

    They are without test where that has leaked into train and is not allowed to.
    """
    from tagline.train.provenance import manifest_of_texts
    from tagline.train.texts.prepare import prepare_texts

    corpora, split = read_labelled(run.files, reading, settings, shares)
    leakage = check_leakage(corpora, allow_leakage)
    prepared = prepare_texts(corpora["train"], corpora.get("dev"), settings)
    _tell(prepared, settings)

    def judge(folder: Path) -> dict[str, Any]:
        learned = _scores(folder, leakage.judged(corpora), settings)
        return {**learned, "metrics": leakage.marked(learned["metrics"])}

    return learn(
        prepared,
        settings,
        run,
        lambda fitted: teaching.noted(leakage.noted(manifest_of_texts(fitted, corpora, split))),
        judge,
        teach_texts(prepared, corpora["train"], settings, teaching),
    )


def read_labelled(
    files: dict[str, Path], reading: TextOptions, settings: TextSettings, shares: str | None
) -> tuple[dict[str, TextCorpus], dict[str, Any] | None]:
    """Reads all files, and finds out before any work whether their labels fit."""
    from tagline.data.texts.reading import read_texts
    from tagline.train.texts.prepare import check_labels, label_set

    corpora = {role: read_texts(path, reading) for role, path in files.items()}
    for corpus in corpora.values():
        tell_corpus(corpus)
    corpora, split = _parts(corpora, shares, settings.seed)
    labels = label_set(corpora["train"])
    for role, corpus in corpora.items():
        shared.say(f"{role}: {len(corpus.texts):,} {'pairs' if corpus.paired else 'texts'}{_frequencies(corpus)}")
        if role == "train":
            continue
        if unknown := check_labels(labels, corpora["train"], corpus, settings):
            shared.warn(f"{corpus.path}: {sum(unknown.values())} labels that train lacks count as missed")
    return corpora, split


def tell_corpus(corpus: TextCorpus) -> None:
    """Says how a file was read."""
    for note in corpus.notes:
        shared.say(f"{corpus.path}: {note}")
    if corpus.empty:
        shared.warn(f"{corpus.path}: {corpus.empty} texts are empty; training leaves them out, scores count them")


def _frequencies(corpus: TextCorpus) -> str:
    counts = Counter(label for each in corpus.texts for label in each.labels)
    if not counts:
        return ""
    shown = ", ".join(f"{label} {times:,}" for label, times in counts.most_common(6))
    once = [label for label, times in counts.items() if times == 1]
    more = f", … ({len(counts)} labels)" if len(counts) > 6 else ""
    rare = f"; only once: {', '.join(sorted(once)[:6])}" if once else ""
    return f": {shown}{more}{rare}"


def _parts(
    corpora: dict[str, TextCorpus], text: str | None, seed: int
) -> tuple[dict[str, TextCorpus], dict[str, Any] | None]:
    """The corpora, with what was not given split off the training data; and how."""
    from tagline.data.texts.splits import split_texts

    if "dev" in corpora:
        if text not in (None, "none"):
            raise UsageError(f"--split {text} is for who has no --dev; leave one of the two away")
        return corpora, None
    if text == "none":
        return corpora, None
    text = text or (_WITH_TEST if "test" in corpora else _SHARES)
    shares = parse_shares(text)
    if "test" in corpora and shares[2]:
        raise UsageError(f"--split {text} makes a test part, but --test is given, too; type --split {_WITH_TEST}")
    parts = split_texts(corpora["train"], shares, seed)
    shared.say(
        f"no --dev: {corpora['train'].path} is split {text} into train, dev and test by label, seed {seed}; "
        f"{parts.removed:,} duplicates removed"
        + (f", {parts.conflicting:,} of them with another label" if parts.conflicting else "")
    )
    if parts.single:
        shared.warn(f"too few examples to stand in every part, kept in train: {', '.join(parts.single)}")
    given = {"train": parts.train, "dev": parts.dev, "test": corpora.get("test", parts.test)}
    facts = {"shares": list(shares), "seed": seed, "duplicates_removed": parts.removed}
    return {role: each for role, each in given.items() if each.texts}, facts


def parse_shares(text: str, option: str = "--split") -> tuple[float, float, float]:
    """Shares of train, dev and test from `80/10/10` or `0.8/0.1/0.1`.

    Raises:
        UsageError: these are not three numbers that make a whole, or train gets nothing.
    """
    try:
        parts = [float(part) for part in text.split("/")]
    except ValueError:
        parts = []
    total = sum(parts)
    if len(parts) != 3 or parts[0] <= 0 or min(parts) < 0 or not (abs(total - 100) < 1e-6 or abs(total - 1) < 1e-6):
        none = ", or none" if option == "--split" else ""
        raise UsageError(f"{option} is {text!r}; expected shares of train, dev and test such as {_SHARES}{none}")
    return parts[0] / total, parts[1] / total, parts[2] / total


def _tell(prepared: PreparedTexts, settings: TextSettings) -> None:
    if prepared.train.shortened:
        shared.warn(
            f"{prepared.train.shortened:,} pairs are longer than the window of {prepared.sequences.length} sub-tokens; "
            f"the longer text is shortened ({prepared.train.cut:,} sub-tokens in all)"
        )
    texts, windows = len(prepared.train.targets_by_text), len(prepared.train.windows)
    long = f" ({windows - texts:,} of them because of long texts)" if windows > texts else ""
    shared.say(
        f"encoder {settings.encoder}, {prepared.problem.value}, {len(prepared.labels)} labels, "
        f"{sum(prepared.train.lengths):,} sub-tokens in {windows:,} windows{long}"
    )


def _scores(folder: Path, corpora: dict[str, TextCorpus], settings: TextSettings) -> dict[str, Any]:
    """Dev and test through the engine that users will run; of several labels, thresholds are tuned on dev first."""
    from rich.console import Console

    from tagline.engines.base import EngineSettings
    from tagline.predict.classifier import Classifier
    from tagline.predict.text_judging import judge_texts

    console = Console(stderr=True)
    classifier = Classifier.open(folder, EngineSettings(threads=settings.threads))
    learned: dict[str, Any] = {"metrics": {}}
    for role in ("dev", "test"):
        if role not in corpora:
            continue
        judgement = judge_texts(classifier, corpora[role], tune=role == "dev")
        shared.say(f"\n{role} ({corpora[role].path}), {classifier.engine.name} in {classifier.engine.precision}:")
        judgement.report.render(console)
        learned["metrics"][role] = judgement.report.to_json()
        if role == "dev" and len(judgement.thresholds) and classifier.problem.name == "MULTI":
            learned["thresholds"] = judgement.thresholds
    return learned
