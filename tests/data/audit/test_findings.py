"""Every kind of finding, at the place where it stands; and what real corpora hold."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tagline.data.audit.characters import oddity
from tagline.data.audit.findings import KINDS, Audit
from tagline.data.audit.parts import AnyCorpus
from tagline.data.audit.run import audit_corpora, check_kinds
from tagline.data.corpus import read_corpus
from tagline.data.normal import normal
from tagline.data.subtokens import WordCost
from tagline.data.texts.reading import TextOptions, read_texts
from tagline.errors import UsageError
from tagline.text.words import WordSplitter

SENTENCE = "{} O\nvisited O\nthe O\nold O\ntown O\nof O\n{} {}\n\n"


class Blind:
    """A vocabulary that does not see words with a zero-width space."""

    name, specials = "blind", 2

    def words(self, words: object) -> list[WordCost]:
        assert isinstance(words, list)
        return [WordCost(0 if "\u200b" in word else 1, False) for word in words]

    def lengths(self, texts: object) -> list[int]:
        raise AssertionError(texts)


def conll(folder: Path, **files: str) -> dict[str, AnyCorpus]:
    for role, text in files.items():
        (folder / f"{role}.conll").write_text(text, encoding="utf-8")
    return {role: read_corpus(folder / f"{role}.conll") for role in files}


def texts(folder: Path, **files: str) -> dict[str, AnyCorpus]:
    for role, text in files.items():
        (folder / f"{role}.tsv").write_text("text\tlabel\n" + text, encoding="utf-8")
    return {role: read_texts(folder / f"{role}.tsv") for role in files}


def places(audit: Audit, kind: str) -> list[tuple[str, int]]:
    return [(Path(each.place.file).stem, each.place.line) for each in audit.of(kind)]


def test_test_inside_train_is_the_first_thing_said(tmp_path: Path) -> None:
    test = "".join(SENTENCE.format(f"Guest{n}", "Rome", "B-LOC") for n in range(20))
    own = "".join(SENTENCE.format(f"Person{n}", "Berlin", "B-LOC") for n in range(60))
    audit = audit_corpora(conll(tmp_path, train=own + test, test=test.upper().replace("B-LOC", "B-LOC")))
    assert audit.headline.startswith("TEST IS IN TRAIN: 20 of the 20 sentences of ")
    assert "(100.0 % of the words)" in audit.headline
    assert "memory, not reading" in audit.headline
    assert audit.counts["leakage"] == 20
    assert places(audit, "leakage")[:2] == [("test", 1), ("test", 9)]
    assert audit.of("leakage")[0].others == ((str(tmp_path / "train.conll"), 60 * 8 + 1),)


def test_short_sentences_repeat_without_a_leak(tmp_path: Path) -> None:
    short = "TENNIS O\n\nSOCCER O\n- O\n\n"
    files = conll(
        tmp_path,
        train=short + SENTENCE.format("Anna", "Rome", "B-LOC"),
        test=short + SENTENCE.format("Ben", "Oslo", "B-LOC"),
    )
    audit = audit_corpora(files)
    assert "leakage" not in audit.counts
    overlap = audit.overlaps[0]
    assert (overlap.same, overlap.counted, overlap.short, overlap.leaked) == (0, 1, 2, False)
    assert audit.headline.startswith("No leak above 1 % of the words.")


def test_a_file_of_short_sentences_alone_is_not_excused(tmp_path: Path) -> None:
    audit = audit_corpora(conll(tmp_path, train="Rome B-LOC\n\nOslo B-LOC\n\n", test="ROME B-LOC\n\n"))
    assert audit.overlaps[0].leaked
    assert places(audit, "leakage") == [("test", 1)]


def test_the_share_is_of_the_words(tmp_path: Path) -> None:
    train = "a short line\tx\n"
    long = " ".join(f"word{n}" for n in range(297))
    audit = audit_corpora(texts(tmp_path, train=train, test=f"a short line\tx\n{long}\ty\n"))
    overlap = audit.overlaps[0]
    assert (overlap.same, overlap.counted) == (1, 2)
    assert overlap.share == pytest.approx(3 / 300)
    assert not overlap.leaked
    assert audit.counts["leakage"] == 1


def test_conflicts_say_both_readings(tmp_path: Path) -> None:
    files = conll(
        tmp_path,
        train=SENTENCE.format("Anna", "Jordan", "B-LOC") + SENTENCE.format("anna", "jordan", "B-PER"),
        dev=SENTENCE.format("Anna", "Jordan", "O"),
    )
    audit = audit_corpora(files)
    assert places(audit, "conflict") == [("train", 9), ("dev", 1)]
    first, second = (each.message for each in audit.of("conflict"))
    assert "“jordan” is PER here, LOC there" in first
    assert "“Jordan” is no entity here, LOC there" in second
    labelled = audit_corpora(texts(tmp_path, train="buy now\tspam\nBuy  NOW\tham\nbuy now\tspam\n"))
    assert places(labelled, "conflict") == [("train", 3)]
    assert "ham here, spam there" in labelled.of("conflict")[0].message
    assert places(labelled, "duplicate") == [("train", 3), ("train", 4)]


def test_near_copies_across_and_within(tmp_path: Path) -> None:
    base = "the minister of the interior said on Monday that the border stays open for the time being"
    files = texts(
        tmp_path,
        train=f"{base}\ta\n{base} .\ta\nsomething else altogether, with nothing in common\tb\n",
        test=f"yesterday {base}\ta\n{base}\ta\n",
    )
    audit = audit_corpora(files)
    assert places(audit, "near-duplicate") == [("train", 3)]
    assert places(audit, "near-leakage") == [("test", 2)]
    assert places(audit, "leakage") == [("test", 3)]
    assert " % like " in audit.of("near-leakage")[0].message
    assert "100 %" not in audit.of("near-duplicate")[0].message
    assert "near-leakage" not in audit_corpora(files, threshold=0.99).counts


def test_illegal_moves_name_the_line_of_the_word(tmp_path: Path) -> None:
    text = "He O\nmet O\nBo I-PER\n\nIn O\nOslo B-LOC\nCity I-PER\nBig B-ORG\nCo I-ORG\n"
    audit = audit_corpora(conll(tmp_path, train=text))
    assert places(audit, "illegal") == [("train", 3), ("train", 7)]
    assert "I-PER on word 3, “Bo”, after O is not allowed in IOB2" in audit.of("illegal")[0].message


def test_spans_beside_the_borders_of_words(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(
        '{"text": "He left.", "entities": []}\n{"text": "In Oslo today", "entities": [[3, 6, "LOC"]]}\n'
    )
    corpus = read_corpus(tmp_path / "train.jsonl", split_words=WordSplitter())
    assert places(audit_corpora({"train": corpus}), "unaligned") == [("train", 2)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Müller", ""),
        ("naïve façade — “quoted” Ärger Ã", ""),
        ("Crédit Agricole, Ça va, ÅÄÖ, São Paulo", ""),
        ("MÃ¼ller", "'ü'"),
        ("MÃ¼ller".encode().decode("latin-1"), "probably"),
        ("donâ€™t", "'’'"),
        ("bad \ufffd here", "U+FFFD"),
        ("bad \x92 here", "U+0092"),
        ("a\ufeffb", "U+FEFF"),
        ("fish &amp; chips", "&amp;"),
        ("AT&T; R&D", ""),
        ("x&#8217;s", "&#8217;"),
        ("tab\tand\nline", ""),
    ],
)
def test_odd_characters(text: str, said: str) -> None:
    found = oddity(text)
    assert bool(found) == bool(said), found
    assert said in found


def test_words_that_vanish_and_empty_texts(tmp_path: Path) -> None:
    files = conll(tmp_path, train="Go O\nto O\n\u200b O\n\u200b O\n\n\xa0 O\n\u3000 O\n\nOslo B-LOC\n")
    audit = audit_corpora(files, Blind())
    assert places(audit, "vanishing") == [("train", 3)]
    assert "word 3 (U+200B)" in audit.of("vanishing")[0].message
    assert places(audit, "empty") == [("train", 6)]
    assert audit.unchecked == ()
    assert "vanishing" in audit_corpora(files).unchecked[0]
    (tmp_path / "rows.jsonl").write_text(
        '{"tokens": ["a"], "ner_tags": ["O"]}\n\n{"tokens": [], "ner_tags": []}\n'
        '{"tokens": ["-DOCSTART-"], "ner_tags": ["O"]}\n{"tokens": ["b"], "ner_tags": ["O"]}\n'
    )
    assert places(audit_corpora({"train": read_corpus(tmp_path / "rows.jsonl")}), "empty") == [("rows", 3)]
    labelled = audit_corpora(texts(tmp_path, train="one\ta\n \ta\n\tb\n"))
    assert places(labelled, "empty") == [("train", 3), ("train", 4)]
    assert "duplicate" not in labelled.counts


def test_labels_that_a_file_lacks(tmp_path: Path) -> None:
    files = conll(
        tmp_path,
        train="Rome B-LOC\n\nAnna B-PER\n\nBen B-PER\n",
        test="x O\nActme B-ORG\n\nOslo B-LOC\n\nOxford B-ORG\n",
    )
    audit = audit_corpora(files)
    messages = [each.message for each in audit.of("absent")]
    assert places(audit, "absent") == [("test", 1), ("train", 3)]
    assert "ORG stands 2 times in test and never in train" in messages[0]
    assert "PER stands 2 times in train and never in test" in messages[1]


def test_rare_labels_names_of_two_types_and_seen_entities(tmp_path: Path) -> None:
    many = "".join(f"Town{n} B-LOC\n\n" for n in range(41))
    files = conll(
        tmp_path,
        train=many + "Paris B-LOC\n\nParis B-LOC\n\nParis B-PER\n\nAcme B-ORG\n\nAcme B-ORG\n\nBolt B-ORG\n",
        dev="Paris B-LOC\n\nOslo B-LOC\n\nAcme B-LOC\n\nTown3 B-LOC\n",
    )
    audit = audit_corpora(files)
    assert [each.message.split(" stands")[0] for each in audit.of("imbalance")] == ["PER"]
    assert places(audit, "imbalance") == [("train", 41 * 2 + 5)]
    assert [each.message for each in audit.of("ambiguous")] == ["“Paris” is LOC 3, PER 1", "“Acme” is ORG 2, LOC 1"]
    assert places(audit, "ambiguous")[0] == ("train", 41 * 2 + 5)
    assert "2 of the 4 entities of dev (50.0 %)" in audit.of("seen")[0].message


def test_findings_are_ordered_by_gravity_and_all_in_json(tmp_path: Path) -> None:
    files = conll(
        tmp_path,
        train="fish O\n&amp; O\nchips O\n\nBo I-PER\n\n" + SENTENCE.format("Anna", "Rome", "B-LOC") * 2,
        test=SENTENCE.format("Anna", "Rome", "B-PER") + SENTENCE.format("Ben", "Rome", "B-LOC"),
    )
    audit = audit_corpora(files)
    kinds = list(dict.fromkeys(each.kind for each in audit.findings))
    assert kinds == [kind for kind in KINDS if kind in kinds] == list(audit.counts)
    assert {"leakage", "conflict", "encoding", "duplicate", "seen"} <= set(kinds)
    value = audit.to_json()
    assert len(value["findings"]) == sum(each["count"] for each in value["kinds"].values())
    assert all(each["why"] and each["advice"] and each["gravity"] for each in value["kinds"].values())
    assert {each["file"] for each in value["findings"]} == {str(tmp_path / f"{role}.conll") for role in files}


def test_a_clean_file_gives_nothing(tmp_path: Path) -> None:
    audit = audit_corpora(conll(tmp_path, train=SENTENCE.format("Anna", "Rome", "B-LOC")))
    assert audit.findings == ()
    assert audit.headline.startswith("Nothing was found in ")


def test_kinds_are_checked() -> None:
    assert check_kinds(["leakage", "near-duplicate"]) == ("leakage", "near-duplicate")
    with pytest.raises(UsageError, match="--fail-on got 'leak'; accepted are leakage, near-leakage"):
        check_kinds(["leak"])


# What real corpora hold, counted here in another way.


def lines_of(path: Path) -> list[tuple[str, ...]]:
    """Sentences of a file of words and tags, by its text alone."""
    blocks = path.read_text("utf-8").replace("\r", "").split("\n\n")
    rows = [[line.replace("\t", " ").split(" ")[0] for line in block.split("\n") if line] for block in blocks]
    return [tuple(row) for row in rows if row and row != ["-DOCSTART-"]]


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("conll2003", ("train.txt", "valid.txt", "test.txt")),
        ("wnut16", ("train.txt", "dev.txt", "test.txt")),
        ("conll2002-es", ("esp.train", "esp.testa", "esp.testb")),
    ],
)
def test_overlaps_of_real_corpora(data_dir: Path, name: str, files: tuple[str, ...]) -> None:
    paths = [data_dir / name / file for file in files]
    audit = audit_corpora(dict(zip(("train", "dev", "test"), map(read_corpus, paths), strict=True)))
    keys = [[(normal(" ".join(words)), len(words)) for words in lines_of(path)] for path in paths]
    for overlap in audit.overlaps:
        known = {key for key, _ in keys[("train", "dev").index(overlap.known)]}
        judged = [each for each in keys[("train", "dev", "test").index(overlap.judged)] if each[1] >= 5]
        assert overlap.counted == len(judged)
        assert overlap.same == sum(key in known for key, _ in judged)
    assert audit.overlaps[0].leaked == (name == "conll2002-es")  # whole news items stand in train and test


def test_wnut_train_and_test_as_train(data_dir: Path, tmp_path: Path) -> None:
    folder = data_dir / "wnut16"
    both = tmp_path / "train_and_test.txt"
    both.write_bytes((folder / "train.txt").read_bytes() + b"\n" + (folder / "test.txt").read_bytes())
    audit = audit_corpora({"train": read_corpus(both), "test": read_corpus(folder / "test.txt")})
    assert audit.headline.startswith("TEST IS IN TRAIN: 3,737 of the 3,737 sentences")


def test_duplicates_of_real_texts(data_dir: Path) -> None:
    path = data_dir / "sms-spam" / "SMSSpamCollection"
    corpus = read_texts(path, TextOptions(text_column=1, label_column=0, header=False))
    count = Counter(normal(line.split("\t", 1)[1]) for line in path.read_text("utf-8").split("\n") if line)
    audit = audit_corpora({"train": corpus})
    assert audit.counts["duplicate"] == sum(times - 1 for times in count.values())
