"""Reading labelled texts: every form of file that is accepted, and the sentence said about every one that is not."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tagline.data.texts.reading import TextCorpus, TextOptions, read_texts
from tagline.errors import DataError, MissingExtraError, TaglineError, UsageError
from tagline.records import LabelledText, Problem

BY_NUMBER: dict[str, Any] = {"text_column": 0, "label_column": 1}


def read(folder: Path, name: str, content: str | bytes, **options: Any) -> TextCorpus:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_texts(path, TextOptions(**options))


def labels(corpus: TextCorpus) -> list[tuple[str, ...]]:
    return [each.labels for each in corpus.texts]


def lines(*rows: dict[str, Any]) -> str:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n \n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("between", ["\n", "\r\n"])
def test_line_ends_byte_order_mark_and_blank_lines(tmp_path: Path, end: str, mark: str, between: str) -> None:
    content = mark + between.join(["text\tlabel", "good\t pos ", "", 'a "bad" one\tneg']) + end
    corpus = read(tmp_path, "a.tsv", content)
    assert corpus.texts == (
        LabelledText("good", None, ("pos",), None, 2),
        LabelledText('a "bad" one', None, ("neg",), None, 4),
    )
    assert (corpus.problem, corpus.format, corpus.paired, corpus.notes) == (Problem.SINGLE, "tsv", False, ())
    assert corpus.fingerprint == hashlib.sha256(content.encode()).hexdigest()
    assert corpus.labels == ["neg", "pos"]


def test_csv_quotes_may_hold_lines_and_tsv_quotes_by_option(tmp_path: Path) -> None:
    corpus = read(tmp_path, "a.csv", 'label,text\npos,"one, ""two""\nthree"\nneg,four\n')
    assert [(each.text, each.line) for each in corpus.texts] == [('one, "two"\nthree', 2), ("four", 4)]
    quoted = read(tmp_path, "a.tsv", 'text\tlabel\n"a\tb"\tpos\n', quotes=True)
    assert quoted.texts[0].text == "a\tb"
    literal = read(tmp_path, "b.csv", 'text,label\n"a,pos\n', quotes=False)
    assert literal.texts[0].text == '"a'


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        (("Text", "text_pair", "Label"), True),
        (("sentence", "idx", "label"), False),
        (("sentence1", "sentence2", "labels"), True),
        (("premise", "hypothesis", "label"), True),
        (("question1", "question2", "label"), True),
        (("sentence", "sentence2", "label"), False),
    ],
)
def test_known_names_of_columns(tmp_path: Path, names: tuple[str, ...], pair: bool) -> None:
    for name, content in [
        ("a.csv", ",".join(names) + "\nx,y,z\n"),
        ("a.jsonl", json.dumps(dict(zip(names, "xyz", strict=True)))),
    ]:
        corpus = read(tmp_path, name, content)
        assert corpus.texts[0] == LabelledText("x", "y" if pair else None, ("z",), None, 2 if name == "a.csv" else 1)
        assert corpus.paired is pair


def test_columns_by_number_and_by_name(tmp_path: Path) -> None:
    content = "id,first,second,kind\n1,a,b,x\n"
    options: list[dict[str, Any]] = [
        {"text_column": "First", "pair_column": "second", "label_column": "KIND"},
        {"text_column": 1, "pair_column": -2, "label_column": -1, "header": True},
        {"text_column": "1", "pair_column": "2", "label_column": "3", "header": True},
    ]
    for each in options:
        assert read(tmp_path, "a.csv", content, **each).texts == (LabelledText("a", "b", ("x",), None, 2),)
    bare = read(tmp_path, "b.csv", "1,a,b,x\n", text_column=1, pair_column="-2", label_column=-1)
    assert bare.texts == (LabelledText("a", "b", ("x",), None, 1),)
    twice = read(tmp_path, "c.csv", "n,n,label\na,b,x\n", text_column=1)
    assert twice.texts[0].text == "b"


def test_whether_the_first_row_names_the_columns_is_told_and_said(tmp_path: Path) -> None:
    named = read(tmp_path, "a.tsv", "what\tclass\tid\tmore\na\tx\t1\t-\nb\tx\t2\t-\n", **BY_NUMBER)
    assert len(named.texts) == 2
    assert named.notes == ("the first row is read as column names (what, class, id, …); --no-header reads it as data",)
    data = read(tmp_path, "b.tsv", "a\tx\nb\ty\nc\tx\n", **BY_NUMBER)
    assert len(data.texts) == 3
    assert data.notes == ("the first row is read as data; --header reads it as column names",)
    forced = read(tmp_path, "a.tsv", "what\tclass\na\tx\nb\tx\n", **BY_NUMBER, header=False)
    assert labels(forced) == [("class",), ("x",), ("x",)]
    assert forced.notes == ()
    assert len(read(tmp_path, "b.tsv", "a\tx\nb\ty\nc\tx\n", **BY_NUMBER, header=True).texts) == 2
    # a number names no column, even one that stands in no other row
    assert len(read(tmp_path, "c.tsv", "a\t7\nb\t1\nc\t1\n", **BY_NUMBER).texts) == 3
    scores = read(tmp_path, "d.tsv", "what\tvalue\na\t1.5\nb\t2\n", **BY_NUMBER)
    assert [each.score for each in scores.texts] == [1.5, 2.0]
    # labels are compared one by one, and a space is no separator
    several = read(tmp_path, "e.tsv", "a\tx,y\nb\ty,z\n", **BY_NUMBER, label_separator=",")
    assert labels(several) == [("x", "y"), ("y", "z")]
    spaced = read(tmp_path, "f.tsv", "what\tthe class\na\tone class\nb\tone class\n", **BY_NUMBER)
    assert labels(spaced) == [("one class",)] * 2


def test_a_name_without_format_and_tabs_is_tsv(tmp_path: Path) -> None:
    corpus = read(tmp_path, "Collection", "ham\thello\nspam\twin\nham\tbye\n", text_column=1, label_column=0)
    assert corpus.format == "tsv"
    assert corpus.notes[0] == "the name 'Collection' tells no format; its first line has tabs, so it is read as TSV"
    with pytest.raises(UsageError, match="the name tells no format"):
        read(tmp_path, "a.txt", "text,label\na,b\n")
    assert read(tmp_path, "a.txt", "text,label\na,b\n", format="csv").texts[0].labels == ("b",)


def test_labels_of_json_become_texts(tmp_path: Path) -> None:
    def of(*values: Any, **options: Any) -> list[tuple[str, ...]]:
        return labels(read(tmp_path, "a.jsonl", lines(*({"text": "t", "label": each} for each in values)), **options))

    assert of(" a ", True, 3, False) == [("a",), ("true",), ("3",), ("false",)]
    assert of(1.0, 0.0, 2) == [("1",), ("0",), ("2",)]
    assert of(1.0, 0.5, problem=Problem.SINGLE) == [("1.0",), ("0.5",)]
    assert of(["a", " b", "a"], [], [3, True]) == [("a", "b"), (), ("3", "true")]
    assert of([1.0], [2.0, 0.0]) == [("1",), ("2", "0")]


def test_several_labels_in_cells(tmp_path: Path) -> None:
    cut = read(tmp_path, "a.tsv", "text\tlabel\na\tjoy, fear\nb\t\nc\tjoy\n", label_separator=",")
    assert cut.problem is Problem.MULTI
    assert labels(cut) == [("joy", "fear"), (), ("joy",)]
    listed = read(tmp_path, "a.csv", 'text,labels\na,"[""joy"", ""fear""]"\nb,[]\nc,"[1, 2]"\n')
    assert listed.problem is Problem.MULTI
    assert labels(listed) == [("joy", "fear"), (), ("1", "2")]
    assert "may have several labels" in listed.notes[0]
    bracket = read(tmp_path, "b.tsv", "text\tlabel\na\t[x]\n")
    assert (bracket.problem, labels(bracket)) == (Problem.SINGLE, [("[x]",)])
    asked = read(tmp_path, "c.tsv", "text\tlabel\na\tx\nb\t\n", problem=Problem.MULTI)
    assert labels(asked) == [("x",), ()]


def test_regression_by_name_by_fraction_and_by_option(tmp_path: Path) -> None:
    named = read(tmp_path, "a.csv", "sentence1,sentence2,score\na,b,3\nc,d,-1e0\n")
    assert named.problem is Problem.REGRESSION
    assert [(each.score, each.labels) for each in named.texts] == [(3.0, ()), (-1.0, ())]
    fraction = read(tmp_path, "a.jsonl", lines({"text": "a", "label": 1}, {"text": "b", "label": "2.5"}))
    assert [each.score for each in fraction.texts] == [1.0, 2.5]
    assert "regression" in fraction.notes[0]
    whole = read(tmp_path, "b.csv", "text,label\na,1.0\nb,2\n")
    assert (whole.problem, labels(whole)) == (Problem.SINGLE, [("1.0",), ("2",)])
    asked = read(tmp_path, "b.csv", "text,label\na,1.0\nb,2\n", problem=Problem.REGRESSION)
    assert [each.score for each in asked.texts] == [1.0, 2.0]
    words = read(tmp_path, "c.csv", "text,label\na,1.5\nb,nan\n")
    assert (words.problem, labels(words)) == (Problem.SINGLE, [("1.5",), ("nan",)])
    single = read(tmp_path, "a.csv", "text,score\na,low\n", problem=Problem.SINGLE)
    assert labels(single) == [("low",)]


def test_names_of_labels_from_a_file(tmp_path: Path) -> None:
    names = tmp_path / "labels.txt"
    names.write_bytes(b"joy\r\nfear\r\n")
    single = read(tmp_path, "a.tsv", "a\t1\nb\t0\nc\tjoy\n", **BY_NUMBER, label_names=names)
    assert labels(single) == [("fear",), ("joy",), ("joy",)]
    several = read(tmp_path, "b.tsv", "a\t1,0\nb\t\n", **BY_NUMBER, label_names=names, label_separator=",")
    assert labels(several) == [("fear", "joy"), ()]
    wrongs = [
        ("2", "from 0 to 1: .*labels.txt gives 2 names"),
        ("-1", "from 0 to 1"),
        ("sad", "from 0 to 1 or one of the 2 names"),
    ]
    for value, expected in wrongs:
        with pytest.raises(DataError, match=f"c.tsv, line 2: column 1 holds '{value}'; expected a number {expected}"):
            read(tmp_path, "c.tsv", f"a\t0\nb\t{value}\n", **BY_NUMBER, label_names=names)
    for content, message in [("a\n\nb", "line 2: the line is blank"), ("a\nb\na", "line 3: the name 'a' stands here")]:
        names.write_text(content)
        with pytest.raises(DataError, match=message):
            read(tmp_path, "c.tsv", "a\t0\n", **BY_NUMBER, label_names=names)


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    features = {"info": {"features": {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}}}
    schema = pa.schema([("text", pa.string()), ("label", pa.int64())], {"huggingface": json.dumps(features)})
    pq.write_table(pa.table({"text": ["a", "b"], "label": [1, 0]}, schema=schema), path)
    corpus = read_texts(path)
    assert (corpus.format, corpus.texts[0]) == ("parquet", LabelledText("a", None, ("pos",), None, 1))
    assert labels(corpus) == [("pos",), ("neg",)]
    pq.write_table(pa.table({"premise": ["a"], "hypothesis": ["b"], "label": [["x", "y"]]}), path)
    several = read_texts(path)
    assert (several.problem, several.texts[0].pair, labels(several)) == (Problem.MULTI, "b", [("x", "y")])
    pq.write_table(pa.table({"text": ["a", "b"], "label": [1.0, None]}), path)
    with pytest.raises(DataError, match="line 2: column 'label' holds null; expected a label: a text, a whole number"):
        read_texts(path)
    pq.write_table(pa.table({"text": ["a"], "label": [-1]}, schema=schema), path)
    with pytest.raises(DataError, match="holds -1; expected a number from 0 to 1: the file's metadata gives 2 names"):
        read_texts(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="is not Parquet or is damaged"):
        read_texts(path)


def test_a_folder_of_datasets_names_its_classes(tmp_path: Path) -> None:
    info = {"features": {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}}}
    (tmp_path / "dataset_info.json").write_text(json.dumps(info))
    assert labels(read(tmp_path, "a.jsonl", lines({"text": "a", "label": 1}))) == [("yes",)]


def test_parquet_needs_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="reading Parquet"):
        read(tmp_path, "a.parquet", b"PAR1")


def test_empty_texts_are_kept_and_counted(tmp_path: Path) -> None:
    assert read(tmp_path, "a.tsv", "text\tlabel\n \tx\n\tx\na\tx\n").empty == 2
    pairs = read(tmp_path, "b.tsv", "text\ttext_pair\tlabel\n \ta\tx\na\t\tx\n\t\tx\n")
    assert (pairs.empty, len(pairs.texts)) == (1, 3)


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("a.tsv", "a b\t1\nc\t0\n", {}, r"line 1: cannot tell which column holds the texts and the labels; the cells "
         r"of the first row are: 0 'a b', 1 '1'.*--text-column 0 --label-column 1"),
        ("a.csv", "text,kind\na,b\n", {}, "holds the labels; the columns are: 0 'text', 1 'kind'"),
        ("a.csv", "a,b\n", {"text_column": "body", "label_column": 1}, "which column holds 'body'"),
        ("a.jsonl", '{"body": "a", "label": 1}', {}, "holds the texts; the columns are: 0 'body', 1 'label'"),
        ("a.csv", "text,label\na,b\nc\n", {}, "line 3: too few cells: 1 in .*'c'.*; expected 2 separated by commas"),
        ("a.tsv", "text\tlabel\na\tb\tc\n", {}, "line 2: too many cells: 3"),
        ("a.csv", "text,label\na,b\nc, \n", {}, "line 3: column 'label' holds ' '; expected a label"),
        ("a.csv", 'text,label\n"a,b\n', {}, "line 2: the quoting is broken"),
        ("a.csv", "text,text,label\na,b,c\n", {}, "two columns are called 'text'"),
        ("a.csv", "text,label\n", {}, "has column names and no rows below them"),
        ("a.csv", "\n\n", {}, "has no rows"),
        ("a.jsonl", "\n\n", {}, "has no rows"),
        ("a.csv", "", {}, "the file is empty"),
        ("a.csv", b"text,label\na,\xff\n", {}, "line 2: byte 0xFF"),
        ("a.csv", "text,score\na,1\nb,x\n", {}, "line 3: column 'score' holds 'x'; expected a finite number"),
        ("a.csv", "text,score\na,inf\n", {}, "line 2: column 'score' holds 'inf'; expected a finite number"),
        ("a.csv", "text,score\na,1e999\n", {}, "expected a finite number"),
        ("a.jsonl", '{"text": "a", "score": NaN}', {}, "line 1: column 'score' holds nan; expected a finite number"),
        ("a.jsonl", '{"text": "a", "score": true}', {}, "holds True; expected a finite number"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"label": 1}', {}, "line 2: column 'text' is missing; expected a text"),
        ("a.jsonl", '{"text": null, "label": 1}', {}, "column 'text' holds null; expected a text"),
        ("a.jsonl", '{"text": 7, "label": 1}', {}, "column 'text' holds 7; expected a text"),
        ("a.jsonl", '{"text": "a", "text_pair": "b", "label": 1}\n{"text": "a", "label": 1}', {},
         "line 2: column 'text_pair' is missing"),
        ("a.jsonl", '{"text": "a", "label": 1}\n\n{"text": "a"}', {}, "line 3: column 'label' is missing; expected"),
        ("a.jsonl", '{"text": "a", "label": {"x": 1}}', {}, "holds {'x': 1}; expected a label"),
        ("a.jsonl", '{"text": "a", "label": ["x", null]}', {}, "expected labels that are neither empty nor null"),
        ("a.jsonl", '{"text": "a", "label": ["x"]}\n{"text": "a", "label": null}', {}, "line 2: .*holds null"),
        ("a.jsonl", '{"text": "a", "label": ["x"]}', {"problem": Problem.SINGLE}, "expected one label. .*--problem"),
        ("a.jsonl", '["a", 1]', {}, "line 1: a JSON list"),
        ("a.tsv", "text\tlabel\na\tx,,y\n", {"label_separator": ","}, "labels separated by ',' that are neither empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(
    tmp_path: Path, name: str, content: str | bytes, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, name, content, **options)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text_column": 5}, "column 5: .* has 2 columns; accepted are -2 to 1"),
        ({"text_column": "body"}, "column 'body' is not in .*; its columns are 'text', 'label'"),
        ({"text_column": "body", "label_column": 1, "header": False}, "column 'body': .* has no column names"),
        ({"text_column": 1}, "cannot hold two things"),
        ({"pair_column": "text"}, "cannot hold two things"),
        ({"format": "xml"}, "unknown format 'xml'; accepted are tsv, csv, jsonl, parquet"),
        ({"label_separator": ""}, "the label separator is empty"),
        ({"label_separator": ",", "problem": Problem.SINGLE}, "leave one of the two out"),
        ({"label_names": Path("x"), "problem": Problem.REGRESSION}, "leave one of the two out"),
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(tmp_path, "a.csv", "text,label\na,b\n", **options)


def test_files_that_are_no_files(tmp_path: Path) -> None:
    for path, message in [(tmp_path, "is a folder; expected a file"), (tmp_path / "a.csv", "no such file")]:
        with pytest.raises(TaglineError, match=message):
            read_texts(path)


def test_sst2(data_dir: Path) -> None:
    corpus = read_texts(data_dir / "sst2" / "train.tsv", TextOptions(**BY_NUMBER))
    assert (len(corpus.texts), corpus.labels, corpus.problem) == (6920, ["0", "1"], Problem.SINGLE)
    assert len(read_texts(data_dir / "sst2" / "test.tsv", TextOptions(**BY_NUMBER)).texts) == 1821


def test_sms_spam(data_dir: Path) -> None:
    corpus = read_texts(data_dir / "sms-spam" / "SMSSpamCollection", TextOptions(text_column=1, label_column=0))
    assert len(corpus.texts) == 5574
    assert sum(each.labels == ("spam",) for each in corpus.texts) == 747


@pytest.mark.parametrize(("part", "count"), [("train", 4076), ("test", 1725)])
def test_mrpc(data_dir: Path, part: str, count: int) -> None:
    path = data_dir / "mrpc" / f"msr_paraphrase_{part}.txt"
    corpus = read_texts(path, TextOptions(text_column=3, pair_column=4, label_column=0))
    assert (len(corpus.texts), corpus.labels, corpus.paired) == (count, ["0", "1"], True)
    named = TextOptions(text_column="#1 String", pair_column="#2 String", label_column="Quality")
    assert read_texts(path, named).texts == corpus.texts
    assert any('"' in each.text for each in corpus.texts)
    assert "column names (Quality, #1 ID, #2 ID, …)" in corpus.notes[-1]


def test_goemotions(data_dir: Path) -> None:
    folder = data_dir / "goemotions"
    options = TextOptions(**BY_NUMBER, label_separator=",", label_names=folder / "labels.txt")
    corpus = read_texts(folder / "train.tsv", options)
    assert (len(corpus.texts), len(corpus.labels), corpus.problem) == (43410, 28, Problem.MULTI)
    assert corpus.texts[0].labels == ("neutral",)
    assert max(len(each.labels) for each in corpus.texts) > 1
