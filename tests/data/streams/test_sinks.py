"""Entities in every output format; what is there already; standard output; memory."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.streams.predicting import ROOT, objects, put, run, tagged

from tagline.data.streams.rows import Row, RowOptions, read_rows
from tagline.data.streams.sinks import SinkOptions, open_sink
from tagline.errors import OutputError, UsageError
from tagline.records import Entity

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def test_jsonl_keeps_fields_and_renames_entities(tmp_path: Path) -> None:
    lines = '{"id": 1, "text": "Zoë 😀\\u0000", "entities": [], "deep": {"ä": [1.5, null]}}\n{"text": "", "id": 2}\n'
    sink = run(put(tmp_path, "a.jsonl", lines), tmp_path / "o.jsonl")
    assert (tmp_path / "o.jsonl").read_text().splitlines() == [
        '{"text": "Zoë 😀\\u0000", "id": 1, "entities_input": [], "deep": {"ä": [1.5, null]}, "entities": '
        '[{"label": "X", "score": 0.5, "start": 0, "end": 3, "text": "Zoë"}]}',
        '{"text": "", "id": 2, "entities": []}',
    ]
    assert sink.notes() == ["the input's field 'entities' is called 'entities_input' in 1 rows of the output"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "o.jsonl"]


def test_csv_has_the_columns_of_the_input_in_their_order(tmp_path: Path) -> None:
    source = put(tmp_path, "a.csv", 'id,text,note\n1,"A, ""b""\r\nc",\n2,d\n'.replace("2,d", "2,d,x"))
    run(source, tmp_path / "o.csv")
    with (tmp_path / "o.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["id", "text", "note", "entities"]
    assert [row[:3] for row in rows[1:]] == [["1", 'A, "b"\r\nc', ""], ["2", "d", "x"]]
    assert json.loads(rows[1][3])[0]["text"] == "A,"
    run(put(tmp_path, "e.csv", "text,n\n"), tmp_path / "e2.csv")
    assert (tmp_path / "e2.csv").read_text() == "text,n,entities\n"


def test_a_field_that_comes_late_completes_the_header(tmp_path: Path) -> None:
    lines = ['{"text": "A \\"q\\",\\n x"}', '{"text": "b", "n,1": 1}', '{"m": [true], "text": "c"}']
    source = put(tmp_path, "a.jsonl", "\n".join(lines))
    for ending in ("csv", "tsv"):
        wanted = (
            source if ending == "csv" else put(tmp_path, "b.jsonl", "\n".join([lines[1], '{"text": "\\"", "m": 2}']))
        )
        run(wanted, tmp_path / f"o.{ending}")
    rows = [(row.text, *row.extra.items()) for row in read_rows(tmp_path / "o.csv")]
    assert [row[0] for row in rows] == ['A "q",\n x', "b", "c"]
    assert [row[2:] for row in rows] == [
        (("n,1", ""), ("m", "")),
        (("n,1", "1"), ("m", "")),
        (("n,1", ""), ("m", "[true]")),
    ]
    again = list(read_rows(tmp_path / "o.tsv"))
    assert [(row.text, row.extra["n,1"], row.extra["m"]) for row in again] == [("b", "1", ""), ('"', "", "2")]


def test_parquet_keeps_types(tmp_path: Path) -> None:
    whole = pa.array([2**60 + 1, None], pa.int64())
    times = pa.array([1, 2**61 + 1], pa.timestamp("ns"))
    kinds = pa.array(["a", "b"]).dictionary_encode()
    entities = pa.array([[1], []], pa.list_(pa.int32()))
    table = pa.table(
        {"n": whole, "text": pa.array(["Abc", "d"], pa.large_string()), "t": times, "k": kinds, "entities": entities}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    run(tmp_path / "a.parquet", tmp_path / "o.parquet", checkpoint_rows=1)
    out = pq.read_table(tmp_path / "o.parquet")
    assert out.schema.names == ["n", "text", "t", "k", "entities_input", "entities"]
    for before, after in (("n", "n"), ("text", "text"), ("t", "t"), ("entities", "entities_input")):
        assert out.column(after).equals(table.column(before)), before
    assert out.column("k").to_pylist() == ["a", "b"]
    entity = "struct<label: string, score: double, start: int64, end: int64, text: string>"
    assert re.sub(r"list<\w+: ", "list<", str(out.schema.field("entities").type)) == f"list<{entity}>"
    assert out.column("entities").to_pylist() == [
        [{"label": "X", "score": 0.5, "start": 0, "end": 3, "text": "Abc"}],
        [],
    ]
    run(tmp_path / "a.parquet", tmp_path / "o.jsonl")
    assert objects(tmp_path / "o.jsonl")[0]["t"].startswith("1970-01-01 00:00:00.000000001")


def test_jsonl_values_of_no_common_type_become_json_text_in_parquet(tmp_path: Path) -> None:
    values: list[dict[str, Any]] = [
        {"id": "", "text": "", "a": 1, "b": 1, "c": {}, "d": 2**60 + 1, "f": None},
        {"id": "", "text": "B", "a": 2.5, "b": "x", "c": {"y": 1}, "d": 0.5, "e": "late", "f": None},
    ]
    source = put(tmp_path, "a.jsonl", "".join(json.dumps(each) + "\n" for each in values))
    for rows in (1, 2):
        sink = run(source, tmp_path / f"{rows}.parquet", checkpoint_rows=rows)
        out = pq.read_table(tmp_path / f"{rows}.parquet").to_pydict()
        assert out.pop("entities")[0] == []
        assert out == {
            "text": ["", "B"],
            "id": ["", ""],
            "a": [1.0, 2.5],
            "b": ["1", '"x"'],
            "c": ["{}", '{"y": 1}'],
            "d": [str(2**60 + 1), "0.5"],
            "e": [None, "late"],
            "f": [None, None],
        }
        assert [note[:10] for note in sink.notes()] == [f"column '{name}'" for name in "bcd"]


def test_conll(tmp_path: Path) -> None:
    source = put(tmp_path, "a.conll", "-DOCSTART- -X-\n\n# c\nEU NNP\nand CC\n\nBonn NNP")
    run(source, tmp_path / "o.conll")
    assert (tmp_path / "o.conll").read_text() == "-DOCSTART- -X- O\n\n# c\nEU NNP B-X\nand CC O\n\nBonn NNP B-X\n\n"
    sink = run(put(tmp_path, "a.txt", "Ab c\n\nd"), tmp_path / "o.txt")
    assert (tmp_path / "o.txt").read_text() == "Ab\tB-X\nc\tO\n\nd\tO\n\n"
    assert sink.notes() == ["1 rows without words have no lines in CoNLL output"]
    with pytest.raises(OutputError, match="cannot hold the word"):
        run(put(tmp_path, "b.jsonl", '{"tokens": ["a\\tb"]}'), tmp_path / "b.conll")
    with pytest.raises(OutputError, match="TSV cannot hold"):
        run(put(tmp_path, "c.jsonl", '{"text": "a\\tb"}'), tmp_path / "c.tsv")


@settings(max_examples=40)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
def test_any_text_round_trips(tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]) -> None:
    folder = tmp_path_factory.mktemp("out")
    wide = "n" * 1000  # a file of little but NUL is taken as binary
    source = put(folder, "a.jsonl", "".join(json.dumps({"text": a, wide: b}) + "\n" for a, b in pairs))
    for name in ("1.jsonl", "2.csv", "3.parquet", "4.jsonl"):
        run(source, folder / name)
        rows = list(read_rows(folder / name))
        assert [(row.text, row.extra[wide]) for row in rows] == pairs
        for row in rows:
            found = row.extra["entities"] if name[-3:] != "csv" else json.loads(row.extra["entities"])
            assert [Entity(**each) for each in found] == list(tagged(row).entities)
            assert all(row.text[each["start"] : each["end"]] == each["text"] for each in found)


def test_what_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    source = put(tmp_path, "a.txt", "A\nb\n")
    target = put(tmp_path, "o.jsonl", "mine")
    with pytest.raises(OutputError, match="--overwrite"):
        run(source, target)
    with pytest.raises(OutputError, match="nothing is left to resume"):
        run(source, target, resume=True)
    assert target.read_text() == "mine"
    run(source, target, overwrite=True)
    assert len(objects(target)) == 2
    with pytest.raises(OutputError, match="is the input itself"):
        run(put(tmp_path, "b.jsonl", '{"text": ""}'), tmp_path / "b.jsonl", overwrite=True)
    for path, said in ((tmp_path / "no" / "o.csv", "does not exist"), (Path("/dev/null"), "no ordinary file")):
        with pytest.raises(OutputError, match=said):
            open_sink(path, SinkOptions(format="csv", overwrite=True))
    with pytest.raises(UsageError, match="tells no format"):
        open_sink(tmp_path / "o.doc")


PIPED = """
import sys
sys.path[:0] = [sys.argv[1] + "/src", sys.argv[1]]
from tagline.data.streams.rows import read_rows
from tagline.data.streams.sinks import open_sink
from tagline.errors import OutputError
from tests.data.streams.predicting import tagged
try:
    with open_sink(None) as sink:
        for row in read_rows("-"):
            sink.write(row, tagged(row))
