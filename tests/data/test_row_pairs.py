"""Pairs of texts in the input of a prediction, and tables without a header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tagline.data.streams.rows import Row, RowOptions, read_rows
from tagline.errors import DataError, UsageError

ROWS = [{"id": 1, "text": "a", "text_pair": "b"}, {"id": 2, "text": "c", "text_pair": ""}]


def read(path: Path, skip: int = 0, **options: Any) -> list[Row]:
    with read_rows(path, RowOptions(**options), skip) as rows:
        return list(rows)


def put(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_bytes(content.encode())
    return path


def put_rows(folder: Path, form: str, rows: list[dict[str, Any]]) -> Path:
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet")
        return folder / "a.parquet"
    if form == "jsonl":
        return put(folder, "a.jsonl", "\n".join(map(json.dumps, rows)))
    between = "\t" if form == "tsv" else ","
    table = [list(rows[0]), *([str(cell) for cell in row.values()] for row in rows)]
    return put(folder, f"a.{form}", "\ufeff" + "\r\n".join(between.join(row) for row in table))


@pytest.mark.parametrize("form", ["jsonl", "csv", "tsv", "parquet"])
def test_pairs_stay_among_the_fields(tmp_path: Path, form: str) -> None:
    path = put_rows(tmp_path, form, ROWS)
    rows = read(path, pair_column="text_pair")
    assert [(row.text, row.pair) for row in rows] == [("a", "b"), ("c", "")]
    assert list(rows[0].extra) == ["id", "text_pair"]
    assert rows[0].extra["text_pair"] == "b"
    assert rows[0].columns == (() if form == "jsonl" else ("id", "text", "text_pair"))
    assert [row.number for row in read(path, 1, pair_column="text_pair")] == [1]
    assert [row.pair for row in read(path)] == [None, None]
    turned = read(path, text_column="text_pair", pair_column="text")
    assert [(row.text, row.pair, row.text_field) for row in turned] == [("b", "a", "text_pair"), ("", "c", "text_pair")]


@pytest.mark.parametrize("form", ["csv", "tsv", "parquet"])
def test_columns_of_tables_by_number(tmp_path: Path, form: str) -> None:
    path = put_rows(tmp_path, form, ROWS)
    for pair in (2, -1, "text_pair"):
        assert [row.pair for row in read(path, text_column=-2, pair_column=pair)] == ["b", ""]
    with pytest.raises(DataError, match=r"no column -4; the 3 columns, from 0, are 'id', 'text', 'text_pair'"):
        read(path, pair_column=-4)
    with pytest.raises(UsageError, match=r"column 'text' of .* cannot hold both texts of a pair"):
        read(path, pair_column=1)


@pytest.mark.parametrize("form", ["csv", "tsv", "parquet"])
def test_a_missing_column_names_those_that_are_there(tmp_path: Path, form: str) -> None:
    path = put_rows(tmp_path, form, [{"text": "a", "second": "b"}])
    with pytest.raises(DataError, match=r"no column 'text_pair'; the columns are 'text', 'second'.*--pair-column NAME"):
        read_rows(path, RowOptions(pair_column="text_pair"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"text": "a", "b": 1}', r"line 3: no second text: the fields are \['text', 'b'\].*'p'.*--pair-column NAME"),
        ('{"text": "a", "p": null}', "line 3: field 'p' holds None; expected a string"),
        ('{"text": "a", "p": ["b"]}', r"line 3: field 'p' holds \['b'\]; expected a string"),
    ],
)
def test_a_row_without_a_second_text(tmp_path: Path, row: str, message: str) -> None:
    path = put(tmp_path, "a.jsonl", '{"text": "a", "p": "b"}\n\n' + row)
    with pytest.raises(DataError, match=message):
        read(path, pair_column="p")


def test_a_null_pair_in_parquet(tmp_path: Path) -> None:
    path = put_rows(tmp_path, "parquet", [{"text": "a", "p": "b"}, {"text": "a", "p": None}])
    with pytest.raises(DataError, match="line 2: field 'p' holds None; expected a string"):
        read(path, pair_column="p")


def test_pairs_that_cannot_be(tmp_path: Path) -> None:
    for name in ("a.txt", "a.conll"):
        with pytest.raises(UsageError, match="a pair needs two columns: accepted are jsonl, csv, tsv and parquet"):
            read(put(tmp_path, name, "a O\n"), pair_column=1)
    path = put(tmp_path, "a.jsonl", '{"text": "a"}')
    with pytest.raises(UsageError, match="pair column 1: JSONL fields have names; give the name of the pair field"):
        read(path, pair_column=1)
    with pytest.raises(UsageError, match=r"field 'text' of .* cannot hold both texts of a pair"):
        read(path, pair_column="text")


def test_tables_without_a_header(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", '\ufeff\n\n1,"a\nb",c\n2,d,e\n')
    rows = read(path, header=False, text_column=1, pair_column=-1)
    assert [(row.number, row.text, row.pair, row.line) for row in rows] == [(0, "a\nb", "c", 3), (1, "d", "e", 5)]
    assert rows[0].columns == ("column_0", "column_1", "column_2")
    assert (rows[0].text_field, dict(rows[0].extra)) == ("column_1", {"column_0": "1", "column_2": "c"})
    assert [row.text for row in read(path, 1, header=False, text_column="column_2")] == ["e"]
    assert [row.text for row in read(put(tmp_path, "b.tsv", "one\ntwo"), header=False)] == ["one", "two"]
    with pytest.raises(DataError, match=r"line 2: 1 fields: .*; expected 2 separated by tabs, as in the first row"):
        read(put(tmp_path, "c.tsv", "a\tb\nc\n"), header=False)
    assert read(put(tmp_path, "d.tsv", "\n\n"), header=False) == []


def test_a_lone_carriage_return_is_a_character_of_a_literal_table(tmp_path: Path) -> None:
    assert [row.text for row in read(put(tmp_path, "a.tsv", "text\tn\na\rb\t1\r\n"))] == ["a\rb"]
