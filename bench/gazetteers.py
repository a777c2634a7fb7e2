"""Whether lists of names, shown as further word shapes, pay: F1 on dev with and without them; test is not read.

    python bench/gazetteers.py wnut16 conll2003 --seeds 1 2 3 --threads 1

The names: those of the training data, those of the other annotated corpora (whose types are types of their own), and
the names of countries, languages and cities that Babel carries. The longest match from the left counts, whatever the
case, if it begins with a capital or a digit. A training sentence is matched against the names of the other four fifths
of the training data, so that the model learns how far matches can be trusted on sentences that it has not seen.

A matched word's segment id is its shape's plus `TYPES` times the number of the type: rows of the segment embedding that
begin as those of the shape. Runs are kept in build/bench/gazetteers.jsonl, those without names by `ablation.py`.
"""

from __future__ import annotations

import logging
import os
import shutil
import statistics
import warnings
import zoneinfo
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")

from ablation import DEFAULT
from ablation import run as plain
from accuracy import FILES
from common import DATA, OUT, keep, place, records, trainings
from tagline.data.schemes import Scheme, spans

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from tagline.data.corpus import Corpus
    from tagline.train.tokens.examples import TokenExamples

RUNS = OUT / "gazetteers.jsonl"
FOLDS = 5
OTHERS = {
    "conll2003": ("wnut16", "conll2002-es"),
    "wnut16": ("conll2003", "conll2002-es"),
    "conll2002-es": ("conll2003",),
}
SOURCES = {"none": (), "own": ("own",), "own and others": ("own", "others")}

Name = tuple[str, ...]
Match = list[str | None]


@dataclass
class Names:
    """Names with the type that each has most often."""

    counts: dict[Name, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    longest: int = 0

    def add(self, words: Sequence[str], kind: str) -> None:
        """Counts one name."""
        name = tuple(word.casefold() for word in words)
        self.counts[name][kind] += 1
        self.longest = max(self.longest, len(name))

    def match(self, words: Sequence[str]) -> Match:
        """The type of the match that each word stands in."""
        folded, found, at = [word.casefold() for word in words], [], 0
        while at < len(words):
            kind, size = None, 1
            if words[at][:1].isupper() or words[at][:1].isdigit():
                for size in range(min(self.longest, len(words) - at), 0, -1):
                    if counts := self.counts.get(tuple(folded[at : at + size])):
                        kind = counts.most_common(1)[0][0]
                        break
            found += [kind] * (size if kind else 1)
            at += size if kind else 1
        return found


def mentions(corpus: Corpus) -> list[list[tuple[Sequence[str], str]]]:
    """Names in each sentence of a corpus, with their types."""
    return [
        [(sentence.words[span.start : span.end], span.label) for span in spans(tags, Scheme.IOB2)]
        for sentence, tags in zip(corpus.sentences, corpus.tags(Scheme.IOB2), strict=True)
    ]


def outside(corpus: str) -> list[tuple[Sequence[str], str]]:
    """Names that do not come from the corpus itself, with types of their own."""
    from babel import Locale
    from babel.dates import get_timezone_location

    from tagline.data.corpus import read_corpus

    found: list[tuple[Sequence[str], str]] = []
    for other in OTHERS[corpus]:
        for names in mentions(read_corpus(DATA / other / FILES[other][0])):
            found += [(words, f"{other} {kind}") for words, kind in names]
    english = Locale("en")
    for lists, kind in ((english.territories, "country"), (english.languages, "language")):
        found += [(str(name).split(), kind) for name in lists.values()]
    zones = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith("Etc"))
    return found + [(get_timezone_location(zone, locale="en", return_city=True).split(), "city") for zone in zones]