except BrokenPipeError:
    sys.exit(0)
except OutputError as error:
    sys.exit(str(error))
"""


def test_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out))
    with open_sink("-", SinkOptions(format="csv")) as sink:
        sink.write(Row(0, "Ä"), tagged(Row(0, "Ä")))
        assert out.getvalue().startswith("text,entities\nÄ,".encode())
        with pytest.raises(OutputError, match="has a field 'n'"):
            sink.write(Row(1, "b", extra={"n": 1}), tagged(Row(1, "b")))
    for options, resume, said in ((SinkOptions(format="parquet"), False, "Parquet"), (SinkOptions(), True, "--resume")):
        with pytest.raises(UsageError, match=said):
            open_sink("-", options, resume)


def test_a_reader_that_goes_away_and_a_full_device_end_without_a_traceback() -> None:
    command = [sys.executable, "-c", PIPED, str(ROOT)]
    lines = b"A row\n" * 50_000
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(lines[:6])
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["text"] == "A row"  # at once, not when a buffer is full
        process.stdout.close()
        process.stdin.write(lines[:600])
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, input=lines[:6], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.stderr.decode() == "standard output: the disk is full (No space left on device). 0 rows were written\n"
    assert done.returncode == 1


FLAT = """
import resource, sys
sys.path[:0] = [sys.argv[1] + "/src", sys.argv[1]]
from pathlib import Path
from tests.data.streams.predicting import run
run(Path(sys.argv[2]), Path(sys.argv[3]).with_stem("warm"))
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
run(Path(sys.argv[4]), Path(sys.argv[3]))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_memory_stays_flat(tmp_path: Path, kind: str) -> None:
    line = "went to the market and came back again " * 20 + "\n"
    small, large = put(tmp_path, "s.txt", line * 2_000), put(tmp_path, "l.txt", line * 60_000)
    command = [sys.executable, "-c", FLAT, str(ROOT), str(small), str(tmp_path / f"o.{kind}"), str(large)]
    grown = int(subprocess.run(command, capture_output=True, check=True).stdout)
    assert grown < (100 if kind == "parquet" else 12)  # MiB, for 47 MB of text
    assert sum(1 for _ in read_rows(tmp_path / f"o.{kind}", RowOptions())) == 60_000
