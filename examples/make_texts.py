"""Writes small corpora of hotel reviews for sequence classification, generated from templates with a fixed seed.

    python examples/make_texts.py build/demo-texts

- reviews.tsv: `text`, `label` (bad, good): one file without a split, with some reviews twice, as real files have them
- topics.jsonl: `text`, `labels` (any of breakfast, location, noise, price, room, staff)
- stars.csv: `text`, `score` (1.0 to 5.0)
- pairs.tsv: `text`, `text_pair`, `label` (same, other): whether two reviews complain of or praise the same things

Nothing in it is taken from anywhere: it shows how things work, not how good a model is on real text.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

SUBJECTS = {
    "breakfast": ("the breakfast", "the buffet in the morning", "the coffee", "what we ate in the morning"),
    "location": ("the location", "the way to the station", "the neighbourhood", "the view from the terrace"),
    "noise": ("the street at night", "the sleep", "the peace of the place", "the nights"),
    "price": ("the price", "the bill", "the value for money", "what we paid"),
    "room": ("the room", "the bed", "the bathroom", "our suite"),
    "staff": ("the staff", "the woman at the desk", "the service", "the team"),
}
GOOD = ("lovely", "better than expected", "a real pleasure", "excellent", "wonderful", "just right", "very pleasant")
BAD = ("awful", "worse than expected", "a disappointment", "terrible", "dreadful", "simply wrong", "very unpleasant")
FRAMES = (
    "{subject} was {word}.",
    "{subject}: {word}!",
    "we found {subject} {word}.",
    "I must say {subject} was {word}.",
)
OPENINGS = ("", "", "Three nights in May. ", "We came with two children. ", "Booked by phone. ", "My second stay. ")
ENDINGS = ("", "", " We will see.", " That is all.", " Greetings from Bergen.", " Room 14, by the way.")


class Review(NamedTuple):
    """A review: its text, what it speaks of, and whether it praises each of these."""

    text: str
    opinions: dict[str, bool]

    @property
    def good(self) -> int:
        """How many opinions are good ones."""
        return sum(self.opinions.values())


def review(random_: random.Random, opinions: dict[str, bool] | None = None) -> Review:
    """A review with the opinions given, or with one to three of its own."""
    if opinions is None:
        topics = random_.sample(sorted(SUBJECTS), random_.choice((1, 1, 2, 3)))
        opinions = {topic: random_.random() < 0.5 for topic in topics}
    parts = []
    for topic, praised in opinions.items():
        subject, word = random_.choice(SUBJECTS[topic]), random_.choice(GOOD if praised else BAD)
        sentence = random_.choice(FRAMES).format(subject=subject, word=word)
        parts.append(sentence[0].upper() + sentence[1:])
    return Review(random_.choice(OPENINGS) + " ".join(parts) + random_.choice(ENDINGS), opinions)


def write(folder: Path, count: int, seed: int) -> None:
    """Writes the four files."""
    random_ = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    reviews = [review(random_) for _ in range(count)]
    decided = [each for each in reviews if 2 * each.good != len(each.opinions)]
    rows = [(each.text, "good" if 2 * each.good > len(each.opinions) else "bad") for each in decided]
    _tsv(folder / "reviews.tsv", ("text", "label"), rows + random_.sample(rows, len(rows) // 20))
    with (folder / "topics.jsonl").open("w", encoding="utf-8") as file:
        for each in reviews:
            file.write(json.dumps({"text": each.text, "labels": sorted(each.opinions)}) + "\n")
    with (folder / "stars.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("text", "score"))
        for each in reviews:
            stars = 1 + 4 * each.good / len(each.opinions) + random_.uniform(-0.3, 0.3)
            table.writerow((each.text, f"{min(5.0, max(1.0, stars)):.1f}"))
    pairs = []
    for each in reviews:
        same = random_.random() < 0.5
        other = review(random_, each.opinions if same else None)
        pairs.append((each.text, other.text, "same" if other.opinions == each.opinions else "other"))
    _tsv(folder / "pairs.tsv", ("text", "text_pair", "label"), pairs)


def _tsv(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    path.write_text("".join("\t".join(row) + "\n" for row in (header, *rows)), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=600, help="reviews")
    parser.add_argument("--seed", type=int, default=13)
    options = parser.parse_args(arguments)
    write(options.folder, options.count, options.seed)


if __name__ == "__main__":
    main()
