"""Sentences whose names were replaced, for teachers to read."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rename_mentions
from tagline.names import shipped

ROOT = Path(__file__).resolve().parent.parent
WORDS = ["Anna", "met", "BORIS", "JONES", "in", "Oslo", "."]
ENTITIES = [("PER", 0, 1), ("PER", 2, 4), ("LOC", 5, 6)]
INSIDE: dict[str, list[rename_mentions.Name]] = {"PER": [("Anna",), ("Boris", "Jones")], "LOC": [("Oslo",)]}
OUTSIDE: dict[str, list[rename_mentions.Name]] = {"PER": [("Mary", "Ann", "Lee")]}


@given(st.integers(0, 10_000))
def test_only_mentions_change_and_only_to_names_of_their_type(seed: int) -> None:
    found = rename_mentions.renamed(WORDS, ENTITIES, (INSIDE, OUTSIDE), random.Random(seed))
    people = [*INSIDE["PER"], *OUTSIDE["PER"]]
    shouted = [tuple(word.upper() for word in name) for name in people]
    assert tuple(found) in {
        (*first, "met", *second, "in", "Oslo", ".") for first in people for second in [*shouted, ("BORIS", "JONES")]
    }


def test_both_kinds_of_names_come_and_some_mentions_stay() -> None:
    dice = random.Random(0)
    found = {tuple(rename_mentions.renamed(WORDS, ENTITIES, (INSIDE, OUTSIDE), dice)[:3]) for _ in range(200)}
    assert {("Mary", "Ann", "Lee"), ("Boris", "Jones", "met"), ("Anna", "met", "BORIS")} <= found
    assert rename_mentions.renamed(WORDS, ENTITIES, ({}, {}), dice) == WORDS  # there is nothing to take


def test_names_are_listed_once_in_order() -> None:
    assert rename_mentions.names_of([(WORDS, ENTITIES), (WORDS, ENTITIES)]) == {
        "PER": [("Anna",), ("BORIS", "JONES")],
        "LOC": [("Oslo",)],
    }


@pytest.mark.skipif("ner-news" not in shipped(), reason="no models in models/ yet")
def test_the_script_writes_text_by_sentences_and_then_copies(tmp_path: Path) -> None:
    train, text, out = tmp_path / "train.conll", tmp_path / "text.txt", tmp_path / "out.jsonl"
    train.write_text("Anna B-PER\nleft O\n. O\n\nIt O\nrained O\n. O\n", encoding="utf-8")
    text.write_text("Angela Merkel met Emmanuel Macron in Paris. They talked.\n\nNobody came.\n", encoding="utf-8")
    script: list[str | Path] = [
        sys.executable,
        ROOT / "examples" / "rename_mentions.py",
        train,
        "--text",
        text,
        "--reader",
        "ner-news",
    ]
    done = subprocess.run([*script, "-o", out, "--copies", "30"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line)["tokens"] for line in out.read_text(encoding="utf-8").splitlines()]
    assert rows[:3] == [
        ["Angela", "Merkel", "met", "Emmanuel", "Macron", "in", "Paris", "."],
        ["They", "talked", "."],
        ["Nobody", "came", "."],
    ]
    names = {" ".join(row[:-2]) for row in rows[3:]}
    assert len(rows) == 3 + 30
    assert {"Angela Merkel", "Emmanuel Macron", "Anna"} == names
    assert "PER 1 + 2" in done.stdout
