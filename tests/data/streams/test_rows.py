"""Rows of every format, their numbers and places, and what is said about inputs that cannot be read."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.data.streams.rows import Row, RowOptions, count_size, read_rows
from tagline.errors import DataError, UsageError

SRC = Path(__file__).resolve().parents[3] / "src"
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def read(path: Path, skip: int = 0, **options: Any) -> list[Row]:
    with read_rows(path, RowOptions(**options), skip) as rows:
        return list(rows)


def put(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_text_lines_end_only_at_line_feeds(tmp_path: Path) -> None:
    path = put(tmp_path, "a.txt", "\ufeffone\r\n\n \u2028two\x85\rstill two\x0b\nthree 😀")
    rows = read(path)
    assert [row.text for row in rows] == ["one", "", " \u2028two\x85\rstill two\x0b", "three 😀"]
    assert [(row.number, row.line) for row in rows] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert [row.text for row in read(put(tmp_path, "b.txt", "a\n\n"))] == ["a", ""]


def test_documents_are_numbered_where_they_are_marked(tmp_path: Path) -> None:
    text = "a\n\n-DOCSTART-\n\nb\n\nc\n-DOCSTART-\nd\n"
    path = put(tmp_path, "a.conll", text)
    assert [row.document for row in read(path)] == [None, 0, 0, 1]
    assert [row.document for row in read_rows(path, skip=2)] == [0, 1]
    marks = [3, True, "4", None, 2.0]
    lines = [*({"tokens": ["x"], "document": mark} for mark in marks), {"text": "y", "document": 5}, {"text": "z"}]
    path = put(tmp_path, "a.jsonl", "".join(json.dumps(each) + "\n" for each in lines))
    assert [row.document for row in read(path)] == [3, None, None, None, None, 5, None]


def test_bytes_are_counted(tmp_path: Path) -> None:
    path = put(tmp_path, "a.txt", "\ufeffäö\nb\n")
    reader = read_rows(path)
    assert (reader.format, reader.total_bytes, reader.consumed_bytes) == ("txt", 10, 0)
    next(reader)
    assert reader.consumed_bytes == 8
    next(reader)
    assert reader.consumed_bytes == count_size(path) == 10
    assert list(reader) == []


def test_jsonl(tmp_path: Path) -> None:
    lines = [
        '{"id": 7, "text": "a\\nb"}',
        "",
        '{"tokens": ["New York", "x"], "n": null}',
        '{"tokens": ["a"], "text": "b"}',
    ]
    rows = read(put(tmp_path, "a.jsonl", "\r\n".join(lines)))
    assert [(row.text, row.words) for row in rows] == [("a\nb", None), ("New York x", ("New York", "x")), ("b", None)]
    assert [row.extra for row in rows] == [{"id": 7}, {"tokens": ["New York", "x"], "n": None}, {"tokens": ["a"]}]
    assert [row.line for row in rows] == [1, 3, 4]
    body = read(put(tmp_path, "b.jsonl", '{"body": "x", "text": 1}'), text_column="body")[0]
    assert (body.text, body.text_field, body.extra) == ("x", "body", {"text": 1})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{'text': 1}", "not JSON"),
        ('"text"', "a JSON str"),
        ('{"txt": "a"}', "the fields are ['txt']"),
        ('{"text": null}', "holds None; expected a string"),
        ('{"tokens": ["a", 1]}', "expected a string or a list of strings"),
        ('{"text": "\\ud83d"}', "surrogate"),
        ("[" * 200_000, "not JSON"),
    ],
)
def test_bad_jsonl_names_file_line_and_what_stood_there(tmp_path: Path, line: str, said: str) -> None:
    path = put(tmp_path, "a.jsonl", '{"text": "fine"}\n' + line + "\n")
    with pytest.raises(DataError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}, line 2: ")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 500
    assert len(read(path, skip=2)) == 0


def test_csv(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", '\ufeffid,text\r\n1,"a ""b"",\r\nc"\r\n\r\n2,\n3,d\x00')
    rows = read(path)
    assert [(row.text, row.line) for row in rows] == [('a "b",\r\nc', 2), ("", 5), ("d\x00", 6)]
    assert rows[0].extra == {"id": "1"}
    assert rows[0].columns == ("id", "text")
    assert read(path, text_column=0)[0].text == read(path, text_column="id")[0].text == "1"
    first = read_rows(put(tmp_path, "b.csv", "body,n\nx,1\n"))
    assert (first.text_field, [row.text for row in first]) == ("body", ["x"])
    assert read(put(tmp_path, "c.csv", "text,n\n")) == []
    assert read(put(tmp_path, "d.csv", "text,n\n" + "x" * 300_000 + ",1\n"))[0].text == "x" * 300_000


def test_tsv_takes_quotes_as_they_stand_unless_told(tmp_path: Path) -> None:
    path = put(tmp_path, "a.tsv", 'text\tn\n"Hi" he said\t1\n"x\ty"\n')
    with pytest.raises(DataError, match="line 3"):
        read(put(tmp_path, "b.tsv", "text\tn\na\t1\nb\n"))
    assert [row.text for row in read(path)] == ['"Hi" he said', '"x']
    with pytest.raises(DataError, match="line 2: the quoting is broken"):
        read(path, quotes=True)


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("text,n\na,1\nb\n", {}, "line 3: 1 fields"),
        ("text,n\na,1,2\n", {}, "line 2: 3 fields"),
        ('text,n\na,1\n"b,1\nc,2\n', {}, "line 3: the quoting is broken"),
        ("text,n,n\n", {}, "two columns are called 'n'"),
        ("text,n\n", {"text_column": "body"}, "no column 'body'; the columns are 'text', 'n'"),
        ("text,n\n", {"text_column": 2}, "no column 2"),
    ],
)
def test_bad_csv(tmp_path: Path, content: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError) as caught:
        read(put(tmp_path, "a.csv", content), **options)
    assert said in str(caught.value)


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"id": range(1000), "text": [f"t{n}" for n in range(1000)], "tokens": [["a", "b"]] * 1000})
    pq.write_table(table, path, row_group_size=300)
    reader = read_rows(path)
    rows = list(reader)
    assert [row.text for row in rows] == [f"t{n}" for n in range(1000)]
    assert (rows[5].extra, rows[5].line) == ({"id": 5, "tokens": ["a", "b"]}, 6)
    assert reader.consumed_bytes == reader.total_bytes == path.stat().st_size
    assert read(path, skip=650) == rows[650:]
    words = read(path, text_column="tokens")[3]
    assert (words.text, words.words, words.text_field) == ("a b", ("a", "b"), "text_2")


def test_bad_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="not a Parquet file"):
        read(put(tmp_path, "a.parquet", b"PAR1 and nothing else"))
    pq.write_table(pa.table({"text": ["a", None]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="line 2: field 'text' holds None"):
        read(tmp_path / "b.parquet")
    pq.write_table(pa.table({"body": ["a"]}), tmp_path / "c.parquet")
    with pytest.raises(DataError, match="the columns are 'body'"):
        read(tmp_path / "c.parquet")
    with pytest.raises(DataError, match="Parquet file; give the format parquet"):
        read(tmp_path / "c.parquet", format="txt")
    with pytest.raises(UsageError, match="stream"):
        read_rows("-", RowOptions(format="parquet"))


CONLL = """-DOCSTART- -X- O

