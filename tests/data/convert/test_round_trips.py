"""Round trips between all formats: what both can hold comes back as it was."""

from __future__ import annotations

import itertools
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagline.data.convert.flatten import split_at_blanks
from tagline.data.convert.run import ConvertOptions, convert, read_items
from tagline.data.corpus import ReadOptions, read_corpus
from tagline.data.schemes import Scheme, spans

WORD_FORMS = ("conll", "jsonl", "csv", "tsv", "parquet", "datasets", "spacy")
SPAN_FORMS = ("jsonl", "csv", "parquet", "datasets", "labelstudio")
NAMES = {
    "conll": "c.conll", "jsonl": "j.jsonl", "csv": "c.csv", "tsv": "t.tsv", "parquet": "p.parquet", "datasets": "d",
    "spacy": "s.spacy", "brat": "b", "labelstudio": "l.json",
}  # fmt: skip
LABELS = ("PER", "geo-loc", "Ä_1")
# Of every kind: quotes, separators of tables, marks of several UTF-16 units, combining marks, digits, right to left.
CHARACTERS = "ab'\",;|#-_\\/<>&é\u0301😀🇩🇪北ب\u200b0"


@dataclass(frozen=True)
class Given:
    """A corpus of words: words and (label, first word, word after the last) a sentence, and numbers of documents."""

    sentences: list[tuple[list[str], list[tuple[str, int, int]]]]
    documents: list[int]


@st.composite
def corpora(draw: st.DrawFn) -> Given:
    words = st.lists(st.text(CHARACTERS, min_size=1, max_size=6), min_size=1, max_size=7)
    sentences, documents = [], []
    number = 0
    for place in range(draw(st.integers(1, 5))):
        sentence = draw(words)
        found, at = [], 0
        while at < len(sentence):
            length = draw(st.integers(0, 3))
            if length:
                found.append((draw(st.sampled_from(LABELS)), at, min(len(sentence), at + length)))
            at += length or 1
        number += place > 0 and draw(st.booleans())
        sentences.append((sentence, found))
        documents.append(number)
    if not any(found for _, found in sentences):
        sentences[0] = sentences[0][0], [("PER", 0, 1)]
    return Given(sentences, documents)


def write_tokens(path: Path, corpus: Given) -> None:
    """The corpus as JSONL of words, written by hand."""
    lines = []
    for (words, found), document in zip(corpus.sentences, corpus.documents, strict=True):
        tags = ["O"] * len(words)
        for label, start, end in found:
            tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
        lines.append(json.dumps({"tokens": words, "ner_tags": tags, "document": document}) + "\n")
    path.write_text("".join(lines), encoding="utf-8")


def facts(path: Path, form: str) -> list[tuple[list[str], list[tuple[str, int, int]], int]]:
    """Words, entities and documents of a file of words."""
    if form == "spacy":
        source = read_items(path, ConvertOptions())
        made = []
        for item in source.items:
            assert item.words is not None
            starts = {start: place for place, (start, _) in enumerate(item.words)}
            ends = {end: place + 1 for place, (_, end) in enumerate(item.words)}
            found = [(span.label, starts[span.start], ends[span.end]) for span in item.spans]
            made.append(([item.text[start:end] for start, end in item.words], found, item.document))
        return made
    corpus = read_corpus(path)
    return [
        (list(each.words), [(*span,) for span in spans(each.tags, corpus.scheme, corpus.bare)], each.document)
        for each in corpus.sentences
    ]


def wanted(corpus: Given) -> list[tuple[list[str], list[tuple[str, int, int]], int]]:
    return [(*each, document) for each, document in zip(corpus.sentences, corpus.documents, strict=True)]


@given(corpora())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_words_come_back_through_every_pair_of_formats(corpus: Given) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tokens(folder / "given.jsonl", corpus)
        for form in WORD_FORMS:
            done = convert(folder / "given.jsonl", folder / NAMES[form], ConvertOptions(target=form))
            assert done.losses.found == []
            assert facts(folder / NAMES[form], form) == wanted(corpus)
        for first, second in itertools.permutations(WORD_FORMS, 2):
            target = folder / "again" / first / NAMES[second]
            target.parent.mkdir(parents=True, exist_ok=True)
            done = convert(folder / NAMES[first], target, ConvertOptions(target=second))
            assert done.losses.found == [], (first, second)
            assert facts(target, second) == wanted(corpus), (first, second)


@given(corpora(), st.sampled_from([Scheme.IOB1, Scheme.IOB2, Scheme.IOBES, Scheme.BILOU]))
@settings(max_examples=40, deadline=None)
def test_every_scheme_and_back(corpus: Given, scheme: Scheme) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tokens(folder / "given.jsonl", corpus)
        convert(folder / "given.jsonl", folder / "one.conll", ConvertOptions(scheme=scheme))
        back = ConvertOptions(ReadOptions(scheme=scheme), scheme=Scheme.IOB2)
        convert(folder / "one.conll", folder / "two.conll", back)
        convert(folder / "given.jsonl", folder / "three.conll")
        assert (folder / "two.conll").read_bytes() == (folder / "three.conll").read_bytes()
        read = read_corpus(folder / "one.conll", ReadOptions(scheme=scheme))
        found = [[tuple(span) for span in spans(each.tags, scheme)] for each in read.sentences]
        assert found == [found_ for _, found_ in corpus.sentences]


