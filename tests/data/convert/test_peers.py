"""What is written is read by the tools it is for, and what they write is read here."""

from __future__ import annotations

import json
import random
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagline.data.convert.run import ConvertOptions, convert, read_items
from tagline.data.corpus import read_corpus
from tagline.data.schemes import Scheme, spans

ROWS: list[dict[str, Any]] = [
    {"tokens": ["Maria", "Novak", "left", "São", "mark", "."],
     "ner_tags": ["B-PER", "I-PER", "O", "B-LOC", "I-LOC", "O"]},
    {"tokens": ["😀", "Oslo", "Bergen"], "ner_tags": ["O", "B-LOC", "B-LOC"]},
    {"tokens": ["nothing", "here"], "ner_tags": ["O", "O"]},
]  # fmt: skip
TEXTS: list[dict[str, Any]] = [
    {"text": " Maria  Novak\nleft\t😀 Oslo. ", "entities": [[1, 13, "PER"], [21, 25, "LOC"]]},
    {"text": "No one.", "entities": []},
]


def written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "given.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def docs_of(path: Path) -> list[Any]:
    spacy = pytest.importorskip("spacy")
    tokens = pytest.importorskip("spacy.tokens")
    return list(tokens.DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))


def test_spacy_reads_words_entities_and_sentences(tmp_path: Path) -> None:
    rows = [{**row, "document": number // 2} for number, row in enumerate(ROWS)]
    convert(written(tmp_path, rows), tmp_path / "out.spacy")
    docs = docs_of(tmp_path / "out.spacy")
    assert [[token.text for token in doc] for doc in docs] == [row["tokens"] for row in ROWS]
    tags = [[token.ent_iob_ + ("-" + token.ent_type_ if token.ent_type_ else "") for token in doc] for doc in docs]
    assert tags == [row["ner_tags"] for row in ROWS]
    assert [doc.text for doc in docs] == [" ".join(row["tokens"]) for row in ROWS]
    assert [[sentence.text for sentence in doc.sents] for doc in docs] == [[doc.text] for doc in docs]
    assert [doc.user_data["document"] for doc in docs] == [0, 0, 1]


def test_spacy_reads_texts_with_all_their_white_space(tmp_path: Path) -> None:
    from tagline.text.words import WordSplitter

    done = convert(written(tmp_path, TEXTS), tmp_path / "out.spacy", ConvertOptions(split_words=WordSplitter()))
    assert done.losses.found == []
    docs = docs_of(tmp_path / "out.spacy")
    assert [doc.text for doc in docs] == [row["text"] for row in TEXTS]
    found = [[[span.start_char, span.end_char, span.label_] for span in doc.ents] for doc in docs]
    assert found == [row["entities"] for row in TEXTS]
    items = read_items(tmp_path / "out.spacy", ConvertOptions()).items
    words = [[item.text[start:end] for start, end in item.words or ()] for item in items]
    assert words == [["Maria", "Novak", "left", "😀", "Oslo", "."], ["No", "one", "."]]
    assert [item.text for item in items] == [row["text"] for row in TEXTS]
    assert [[[*span] for span in item.spans] for item in items] == [row["entities"] for row in TEXTS]


def test_what_spacy_wrote_is_read_sentence_by_sentence(tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy")
    tokens = pytest.importorskip("spacy.tokens")
    vocab = spacy.blank("en").vocab
    words = ["Ada", "Byron", "wrote", ".", "\n", "In", "London", "!"]
    spaces = [True, True, False, False, False, True, False, False]
    doc = tokens.Doc(vocab, words=words, spaces=spaces, sent_starts=[True, *[False] * 4, True, False, False])
    doc.ents = [tokens.Span(doc, 0, 2, "PER"), tokens.Span(doc, 6, 7, "LOC")]
    tagged = tokens.Doc(vocab, words=["plain", "one"], tags=["JJ", "NN"], pos=["ADJ", "NOUN"])
    tagged.spans["more"] = [tokens.Span(tagged, 0, 1, "X")]
    tagged.cats = {"good": 1.0}
    tokens.DocBin(docs=[doc, tagged]).to_disk(tmp_path / "in.spacy")

    read = read_items(tmp_path / "in.spacy", ConvertOptions())
    assert [item.text for item in read.items] == ["Ada Byron wrote.", "In London!", "plain one "]
    assert [item.document for item in read.items] == [0, 0, 1]
    assert [[item.text[span.start : span.end] for span in item.spans] for item in read.items] == [
        ["Ada Byron"], ["London"], [],
    ]  # fmt: skip
    told = " ".join(each.detail for each in read.losses.found)
    for part in ("tags of 2 tokens", "parts of speech of 2", "span groups of 1 Docs", "categories of 1 Docs"):
        assert part in told
    assert read.losses.counts()["unannotated"] == 1  # the second was never shown to an annotator
    convert(tmp_path / "in.spacy", tmp_path / "out.conll")
    lines = (tmp_path / "out.conll").read_text("utf-8").splitlines()
    assert lines[:7] == ["-DOCSTART- O", "", "Ada B-PER", "Byron I-PER", "wrote O", ". O", ""]
    assert "-DOCSTART- O" in lines


def test_spacys_own_converter_gives_the_same(tmp_path: Path) -> None:
    converters = pytest.importorskip("spacy.training.converters")
    tokens = pytest.importorskip("spacy.tokens")
    text = "".join(
        "".join(f"{word} {tag}\n" for word, tag in zip(row["tokens"], row["ner_tags"], strict=True)) + "\n"
        for row in ROWS
    )
    (tmp_path / "in.conll").write_text(text, encoding="utf-8")
    docs = list(converters.conll_ner_to_docs(text, n_sents=1, no_print=True))
    tokens.DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "theirs.spacy")
    convert(tmp_path / "in.conll", tmp_path / "ours.spacy")
    for name in ("theirs", "ours"):
        convert(tmp_path / f"{name}.spacy", tmp_path / f"{name}.jsonl")
        rows = [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text("utf-8").splitlines()]
        assert [{key: row[key] for key in ("tokens", "ner_tags")} for row in rows] == ROWS


@pytest.mark.parametrize("data", [b"", b"no zlib", zlib.compress(b"\x81\xa1a\x01"), zlib.compress(b"\x01\x02")])
def test_a_damaged_docbin_is_said_to_be_one(data: bytes, tmp_path: Path) -> None:
    from tagline.errors import DataError

    (tmp_path / "in.spacy").write_bytes(data)
    with pytest.raises(DataError, match=r"no DocBin|empty"):
        read_items(tmp_path / "in.spacy", ConvertOptions())


def test_datasets_loads_words_with_class_names(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    convert(written(tmp_path, ROWS), tmp_path / "out", ConvertOptions(target="datasets"))
    data = datasets.load_from_disk(str(tmp_path / "out"))
    names = data.features["ner_tags"].feature.names
    assert names == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    assert data["tokens"][:] == [row["tokens"] for row in ROWS]
    assert [[names[tag] for tag in tags] for tags in data["ner_tags"]] == [row["ner_tags"] for row in ROWS]
    longer = data.map(lambda row: {"count": len(row["tokens"])}, load_from_cache_file=False, keep_in_memory=True)
    assert longer["count"][:] == [6, 3, 2]
    data.save_to_disk(str(tmp_path / "theirs"))
    again = read_corpus(tmp_path / "theirs")
    assert [list(each.tags) for each in again.sentences] == [row["ner_tags"] for row in ROWS]


def test_datasets_loads_texts_with_spans(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = [{**row, "document": number} for number, row in enumerate(TEXTS)]
    convert(written(tmp_path, rows), tmp_path / "out", ConvertOptions(target="datasets"))
    data = datasets.load_from_disk(str(tmp_path / "out"))
    assert data[0]["text"] == TEXTS[0]["text"]
    assert data[0]["entities"] == [
        {"start": 1, "end": 13, "label": "PER"},
        {"start": 21, "end": 25, "label": "LOC"},
    ]
    assert data[1] == {"text": "No one.", "entities": [], "document": 1}
    parquet = tmp_path / "out.parquet"
    convert(tmp_path / "out", parquet)
    theirs = datasets.Dataset.from_parquet(str(parquet), cache_dir=str(tmp_path / "cache"))
    assert theirs[0]["entities"] == data[0]["entities"]


def test_a_large_corpus_keeps_every_sentence(tmp_path: Path) -> None:
    chance = random.Random(4)
    rows = []
    for _ in range(2500):  # more than a batch of the stream
        words = [f"w{chance.randrange(900)}" for _ in range(chance.randrange(1, 20))]
        rows.append({"tokens": words, "ner_tags": [chance.choice(["O", "O", "B-PER"]) for _ in words]})
    source = written(tmp_path, rows)
    for target in ("d", "s.spacy"):
        convert(source, tmp_path / target, ConvertOptions(target="datasets" if target == "d" else None))
        convert(tmp_path / target, tmp_path / f"{target}.jsonl")
        back = [json.loads(line) for line in (tmp_path / f"{target}.jsonl").read_text().splitlines()]
        assert back == rows


@pytest.mark.slow
def test_real_corpora_keep_every_entity(data_dir: Path, tmp_path: Path) -> None:
    source = data_dir / "conll2003" / "valid.txt"
    given_ = read_corpus(source)
    entities = [spans(tags, Scheme.IOB2) for tags in given_.tags(Scheme.IOB2)]
    for target, form in (("v.spacy", None), ("v", "datasets"), ("v.csv", None), ("v.parquet", None)):
        convert(source, tmp_path / target, ConvertOptions(target=form))
        convert(tmp_path / target, tmp_path / f"{target}.conll")
        back = read_corpus(tmp_path / f"{target}.conll")
        assert [each.words for each in back.sentences] == [each.words for each in given_.sentences]
        assert [spans(each.tags, Scheme.IOB2) for each in back.sentences] == entities
        assert np.array_equal([each.document for each in back.sentences], [each.document for each in given_.sentences])
    convert(source, tmp_path / "v.iobes", ConvertOptions(target="conll", scheme=Scheme.IOBES))
    convert(tmp_path / "v.iobes", tmp_path / "v.iob2", ConvertOptions(target="conll", scheme=Scheme.IOB2))
    assert (tmp_path / "v.iob2").read_bytes() == source.read_bytes()
