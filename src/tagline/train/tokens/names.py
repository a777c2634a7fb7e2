"""What a tagger is told of names: those of its training data, and lists from elsewhere.

A training sentence always stands among the names of its own data, so a model that saw that would trust every match. So
while training each fifth of the data is shown the names of the other four: the model learns how far a match can be
trusted on a sentence that it has not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tagline.data.corpus import Corpus
from tagline.data.gazetteer import read_gazetteer
from tagline.data.schemes import OUTSIDE, Scheme, spans
from tagline.text.gazetteer import Gazetteer
from tagline.text.words import WordRules, WordSplitter
from tagline.train.tokens.settings import TokenSettings

FOLDS = 5
_MOST_SHOWN = 12  # kinds in the line that is said
_RECUR = 1 / 3  # of the words of names: from there names are shown unasked (what that gives: bench/RESULTS.md)
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

    def without_folds(self) -> KnownNames:
        """What is needed once the training data are cut: a list of a million names need not lie there six times."""
        return replace(self, folds=())

    def __str__(self) -> str:
        role = "dev" if "dev" in self.facts else "train"
        kinds = ", ".join(self.whole.kinds[:_MOST_SHOWN]) + (", …" if len(self.whole.kinds) > _MOST_SHOWN else "")
        found, right = (f"{100 * self.facts[role][name]:.0f} %" for name in ("found", "right"))
        return (
            f"{len(self.whole):,} names of {len(self.whole.kinds)} kinds; in {role} they find {found} of the words of "
            f"names, and {right} of the words that they find belong to one; kinds: {kinds}"
        )


def fold_of(row: int, rows: int, folds: int) -> int:
    """The fold of a sentence: neighbours, which often name the same, stand in one."""
    return row * folds // rows


def known_names(
    train: Corpus, dev: Corpus | None, rules: WordRules, settings: TokenSettings, unasked: bool
) -> KnownNames | None:
    """The names that the settings ask for, and unasked those of training data whose names recur; None without any.

    Args:
        train: the training data.
        dev: for the facts alone.
        rules: how it splits words; names of a list are split alike.
        settings: `train_names` and `gazetteer`.
        unasked: whether an encoder like this has been seen to gain from the names of its training data.

    Raises:
        DataError: the list cannot be read.
    """
    listed, outside = None, Gazetteer((), {}, {})
    if settings.gazetteer is not None:
        listed = read_gazetteer(Path(settings.gazetteer))
        splitter = WordSplitter(rules)
        pairs = [(splitter.split(name)[1], f"list: {kind}") for kind, name in listed.names]
        outside = Gazetteer.count(pairs, [f"list: {kind}" for kind in listed.kinds])
    whole, folds = outside, [outside]
    if settings.train_names or (settings.train_names is None and unasked):
        own, parts = _of_training(train)
        if settings.train_names or _coverage(train, _shown(train, parts))["found"] >= _RECUR:
            whole, folds = own | outside, [each | outside for each in parts]
    if not whole.kinds:
        return None
    facts: dict[str, Any] = {"names": len(whole), "kinds": list(whole.kinds)}
    facts["train"] = _coverage(train, _shown(train, folds))
    if dev is not None:
        facts["dev"] = _coverage(dev, [whole] * len(dev.sentences))
    if listed is not None:
        count = len(listed.names)
        facts["list"] = {"file": listed.path.name, "sha256": listed.fingerprint, "names": count}
    return KnownNames(whole, tuple(folds), facts)


def _of_training(train: Corpus) -> tuple[Gazetteer, list[Gazetteer]]:
    """All names of the training data, and for each fold those of the other folds."""
    inside = [list(each) for each in mentions(train)]

    def without(left_out: int | None) -> Gazetteer:
        shown = (each for row, each in enumerate(inside) if fold_of(row, len(inside), FOLDS) != left_out)
        return Gazetteer.count((pair for each in shown for pair in each), train.labels)

    return without(None), list(map(without, range(FOLDS)))


def _shown(train: Corpus, folds: Sequence[Gazetteer]) -> list[Gazetteer]:
    """What each training sentence is shown."""
    count = len(train.sentences)
    return [folds[fold_of(row, count, len(folds))] for row in range(count)]


def mentions(corpus: Corpus) -> Iterator[Iterator[Mention]]:
    """Words and type of each name, sentence by sentence."""
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
