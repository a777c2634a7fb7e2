"""Writes a small annotated corpus of news, sport and tweets to try Tagline on.

    python examples/make_corpus.py FOLDER [--train 1800] [--dev 300] [--test 300] [--seed 1]

FOLDER gets train.conll, dev.conll and test.conll: a word, a tab and a tag a line, an empty line after each sentence,
scheme IOB2, types PER, ORG, LOC and MISC. The same options give the same files.

So that the score is honest, a quarter of all names and a fifth of all sentence patterns never occur in train. Dev and
test draw half of their names and half of their patterns from those; no sentence occurs twice in the whole corpus. The
text is generated, states no facts and is easier than real text: a score on it says that the road works, not how good a
model is.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import corpus_names as names
import corpus_templates as templates

Word = tuple[str, str]  # a word and its tag

NAMES_KEPT, TEMPLATES_KEPT = 4, 5  # every so-manyth is kept out of train
FRESH = 0.5  # share of kept-out names and patterns in dev and test
GROUPS = (
    (templates.NEWS, 0.40),
    (templates.SPORT, 0.17),
    (templates.HEADLINES, 0.06),
    (templates.TWEETS, 0.22),
    (templates.AMBIGUOUS, 0.06),
    (templates.PLAIN, 0.09),
)
SHOUTED, WHISPERED = 0.75, 0.2  # shares of headlines in capitals and of tweets in small letters

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
LITERAL = re.compile(r"(.+)/(PER|ORG|LOC|MISC)")


@cache
def parted(items: tuple[str, ...], step: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The items that are kept out of train, and the others."""
    kept = items[step - 1 :: step]
    return kept, tuple(item for item in items if item not in kept)


class Writer:
    """Draws sentences for one split.

    Args:
        rng: source of all choices.
        fresh: share of names and patterns that are drawn from those kept out of train; 0 for train.
    """

    def __init__(self, rng: random.Random, fresh: float) -> None:
        self.rng, self.fresh = rng, fresh
        self.labelled: dict[str, tuple[str, Callable[[], str]]] = {
            "full": ("PER", self.full),
            "last": ("PER", lambda: self.name(names.LAST)),
            "first": ("PER", lambda: self.name(names.FIRST)),
            "per": ("PER", self.person),
            "city": ("LOC", lambda: self.name(names.CITIES)),
            "country": ("LOC", lambda: self.name(names.COUNTRIES)),
            "place": ("LOC", lambda: self.name(names.PLACES)),
            "company": ("ORG", self.company),
            "body": ("ORG", lambda: self.name(names.BODIES)),
            "team": ("ORG", lambda: self.name(names.TEAMS)),
            "media": ("ORG", lambda: self.name(names.MEDIA)),
            "nat": ("MISC", lambda: self.name(names.NATIONS)),
            "cup": ("MISC", lambda: self.name(names.CUPS)),
            "event": ("MISC", lambda: self.name(names.FESTIVALS)),
            "war": ("MISC", lambda: self.name(names.WARS)),
            "product": ("MISC", lambda: self.name(names.PRODUCTS)),
            "work": ("MISC", lambda: self.name(names.WORKS)),
        }
        whole = rng.randint
        self.plain: dict[str, Callable[[], str]] = {
            "iso": lambda: f"{whole(1995, 2016)}-{whole(1, 12):02}-{whole(1, 28):02}",
            "day": lambda: rng.choice(names.DAYS),
            "month": lambda: rng.choice(names.MONTHS),
            "year": lambda: str(whole(1931, 2019)),
            "num": lambda: f"{whole(11, 90000):,}",
            "small": lambda: str(whole(1, 99)),
            "money": self.money,
            "pct": lambda: f"{whole(1, 299) / 10}",
            "score": lambda: f"{whole(0, 5)}-{whole(0, 5)}",
            "set": lambda: f"{whole(6, 7)}-{whole(0, 5)}",
            "clock": lambda: f"{whole(1, 4)}:{whole(10, 59)}.{whole(10, 99)}",
            "time": lambda: f"{whole(1, 12)} {rng.choice(['a.m.', 'p.m.', 'pm'])}",
            "user": lambda: f"@{rng.choice(names.FIRST).lower()}{rng.choice(['', '_', 'xo', whole(1, 99)])}",
            "url": lambda: "http://t.co/" + "".join(rng.choices(LETTERS, k=8)),
            "tag": lambda: rng.choice(names.TAGS),
            "emo": lambda: rng.choice(names.FACES),
            "job": lambda: rng.choice(names.JOBS),
            "adv": lambda: rng.choice(names.ADVERBS),
        }

    def kept_or_seen(self, items: tuple[str, ...], step: int) -> str:
        """One of the items kept out of train, or one of the others."""
        kept, seen = parted(items, step)
        return self.rng.choice(kept if self.rng.random() < self.fresh else seen)

    def name(self, items: tuple[str, ...]) -> str:
        """A name from a list."""
        return self.kept_or_seen(items, NAMES_KEPT)

    def full(self) -> str:
        """First and last name in one of the usual shapes."""
        first, last, die = self.name(names.FIRST), self.name(names.LAST), self.rng.random()
        if die < 0.08:
            return f"{first[0]}. {last}"
        if die < 0.14:
            return f"{first} {self.rng.choice(names.FIRST)[0]}. {last}"
        if die < 0.18:
            return f"{first} {last}-{self.name(names.LAST)}"
        if die < 0.21:
            return f"{first} {self.rng.choice(['van', 'de', 'von', 'al', 'di'])} {last}"
        return f"{first} {last}"

    def person(self) -> str:
        """A person by full, last or first name."""
        die = self.rng.random()
        return self.full() if die < 0.6 else self.name(names.LAST if die < 0.9 else names.FIRST)

    def company(self) -> str:
        """A company from the list or an invented one."""
        die = self.rng.random()
        if die < 0.65:
            return self.name(names.COMPANIES)
        if die < 0.72:
            return f"{self.name(names.LAST)} & {self.name(names.LAST)}"
        head = names.LAST if die < 0.9 else names.CITIES
        return f"{self.name(head)} {self.name(names.COMPANY_TAILS)}"

    def money(self) -> str:
        """An amount of money, written together or apart."""
        amount, unit = self.rng.randint(1, 999) / 10, self.rng.choice(["million", "billion"])
        return self.rng.choice([f"$ {amount} {unit}", f"${amount} {unit}", f"{amount} {unit} euros"])

    def fill(self, template: str) -> list[Word]:
        """The words of a template with its choices made and its slots filled."""
        chosen = re.sub(r"\[([^\]]*)\]", lambda match: self.rng.choice(match[1].split("|")), template)
        sentence: list[Word] = []
        for piece in chosen.split():
            slot = piece[1:-1] if piece.startswith("{") and piece.endswith("}") else ""
            if slot in self.labelled:
                label, draw = self.labelled[slot]
                sentence += [(word, f"{'I' if at else 'B'}-{label}") for at, word in enumerate(draw().split())]
            elif slot:
                sentence += [(word, "O") for word in self.plain[slot]().split()]
            elif literal := LITERAL.fullmatch(piece):
                sentence.append((literal[1], f"B-{literal[2]}"))
            else:
                sentence.append((piece, "O"))
        for at, (word, _) in enumerate(sentence[:-1]):
            if word in ("a", "A") and sentence[at + 1][0][0] in "AEIOaeio":
                sentence[at] = (word + "n", "O")
        return sentence

    def sentence(self) -> list[Word]:
        """A sentence of any group, in the capitals or small letters that the group is sometimes written in."""
        ((group, _),) = self.rng.choices(GROUPS, [weight for _, weight in GROUPS])
        words = self.fill(self.kept_or_seen(group, TEMPLATES_KEPT))
        if group is templates.HEADLINES and self.rng.random() < SHOUTED:
            return [(word.upper(), tag) for word, tag in words]
        if group is templates.TWEETS and self.rng.random() < WHISPERED:
            return [(word if word.startswith("http") else word.lower(), tag) for word, tag in words]
        return words


