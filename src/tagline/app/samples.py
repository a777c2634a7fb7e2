"""Texts to click, for those who have none at hand. All written for Tagline."""

from __future__ import annotations

from tagline.app.models import OpenModel

Sample = tuple[str, str | None]

ENTITIES: list[Sample] = [
    ("Maria Novak left Siemens in Munich and joined the University of Oslo in March 2021.", None),
    ("Lindqvist scored twice as Sweden beat Portugal 3-1 in Gothenburg on Saturday.", None),
    (
        "The European Commission fined Acme Shipping 12 million euros on Tuesday. Its director, Peter Okafor, said in "
        "Rotterdam that the company would appeal.",
        None,
    ),
    ("just landed in new york!! dinner at Katz's with @ana_k, then the Radiohead show at MSG :)", None),
]
TEXTS: list[Sample] = [
    ("The room was quiet and the people at the desk could not have been kinder.", None),
    ("Two hours of my life that I will never get back: slow, loud and without a single idea.", None),
    ("The food is good, but we waited for an hour and the bill was wrong.", None),
    ("I did not expect to like it, and then I stayed until the lights went on.", None),
]
PAIRS: list[Sample] = [
    ("The company sold its harbour to a bank in Oslo.", "A bank in Oslo bought the harbour of the company."),
    ("She plays the cello in the city orchestra.", "The city orchestra has a new conductor."),
    ("It rained the whole day.", "There was not a dry hour."),
]


def samples_for(model: OpenModel, own: list[Sample]) -> list[Sample]:
    """The texts offered for a model: the user's own that it can read, else those of the app."""
    fitting = [each for each in own if model.paired is None or model.paired == (each[1] is not None)]
    if fitting:
        return fitting
    return ENTITIES if model.tags else PAIRS if model.paired else TEXTS


def title(sample: Sample, longest: int = 44) -> str:
    """A sample's first words, for a button."""
    text = sample[0]
    if len(text) <= longest:
        return text
    return text[:longest].rsplit(" ", 1)[0].rstrip(" ,.;:") + " …"
