"""Whether lists of names, shown as further word shapes, pay: F1 on dev with and without them; test is not read.

    python bench/gazetteers.py wnut16 conll2003 --seeds 1 2 3 --threads 1

The names: those of the training data (`train_names`), and as a list (`gazetteer`) those of the other annotated corpora,
whose types are kinds of their own, with the names of countries, languages and cities that Babel carries. Runs are kept
by `ablation.py`.
"""

from __future__ import annotations

import hashlib
import logging
import statistics
import zoneinfo
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from ablation import OUT, run
from accuracy import FILES
from common import DATA, place, trainings

OTHERS = {
    "conll2003": ("wnut16", "conll2002-es"),
    "wnut16": ("conll2003", "conll2002-es"),
    "conll2002-es": ("conll2003",),
}


def outside(corpus: str) -> Iterator[tuple[str, str]]:
    """(kind, name) of names that do not come from the corpus itself."""
    from babel import Locale
    from babel.dates import get_timezone_location

    from tagline.data.corpus import read_corpus
    from tagline.train.tokens.names import mentions

    for other in OTHERS[corpus]:
        for words, label in chain.from_iterable(mentions(read_corpus(DATA / other / FILES[other][0]))):
            yield f"{other} {label}", " ".join(words)
    english = Locale("en")
    for names, kind in ((english.territories, "country"), (english.languages, "language")):
        yield from ((kind, str(name)) for name in names.values())
    for zone in sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith("Etc")):
        yield "city", get_timezone_location(zone, locale="en", return_city=True)


def ways(corpus: str) -> dict[str, dict[str, Any]]:
    """Settings of each row of the table."""
    lines = "".join(f"{kind}\t{name}\n" for kind, name in outside(corpus))
    # Runs are kept by their settings, which know a list by its name alone.
    file = OUT / f"names-beside-{corpus}-{hashlib.sha256(lines.encode()).hexdigest()[:8]}.tsv"
    OUT.mkdir(parents=True, exist_ok=True)
    file.write_text(lines, encoding="utf-8")
    return {
        "none": {"train_names": False},
        "names of the training data": {"train_names": True},
        "and of elsewhere": {"train_names": True, "gazetteer": str(file)},
    }


def table(corpora: Sequence[str], seeds: Sequence[int], threads: int) -> str:
    """A line for each corpus and source of names."""
    lines = ["| corpus | names | dev F1, each | mean | change |", "|---|---|---|---|---|"]
    for corpus in corpora:
        base: list[float] = []
        for name, changes in ways(corpus).items():
            scores = [100 * float(run(corpus, name, changes, seed, threads)["dev_f1"]) for seed in seeds]
            change = f"{statistics.mean(scores) - statistics.mean(base):+.2f}" if base else ""
            base = base or scores
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