def make(sizes: dict[str, int], seed: int) -> dict[str, list[list[Word]]]:
    """The corpus: for each split as many sentences as `sizes` says, none of them twice."""
    seen: set[tuple[str, ...]] = set()
    corpus: dict[str, list[list[Word]]] = {}
    for split, size in sizes.items():
        writer = Writer(random.Random(f"{seed} {split}"), 0.0 if split == "train" else FRESH)
        corpus[split] = []
        while len(corpus[split]) < size:
            sentence = writer.sentence()
            key = tuple(word.lower() for word, _ in sentence)
            if key not in seen:
                seen.add(key)
                corpus[split].append(sentence)
    return corpus


def positive(text: str) -> int:
    """A number of sentences from the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of sentences; give a whole number from 1")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the three files and says what is in them."""
    parser = argparse.ArgumentParser(description="Writes a small annotated corpus of news, sport and tweets.")
    parser.add_argument("folder", type=Path, help="where train.conll, dev.conll and test.conll go")
    for split, size in (("train", 1800), ("dev", 300), ("test", 300)):
        parser.add_argument(f"--{split}", type=positive, default=size, help=f"sentences in {split} ({size})")
    parser.add_argument("--seed", type=int, default=1, help="another number gives another corpus (1)")
    options = parser.parse_args(arguments)
    corpus = make({split: getattr(options, split) for split in ("train", "dev", "test")}, options.seed)
    try:
        options.folder.mkdir(parents=True, exist_ok=True)
        for split, sentences in corpus.items():
            lines = ["".join(f"{word}\t{tag}\n" for word, tag in sentence) for sentence in sentences]
            (options.folder / f"{split}.conll").write_text("\n".join(lines), encoding="utf-8", newline="\n")
            entities = sum(tag.startswith("B-") for sentence in sentences for _, tag in sentence)
            print(f"{options.folder / split}.conll: {len(sentences):,} sentences, {entities:,} entities")
    except OSError as error:
        print(f"cannot write to {options.folder}: {error.strerror}; give a folder that can be written", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
