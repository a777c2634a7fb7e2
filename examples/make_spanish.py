"""Writes a small annotated corpus of Spanish news, generated from templates: IOB2, types PER, LOC, ORG.

    python examples/make_spanish.py FOLDER

FOLDER gets train.conll, dev.conll and test.conll. Nothing in it is taken from anywhere and it states no facts: it shows
how things work, not how good a model is on real text.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

NAMES = {
    "PER": (
        "Ana Ibáñez", "Luis Ferrer", "Marta Soler", "Pedro Quiroga", "Elena Duarte", "Tomás Leal", "Rosa Varela",
        "Iván Prieto", "Lucía Montes", "Diego Salas", "Carmen Otero", "Hugo Rivas",
    ),
    "LOC": (
        "Málaga", "Santiago", "Lima", "Zaragoza", "Quito", "La Paz", "Oviedo", "San Juan", "Bogotá", "Cádiz", "Murcia",
        "Puerto Rico",
    ),
    "ORG": (
        "Banco del Norte", "Telera", "Ferrocarriles Andinos", "Universidad de la Costa", "Aguas Claras", "Radio Sur",
        "Unión Agraria", "Editorial Faro",
    ),
}  # fmt: skip
FRAMES = (
    "{PER} viajó ayer a {LOC} .",
    "{PER} , presidenta de {ORG} , habló en {LOC} .",
    "{ORG} abrirá una oficina en {LOC} .",
    "El alcalde de {LOC} recibió a {PER} .",
    "La lluvia llegó por la tarde a {LOC} .",
    "{ORG} no quiso decir nada .",
    "Según {PER} , las obras de {LOC} terminarán en mayo .",
    "Nadie supo nada hasta el lunes .",
    "{PER} y {PER} trabajan para {ORG} .",
    "Los vecinos de {LOC} piden más agua a {ORG} .",
    "El precio del pan subió otra vez .",
    "{ORG} nombró director a {PER} .",
    "Vuelve la calma a {LOC} , dijo {PER} .",
    "Hoy no hay trenes entre {LOC} y {LOC} .",
)


def sentence(drawn: random.Random) -> list[tuple[str, str]]:
    """A sentence as words with tags."""
    words = []
    for piece in drawn.choice(FRAMES).split():
        label = piece.strip("{}")
        if label not in NAMES:
            words.append((piece, "O"))
            continue
        name = drawn.choice(NAMES[label]).split()
        words += [(word, f"{'I' if at else 'B'}-{label}") for at, word in enumerate(name)]
    return words


def write(folder: Path, sizes: Mapping[str, int], seed: int = 1) -> None:
    """Writes a file for each of `sizes`; no sentence with a name stands in two of them."""
    drawn, seen = random.Random(seed), set[tuple[tuple[str, str], ...]]()
    folder.mkdir(parents=True, exist_ok=True)
    for split, size in sizes.items():
        sentences: list[list[tuple[str, str]]] = []
        while len(sentences) < size:
            words = sentence(drawn)
            if tuple(words) not in seen or all(tag == "O" for _, tag in words):
                seen.add(tuple(words))
                sentences.append(words)
        text = "\n".join("".join(f"{word} {tag}\n" for word, tag in words) for words in sentences)
        (folder / f"{split}.conll").write_text(text, "utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    for split, size in (("train", 400), ("dev", 60), ("test", 60)):
        parser.add_argument(f"--{split}", type=int, default=size)
    options = parser.parse_args(arguments)
    write(options.folder, {split: getattr(options, split) for split in ("train", "dev", "test")})


if __name__ == "__main__":
    main()
