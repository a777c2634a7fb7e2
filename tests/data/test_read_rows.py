"""Reading JSONL, CSV, TSV, Parquet and folders of `datasets`."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tagline.data.corpus import Corpus, ReadOptions, read_corpus
from tagline.data.schemes import Scheme
from tagline.errors import DataError, MissingExtraError, SchemeError, TaglineError, UsageError

WORDS = (("EU", "rejects"), ("Peter", "Blackburn", "."))
TAGS = (("B-ORG", "O"), ("B-PER", "I-PER", "O"))
NAMES = ["O", "B-ORG", "B-PER", "I-PER"]


def by_space(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\S+", text)]


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_bytes(content.encode())
    return path


def jsonl(folder: Path, *rows: Any) -> Path:
    return write(folder, "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def complaint(path: Path, options: ReadOptions | None = None, kind: type[TaglineError] = DataError) -> str:
    with pytest.raises(kind) as caught:
        read_corpus(path, options, by_space)
    assert type(caught.value) is kind
    assert str(path) in str(caught.value)
    return str(caught.value)


def assert_known(corpus: Corpus, form: str) -> None:
    assert tuple(each.words for each in corpus.sentences) == WORDS
    assert tuple(each.tags for each in corpus.sentences) == TAGS
    assert (corpus.format, corpus.scheme, corpus.bare, corpus.columns) == (form, Scheme.IOB2, False, 0)
    assert len(corpus.fingerprint) == 64


ROWS = [{"tokens": words, "ner_tags": tags} for words, tags in zip(WORDS, TAGS, strict=True)]


# ---------------------------------------------------------------- JSONL


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "a.txt", "a"])
def test_jsonl_of_tokens_under_any_name(tmp_path: Path, name: str) -> None:
    text = "\ufeff\r\n" + "\r\n \n".join(json.dumps(row) for row in ROWS)
    corpus = read_corpus(write(tmp_path, name, text))
    assert_known(corpus, "jsonl")
    assert [each.line for each in corpus.sentences] == [2, 4]


def test_jsonl_with_other_names_empty_rows_and_documents(tmp_path: Path) -> None:
    rows = [
        {"w": ["a\u2028", "\u0085"], "t": ["O", "B-X"], "document": 3},
        {"w": [], "t": []},
        {"w": ["-DOCSTART-"], "t": ["O"]},
        {"w": [""], "t": ["O"]},
    ]
    corpus = read_corpus(jsonl(tmp_path, *rows), ReadOptions(word_column="w", tag_column="t"))
    assert [(each.words, each.document) for each in corpus.sentences] == [(("a\u2028", "\u0085"), 3), (("",), 4)]


def test_jsonl_with_numbers_takes_the_names_beside_it(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path, *({"tokens": row["tokens"], "ner_tags": [NAMES.index(t) for t in row["ner_tags"]]} for row in ROWS)
    )
    assert "line 1: 'ner_tags' holds the number 1 and the class names are not known" in complaint(path)
    classes: dict[str, Any] = {"names": NAMES, "_type": "ClassLabel"}
    info = {"features": {"ner_tags": {"feature": classes, "_type": "List"}}}
    write(tmp_path, "dataset_info.json", json.dumps(info))
    assert_known(read_corpus(path), "jsonl")
    classes["names"] = NAMES[:2]
    write(tmp_path, "dataset_info.json", json.dumps(info))
    assert "line 2: 'ner_tags' holds 2; expected 0 to 1" in complaint(path)
    write(tmp_path, "dataset_info.json", "{")
    with pytest.raises(DataError, match=r"dataset_info\.json: is not JSON"):
        read_corpus(path)


@pytest.mark.parametrize(
    "marks",
    [
        {"entities": [{"start": 6, "end": 18, "label": "PER"}, {"start": 0, "end": 2, "label": "B-cell"}]},
        {"spans": [[0, 2, "B-cell"], [6, 18, "PER"]]},
        {"label": [[0, 2, "B-cell"], [6, 18, "PER"]]},
        {"tokens": [{"text": "EU", "start": 0, "end": 2}], "spans": [[0, 2, "B-cell"], [6, 18, "PER"]]},
    ],
)
def test_text_with_spans_keeps_text_and_offsets(tmp_path: Path, marks: dict[str, Any]) -> None:
    text = "EU \U0001f600  Jo\u00e3o\tVan Zee"
    corpus = read_corpus(jsonl(tmp_path, {"text": text, **marks}), None, by_space)
    sentence = corpus.sentences[0]
    assert (sentence.text, corpus.scheme, corpus.bare, corpus.unaligned) == (text, Scheme.IOB2, False, ())
    assert sentence.words == tuple(text[start:end] for start, end in sentence.offsets)
    assert sentence.tags == ("B-B-cell", "O", "B-PER", "I-PER", "I-PER")
    bilou = read_corpus(tmp_path / "a.jsonl", ReadOptions(scheme=Scheme.BILOU), by_space)
    assert bilou.sentences[0].tags == ("U-B-cell", "O", "B-PER", "I-PER", "L-PER")


def test_spans_off_word_borders_are_widened_and_listed(tmp_path: Path) -> None:
    text = "the US-China talks  end"
    spans = [[0, 2, "A"], [4, 6, "LOC"], [7, 12, "LOC"], [13, 19, "E"], [19, 20, "W"]]
    corpus = read_corpus(jsonl(tmp_path, {"text": "x", "spans": []}, {"text": text, "spans": spans}), None, by_space)
    assert corpus.sentences[1].tags == ("B-A", "B-LOC", "B-E", "O")
    place = f"{tmp_path / 'a.jsonl'}, line 2: "
    assert corpus.unaligned == (
        place + "'th' (0:2, A) does not fall on word borders; read as 'the'",
        place + "'US' (4:6, LOC) does not fall on word borders; read as 'US-China'",
        place + "'China' (7:12, LOC) lies in a word of the entity before it; left out",
        place + "'talks ' (13:19, E) does not fall on word borders; read as 'talks'",
        place + "' ' (19:20, W) touches no word; left out",
    )


def test_texts_need_a_word_splitter(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 1: holds texts, and no word splitter was given"):
        read_corpus(jsonl(tmp_path, {"text": "a", "entities": []}))


def test_unannotated_rows(tmp_path: Path) -> None:
    def words(*rows: Any) -> list[Sequence[str]]:
        corpus = read_corpus(jsonl(tmp_path, *rows), None, by_space, annotated=False)
        assert all(each.tags == () for each in corpus.sentences)
        return [each.words for each in corpus.sentences]

    assert words({"text": "a b"}, {"text": ""}) == [("a", "b")]
    assert words({"tokens": ["a b"], "text": "a b"}) == [("a b",)]
    assert words({"tokens": ["a"], "ner_tags": [17]}) == [("a",)]
    with pytest.raises(DataError, match="line 1: the row has 'x'; expected 'tokens' or 'text'"):
        words({"x": 1})


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({}, "the row has no keys; expected 'tokens' and 'ner_tags', or 'text' and one of 'entities'"),
        ({"tokens": ["a"]}, "the row has 'tokens'"),
        ({"text": "a"}, "the row has 'text'"),
        ({"tokens": ["a"], "ner_tags": ["O", "O"]}, "'tokens' has 1 words but 'ner_tags' has 2 tags"),
        ({"tokens": "a", "ner_tags": ["O"]}, "the row has"),
        ({"tokens": [1], "ner_tags": ["O"]}, "'tokens' is [1]; expected a list of strings"),
        ({"tokens": ["a"], "ner_tags": "O"}, "'ner_tags' is 'O'; expected a list"),
        ({"tokens": ["a"], "ner_tags": [None]}, "'ner_tags' holds None; expected tags"),
        ({"tokens": ["a"], "ner_tags": [True]}, "'ner_tags' holds True; expected tags"),
        ({"tokens": ["a"], "ner_tags": [""]}, "'ner_tags' holds ''; expected tags"),
        ({"text": 3, "entities": []}, "'text' is 3; expected a string"),
        ({"text": "a", "entities": {}}, "'entities' is {}; expected a list of spans"),
        ({"text": "a", "entities": [[0, 1]]}, "'entities' holds [0, 1]; expected"),
        ({"text": "a", "entities": [[0, True, "X"]]}, "'entities' holds [0, True, 'X']; expected"),
        ({"text": "a", "entities": [[0, 1, ""]]}, "expected {"),
        ({"text": "a", "entities": [[0, 2, "X"]]}, "the span 0:2; expected 0 <= start < end <= 1"),
        ({"text": "a", "entities": [[1, 1, "X"]]}, "the span 1:1"),
        ({"text": "a", "entities": [[-1, 1, "X"]]}, "the span -1:1"),
        ({"text": "ab c", "spans": [[1, 4, "X"], [0, 2, "Y"]]}, "spans 'ab' (0:2, Y) and 'b c' (1:4, X) overlap"),
        ([], "holds a list; expected one JSON object a line"),
        (7, "holds 7; expected one JSON object a line"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, row: Any, words: str) -> None:
    said = complaint(jsonl(tmp_path, row))
    assert "line 1: " in said
    assert words in said


def test_bad_jsonl_lines(tmp_path: Path) -> None:
    good = json.dumps(ROWS[0]) + "\n"
    assert "line 2: '{\"tokens\": [' is not JSON" in complaint(write(tmp_path, "a.jsonl", good + '{"tokens": ['))
    assert "line 2: " in complaint(write(tmp_path, "a.jsonl", good + "[" * 100_000))
    half = '{"tokens": ["\\ud83d"], "ner_tags": ["O"]}'
    assert "line 2: holds half of a surrogate pair" in complaint(write(tmp_path, "a.jsonl", good + half))
    whole = '{"tokens": ["\\ud83d\\ude00"], "ner_tags": ["O"]}'
    assert read_corpus(write(tmp_path, "a.jsonl", whole)).sentences[0].words == ("\U0001f600",)
    mixed = complaint(jsonl(tmp_path, ROWS[0], {"text": "a", "spans": []}))
    assert "line 2: the row holds 'text' but the rows before hold 'tokens'" in mixed
    assert "holds no words" in complaint(jsonl(tmp_path, {"tokens": [], "ner_tags": []}))
    assert "has no numbered columns" in complaint(jsonl(tmp_path, ROWS[0]), ReadOptions(word_column=0), UsageError)
    assert "'x' asked for" in complaint(jsonl(tmp_path, ROWS[0]), ReadOptions(tag_column="x"))


def test_overlap_that_io_would_merge_names_the_line(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"text": "a b", "spans": [[0, 1, "X"], [2, 3, "X"]]})
    assert "line 1: entities" in complaint(path, ReadOptions(scheme=Scheme.IO), SchemeError)


# ---------------------------------------------------------------- CSV and TSV


@pytest.mark.parametrize(
    "content",
    [
        "sentence_id,word,tag\n1,EU,B-ORG\n1,rejects,O\n2,Peter,B-PER\n2,Blackburn,I-PER\n2,.,O\n",
        "Sentence #,Word,POS,Tag\r\nSentence: 1,EU,NN,B-ORG\r\n,rejects,V,O\r\n"
        "2,Peter,N,B-PER\r\n,Blackburn,N,I-PER\r\n,.,.,O",
        "token,label\nEU,B-ORG\nrejects,O\n\nPeter,B-PER\nBlackburn,I-PER\n.,O\n",
        '\ufeffsent_id,TOKEN,NER\na,"EU",B-ORG\na,rejects,O\nb,Peter,B-PER\n,Blackburn,I-PER\n,".",O\n',
        'id,tokens,ner_tags\n7,"[""EU"", ""rejects""]","[""B-ORG"", ""O""]"\n\n'
        '8,"[""Peter"", ""Blackburn"", "".""]","[""B-PER"", ""I-PER"", ""O""]"\n',
    ],
)
def test_csv_in_both_forms(tmp_path: Path, content: str) -> None:
    corpus = read_corpus(write(tmp_path, "a.csv", content))
    assert_known(corpus, "csv")
    lines = content.splitlines()
    assert all(each.words[0] in lines[each.line - 1] for each in corpus.sentences)


@pytest.mark.parametrize(
    "content",
    [
        "sentence_id\tword\ttag\n1\tEU\tB-ORG\n1\trejects\tO\n2\tPeter\tB-PER\n2\tBlackburn\tI-PER\n2\t.\tO\n",
        'tokens\tner_tags\n["EU", "rejects"]\t["B-ORG", "O"]\n["Peter", "Blackburn", "."]\t["B-PER", "I-PER", "O"]',
        'tokens\tner_tags\n"[""EU"", ""rejects""]"\t"[""B-ORG"", ""O""]"\r\n'
        '["Peter", "Blackburn", "."]\t["B-PER", "I-PER", "O"]\r\n',
    ],
)
def test_tsv_in_both_forms(tmp_path: Path, content: str) -> None:
    assert_known(read_corpus(write(tmp_path, "a.tsv", content)), "tsv")


def test_a_tsv_is_literal_and_without_header_it_is_conll(tmp_path: Path) -> None:
    corpus = read_corpus(write(tmp_path, "a.tsv", 'sentence_id\tword\ttag\n1\t"\tO\n1\ta,"b\tB-X\n'))
    assert corpus.sentences[0].words == ('"', 'a,"b')
    conll = read_corpus(write(tmp_path, "b.tsv", 'the\tO\n"\tO\nTag\tB-X\n'))
    assert (conll.format, conll.sentences[0].words) == ("conll", ("the", '"', "Tag"))


def test_tables_with_texts_named_columns_and_long_cells(tmp_path: Path) -> None:
    content = 'text,entities\n"EU, ""yes""","[[0, 3, ""ORG""]]"\n'
    corpus = read_corpus(write(tmp_path, "a.csv", content), None, by_space)
    assert (corpus.sentences[0].text, corpus.sentences[0].tags) == ('EU, "yes"', ("B-ORG", "O"))
    named = ReadOptions(word_column="lemma", tag_column=2)
    content = "sentence,lemma,x,word\n1,eu,B-ORG,EU\n2,say,O,says\n"
    assert [each.words for each in read_corpus(write(tmp_path, "a.csv", content), named).sentences] == [
        ("eu",),
        ("say",),
    ]
    many = ["word"] * 40_000
    cell = json.dumps(many).replace('"', '""'), json.dumps(["O"] * 40_000).replace('"', '""')
    corpus = read_corpus(write(tmp_path, "a.csv", f'w,t\n"{cell[0]}","{cell[1]}"\n'), ReadOptions(None, "w", "t"))
    assert len(corpus.sentences[0].words) == 40_000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n1,2\n", "line 1: the header has 'a', 'b'; expected 'tokens' and 'ner_tags' with JSON lists"),
        ("sentence_id,word,tag\n1,EU\n", "line 2: too few columns: 2; expected 3"),
        ("sentence_id,word,tag\n1,EU,O,O\n", "line 2: too many columns: 4; expected 3"),
        ("sentence_id,word,tag\n1,EU,\n", "line 2: the tag of word 'EU' is empty"),
        ("word,tag\nEU,O\n", "cannot tell where a sentence ends"),
        ('sentence_id,word,tag\n1,"EU,O\n', "broken CSV: unexpected end of data"),
        ('sentence_id,word,tag\n1,"E"U,O\n', "line 2: broken CSV"),
        ("tokens,ner_tags\n['a'],['O']\n", "line 2: column 'tokens' holds \"['a']\"; expected a JSON list"),
        ("sentence_id,word,tag\n1,a,B-X\n1,b,PER\n", "line 3: tag 'PER' has no prefix"),
    ],
)
def test_bad_tables_are_named(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        read_corpus(write(tmp_path, "a.csv", content))
    assert words in str(caught.value)
    assert str(tmp_path / "a.csv") in str(caught.value)


def test_table_columns_that_are_not_there(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "sentence_id,word,tag\n1,EU,O\n")
    assert "column 'x' is not in" in complaint(path, ReadOptions(tag_column="x"), UsageError)
    assert "has 3 columns" in complaint(path, ReadOptions(tag_column=3), UsageError)
    assert "cannot hold both" in complaint(path, ReadOptions(tag_column="word"), UsageError)


# ---------------------------------------------------------------- Parquet and datasets


def parquet(path: Path, columns: dict[str, Any], metadata: dict[str, str] | None = None) -> Path:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    table = pa.table(columns)
    pq.write_table(table.replace_schema_metadata(metadata) if metadata else table, path)
    return path


@pytest.mark.parametrize("name", ["a.parquet", "a.bin"])
def test_parquet_with_strings(tmp_path: Path, name: str) -> None:
    assert_known(read_corpus(parquet(tmp_path / name, {"tokens": WORDS, "ner_tags": TAGS})), "parquet")


@pytest.mark.parametrize("wrap", [lambda f: {"feature": f, "_type": "Sequence"}, lambda f: [f]])
def test_parquet_with_numbers_and_features(tmp_path: Path, wrap: Any) -> None:
    numbers = [[NAMES.index(tag) for tag in tags] for tags in TAGS]
    features = {"info": {"features": {"ner_tags": wrap({"names": NAMES, "_type": "ClassLabel"})}}}
    path = parquet(tmp_path / "a", {"tokens": WORDS, "ner_tags": numbers}, {"huggingface": json.dumps(features)})
    assert_known(read_corpus(path), "parquet")
    bare = parquet(tmp_path / "b", {"tokens": WORDS, "ner_tags": numbers})
    assert "line 1: 'ner_tags' holds the number 1" in complaint(bare)


def test_parquet_with_spans_and_columns_by_option(tmp_path: Path) -> None:
    spans = [[{"start": 0, "end": 2, "label": "ORG"}], []]
    path = parquet(tmp_path / "a", {"body": ["EU says", "no"], "spans": spans, "n": [1, 2]})
    corpus = read_corpus(path, ReadOptions(word_column=0, tag_column="spans"), by_space)
    assert [each.tags for each in corpus.sentences] == [("B-ORG", "O"), ("O",)]
    assert "has the columns 'body', 'spans', 'n'; expected 'tokens' and 'ner_tags'" in complaint(path)
    assert "column 'x' is not in" in complaint(path, ReadOptions(word_column="x"), UsageError)


def test_damaged_parquet(tmp_path: Path) -> None:
    whole = parquet(tmp_path / "a", {"tokens": WORDS, "ner_tags": TAGS}).read_bytes()
    (tmp_path / "cut").write_bytes(whole[:-9])
    assert "is not Parquet or is damaged" in complaint(tmp_path / "cut")
    assert "is not Parquet" in complaint(write(tmp_path, "text.parquet", "a O\n"))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data set of two shards, and a dictionary of two splits."""
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    folder = tmp_path_factory.mktemp("saved")
    names = datasets.ClassLabel(names=NAMES)
    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "tokens": datasets.Sequence(datasets.Value("string")),
            "ner_tags": datasets.Sequence(names),
        }
    )
    rows = {"id": ["0", "1"], "tokens": WORDS, "ner_tags": TAGS}
    whole = datasets.Dataset.from_dict(rows, features=features)
    whole.save_to_disk(folder / "one", num_shards=2)
    datasets.DatasetDict({"train": whole, "test": whole.select([1])}).save_to_disk(folder / "two")
    datasets.DatasetDict({"train": whole}).save_to_disk(folder / "single")
    return folder


def test_saved_folders(saved: Path) -> None:
    assert_known(read_corpus(saved / "one"), "datasets")
    assert_known(read_corpus(saved / "single"), "datasets")
    assert_known(read_corpus(saved / "two", ReadOptions(split="train")), "datasets")
    assert read_corpus(saved / "two", ReadOptions(split="test")).sentences[0].words == WORDS[1]
    prints = {read_corpus(saved / "two", ReadOptions(split=split)).fingerprint for split in ("train", "test")}
    assert len(prints) == 2


def test_saved_folders_asked_wrongly(saved: Path, tmp_path: Path) -> None:
    assert "holds the splits train, test; choose one" in complaint(saved / "two", None, UsageError)
    assert "it holds train, test" in complaint(saved / "two", ReadOptions(split="dev"), UsageError)
    assert "without splits" in complaint(saved / "one", ReadOptions(split="dev"), UsageError)
    assert "is a folder of datasets" in complaint(saved / "one", ReadOptions(format="csv"), UsageError)
    assert "neither state.json" in complaint(tmp_path, ReadOptions(format="datasets"))
    assert "is a file" in complaint(write(tmp_path, "a", "a O"), ReadOptions(format="datasets"))


def test_damaged_saved_folders(saved: Path, tmp_path: Path) -> None:
    def broken(name: str, content: bytes | None) -> str:
        folder = tmp_path / "copy"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(saved / "one", folder)
        target = next(folder.glob(name))
        target.unlink() if content is None else target.write_bytes(content)
        with pytest.raises(DataError) as caught:
            read_corpus(folder)
        assert str(target) in str(caught.value)
        return str(caught.value)

    shard = next((saved / "one").glob("*.arrow")).read_bytes()
    assert "the folder is damaged" in broken("data-00000*", None)
    assert "is not Arrow or is damaged" in broken("data-00000*", shard[: len(shard) // 2])
    assert "is not JSON" in broken("state.json", b"{")
    assert "names no data files" in broken("state.json", b"[]")
    picked = b'{"_data_files": [], "_indices_data_files": [{"filename": "indices.arrow"}]}'
    assert "flatten_indices" in broken("state.json", picked)


def test_without_pyarrow_the_extra_is_named(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet(tmp_path / "a.parquet", {"tokens": WORDS, "ner_tags": TAGS})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for each in (path, saved / "one"):
        with pytest.raises(MissingExtraError, match=re.escape('pip install "tagline[parquet]"')):
            read_corpus(each)
