"""Labels and tags: illegal moves, labels that a file lacks, rare ones, names of several types, names seen in train."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from tagline.data.audit.findings import Finding, quoted
from tagline.data.audit.parts import Part, Place
from tagline.data.corpus import Corpus
from tagline.data.schemes import violations
from tagline.records import Problem

RARE = 20  # a label is rare where the most frequent one is more than so many times as frequent
_LINE = re.compile(r", line (\d+): ")


def illegal_moves(part: Part) -> Iterator[Finding]:
    """`illegal`: every move between tags that the file's scheme does not allow."""
    corpus = part.corpus
    if not isinstance(corpus, Corpus) or not corpus.violations:
        return
    for number, sentence in enumerate(corpus.sentences):
        for place in violations(sentence.tags, corpus.scheme, corpus.bare):
            before = f"after {sentence.tags[place - 1]}" if place else "at the beginning of the sentence"
            if place == len(sentence.tags):
                what = f"the sentence ends {before}"
            else:
                what = f"{sentence.tags[place]} on word {place + 1}, {quoted(sentence.words[place])}, {before}"
            where = part.place(number, min(place, len(sentence.tags) - 1))
            yield Finding("illegal", where, f"{what} is not allowed in {corpus.scheme.value}")


def unaligned_spans(part: Part) -> Iterator[Finding]:
    """`unaligned`: spans that reading widened to whole words."""
    if isinstance(part.corpus, Corpus):
        for note in part.corpus.unaligned:
            match = _LINE.search(note)
            line, said = (int(match.group(1)), note[match.end() :]) if match else (0, note)
            yield Finding("unaligned", Place(part.path, line), said)


def absent_labels(parts: Sequence[Part]) -> Iterator[Finding]:
    """`absent`: labels of dev and test that train lacks, then labels of train that they lack."""
    firsts = [(part, _firsts(part)) for part in parts]
    if not firsts or firsts[0][0].role != "train":
        return
    train, known = firsts[0]
    for part, labels in firsts[1:]:
        for label in labels.keys() - known.keys():
            number = _times(part, label)
            message = f"{label} stands {number:,} times in {part.role} and never in train: it cannot be learned"
            yield Finding("absent", part.place(labels[label]), message)
    for part, labels in firsts[1:]:
        for label in sorted(known.keys() - labels.keys()):
            message = f"{label} stands {_times(train, label):,} times in train and never in {part.role}"
            yield Finding("absent", train.place(known[label]), f"{message}: it is not judged", (Place(part.path, 0),))


def _firsts(part: Part) -> dict[str, int]:
    """Where each label stands first."""
    found: dict[str, int] = {}
    for unit in range(len(part.units)):
        for label in part.labels(unit):
            found.setdefault(label, unit)
    return dict(sorted(found.items()))


def _times(part: Part, label: str) -> int:
    return sum(part.labels(unit).count(label) for unit in range(len(part.units)))


def rare_labels(part: Part) -> Iterator[Finding]:
    """`imbalance`: labels more than 20 times rarer than the most frequent one."""
    if not isinstance(part.corpus, Corpus) and part.corpus.problem is Problem.REGRESSION:
        return
    counts = Counter(label for unit in range(len(part.units)) for label in part.labels(unit))
    if not counts:
        return
    (most, number), firsts, total = counts.most_common(1)[0], _firsts(part), sum(counts.values())
    for label, times in sorted(counts.items(), key=lambda item: (item[1], item[0])):
        if number > RARE * times:
            share = f"{label} stands {times:,} times in {part.role} ({100 * times / total:.2f} %)"
            message = f"{share}, {most} {number:,} times: {number / times:,.0f} times as often"
            yield Finding("imbalance", part.place(firsts[label]), message)


def ambiguous_names(parts: Sequence[Part]) -> Iterator[Finding]:
    """`ambiguous`: names with several types over all files, the most frequent first, placed at the rarest type."""
    found: dict[str, dict[str, list[tuple[Part, int]]]] = {}
    for part in parts:
        for mention in part.mentions():
            by_type = found.setdefault(mention.text, {})
            by_type.setdefault(mention.label, []).append((part, mention.unit))
    several = [(name, by_type) for name, by_type in found.items() if len(by_type) > 1]
    for name, by_type in sorted(several, key=lambda item: -sum(map(len, item[1].values()))):
        types = sorted(by_type, key=lambda label: (-len(by_type[label]), label))
        shown = ", ".join(f"{label} {len(by_type[label]):,}" for label in types)
        places = [part.place(unit) for part, unit in (by_type[label][0] for label in reversed(types))]
        yield Finding("ambiguous", places[0], f"{quoted(name)} is {shown}", tuple(places[1:]))


def seen_entities(parts: Sequence[Part]) -> Iterator[Finding]:
    """`seen`: for dev and test, how many of their entities train has with the same words and type."""
    if not parts or parts[0].role != "train":
        return
    known = {(mention.label, mention.text) for mention in parts[0].mentions()}
    for part in parts[1:]:
        mentions = list(part.mentions())
        if mentions:
            seen = sum((mention.label, mention.text) in known for mention in mentions)
            share = f"{seen:,} of the {len(mentions):,} entities of {part.role} ({100 * seen / len(mentions):.1f} %)"
            yield Finding("seen", Place(part.path, 0), f"{share} stand in train with the same words and type")