# sent_id = 1
EU NNP O
# NN O

-DOCSTART- -X- O

Peter NNP B-PER
Blackburn\u00a0x NNP I-PER\r
"""


def test_conll_blocks_end_with_the_words_lines(tmp_path: Path) -> None:
    path = put(tmp_path, "a.conll", CONLL)
    first, second = read(path)
    assert (first.words, first.text, first.line) == (("EU", "#"), "EU #", 4)
    assert first.block == ("-DOCSTART- -X- O", "", "# sent_id = 1", "EU NNP O", "# NN O")
    assert (second.words, second.line) == (("Peter", "Blackburn\u00a0x"), 9)
    assert second.block == ("-DOCSTART- -X- O", "", "Peter NNP B-PER", "Blackburn\u00a0x NNP I-PER")
    assert read(path, skip=1) == [second]
    assert read(path, word_column=-2)[0].words == ("NNP", "NN")
    tabs = read(put(tmp_path, "b.conll", "#tag 1\tO\n😀\tO\n\n\n# c\nx\tO"))
    assert [row.words for row in tabs] == [("#tag 1", "😀"), ("x",)]


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("a O\nb\n", {}, "line 2: too few columns: 'b'"),
        ("a O\nb\tO\n", {}, "line 2: 'b\\tO' has a tab"),
        ("a\tO\nb O\n", {}, "line 2: 'b O' has no tab"),
        ("a O\n", {"word_column": 2}, "line 1: 'a O' has 2 columns"),
        ("a\tO\n\tO\n", {}, "an empty word"),
    ],
)
def test_bad_conll(tmp_path: Path, content: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError) as caught:
        read(put(tmp_path, "a.conll", content), **options)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv", "a.conll"])
def test_not_utf8_says_at_which_byte(tmp_path: Path, name: str) -> None:
    content = {"a.jsonl": '{"text": "ä"}\n\n', "a.csv": "text\nä\n"}.get(name, "ä\n\n").encode()
    path = put(tmp_path, name, b"\xef\xbb\xbf" + content + b'"x\xe4"\n')
    with pytest.raises(DataError, match=f"line 3: not UTF-8: byte 0xe4 at offset {3 + len(content) + 2} "):
        read(path)


def test_what_is_no_text_is_refused_at_once(tmp_path: Path) -> None:
    cases = {"a.txt": b"a\n" + b"x\0" * 100, "b.txt": b"PK\x03\x04x", "c.txt": "a".encode("utf-16")}
    for (name, content), said in zip(cases.items(), ("binary", "zip", "UTF-16"), strict=True):
        with pytest.raises(DataError, match=said):
            read_rows(put(tmp_path, name, content))
    for path, said in ((tmp_path / "none.txt", "No such file"), (tmp_path, "is a folder")):
        with pytest.raises(DataError, match=said):
            read_rows(path, RowOptions(format="txt"))
    with pytest.raises(DataError, match="nothing to read"):
        read_rows(put(tmp_path, "e.txt", b""))
    with pytest.raises(UsageError, match="tells no format"):
        read_rows(put(tmp_path, "eng.testb", b"x"))
    with pytest.raises(UsageError, match="unknown format 'xml'"):
        read_rows("-", RowOptions(format="xml"))


def test_standard_input_and_pipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content, expected in ((b"", []), (b"a\n\nb", ["a", "", "b"])):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        reader = read_rows("-")
        assert (reader.format, reader.total_bytes) == ("txt", None)
        assert [row.text for row in reader] == expected
    pipe = tmp_path / "p.jsonl"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b'{"text": "a"}\n',))
    writer.start()
    assert [row.text for row in read_rows(pipe)] == ["a"]
    writer.join()


@settings(max_examples=60)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5), st.integers(0, 6))
def test_any_text_comes_in_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], skip: int
) -> None:
    folder = tmp_path_factory.mktemp("in")
    fields = [{"text": text, "x": more} for text, more in rows]
    put(folder, "a.jsonl", "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in fields))
    put(folder, "b.jsonl", "".join(json.dumps(each) + "\r\n" for each in fields))
    table = io.StringIO(newline="")
    writer = csv.writer(table, quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "n" * 1000), *rows])  # a long name: a file of little but NUL is taken as binary
    put(folder, "a.csv", table.getvalue())
    pq.write_table(pa.table({"text": [a for a, _ in rows], "x": [b for _, b in rows]}), folder / "a.parquet")
    for name in ("a.jsonl", "b.jsonl", "a.csv", "a.parquet"):
        found = read(folder / name, skip=skip)
        assert [(row.number, row.text, *row.extra.values()) for row in found] == [
            (number, *pair) for number, pair in enumerate(rows)
        ][skip:]


FLAT = """
import resource, sys
from tagline.data.streams.rows import read_rows
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(len(row.text) > 0 for row in read_rows(sys.argv[1]))
print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv", "a.conll"])
def test_memory_stays_flat(tmp_path: Path, name: str) -> None:
    line = "Peter Blackburn went to Brussels and back 😀 " * 4
    unit = {"a.txt": f"{line}\n", "a.jsonl": f'{{"text": "{line}"}}\n', "a.csv": f'"{line}"\n'}.get(
        name, "EU\tO\n" * 40 + "\n"
    )
    count = 25_000_000 // len(unit.encode())
    with (tmp_path / name).open("w") as stream:
        stream.write("text\n" if name == "a.csv" else "")
        for _ in range(count // 1000):
            stream.write(unit * 1000)
    run = subprocess.run(
        [sys.executable, "-c", FLAT, tmp_path / name],
        env=os.environ | {"PYTHONPATH": str(SRC)},
        capture_output=True,
        check=True,
    )
    rows, grown = map(int, run.stdout.split())
    assert rows == count // 1000 * 1000
    assert grown < 8  # MiB


def test_a_line_of_ten_million_characters(tmp_path: Path) -> None:
    long = "ab 😀 " * 2_000_000
    path = put(tmp_path, "a.txt", f"x\n{long}\ny")
    assert [len(row.text) for row in read(path)] == [1, 10_000_000, 1]
