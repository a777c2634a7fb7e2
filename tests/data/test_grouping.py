"""Splits of one file: nothing torn apart, nothing lost, every byte in one part, types in their shares."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.data.audit.parts import AnyCorpus, Part
from tagline.data.corpus import Corpus, read_corpus
from tagline.data.extracts import write_extracts
from tagline.data.grouping import PARTS, share_out
from tagline.data.texts.reading import TextOptions, read_texts
from tagline.errors import OutputError, UsageError

Shares = tuple[float, float, float]


def written(
    corpus: AnyCorpus, folder: Path, shares: Shares = (0.6, 0.2, 0.2), quotes: bool | None = None
) -> list[Path]:
    grouping = share_out(Part("train", corpus), shares, seed=3)
    return write_extracts(corpus, grouping.parts, PARTS, folder)


def sentences(corpus: Corpus) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(each.words, each.tags) for each in corpus.sentences]


def check_token_parts(source: Path, files: list[Path]) -> None:
    """The parts, read again, hold the sentences of the source once each, in order, and no key twice."""
    whole = sentences(read_corpus(source))
    parts = [sentences(read_corpus(file)) for file in files]
    assert Counter(each for part in parts for each in part) == Counter(whole)
    for part in parts:
        rest = iter(whole)
        assert all(each in rest for each in part)  # a subsequence: the order is the source's
    for one, other in [(0, 1), (0, 2), (1, 2)]:
        assert not {words for words, _ in parts[one]} & {words for words, _ in parts[other]}


def generated(count: int, seed: int) -> list[list[tuple[str, str]]]:
    rng = random.Random(seed)
    found: list[list[tuple[str, str]]] = []
    for number in range(count):
        size = rng.randint(5, 9)
        words = [(f"w{number}x{place}", "O") for place in range(size)]
        for label in rng.choices(["LOC", "PER", "ORG", ""], weights=[6, 3, 1, 8], k=2):
            if label:
                words[rng.randrange(size)] = (f"Name{rng.randrange(50)}", f"B-{label}")
        found.append(found[rng.randrange(number)] if number and rng.random() < 0.15 else words)
    return found


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_conll_lines_go_unchanged(tmp_path: Path, end: str) -> None:
    lines = ["\ufeff# made by hand"]
    for number, sentence in enumerate(generated(80, 1)):
        lines += [f"# id {number}", *(f"{word}\tX\t{tag}" for word, tag in sentence), *[""] * (1 + number % 3)]
    source = tmp_path / "all.conll"
    source.write_bytes(end.join(lines).encode())
    files = written(read_corpus(source), tmp_path / "parts")
    assert [file.name for file in files] == ["train.conll", "dev.conll", "test.conll"]
    check_token_parts(source, files)
    bodies = [file.read_bytes() for file in files]
    assert all(body.startswith("\ufeff".encode()) for body in bodies)
    kept = Counter(line for body in bodies for line in body.decode("utf-8-sig").split(end))
    original = Counter(source.read_bytes().decode("utf-8-sig").split(end))
    kept[""] = original[""]  # where a file ends, one blank line more may be counted
    assert kept == original
    for body in bodies:
        assert all(line.endswith(b"\r\n") == (end == "\r\n") for line in body.splitlines(keepends=True)[:-1])
        blocks = [block for block in body.decode("utf-8-sig").split(end * 2) if block.strip()]
        assert all(block.strip().startswith("# ") for block in blocks)  # each sentence has its own comment


def test_documents_stay_whole_with_their_marks(tmp_path: Path) -> None:
    rng = random.Random(4)
    lines: list[str] = []
    for document in range(40):
        lines += ["-DOCSTART- O", "", "Headline O", ""]  # short ones repeat in every document
        for number in range(rng.randint(2, 9)):
            label = rng.choice(["LOC", "PER"])
            lines += [f"d{document}n{number} B-{label}", *(f"w{document}x{number}{n} O" for n in range(5)), ""]
    lines += ["-DOCSTART- O", "", *(f"w0x0{n} O" for n in range(-1, 0)), "d0n0 O"]
    source = tmp_path / "all.txt"
    source.write_text("\n".join(lines) + "\n")
    corpus = read_corpus(source)
    grouping = share_out(Part("train", corpus), (0.6, 0.2, 0.2))
    assert grouping.documents == 41
    owners: dict[int, set[int]] = {}
    for sentence, part in zip(corpus.sentences, grouping.parts, strict=True):
        owners.setdefault(sentence.document, set()).add(part)
    assert all(len(parts) == 1 for parts in owners.values())
    files = write_extracts(corpus, grouping.parts, PARTS, tmp_path / "parts")
    assert sum(file.read_text().count("-DOCSTART-") for file in files) == 41
    for number, file in enumerate(files):
        read = read_corpus(file)
        assert len({each.document for each in read.sentences}) == sum(parts == {number} for parts in owners.values())
    assert all(read_corpus(file).labels == ["LOC", "PER"] for file in files)


@pytest.mark.parametrize("form", ["jsonl", "sentences.csv", "sentences.tsv", "words.csv", "words.tsv"])
def test_other_forms_of_tagged_words(tmp_path: Path, form: str) -> None:
    import csv
    import io
    import json

    examples = generated(60, 2)
    name = form if "." in form else f"rows.{form}"
    source = tmp_path / name
    out = io.StringIO()
    table = (
        csv.writer(out)
        if name.endswith("csv")
        else csv.writer(out, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None)
    )
    if form.startswith("words"):
        table.writerow(["sentence_id", "word", "tag"])
    elif form.startswith("sentences"):
        table.writerow(["note", "tokens", "ner_tags"])
    for number, sentence in enumerate(examples):
        words, tags = zip(*sentence, strict=True)
        if form == "jsonl":
            out.write(json.dumps({"tokens": words, "ner_tags": tags, "n": number}) + "\n" + "\n" * (number % 2))
        elif form.startswith("words"):
            table.writerows([number, word, tag] for word, tag in sentence)
        else:
            note = f"two\nlines {number}" if name.endswith("csv") else "one"
            table.writerow([note, json.dumps(words), json.dumps(tags)])
    source.write_bytes(out.getvalue().encode())
    files = written(read_corpus(source), tmp_path / "parts")
    check_token_parts(source, files)
    bodies = [file.read_bytes() for file in files]
    if form == "jsonl":
        assert sum(map(len, bodies)) == source.stat().st_size
    else:
        header = source.read_bytes().split(b"\n", 1)[0] + b"\n"
        assert all(body.startswith(header) for body in bodies)
        assert sum(len(body) - len(header) for body in bodies) == source.stat().st_size - len(header)


def test_labelled_texts_keep_their_rows(tmp_path: Path) -> None:
    rng = random.Random(8)
    rows = [f'"line one {n}\nline ""two"" {n}",{rng.choice("abc")},{n}\r\n' for n in range(90)]
    source = tmp_path / "all.csv"
    source.write_bytes(("text,label,n\r\n" + "".join(rows) + rows[3]).encode())
    corpus = read_texts(source)
    files = written(corpus, tmp_path / "parts")
    bodies = [file.read_bytes().decode().removeprefix("text,label,n\r\n") for file in files]
    assert sorted("".join(bodies)) == sorted("".join([*rows, rows[3]]))
    assert sum(rows[3] in body for body in bodies) == 1
    again = [each.text for file in files for each in read_texts(file).texts]
    assert Counter(again) == Counter(each.text for each in corpus.texts)


def test_parquet_rows(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"text": [f"text {n}" for n in range(50)], "label": ["a", "b"] * 25, "more": list(range(50))})
    pq.write_table(table, tmp_path / "all.parquet")
    files = written(read_texts(tmp_path / "all.parquet"), tmp_path / "parts")
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    assert sorted(rows, key=lambda row: row["more"]) == table.to_pylist()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["x", "X ", "y", "z", "ﬁ", "fi", "q", "r"]), st.sampled_from("uv")),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.5, 0.0), (1.0, 0.0, 0.0)]),
    st.integers(0, 3),
)
def test_copies_are_never_torn_apart(rows: list[tuple[str, str]], shares: Shares, seed: int) -> None:
    from tagline.data.texts.corpus import TextCorpus
    from tagline.records import LabelledText, Problem

    texts = tuple(LabelledText(text, None, (label,), None, line) for line, (text, label) in enumerate(rows, start=1))
    part = Part("train", TextCorpus(texts, Problem.SINGLE, "a.tsv", "tsv", ""))
    if len(set(part.keys)) < sum(share > 0 for share in shares):
        with pytest.raises(UsageError, match="none is left for"):
            share_out(part, shares, seed)
        return
    grouping = share_out(part, shares, seed)
    homes: dict[str, set[int]] = {}
    for key, number in zip(part.keys, grouping.parts, strict=True):
        homes.setdefault(key, set()).add(number)
    assert all(len(found) == 1 for found in homes.values())
    assert grouping.groups == len(homes)
    assert {number for number, share in enumerate(shares) if share} == set(grouping.parts)
    assert share_out(part, shares, seed) == grouping


def test_near_copies_stay_together_when_asked() -> None:
    from tagline.data.texts.corpus import TextCorpus
    from tagline.records import LabelledText, Problem

    base = [f"report {n} of the weather station on the hill says that the wind turns" for n in range(60)]
    base = [f"{text} {random.Random(n).random()} {random.Random(n + 99).random()} again" for n, text in enumerate(base)]
    texts = [text for each in base for text in (each, each.replace("again", "anew"))]
    corpus = TextCorpus(
        tuple(LabelledText(text, None, ("a",), None, n) for n, text in enumerate(texts)), Problem.SINGLE, "a", "tsv", ""
    )
    part = Part("train", corpus)
    torn = share_out(part, (0.5, 0.25, 0.25)).parts
    kept = share_out(part, (0.5, 0.25, 0.25), near=0.8).parts
    assert any(torn[n] != torn[n + 1] for n in range(0, 120, 2))
    assert all(kept[n] == kept[n + 1] for n in range(0, 120, 2))


def test_too_few_groups_and_a_place_that_is_taken(tmp_path: Path) -> None:
    source = tmp_path / "a.tsv"
    source.write_text("text\tlabel\nsame\ta\nSAME\ta\nsame\ta\n")
    corpus = read_texts(source)
    with pytest.raises(UsageError, match=r"only 1 groups of texts that stay together .* none is left for dev"):
        share_out(Part("train", corpus))
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("x")
    with pytest.raises(OutputError, match="not empty"):
        write_extracts(corpus, [0, 0, 0], PARTS, tmp_path / "taken")
    assert [file.name for file in (tmp_path / "taken").iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["conll2003/train.txt", "wnut16/train.txt", "conll2002-es/esp.testa"])
def test_real_corpora_in_their_shares(data_dir: Path, tmp_path: Path, name: str) -> None:
    source = data_dir / name
    corpus = read_corpus(source)
    files = written(corpus, tmp_path / "parts", (0.8, 0.1, 0.1))
    total = Counter(
        label for part in [Part("train", corpus)] for unit in range(len(part.units)) for label in part.labels(unit)
    )
    for file, share in zip(files, (0.8, 0.1, 0.1), strict=True):
        count = Counter(mention.label for mention in Part("train", read_corpus(file)).mentions())
        for label, times in total.items():
            assert abs(count[label] - share * times) <= max(3, 0.02 * times), (file.name, label)
    size = sum(file.stat().st_size for file in files)
    assert size == source.stat().st_size
    whole = Counter(source.read_bytes().split(b"\n"))
    assert sum((Counter(file.read_bytes().split(b"\n")) for file in files), Counter[bytes]()) - whole <= Counter(
        {b"": 3}
    )


def test_real_labels_in_their_shares(data_dir: Path, tmp_path: Path) -> None:
    source = data_dir / "sms-spam" / "SMSSpamCollection"
    corpus = read_texts(source, TextOptions(text_column=1, label_column=0, header=False))
    files = written(corpus, tmp_path / "parts", (0.7, 0.15, 0.15))
    assert [file.name for file in files] == ["train", "dev", "test"]
    assert sum(file.stat().st_size for file in files) == source.stat().st_size
    for file, share in zip(files, (0.7, 0.15, 0.15), strict=True):
        spam = sum(line.startswith(b"spam\t") for line in file.read_bytes().split(b"\n"))
        assert abs(spam - share * 747) <= 2
