"""What a tagger is told of names: those of its training data, and lists from elsewhere.

A training sentence always stands among the names of its own data, so a model that saw that would trust every match. So
while training each fifth of the data is shown the names of the other four: the model learns how far a match can be
trusted on a sentence that it has not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagline.data.corpus import Corpus
from tagline.data.gazetteer import NameList, read_gazetteer
from tagline.data.schemes import OUTSIDE, Scheme, spans
from tagline.text.gazetteer import Gazetteer
from tagline.text.words import WordRules, WordSplitter
from tagline.train.tokens.settings import TokenSettings

FOLDS = 5
Mention = tuple[Sequence[str], str]


@dataclass(frozen=True)
class KnownNames:
    """Names that segment ids show.

    Attributes:
        whole: what dev, test and every text are shown.
        folds: what each fold of the training sentences is shown.
        facts: what the manifest says of them: how many there are of which kinds, and what they find in both corpora.
    """

    whole: Gazetteer
    folds: tuple[Gazetteer, ...]
    facts: dict[str, Any]

    def __str__(self) -> str:
        role = "dev" if "dev" in self.facts else "train"
        found, right = (f"{100 * self.facts[role][name]:.0f} %" for name in ("found", "right"))
        return (
            f"{len(self.whole):,} names of {len(self.whole.kinds)} kinds; in {role} they find {found} of the words of "
            f"names, and {right} of the words that they find belong to one"
        )


def fold_of(row: int, rows: int, folds: int) -> int:
    """The fold of a sentence: neighbours, which often name the same, stand in one."""
    return row * folds // rows


def known_names(train: Corpus, dev: Corpus | None, rules: WordRules, settings: TokenSettings) -> KnownNames | None:
    """The names that the settings ask for; None where they ask for none.

    Args:
        train: the training data.
        dev: for the facts alone.
        rules: how it splits words; names of a list are split alike.
        settings: `train_names` and `gazetteer`.

    Raises:
        DataError: the list cannot be read.
    """
    if not settings.train_names and settings.gazetteer is None:
        return None
    listed, outside = None, Gazetteer((), {}, {})
    if settings.gazetteer is not None:
        listed = read_gazetteer(Path(settings.gazetteer))
        splitter = WordSplitter(rules)
        pairs = [(splitter.split(name)[1], f"list: {kind}") for kind, name in listed.names]
        outside = Gazetteer.count(pairs, [f"list: {kind}" for kind in listed.kinds])
    inside = [list(each) for each in _mentions(train)] if settings.train_names else []

    def without(left_out: int | None) -> Gazetteer:
        """Names of all folds but one."""
        shown = (each for row, each in enumerate(inside) if fold_of(row, len(inside), FOLDS) != left_out)
        return Gazetteer.count((pair for each in shown for pair in each), train.labels) | outside

    whole = without(None) if inside else outside
    folds = tuple(map(without, range(FOLDS))) if inside else (outside,)
    return KnownNames(whole, folds, _facts(train, dev, whole, folds, listed))


def _facts(
    train: Corpus, dev: Corpus | None, whole: Gazetteer, folds: Sequence[Gazetteer], listed: NameList | None
) -> dict[str, Any]:
    count = len(train.sentences)
    shown = [folds[fold_of(row, count, len(folds))] for row in range(count)]
    found: dict[str, Any] = {"names": len(whole), "kinds": list(whole.kinds), "train": _coverage(train, shown)}
    if dev is not None:
        found["dev"] = _coverage(dev, [whole] * len(dev.sentences))
    if listed is not None:
        names = len(listed.names)
        found["list"] = {"file": listed.path.name, "sha256": listed.fingerprint, "names": names}
    return found


def _mentions(corpus: Corpus) -> Iterator[Iterator[Mention]]:
    for sentence, tags in zip(corpus.sentences, corpus.tags(Scheme.IOB2), strict=True):
        yield ((sentence.words[span.start : span.end], span.label) for span in spans(tags, Scheme.IOB2))


def _coverage(corpus: Corpus, shown: Sequence[Gazetteer]) -> dict[str, float]:
    """Share of the words of names that stand in a match, and share of matched words that belong to names."""
    names = matched = both = 0
    for sentence, tags, gazetteer in zip(corpus.sentences, corpus.tags(Scheme.IOB2), shown, strict=True):
        inside = {at for match in gazetteer(sentence.words) for at in range(match.start, match.end)}
        named = {at for at, tag in enumerate(tags) if tag != OUTSIDE}
        names, matched, both = names + len(named), matched + len(inside), both + len(named & inside)
    return {"found": both / max(1, names), "right": both / max(1, matched)}
