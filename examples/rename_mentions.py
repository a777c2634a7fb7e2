"""Text for `tagline train --unlabelled`: plain text by sentences, and train sentences whose names were replaced.

    python examples/rename_mentions.py TRAIN --text FILE --reader MODEL -o OUT.jsonl [--seed 1] [--copies 1]

A reader (a model for the same types) finds names in the text. Of each train sentence that has a name, copies are
written in which mentions are replaced, with a chance of 0.7 each, by a name of the same type: half the time one that
the reader found in the text and train does not hold. No label is written: what a student learns of these sentences is
what its teachers say of them, who know the contexts but not the names in them. Needs a train file with entities.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

_CHANCE, _OUTSIDE = 0.7, 0.5
_SURE = 0.9  # score of a name that is taken from the text
_LONGEST = 5  # words of such a name

Name = tuple[str, ...]


def names_of(sentences: Sequence[tuple[Sequence[str], Sequence[tuple[str, int, int]]]]) -> dict[str, list[Name]]:
    """The distinct names of each type, in the order of their first mention."""
    found: dict[str, dict[Name, None]] = defaultdict(dict)
    for words, entities in sentences:
        for label, start, end in entities:
            found[label][tuple(words[start:end])] = None
    return {label: list(names) for label, names in found.items()}


def renamed(
    words: Sequence[str],
    entities: Sequence[tuple[str, int, int]],
    names: Sequence[dict[str, list[Name]]],
    dice: random.Random,
) -> list[str]:
    """A sentence with its mentions replaced by chance; capitals stay where the mention is in capitals."""
    out: list[str] = []
    done = 0
    for label, start, end in entities:
        out += words[done:start]
        mention = words[start:end]
        inside, outside = (each.get(label, []) for each in names)
        pool = outside if outside and (dice.random() < _OUTSIDE or not inside) else inside
        if pool and dice.random() < _CHANCE:
            shouted = all(word.isupper() for word in mention) and any(len(word) > 3 for word in mention)
            mention = [word.upper() if shouted else word for word in dice.choice(pool)]
        out += mention
        done = end
    return [*out, *words[done:]]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("--text", type=Path, required=True, help="plain text, one a line")
    parser.add_argument("--reader", required=True, help="model that finds names in it")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--copies", type=int, default=1)
    options = parser.parse_args()
    from tagline.data.corpus import read_corpus
    from tagline.data.schemes import spans
    from tagline.predict.tagger import Tagger

    reader = Tagger.open(options.reader)
    corpus = read_corpus(options.train)
    annotated = [
        (each.words, [(span.label, span.start, span.end) for span in spans(each.tags, corpus.scheme, corpus.bare)])
        for each in corpus.sentences
    ]
    inside = names_of(annotated)
    known = {name for names in inside.values() for name in names}
    read: list[tuple[Sequence[str], list[tuple[str, int, int]]]] = []
    sure: list[tuple[Sequence[str], list[tuple[str, int, int]]]] = []
    split = [reader.split(line) for line in options.text.read_text(encoding="utf-8").splitlines() if line.strip()]
    for text, document in zip(split, reader.stream_split(split), strict=True):
        read += [(text.words[first:last], []) for first, last in pairwise((0, *text.starts, len(text.words)))]
        found = [
            (span.label, span.start, span.end)
            for span in spans(document.tags, reader.folder.manifest.scheme, reader.folder.manifest.bare)
            if min(document.scores[span.start : span.end]) >= _SURE and span.end - span.start <= _LONGEST
        ]
        sure.append((text.words, found))
    outside = {label: [name for name in names if name not in known] for label, names in names_of(sure).items()}

    def rows() -> Iterator[Sequence[str]]:
        yield from (words for words, _ in read)
        dice = random.Random(options.seed)
        for _ in range(options.copies):
            yield from (renamed(words, entities, (inside, outside), dice) for words, entities in annotated if entities)

    written = 0
    with options.output.open("w", encoding="utf-8") as file:
        for words in rows():
            file.write(json.dumps({"tokens": list(words)}, ensure_ascii=False) + "\n")
            written += 1
    told = ", ".join(f"{label} {len(inside[label])} + {len(outside.get(label, []))}" for label in sorted(inside))
    print(f"{written} sentences, {len(read)} of them of {options.text}; names of train + text: {told}")


if __name__ == "__main__":
    main()
