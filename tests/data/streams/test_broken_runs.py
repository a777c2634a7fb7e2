"""Runs that break off and are carried on."""

from __future__ import annotations

import errno
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

import pytest
from tests.data.streams.predicting import MODELS, ROOT, put, run, tagged

from tagline.data.streams.rows import Row, read_rows
from tagline.data.streams.sinks import SinkOptions, open_sink
from tagline.errors import OutputError
from tagline.records import Document

FORMATS = ["jsonl", "csv", "tsv", "parquet", "conll"]


def broken_run(source: Path, target: Path, rows: int, model: str = "entities", **options: Any) -> None:
    """Ctrl-C after some rows."""
    answers, read = MODELS[model]
    with read_rows(source) as reader:
        given = SinkOptions(source, answers=answers, columns=reader.columns, schema=reader.schema, **options)
        with suppress(KeyboardInterrupt), open_sink(target, given) as sink:
            for row in islice(reader, rows):
                sink.write(row, read(row))
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


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_broken_run_is_carried_on_only_with_the_same_answers(tmp_path: Path, kind: str) -> None:
    source = put(tmp_path, "a.jsonl", '{"text": "A", "label": 1}\n{"text": "b"}\n{"text": "C", "label": 2}\n')
    target = tmp_path / f"o.{kind}"
    broken_run(source, target, 2, "single")
    journal = json.loads((tmp_path / f"o.{kind}.partial.json").read_text())
    assert (journal["rows"], journal["settings"]["answers"]) == (2, "label (string), score (number)")
    then = r"answers: 'label \(string\), score \(number\)' then"
    for other, now in (("multi", "labels (strings), scores (scores)"), ("entities", "entities (entities)")):
        with pytest.raises(OutputError, match=f"{then}, '{re.escape(now)}' now"):
            run(source, target, other, resume=True)
    sink = run(source, target, "single", resume=True)
    assert (sink.resumed, sink.rows_done) == (True, 3)
    assert sink.notes() == ["the input's field 'label' is called 'label_input' in 2 rows of the output"]
    run(source, tmp_path / f"whole.{kind}", "single")
    assert target.read_bytes() == (tmp_path / f"whole.{kind}").read_bytes()


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
from tests.data.streams.predicting import run
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
run(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[5], resume=True, checkpoint_rows=7)
"""


@pytest.mark.parametrize(
    ("kind", "model"),
    [*((kind, "entities") for kind in FORMATS), ("jsonl", "multi"), ("csv", "top"), ("parquet", "single")],
)
def test_a_killed_run_ends_as_an_unbroken_one(tmp_path: Path, kind: str, model: str) -> None:
    chance = random.Random(kind)
    lines: list[dict[str, Any]] = [
        {"text": f"Row {n} of 😀 " + "words " * chance.randrange(9), **({"late": n, "label": n} if n > 60 else {})}
        for n in range(100)
    ]
    source = put(tmp_path, "a.jsonl", "".join(json.dumps(each) + "\n" for each in lines))
    whole, target = tmp_path / f"whole.{kind}", tmp_path / f"o.{kind}"
    unbroken = run(source, whole, model)
    assert len(unbroken.notes()) == (model in ("top", "single"))
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
            model,
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