@given(corpora())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_words_come_back_through_texts_when_split_at_spaces(corpus: Given) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tokens(folder / "given.jsonl", corpus)
        for form in (*SPAN_FORMS, "tsv", "brat"):
            rows = None if form in ("brat", "labelstudio") else "spans"
            middle = folder / f"spans-{NAMES[form]}"
            done = convert(folder / "given.jsonl", middle, ConvertOptions(target=form, form=rows))
            assert list(done.losses.counts()) == ["words"]
            back = folder / f"back-{form}.conll"
            done = convert(middle, back, ConvertOptions(split_words=split_at_blanks))
            assert list(done.losses.counts()) in ([], ["names"])
            assert facts(back, "conll") == wanted(corpus), form


@st.composite
def texts(draw: st.DrawFn) -> list[dict[str, object]]:
    """Texts with any spans: within words, touching, nested, crossing; in any white space."""
    rows: list[dict[str, object]] = []
    for _ in range(draw(st.integers(1, 4))):
        text = draw(st.text(CHARACTERS + " \n\t\r\u00a0", min_size=1, max_size=20))
        marks = draw(st.lists(st.tuples(st.integers(0, len(text)), st.integers(0, len(text))), max_size=4))
        found = {(min(pair), max(pair), draw(st.sampled_from(LABELS))) for pair in marks if pair[0] != pair[1]}
        order = sorted(found, key=lambda span: (span[0], -span[1], span[2]))
        spans_ = [{"start": start, "end": end, "label": label} for start, end, label in order]
        rows.append({"text": text, "entities": spans_})
    return rows


@given(texts())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_spans_come_back_through_every_pair_of_formats_of_texts(rows: list[dict[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "given.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        for form in SPAN_FORMS:
            done = convert(folder / "given.jsonl", folder / NAMES[form], ConvertOptions(target=form))
            assert done.losses.found == [], form
        for first, second in itertools.permutations(SPAN_FORMS, 2):
            target = folder / "again" / first / NAMES[second]
            target.parent.mkdir(parents=True, exist_ok=True)
            assert convert(folder / NAMES[first], target, ConvertOptions(target=second)).losses.found == []
            back = target.with_suffix(".back.jsonl")
            convert(target, back)
            assert [json.loads(line) for line in back.read_text("utf-8").splitlines()] == rows, (first, second)


@given(texts(), st.sampled_from(["line", "file"]))
@settings(max_examples=60, deadline=None)
def test_spans_come_back_through_brat(rows: list[dict[str, object]], unit: str) -> None:
    from tagline.data.convert.brat import BratOptions

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if unit == "file":  # every text a document
            rows = [{**row, "document": number} for number, row in enumerate(rows)]
        (folder / "given.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        done = convert(folder / "given.jsonl", folder / "b", ConvertOptions(target="brat"))
        noted = {each.line for each in done.losses.found}
        read = read_items(folder / "b", ConvertOptions(brat=BratOptions(unit=unit))) if _any(rows) else None
        found = [] if read is None else [(item.text.removesuffix("\n"), item.spans) for item in read.items]
        for number, row in enumerate(rows, start=1):
            text, marks = row["text"], row["entities"]
            assert isinstance(text, str)
            assert isinstance(marks, list)
            if not text.strip():
                assert number in noted
            elif number in noted and unit == "line":
                assert "\n" in text or text.endswith("\r")
            else:  # a span of nothing but line ends is shown as it is
                spans_ = tuple((mark["start"], mark["end"], mark["label"]) for mark in marks)
                held = [(text_, {_cut(text_, (*span,)) for span in own}) for text_, own in found]
                assert (text, {_cut(text, span) for span in spans_}) in held


def _any(rows: list[dict[str, object]]) -> bool:
    return any(str(row["text"]).strip() for row in rows)


def _cut(text: str, span: tuple[int, int, str]) -> tuple[int, int, str]:
    """A span without line ends at its borders: brat's pieces lie between line ends."""
    start, end, label = span
    if not text[start:end].strip("\r\n"):
        return span
    while text[start] in "\r\n":
        start += 1
    while text[end - 1] in "\r\n":
        end -= 1
    return start, end, label


@pytest.mark.parametrize("form", ["conll", "spacy"])
def test_spans_within_words_are_widened_and_listed(form: str, tmp_path: Path) -> None:
    rows = [
        {"text": "Mr Smith's dog", "entities": [{"start": 3, "end": 8, "label": "PER"}]},
        {"text": "in Zürich-Nord", "entities": [{"start": 3, "end": 9, "label": "LOC"}]},
    ]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    target = tmp_path / NAMES[form]
    done = convert(tmp_path / "in.jsonl", target, ConvertOptions(split_words=split_at_blanks))
    assert done.losses.counts() == {"unaligned": 2}
    first, second = (str(each) for each in done.losses.found)
    assert first.startswith(f"{tmp_path / 'in.jsonl'}, line 1: 'Smith' (3:8, PER)")
    assert "line 2: 'Zürich' (3:9, LOC)" in second
    assert [found for _, found, _ in facts(target, form)] == [[("PER", 1, 2)], [("LOC", 1, 2)]]
