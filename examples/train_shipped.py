"""Trains a model that comes with Tagline again, and puts its inference form into `models/NAME`.

    python examples/train_shipped.py ner-news --data ../shared/data

The corpora are public; see the addresses that `RECIPES` names. Everything that decides about the result stands in
`RECIPES`. Of several seeds the one that is best on dev is taken; the test data is looked at once, at the end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 30_000_000  # bytes of a model; all three together 75 million


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        train, dev, test: files below the folder of data.
        options: of `tagline train`, beside files, seed and epochs.
        epochs: passes over the training data; 0 leaves them to tagline train.
        seeds: one training each.
        taught: seeds of trainings that come first and teach these (distillation); empty for none.
        news: whether the taught read news without labels, too; see `_news`.
        reading: options that say how the files are read.
        names: of labels that are numbers.
        datasets: names of the corpus on the hub.
    """

    train: str
    dev: str
    test: str
    options: tuple[str, ...] = ()
    epochs: int = 0
    seeds: tuple[int, ...] = (1,)
    taught: tuple[int, ...] = ()
    news: bool = False
    reading: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()


NEWS = (
    "The texts without labels are the sentences of MRPC's training pairs, 300 news texts of the Australian "
    "Broadcasting Corporation that gensim carries, and sentences of the training data whose names were replaced by "
    "others, some of them found in those texts.\n\n"
)

# What the defaults of `tagline train` were when these were trained, where they have changed since.
DECAY = ("--set", "weight_decay=0.01")
NO_NAMES = ("--set", "train_names=false")

RECIPES = {
    # https://www.clips.uantwerpen.be/conll2003/ner/
    "ner-news": Recipe(
        "conll2003/train.txt",
        "conll2003/valid.txt",
        "conll2003/test.txt",
        options=("--threads", "1", *DECAY, *NO_NAMES),
        epochs=5,
        taught=(1, 2, 3, 4),
        news=True,
        datasets=("eriktks/conll2003",),
    ),
    # https://github.com/aritter/twitter_nlp
    "ner-tweets": Recipe(
        "wnut16/train.txt", "wnut16/dev.txt", "wnut16/test.txt", options=DECAY, seeds=(3,), taught=(1, 2, 3)
    ),
    # https://nlp.stanford.edu/sentiment/
    "sentiment": Recipe(
        "sst2/train.tsv",
        "sst2/dev.tsv",
        "sst2/test.tsv",
        options=("--threads", "1", *DECAY),  # another number of threads rounds otherwise: another model
        seeds=(2,),
        reading=("--text-column", "0", "--label-column", "1"),
        names=("negative", "positive"),
        datasets=("stanfordnlp/sst2",),
    ),
}