def matches(corpus: str, sources: Sequence[str], train: Corpus, dev: Corpus) -> tuple[list[Match], list[Match]]:
    """What the words of train and of dev match."""
    inside = mentions(train) if "own" in sources else [[] for _ in train.sentences]
    others = outside(corpus) if "others" in sources else []

    def names(left_out: int | None) -> Names:
        made = Names()
        for row, each in enumerate(inside):
            if row * FOLDS // len(inside) != left_out:
                for words, kind in each:
                    made.add(words, kind)
        known = set(made.counts)
        for words, kind in others:
            if tuple(word.casefold() for word in words) not in known:  # the corpus knows best
                made.add(words, kind)
        return made

    folds = [names(fold) for fold in range(FOLDS)]
    found = [folds[row * FOLDS // len(inside)].match(each.words) for row, each in enumerate(train.sentences)]
    whole = names(None)
    return found, [whole.match(sentence.words) for sentence in dev.sentences]


def show(examples: TokenExamples, found: Sequence[Match], kinds: Sequence[str]) -> None:
    """Adds the matches to the segment ids, in place."""
    from tagline.text.shapes import TYPES

    for window, sentence in zip(examples.windows, examples.sentence, strict=True):
        own = found[sentence][window.first : window.first + len(window.places)]
        for kind, start, count in zip(own, window.places, window.counts, strict=True):
            if kind is not None:
                for at in range(start, start + count):
                    window.types[at] += TYPES * (1 + kinds.index(kind))


def enlarge(model: PreTrainedModel, times: int) -> None:
    """The rows of the segment embedding, so many times one after another."""
    from torch import nn

    for path, module in list(model.named_modules()):
        if path.endswith("token_type_embeddings") and isinstance(module, nn.Embedding):
            grown = nn.Embedding(times * module.num_embeddings, module.embedding_dim)
            grown.weight.data.copy_(module.weight.data.repeat(times, 1))
            model.set_submodule(path, grown)
            model.config.type_vocab_size = grown.num_embeddings


def run(corpus: str, name: str, seed: int, threads: int) -> float:
    """The best dev F1 of one training, from the file of runs where it stands there."""
    from tagline.data.corpus import read_corpus
    from tagline.train.fit import fit
    from tagline.train.tokens.prepare import prepare_tokens
    from tagline.train.tokens.settings import TokenSettings

    if not SOURCES[name]:
        return float(plain(corpus, DEFAULT, {}, seed, threads)["dev_f1"])
    settings = TokenSettings(seed=seed, threads=threads, calibrate=False)
    recipe = {name: value for name, value in settings.to_dict().items() if name != "threads"}
    key = {"corpus": corpus, "names": name, "recipe": recipe}
    for made in records(RUNS):
        if key.items() <= made.items():
            return float(made["dev_f1"])
    train, dev = (read_corpus(DATA / corpus / file) for file in FILES[corpus][:2])
    prepared = prepare_tokens(train, dev, settings)
    assert prepared.dev is not None
    of_train, of_dev = matches(corpus, SOURCES[name], train, dev)
    kinds = sorted({kind for found in (*of_train, *of_dev) for kind in found if kind is not None})
    enlarge(prepared.encoder.model, 1 + len(kinds))
    show(prepared.train, of_train, kinds)
    show(prepared.dev, of_dev, kinds)
    facts = {"kinds": kinds, "train": covered(train, of_train), "dev": covered(dev, of_dev)}
    logging.info("%s, %s: %s", corpus, name, facts)
    work = OUT / f"gazetteers-{corpus}-{os.getpid()}.training"
    fitted = fit(prepared, settings, work)
    shutil.rmtree(work, ignore_errors=True)
    keep(RUNS, {**key, "dev_f1": fitted.dev_score, **facts})
    return float(fitted.dev_score or 0)


def covered(corpus: Corpus, found: Sequence[Match]) -> dict[str, float]:
    """Share of the words of names that match something, and share of matched words that belong to names."""
    names = matched = both = 0
    for tags, kinds in zip(corpus.tags(Scheme.IOB2), found, strict=True):
        for tag, kind in zip(tags, kinds, strict=True):
            names, matched = names + (tag != "O"), matched + (kind is not None)
            both += tag != "O" and kind is not None
    return {"of names": both / max(1, names), "of matches": both / max(1, matched)}


def table(corpora: Sequence[str], seeds: Sequence[int], threads: int) -> str:
    """A line for each corpus and source."""
    lines = ["| corpus | names | dev F1, each | mean | change |", "|---|---|---|---|---|"]
    for corpus in corpora:
        base: list[float] = []
        for name in SOURCES:
            scores = [100 * run(corpus, name, seed, threads) for seed in seeds]
            base = base or scores
            change = "" if name == "none" else f"{statistics.mean(scores) - statistics.mean(base):+.2f}"
            each = ", ".join(f"{score:.2f}" for score in scores)
            lines.append(f"| {corpus} | {name} | {each} | {statistics.mean(scores):.2f} | {change} |")
            logging.info("%s", lines[-1])
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = trainings(__doc__, OTHERS)
    options = parser.parse_args()
    found = table(options.corpora, options.seeds, options.threads)
    command = f"`python bench/gazetteers.py {' '.join(options.corpora)} --seeds {' '.join(map(str, options.seeds))}`"
    head = "### Lists of names as further word shapes\n\nStrict F1 on dev of the best epoch, default recipe;"
    place("gazetteers", f"{head} {command}.\n\n{found}")


if __name__ == "__main__":
    main()
