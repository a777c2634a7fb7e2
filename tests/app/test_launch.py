"""What `tagline app` refuses before anything is served, and lots of a file that let others have their turn."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from threading import Lock

import pytest
from tests.app.conftest import Models
from tests.cli.support import call, refused

from tagline.app.launch import Address, options
from tagline.app.setup import Setup, named, read_examples
from tagline.errors import DataError, UsageError
from tagline.predict import load
from tagline.predict.files import FileJob, RowOptions, predict_file
from tagline.predict.rows import BORDER


@pytest.mark.parametrize("missing", ["streamlit", "annotated_text"])
def test_without_the_extra(models: Models, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    refused(call("app", models.stars), "tagline app", 'pip install "tagline[app]"')


def test_bad_arguments_are_refused(models: Models, tmp_path: Path) -> None:
    refused(call("app", tmp_path / "none"), "does not exist", "expected a model folder")
    refused(call("app", models.stars, tmp_path), "no model folder")
    refused(call("app", models.stars, models.stars), "given twice")
    refused(call("app", models.stars, "--precision", "f8"), "--precision", "bf16")
    refused(call("app", models.stars, "--port", "70000"), "--port is 70000", "65535")
    refused(call("app", models.stars, "--max-upload", "0"), "--max-upload is 0")
    refused(call("app", models.stars, "--host", "192.0.2.1", "--port", "0"), "cannot listen on 192.0.2.1")
    refused(call("app", models.stars, "--examples", tmp_path / "none.txt"), "none.txt", "cannot be read")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused(call("app", models.stars, "--port", port), f"port {port}", "give another --port")


def test_nobody_is_told_and_nobody_let_in_unasked() -> None:
    given = options(Address())
    assert given["browser.gatherUsageStats"] is False
    assert given["server.headless"] is True
    assert given["server.address"] == "127.0.0.1"
    assert Address("0.0.0.0", 80).url == "http://localhost:80"
    assert Address("::1", 80).url == "http://[::1]:80"


def test_names_tell_folders_apart(tmp_path: Path) -> None:
    folders = [tmp_path / "a" / "model", tmp_path / "b" / "model", tmp_path / "c" / "other"]
    assert list(named(folders)) == ["a/model", "b/model", "c/other"]
    assert list(named(folders[1:])) == ["model", "other"]
    with pytest.raises(UsageError, match="given twice"):
        named([folders[0], tmp_path / "a" / ".." / "a" / "model"])


def test_examples_are_read(tmp_path: Path) -> None:
    file = tmp_path / "examples.txt"
    file.write_text("one\n\ntwo\tthree\n", encoding="utf-8")
    examples = read_examples(file)
    assert examples == [("one", None), ("two", "three")]
    setup = Setup({"m": "/m"}, examples, {"threads": 1})
    assert Setup.from_json(setup.to_json()) == setup
    for content, said in ((b"\n", "has 0 texts"), (b"a\tb\tc\n", "line 1: has several tabs"), (b"\xff", "not UTF-8")):
        file.write_bytes(content)
        with pytest.raises(DataError, match=said):
            read_examples(file)


def test_a_long_file_lets_others_have_their_turn(models: Models, tmp_path: Path) -> None:
    source, turn = tmp_path / "long.txt", Lock()
    source.write_text("John Parker moved from Oslo to New York.\n" * (2 * BORDER + 400), encoding="utf-8")
    model = load(models.tagger, precision="f32", threads=1)
    rows, shares = [], []
    for progress in predict_file(model, FileJob(source, tmp_path / "o.jsonl", RowOptions()), turn):
        assert not turn.locked()
        rows.append(progress.rows)
        shares.append(progress.share)
    assert rows == [BORDER, 2 * BORDER, 2 * BORDER + 400, 2 * BORDER + 400]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    done = call("predict", models.tagger, source, "-o", tmp_path / "p.jsonl", "--precision", "f32", "--threads", "1")
    assert done.code == 0
    assert (tmp_path / "o.jsonl").read_bytes() == (tmp_path / "p.jsonl").read_bytes()
