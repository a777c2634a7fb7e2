"""Results in every format, and runs that break off and are carried on."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.predicting import run, tagged

from tagline.data.streams.rows import Row, RowOptions, read_rows
from tagline.data.streams.sinks import SinkOptions, open_sink
from tagline.errors import OutputError, UsageError
from tagline.records import Document, Entity

ROOT = Path(__file__).resolve().parents[2]
FORMATS = ["jsonl", "csv", "tsv", "parquet", "conll"]
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def put(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_bytes(content.encode())
    return path


def objects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


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


def broken_run(source: Path, target: Path, rows: int, **options: Any) -> None:
    """Ctrl-C after some rows."""
    with suppress(KeyboardInterrupt), open_sink(target, SinkOptions(source, **options)) as sink:
        with read_rows(source) as reader:
            for row in islice(reader, rows):
                sink.write(row, tagged(row))
        raise KeyboardInterrupt


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_broken_run_is_carried_on_only_as_it_was(tmp_path: Path, kind: str) -> None:
    source, target = put(tmp_path, "a.txt", "A\nb\nC\n"), tmp_path / f"o.{kind}"
    broken_run(source, target, 2, settings={"model": "m", "window": 128})
    assert not target.exists()
    with pytest.raises(OutputError, match="--resume"):
        run(source, target)
    with pytest.raises(OutputError, match=r"window: 128 then, 64 now\)"):
        run(source, target, resume=True, settings={"model": "m", "window": 64})
    put(tmp_path, "a.txt", "A\nc\nC\n")
    with pytest.raises(OutputError, match="6 bytes then, 6 now, other content"):
        run(source, target, resume=True, settings={"model": "m", "window": 128})
    with pytest.raises(OutputError, match="cannot be read twice"):
        open_sink(target, SinkOptions(None, settings={"model": "m", "window": 128}), resume=True)
    put(tmp_path, "a.txt", "A\nb\nC\n")
    held = open_sink(target, SinkOptions(source, settings={"window": 128, "model": "m"}), resume=True)
    assert (held.rows_done, held.resumed) == (2, True)
    with pytest.raises(OutputError, match="another run is writing"):
        run(source, target, overwrite=True)
    with pytest.raises(ValueError, match="row 0 is not the next one; expected row 2"):
        held.write(Row(0, "A"), Document("A", ()))
    held.abort()
    sink = run(source, target, resume=True, settings={"model": "m", "window": 128})
    assert sink.resumed
    assert [row.text for row in read_rows(target)] == ["A", "b", "C"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", target.name]


def test_resume_without_a_partial_output_begins_at_the_start(tmp_path: Path) -> None:
    source = put(tmp_path, "a.txt", "A\nb\n")
    sink = run(source, tmp_path / "o.jsonl", resume=True)
    assert (sink.resumed, sink.rows_done) == (False, 2)
    broken_run(source, tmp_path / "p.jsonl", 1)
    run(source, tmp_path / "p.jsonl", overwrite=True)
    assert (tmp_path / "p.jsonl").read_bytes() == (tmp_path / "o.jsonl").read_bytes()


def test_damage_to_the_partial_output_is_noticed(tmp_path: Path) -> None:
    source = put(tmp_path, "a.txt", "A\nb\n")
    broken_run(source, tmp_path / "o.jsonl", 1)
    put(tmp_path, "o.jsonl.partial", "{")
    with pytest.raises(OutputError, match="its journal says"):
        run(source, tmp_path / "o.jsonl", resume=True)
    put(tmp_path, "o.jsonl.partial.json", "{")
    with pytest.raises(OutputError, match="cannot be used"):
        run(source, tmp_path / "o.jsonl", resume=True)
    broken_run(source, tmp_path / "o.parquet", 1)
    (tmp_path / "o.parquet.partial" / "part-000001.parquet").unlink()
    with pytest.raises(OutputError, match=r"part-000001\.parquet is missing"):
        run(source, tmp_path / "o.parquet", resume=True)


# Kills itself with SIGKILL at the n-th call that touches the disk, after half of what a write was to write.
KILLED = """
import os, pathlib, signal, sys
sys.path[:0] = [sys.argv[1] + "/src", sys.argv[1]]
from pathlib import Path
from tests.data.predicting import run
left = int(sys.argv[4])
def dying(call):
    def wrapper(*args, **more):
        global left
        left -= 1
        if left == 0:
            if call is write:
                write(args[0], args[1][: len(args[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **more)
    return wrapper
write = os.write
os.write, os.fsync, os.replace, os.ftruncate = map(dying, (os.write, os.fsync, os.replace, os.ftruncate))
pathlib.Path.replace = dying(pathlib.Path.replace)
pathlib.Path.unlink = dying(pathlib.Path.unlink)
run(Path(sys.argv[2]), Path(sys.argv[3]), resume=True, checkpoint_rows=7)
"""


@pytest.mark.parametrize("kind", FORMATS)
def test_a_killed_run_ends_as_an_unbroken_one(tmp_path: Path, kind: str) -> None:
    chance = random.Random(kind)
    lines = [
        {"text": f"Row {n} of 😀 " + "words " * chance.randrange(9), **({"late": n} if n > 60 else {})}
        for n in range(100)
    ]
    source = put(tmp_path, "a.jsonl", "".join(json.dumps(each) + "\n" for each in lines))
    whole, target = tmp_path / f"whole.{kind}", tmp_path / f"o.{kind}"
    run(source, whole)
    kills = 0
    while not target.exists():
        command = [
            sys.executable,
            "-c",
            KILLED,
            str(ROOT),
            str(source),
            str(target),
            str(chance.randint(2, 40) if kills < 6 else 10**6),
        ]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
        kills += done.returncode != 0
    assert kills >= 3
    assert target.read_bytes() == whole.read_bytes()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip("no permission to mount a small disk")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_full_disk_keeps_what_was_written(tmp_path: Path, tiny_disk: Path, kind: str) -> None:
    chance = random.Random(0)
    words = ["".join(chance.choices("abcdefghij", k=9)).capitalize() for _ in range(30_000)]
    source = put(tmp_path, "a.txt", "".join(" ".join(words[n : n + 50]) + "\n" for n in range(0, 30_000, 50)))
    target = tiny_disk / f"o.{kind}"
    with pytest.raises(OutputError) as caught:
        run(source, target, checkpoint_rows=5)
    said = re.search(r"the disk is full .* first (\d+) rows are kept in .*--resume", str(caught.value))
    assert said
    assert int(said[1]) > 0
    with pytest.raises(OutputError, match="the disk is full"):
        run(source, target, resume=True, checkpoint_rows=5)
    subprocess.run(["mount", "-o", "remount,size=16m", tiny_disk], check=True)
    with open_sink(target, SinkOptions(source), resume=True) as sink:
        assert sink.rows_done >= int(said[1])
        for row in read_rows(source, skip=sink.rows_done):
            sink.write(row, tagged(row))
    run(source, tmp_path / f"whole.{kind}")
    assert target.read_bytes() == (tmp_path / f"whole.{kind}").read_bytes()


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_write_that_fails_at_any_time_loses_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    source = put(tmp_path, "a.txt", "".join(f"Row {n}\n" for n in range(30)))
    run(source, tmp_path / "whole.jsonl")
    real, left = getattr(os, call), 0

    def failing(*args: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args)

    monkeypatch.setattr(os, call, failing)
    failures = 0
    for left_now in range(1, 40):
        target = tmp_path / f"{left_now}.jsonl"
        left = left_now
        with suppress(OutputError):
            run(source, target, checkpoint_rows=4)
        if not target.exists():
            failures += 1
            left = -1
            run(source, target, resume=(tmp_path / f"{left_now}.jsonl.partial").exists(), checkpoint_rows=4)
        assert target.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert failures >= 8


PIPED = """
import sys
sys.path[:0] = [sys.argv[1] + "/src", sys.argv[1]]
from tagline.data.streams.rows import read_rows
from tagline.data.streams.sinks import open_sink
from tagline.errors import OutputError
from tests.data.predicting import tagged
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
from tests.data.predicting import run
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