def main() -> None:
    """Trains, chooses on dev, exports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the folder of corpora")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "shipped", help="where full models are kept")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="where the inference form goes")
    parser.add_argument("--model", type=Path, help="a full model that is trained already: only export it")
    parser.add_argument("--seed", type=int, action="append", help="instead of the recipe's; may be given again")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--set", dest="more", action="append", default=[], metavar="OPTION=VALUE",
                        help="a further option of tagline train, as in --set learning-rate=3e-4")  # fmt: skip
    given = parser.parse_args()
    recipe = RECIPES[given.name]
    files = {role: given.data / getattr(recipe, role) for role in ("train", "dev", "test")}
    for path in files.values():
        if not path.is_file():
            sys.exit(f"{path}: not there; give the folder of corpora with --data")
    seeds = given.seed or recipe.seeds
    full = [given.model] if given.model else _trained(given, recipe, files, seeds)
    best = full[0] if len(full) == 1 else max(full, key=_dev)
    target = given.models / given.name
    reading = [*recipe.reading, *(["--label-names", _label_names(given, recipe)] if recipe.names else [])]
    judged = ["--dev", files["dev"], "--test", files["test"]]
    _tagline("export", best, "--to", "inference", target, *judged, *reading, "--overwrite")
    _describe(target / "README.md", recipe)
    size = sum(each.stat().st_size for each in target.iterdir())
    if size > LARGEST:
        sys.exit(f"{target} has {size:,} bytes, more than {LARGEST:,}")
    print(f"{target}: {size / 1e6:.1f} MB, from {best}")


def _trained(given: argparse.Namespace, recipe: Recipe, files: dict[str, Path], seeds: Iterable[int]) -> list[Path]:
    """Full models, one a seed, after those that teach them."""
    teachers = [_train(given, recipe, files, f"teacher-{seed}", seed, []) for seed in recipe.taught]
    asked = [part for each in teachers for part in ("--teacher", str(each))]
    if recipe.news:
        asked += ["--unlabelled", str(_news(given, files["train"], teachers[0]))]
    return [_train(given, recipe, files, str(seed), seed, asked) for seed in seeds]


def _train(
    given: argparse.Namespace, recipe: Recipe, files: dict[str, Path], name: str, seed: int, more: list[str]
) -> Path:
    folder: Path = given.work / f"{given.name}-{name}"
    more = [*recipe.options, *recipe.reading, *more, *(part for each in given.more for part in _option(each))]
    if recipe.names:
        more += ["--label-names", str(_label_names(given, recipe))]
    if given.epochs or recipe.epochs:
        more += ["--epochs", str(given.epochs or recipe.epochs)]
    _tagline(
        "train", files["train"], "--dev", files["dev"], "--test", files["test"], "-o", folder, "--overwrite",
        "--seed", seed, *more,
    )  # fmt: skip
    return folder


def _news(given: argparse.Namespace, train: Path, reader: Path) -> Path:
    """News without labels, from what is at hand, and the training sentences with other names.

    The sentences of MRPC's training pairs (https://www.microsoft.com/en-us/download/details.aspx?id=52398), and the 300
    texts of the Australian Broadcasting Corporation that gensim carries for its tests (Lee, Pincombe and Welsh 2005).
    """
    pairs = given.data / "mrpc" / "msr_paraphrase_train.txt"
    library = find_spec("gensim")
    if not pairs.is_file() or library is None or library.origin is None:
        sys.exit(f"ner-news also reads {pairs} and a text of gensim: put the one there, pip install 'tagline[vectors]'")
    lines = pairs.read_text(encoding="utf-8-sig").splitlines()[1:]
    texts = [part.strip() for line in lines for part in line.split("\t")[3:5]]
    carried = Path(library.origin).parent / "test" / "test_data" / "lee_background.cor"
    texts = list(dict.fromkeys(texts)) + list(dict.fromkeys(carried.read_text(encoding="utf-8").split("\n")))
    plain: Path = given.work / f"{given.name}.texts"
    found = plain.with_suffix(".jsonl")
    plain.write_text("".join(f"{text.strip()}\n" for text in texts if text.strip()), encoding="utf-8")
    script = Path(__file__).with_name("rename_mentions.py")
    made = [sys.executable, script, train, "--text", plain, "--reader", reader, "-o", found]
    if subprocess.run(list(map(str, made)), check=False).returncode:
        sys.exit(1)
    return found


def _describe(card: Path, recipe: Recipe) -> None:
    """Language and corpus for the card's metadata, which the files do not tell."""
    known = ["language: en", *([f"datasets: {json.dumps(recipe.datasets)}"] if recipe.datasets else [])]
    text = card.read_text(encoding="utf-8")
    if recipe.news:
        text = text.replace("## Settings\n", f"{NEWS}## Settings\n", 1)
    card.write_text(
        text.replace("library_name: tagline\n", "\n".join(["library_name: tagline", *known, ""]), 1), "utf-8"
    )


def _label_names(given: argparse.Namespace, recipe: Recipe) -> Path:
    named: Path = given.work / f"{given.name}.labels"
    named.parent.mkdir(parents=True, exist_ok=True)
    named.write_text("".join(f"{each}\n" for each in recipe.names), encoding="utf-8")
    return named


def _option(text: str) -> list[str]:
    name, equals, value = text.partition("=")
    return [f"--{name}", value] if equals else [f"--{name}"]


def _tagline(*words: object) -> None:
    done = subprocess.run([sys.executable, "-m", "tagline", *map(str, words)], check=False)
    if done.returncode:
        sys.exit(done.returncode)


def _dev(folder: Path) -> float:
    """The score on dev that chooses among seeds."""
    report = json.loads((folder / "tagline.json").read_text(encoding="utf-8"))["metrics"]["dev"]
    return float(report["strict"]["f1"] if "strict" in report else report["accuracy"])


if __name__ == "__main__":
    main()
