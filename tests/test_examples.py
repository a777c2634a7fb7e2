"""The corpus that `make demo` trains on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import corpus_names
import make_corpus
from tagline.data.schemes import Scheme, detect, spans, violations

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"train": 1800, "dev": 300, "test": 300}
DEMO_NAMES = ("Zuckerberg", "Facebook", "Palo Alto", "Parker", "New York")

Corpus = dict[str, list[list[make_corpus.Word]]]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus.make(SIZES, seed=1)


def names_of(sentences: list[list[make_corpus.Word]], label: str) -> set[str]:
    """The entities of one type, in small letters."""
    return {
        " ".join(word for word, _ in sentence[span.start : span.end]).lower()
        for sentence in sentences
        for span in spans([tag for _, tag in sentence], Scheme.IOB2)
        if span.label == label
    }


def test_sizes_and_uniqueness(corpus: Corpus) -> None:
    assert {split: len(sentences) for split, sentences in corpus.items()} == SIZES
    lowered = [" ".join(word for word, _ in each).lower() for sentences in corpus.values() for each in sentences]
    assert len(set(lowered)) == len(lowered)


def test_same_seed_same_corpus_and_other_seed_another(corpus: Corpus) -> None:
    assert make_corpus.make(SIZES, seed=1) == corpus
    assert make_corpus.make(SIZES, seed=2)["train"] != corpus["train"]


@pytest.mark.parametrize("split", SIZES)
def test_tags_are_legal_and_every_type_occurs(corpus: Corpus, split: str) -> None:
    tags = [[tag for _, tag in sentence] for sentence in corpus[split]]
    assert detect(tags) == (Scheme.IOB2, False)
    assert not any(violations(each, Scheme.IOB2) for each in tags)
    found = [span.label for each in tags for span in spans(each, Scheme.IOB2)]
    assert set(found) == {"PER", "ORG", "LOC", "MISC"}
    assert min(found.count(label) for label in set(found)) > len(tags) / 5
    assert sum(set(each) == {"O"} for each in tags) > len(tags) / 20


def test_words_are_whole_and_slots_are_filled(corpus: Corpus) -> None:
    for sentence in (each for sentences in corpus.values() for each in sentences):
        for word, _ in sentence:
            assert word
            assert not any(character.isspace() or character in "{}[]|" for character in word), sentence


@pytest.mark.parametrize("split", ["dev", "test"])
def test_about_half_of_the_names_are_new(corpus: Corpus, split: str) -> None:
    for label in ("PER", "ORG", "LOC", "MISC"):
        known, met = names_of(corpus["train"], label), names_of(corpus[split], label)
        assert len(met - known) / len(met) > 0.35
    cities = {name.lower() for name in corpus_names.CITIES[3::4]}
    assert len(cities & names_of(corpus[split], "LOC")) > 20
    elsewhere = {
        name.lower()
        for names in (corpus_names.COUNTRIES, corpus_names.PLACES, ("Paris", "Washington", "Lincoln"))
        for name in names
    }
    assert not (cities - elsewhere) & names_of(corpus["train"], "LOC")


def pattern_of(template: str) -> re.Pattern[str]:
    """Finds the sentences that a pattern without choices can give."""
    parts = [
        "(?:.+)" if word.startswith("{") else re.escape(make_corpus.LITERAL.sub(r"\1", word))
        for word in template.split()
    ]
    return re.compile(" ".join(parts), re.IGNORECASE)


def test_kept_out_patterns_stay_out_of_train(corpus: Corpus) -> None:
    lines = {split: [" ".join(word for word, _ in each) for each in corpus[split]] for split in corpus}
    met = 0
    for group, _ in make_corpus.GROUPS:
        hidden, shown = make_corpus.parted(group, make_corpus.TEMPLATES_KEPT)
        assert len(hidden) == len(group) // 5
        assert not set(hidden) & set(shown)
        # Only patterns that their own words tell from every other one.
        telling = [each for each in hidden if "[" not in each and len(re.findall(r"(?<!\S)[a-z]+", each)) > 2]
        for pattern in map(pattern_of, telling):
            assert not [line for line in lines["train"] if pattern.fullmatch(line)], pattern
            met += any(pattern.fullmatch(line) for line in lines["test"])
    assert met > 10


def test_no_name_of_the_demo_sentence_occurs(corpus: Corpus) -> None:
    text = "\n".join(" ".join(word for word, _ in each) for sentences in corpus.values() for each in sentences).lower()
    assert "san francisco" in text
    assert not [name for name in DEMO_NAMES if name.lower() in text]


def test_article_before_a_vowel(corpus: Corpus) -> None:
    text = "\n".join(" ".join(word for word, _ in each) for each in corpus["train"])
    assert " an " in text
    assert " a Irish" not in text


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "examples" / "make_corpus.py"
    return subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True, check=False)


def test_script_writes_the_three_files(tmp_path: Path) -> None:
    sizes = ["--train", "30", "--dev", "10", "--test", "12", "--seed", "7"]
    done = run(str(tmp_path / "new" / "folder"), *sizes)
    assert done.returncode == 0, done.stderr
    expected = make_corpus.make({"train": 30, "dev": 10, "test": 12}, seed=7)
    for split, sentences in expected.items():
        blocks = (tmp_path / "new" / "folder" / f"{split}.conll").read_text(encoding="utf-8").split("\n\n")
        assert [[tuple(line.split("\t")) for line in block.splitlines()] for block in blocks] == sentences


@pytest.mark.parametrize("size", ["0", "-3", "many"])
def test_script_refuses_a_bad_size(tmp_path: Path, size: str) -> None:
    done = run(str(tmp_path), f"--train={size}")
    assert done.returncode == 2
    assert size in done.stderr
    assert "whole number" in done.stderr


def test_script_refuses_a_file_as_folder(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    done = run(str(tmp_path / "taken"), "--train", "5")
    assert done.returncode == 2
    assert "taken" in done.stderr
    assert "Traceback" not in done.stderr
