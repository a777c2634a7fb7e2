"""`tagline predict`: formats in and out, streams, what it prints."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.cli.conftest import Workshop
from tests.cli.support import call, command, environment, on_terminal, refused

TEXTS = (
    "John Parker moved from Oslo to New York.",
    "",
    'the Kremlin said "no", and\u00a0Zoë \U0001f600 left, too',
    "Nothing here .",
)
KEYS = {"label", "score", "start", "end", "text"}


@pytest.fixture(scope="module")
def answers(workshop: Workshop) -> list[list[dict[str, Any]]]:
    """Entities of each text."""
    result = call("predict", workshop.model, *(part for text in TEXTS for part in ("--text", text)), "--json")
    assert result.code == 0, result
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert [row["text"] for row in rows] == list(TEXTS)
    return [row["entities"] for row in rows]


def test_entities_are_stretches_of_the_text(answers: list[list[dict[str, Any]]]) -> None:
    assert sum(map(len, answers)) >= 3
    assert answers[1] == []
    for text, found in zip(TEXTS, answers, strict=True):
        for entity in found:
            assert set(entity) == KEYS
            assert text[entity["start"] : entity["end"]] == entity["text"] != ""
            assert isinstance(entity["score"], float)
            assert 0 < entity["score"] <= 1
            assert entity["label"] in ("LOC", "MISC", "ORG", "PER")
        places = [place for entity in found for place in (entity["start"], entity["end"])]
        assert places == sorted(places)


def test_a_text_for_people(workshop: Workshop, answers: list[list[dict[str, Any]]]) -> None:
    result = call("predict", workshop.model, "--text", TEXTS[0], "--text", TEXTS[1])
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    for entity in answers[0]:
        assert f"[{entity['text']} {entity['label']}]" in lines[0]
        assert any(
            f"{entity['score']:.3f}" in line and line.endswith(entity["text"]) and entity["label"] in line
            for line in lines[1:]
        )
    assert lines[-1] == "  no entities"


def test_lines_of_text(workshop: Workshop, tmp_path: Path, answers: list[list[dict[str, Any]]]) -> None:
    data, output = tmp_path / "in.txt", tmp_path / "out.jsonl"
    data.write_text("\r\n".join(TEXTS), encoding="utf-8", newline="")
    result = call("predict", workshop.model, data, "-o", output)
    assert (result.code, result.out) == (0, "")
    assert result.err.splitlines() == ["4 rows, 3 windows"]
    rows = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert rows == [{"text": text, "entities": found} for text, found in zip(TEXTS, answers, strict=True)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.txt", "out.jsonl"]
    piped = call("predict", workshop.model, "-", stdin=data.read_bytes())
    assert piped.out == output.read_text("utf-8")
    assert call("predict", workshop.model, data, "-o", "-").out == piped.out


def test_json_lines_keep_their_fields(workshop: Workshop, tmp_path: Path, answers: list[list[dict[str, Any]]]) -> None:
    data, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [{"id": number, "text": text, "tags": [1, None]} for number, text in enumerate(TEXTS)]
    rows.append({"id": 9, "tokens": ["John", "Parker", "moved", "from", "Oslo"]})
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert call("predict", workshop.model, data, "-o", output).code == 0
    found = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert found[:4] == [{**row, "entities": each} for row, each in zip(rows, answers, strict=False)]
    assert found[4]["tokens"] == rows[4]["tokens"]
    assert all(found[4]["text"][each["start"] : each["end"]] == each["text"] for each in found[4]["entities"])


def test_tables(workshop: Workshop, tmp_path: Path, answers: list[list[dict[str, Any]]]) -> None:
    data, output = tmp_path / "in.csv", tmp_path / "out.csv"
    with data.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "body"), *((number, text) for number, text in enumerate(TEXTS))])
    assert call("predict", workshop.model, data, "-o", output, "--text-column", "body").code == 0
    with output.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["body"] for row in rows] == list(TEXTS)
    assert [row["id"] for row in rows] == ["0", "1", "2", "3"]
    assert [json.loads(row["entities"]) for row in rows] == answers
    result = call("predict", workshop.model, data, "-o", tmp_path / "x.csv", "--text-column", "nobody")
    refused(result, "in.csv", "nobody", "id", "body")
    unnamed = call("predict", workshop.model, data)
    assert f"no column 'text' in {data}; read is 'id', name another with --text-column" in unnamed.err
    assert "no column" not in call("predict", workshop.model, data, "--no-header").err
    assert not list(tmp_path.glob("x.csv*"))


def test_parquet(workshop: Workshop, tmp_path: Path, answers: list[list[dict[str, Any]]]) -> None:
    data, output = tmp_path / "in.parquet", tmp_path / "out.parquet"
    table = pa.table({"id": pa.array(range(4), pa.int16()), "text": pa.array(TEXTS, pa.large_string())})
    parquet.write_table(table, data)
    assert call("predict", workshop.model, data, "-o", output).code == 0
    found = parquet.read_table(output)
    assert found.select(["id", "text"]).equals(table)
    assert found["entities"].to_pylist() == answers
    assert call("predict", workshop.model, data, "-o", tmp_path / "out.jsonl").code == 0
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [row["entities"] for row in rows] == answers


def test_conll(workshop: Workshop, tmp_path: Path) -> None:
    output, judged = tmp_path / "out.conll", tmp_path / "judged.conll"
    assert call("predict", workshop.model, workshop.test, "-o", output).code == 0
    assert call("evaluate", workshop.model, workshop.test, "--predictions", judged).code == 0
    assert output.read_text("utf-8").rstrip("\n") == judged.read_text("utf-8").rstrip("\n")
    data = tmp_path / "in.txt"
    data.write_text(TEXTS[0] + "\n")
    assert call("predict", workshop.model, data, "-o", tmp_path / "words.conll").code == 0
    lines = (tmp_path / "words.conll").read_text("utf-8").splitlines()
    assert [line.split("\t")[0] for line in lines if line][:4] == ["John", "Parker", "moved", "from"]


def test_a_named_pipe_is_read_once(workshop: Workshop, tmp_path: Path, answers: list[list[dict[str, Any]]]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    buffer = io.StringIO()
    csv.writer(buffer).writerows([("text",), *((text or "-",) for text in TEXTS)])
    writer = threading.Thread(target=lambda: pipe.write_text(buffer.getvalue(), encoding="utf-8"))
    writer.start()
    result = call("predict", workshop.model, pipe, "--format", "csv")
    writer.join(10)
    assert result.code == 0, result
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert [row["entities"] for row in rows][2:] == answers[2:]


def test_what_is_there_is_not_replaced(workshop: Workshop, tmp_path: Path) -> None:
    data, output = tmp_path / "in.txt", tmp_path / "out.jsonl"
    data.write_text("Oslo\n")
    output.write_text("mine")
    refused(call("predict", workshop.model, data, "-o", output), str(output), "--overwrite")
    refused(call("predict", workshop.model, data, "-o", output, "--resume"), str(output), "nothing is left to resume")
    refused(call("predict", workshop.model, data, "-o", data, "--overwrite"), str(data))
    assert (output.read_text(), data.read_text()) == ("mine", "Oslo\n")
    assert call("predict", workshop.model, data, "-o", output, "--overwrite").code == 0
    assert json.loads(output.read_text())["text"] == "Oslo"


def test_resume_without_a_broken_run_begins_at_the_start(workshop: Workshop, tmp_path: Path) -> None:
    data = tmp_path / "in.txt"
    data.write_text("Oslo\n")
    result = call("predict", workshop.model, data, "-o", tmp_path / "out.jsonl", "--resume")
    assert result.code == 0
    assert result.err.splitlines() == ["nothing to resume; from the start", "1 rows, 1 windows"]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["neither", "INPUT", "--text"]),
        (["in.txt", "--text", "x"], ["both", "INPUT", "--text"]),
        (["--text", "x", "-o", "out.jsonl"], ["--text", "-o"]),
        (["--text", "x", "--resume"], ["--text", "--resume"]),
        (["--text", "a\u00e9\udcff"], ["not UTF-8 at byte 3"]),
        (["in.txt", "--resume"], ["--resume", "output file"]),
        (["in.txt", "-o", "out.docx"], ["out.docx", ".jsonl", ".csv", ".parquet", ".conll"]),
        (["in.docx"], ["in.docx", ".txt"]),
        (["in.txt", "--format", "docx"], ["'docx'", "txt", "jsonl"]),
        (["in.txt", "--engine", "steam"], ["--engine", "'steam'", "auto, openvino, onnx, torch"]),
        (["in.txt", "--precision", "f8"], ["--precision", "'f8'", "auto, bf16, f32"]),
        (["in.txt", "--device", "tpu"], ["--device", "'tpu'"]),
        (["in.txt", "--device", "cuda", "--engine", "openvino"], ["--device cuda", "--engine torch"]),
        (["in.txt", "--threads", "-1"], ["--threads", "-1"]),
        (["in.txt", "--batch-tokens", "0"], ["--batch-tokens", "0"]),
        (["in.txt", "-o", "no/such/out.jsonl"], ["no/such/out.jsonl", "no/such"]),
    ],
)
def test_bad_usage_is_refused(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], parts: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.txt").write_text("Oslo\n")
    Path("in.docx").write_text("Oslo\n")
    refused(call("predict", workshop.model, *arguments), *parts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.docx", "in.txt"]


def test_a_reader_that_has_enough_ends_it_quietly(workshop: Workshop, tmp_path: Path) -> None:
    data = tmp_path / "in.txt"
    data.write_text("John Parker moved from Oslo to New York.\n" * 4000)
    for arguments in ((data,), ("-",)):
        with data.open("rb") as stdin:
            process = subprocess.Popen(
                command("predict", workshop.model, *arguments), stdin=stdin, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, env=environment(),
            )  # fmt: skip
            assert process.stdout is not None
            assert process.stderr is not None
            first = process.stdout.readline()
            process.stdout.close()
            err = process.stderr.read()
            process.stderr.close()
            assert (process.wait(60), err) == (0, b"")
        assert json.loads(first)["text"].startswith("John Parker")


def test_a_full_standard_output(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("Oslo\n")
    for arguments in (("predict", workshop.model, tmp_path / "in.txt"), ("evaluate", workshop.model, workshop.test)):
        with open("/dev/full", "wb") as full:  # noqa: PTH123
            done = subprocess.run(
                command(*arguments), stdout=full, stderr=subprocess.PIPE, env=environment(), timeout=60, check=False
            )
        err = done.stderr.decode("utf-8")
        assert (done.returncode, err.count("\n")) == (2, 1), err
        assert err.startswith("tagline: standard output: ")
        assert "No space left" in err


def test_colours_on_a_terminal(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(TEXTS[0] + "\n")
    code, shown = on_terminal("predict", workshop.model, tmp_path / "in.txt")
    assert code == 0, shown
    assert "\x1b[" in shown
    assert "Parker" in shown
    assert '"text"' not in shown
    code, shown = on_terminal("predict", workshop.model, tmp_path / "in.txt", "--json")
    assert json.loads(shown.splitlines()[0])["text"] == TEXTS[0]
