"""Whether a loss can be measured on an annotated file at all: what an export says before it certifies one."""

from __future__ import annotations

from tagline.data.corpus import Corpus
from tagline.data.schemes import Scheme
from tagline.data.texts.corpus import TextCorpus
from tagline.errors import DataError
from tagline.predict.classifier import Classifier
from tagline.predict.tagger import Tagger
from tagline.records import Problem


def check_dev(model: Tagger | Classifier, dev: Corpus | TextCorpus, most: float) -> list[str]:
    """What is to be warned of before a loss is measured.

    Args:
        model: says which labels it knows.
        dev: the annotated file.
        most: points of 100 that may be lost.

    Raises:
        DataError: nothing is annotated in the file, so that nothing can be lost.
    """
    what, count = _annotated(dev)
    if not count:
        raise DataError(
            f"has no {what}, so that no loss can be measured on it; give an annotated file with some", dev.path
        )
    notes = []
    if unknown := sorted(set(dev.labels) - set(model.labels)):
        kind = "types" if isinstance(dev, Corpus) else "labels"
        notes.append(f"{dev.path} has {kind} that the model does not know ({', '.join(unknown)}); they count as missed")
    # Nobody who allows no loss at all takes the bound for a measure; of numbers no single one has a share.
    if 0 < most < 100 / count and what != "numbers":
        notes.append(
            f"{dev.path} has few {what} ({count:,}): one alone is about {100 / count:.1f} points, so that a loss of at "
            f"most {most:g} (--max-loss) says little; a larger file says more"
        )
    return notes


def refuse_worthless(metric: str, score: float, dev: Corpus | TextCorpus) -> None:
    """Raises `DataError` where the full model has no score on dev that could be lost (also where it is no number)."""
    if not score > 0:
        raise DataError(
            f"{metric} in f32 is {100 * score:.2f} on it, so that there is nothing to lose; give an annotated file "
            "that the model reads well",
            dev.path,
        )


def _annotated(dev: Corpus | TextCorpus) -> tuple[str, int]:
    """What is counted in a file, and how many there are."""
    if isinstance(dev, Corpus):
        return "entities", sum(tag.startswith("B-") for tags in dev.tags(Scheme.IOB2) for tag in tags)
    if dev.problem is Problem.MULTI:
        return "labels", sum(len(each.labels) for each in dev.texts)
    return ("numbers" if dev.problem is Problem.REGRESSION else "texts"), len(dev.texts)
