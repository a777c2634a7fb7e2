"""Bad input of every kind: exit code 2, one sentence that says what, where and what to do, and nothing half-written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Workshop
from tests.cli.support import LEARN, Result, call, refused, tree

GOOD = "John\tB-PER\nParker\tI-PER\nsang\tO\n\nOslo\tB-LOC\n"
FILES: dict[str, tuple[bytes | None, list[str]]] = {
    "missing": (None, ["no such file"]),
    "empty": (b"", ["is empty"]),
    "blank": (b"\n\n \n", ["holds no words"]),
    "binary": (b"\x00\x01\x02" * 400, ["binary", "byte 0"]),
    "latin1": (GOOD.encode() + "\nM\u00e1laga\tB-LOC\n".encode("latin-1"), ["line 7", "0xE1", "position 45", "UTF-8"]),
    "utf16": (GOOD.encode("utf-16"), ["UTF-16", "UTF-8"]),
    "one column": (b"John\nParker\n", ["line 1", "'John'", "one column", "a word and its tag"]),
    "too few": (b"a b B-PER\nc d O\n\ne O\n", ["line 4", "too few columns", "'e O'", "has 2", "expected 3"]),
    "too many": (b"a O\nb c O\n", ["line 2", "too many columns", "has 3", "expected 2"]),
    "mixed": (b"a\tO\nb O\n", ["line 2", "mixed separators", "'b O'", "a tab"]),
    "mixed the other way": (b"a O\nb\tO\n", ["line 2", "mixed separators", "spaces"]),
    "no scheme": (b"a B-X\nb E-X\nc L-X\n", ["no one scheme", "IOB2", "BILOU"]),
    "not JSON": (b'{"tokens": ["a"], "ner_tags": ["O"]}\n{"tokens": \n', ["line 2", "JSON"]),
    "uneven": (b'{"tokens": ["a", "b"], "ner_tags": ["O"]}\n', ["line 1", "2", "1"]),
}


def written(folder: Path, name: str) -> Path:
    content, _ = FILES[name]
    path = folder / (f"{name}.jsonl" if name in ("not JSON", "uneven") else f"{name}.conll")
    if content is not None:
        path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", FILES)
def test_annotated_files(workshop: Workshop, tmp_path: Path, name: str) -> None:
    data, parts = written(tmp_path, name), FILES[name][1]
    before = tree(tmp_path)
    refused(call("train", data, "-o", tmp_path / "m", "--encoder", workshop.encoder), str(data), *parts)
    refused(call("train", workshop.train, "--dev", data, "-o", tmp_path / "m"), str(data), *parts)
    output = tmp_path / "p.conll"
    refused(call("evaluate", workshop.model, data, "--predictions", output), str(data), *parts)
    assert tree(tmp_path) == before
    assert not (tmp_path / "m").exists()


TEXTS: dict[str, tuple[bytes | None, list[str]]] = {
    "missing.txt": (None, ["existing file", "-"]),
    "empty.txt": (b"", ["is empty"]),
    "binary.txt": (b"\x00\x01\x02" * 400, ["binary"]),
    "picture.txt": (b"\x89PNG\r\n" + b"\0" * 99, ["picture"]),
    "latin1.txt": ("good\nM\u00e1laga\n".encode("latin-1"), ["line 2", "0xe1", "offset 6", "UTF-8"]),
    "broken.jsonl": (b'{"text": "a"}\n{"text": \n', ["line 2", "JSON"]),
    "nothing.jsonl": (b'{"body": "a"}\n', ["line 1", "body", "text"]),
    "number.jsonl": (b'{"text": 7}\n', ["line 1", "7", "a string"]),
    "mixed.conll": (b"a O\nb\tO\n", ["line 2", "tab"]),
    "no.parquet": (b"PAR1 and then nothing", ["no.parquet"]),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts(workshop: Workshop, tmp_path: Path, name: str) -> None:
    content, parts = TEXTS[name]
    data = tmp_path / name
    if content is not None:
        data.write_bytes(content)
    result = call("predict", workshop.model, data, "-o", tmp_path / "out.jsonl")
    refused(result, str(data), *parts)
    assert {path.name for path in tmp_path.iterdir()} <= {name}  # nor a partial output, for no row was read


def test_a_mended_command_begins_where_no_row_was_written(workshop: Workshop, tmp_path: Path) -> None:
    data = tmp_path / "a.conll"
    data.write_text("Oslo B-LOC\n", encoding="utf-8")
    arguments = ("predict", workshop.model, data, "-o", tmp_path / "out.jsonl")
    before = tree(tmp_path)
    refused(call(*arguments, "--word-column", "3"), str(data))
    assert tree(tmp_path) == before
    assert call(*arguments).code == 0


def test_folders_and_standard_input(workshop: Workshop, tmp_path: Path) -> None:
    refused(call("predict", workshop.model, tmp_path), str(tmp_path), "folder")
    refused(call("train", tmp_path, "-o", tmp_path / "m", "--encoder", workshop.encoder), str(tmp_path), "folder")
    refused(call("predict", workshop.model, "-", stdin=b"\xff\xfehello"), "standard input", "UTF-16")
    result = call("predict", workshop.model, "-", stdin="good\nM\u00e1laga\n".encode("latin-1"))
    assert result.code == 2
    assert "standard input, line 2" in result.err
    assert call("predict", workshop.model, "-").code == 0  # nothing in, nothing out


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_broken_sequences_are_counted_or_with_strict_refused(workshop: Workshop, tmp_path: Path, command: str) -> None:
    data = tmp_path / "broken.conll"
    data.write_text(GOOD + "\nin\tO\nNew\tI-LOC\nYork\tI-LOC\n\nPeru\tI-LOC\n")

    def run(*more: str) -> Result:
        if command == "evaluate":
            return call("evaluate", workshop.model, data, "--json", *more)
        options = ("-o", tmp_path / "m", "--encoder", workshop.encoder, *LEARN, "--epochs", "1", "--json")
        return call("train", data, *options, *more)

    refused(run("--strict"), str(data), "line 8", "'I-LOC'", "after tag 'O'", "IOB2")
    assert [path.name for path in tmp_path.iterdir()] == ["broken.conll"]
    result = run()
    assert result.code == 0, result
    (warning,) = [line for line in result.err.splitlines() if line.startswith("warning: ")]
    for part in (str(data), "2 tags break scheme IOB2", "line 8", "--strict"):
        assert part in warning


def test_columns_and_schemes_that_are_not_there(workshop: Workshop, tmp_path: Path) -> None:
    data = tmp_path / "good.conll"
    data.write_text(GOOD)
    run = ("evaluate", workshop.model, data)
    refused(call(*run, "--tag-column", "2"), str(data), "column 2", "2 columns")
    refused(call(*run, "--tag-column", "pos"), str(data), "'pos'", "no column names")
    refused(call(*run, "--word-column", "-1"), str(data), "both the words and the tags")
    refused(call(*run, "--scheme", "IOB3"), "--scheme", "'IOB3'", "IO, IOB1, IOB2, IOBES, BILOU")
    refused(call(*run, "--scheme", "BILOU", "--strict"), str(data), "line 3", "BILOU")
    refused(call(*run, "--format", "xml"), "'xml'", "conll", "jsonl")
    refused(call(*run, "--split", "test"), "split 'test'", str(data))


def test_a_training_file_without_entities(workshop: Workshop, tmp_path: Path) -> None:
    data = tmp_path / "plain.conll"
    data.write_text("a\tO\nb\tO\n")
    result = call("train", data, "-o", tmp_path / "m", "--encoder", workshop.encoder)
    refused(result, str(data), "no entity in the training data", "other than O")
    assert not list(tmp_path.glob("m*"))


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("no/such-encoder", ["'no/such-encoder'", "hub", "minilm"]),
        ("./nowhere", ["'./nowhere'", "no such folder", "config.json"]),
        ("EMPTY", ["holds no encoder"]),
        ("FILE", ["is a file"]),
    ],
)
def test_encoders_that_cannot_be_had(workshop: Workshop, tmp_path: Path, name: str, parts: list[str]) -> None:
    (tmp_path / "EMPTY").mkdir()
    (tmp_path / "FILE").write_text("x")
    encoder = str(tmp_path / name) if name.isupper() else name
    refused(call("train", workshop.train, "-o", tmp_path / "m", "--encoder", encoder), encoder, *parts)
    assert not list(tmp_path.glob("m*"))


def test_what_is_no_model(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    for name, part in (("nowhere", "does not exist"), ("file", "is a file"), ("folder", "config.json is missing")):
        path = tmp_path / name
        refused(call("predict", path, "--text", "Oslo"), str(path), part, "tagline train")
        refused(call("evaluate", path, workshop.test, "--json"), str(path), part)
    # an encoder without labels is no tagger
    refused(call("predict", workshop.encoder, "--text", "Oslo"), str(workshop.encoder))


def flip(path: Path, at: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] ^= 1
    path.write_bytes(bytes(data))


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


Damage = tuple[Callable[[Path], object], list[str], list[str]]
TORCH = ["--engine", "torch"]
DAMAGE: dict[str, Damage] = {
    "weights of the graph": (lambda m: flip(m / "openvino_model.bin"), [], ["openvino_model.bin", "damaged"]),
    "last byte of the graph": (lambda m: flip(m / "openvino_model.xml", 0.9999), [], ["openvino_model.xml", "damaged"]),
    "middle of the graph": (lambda m: flip(m / "openvino_model.xml"), [], ["openvino_model.xml", "damaged"]),
    "cut weights": (lambda m: cut(m / "openvino_model.bin", 999), [], ["openvino_model.bin", "damaged"]),
    "weights for torch": (lambda m: flip(m / "model.safetensors"), TORCH, ["model.safetensors", "damaged"]),
    "head of the weights": (lambda m: flip(m / "model.safetensors", 0), TORCH, ["model.safetensors", "damaged"]),
    "config": (lambda m: flip(m / "config.json"), [], ["config.json", "damaged"]),
    "tokenizer": (lambda m: flip(m / "tokenizer.json"), [], ["tokenizer.json", "damaged"]),
    "half a manifest": (lambda m: cut(m / "tagline.json", 900), [], ["tagline.json", "damaged"]),
    "an empty manifest": (lambda m: cut(m / "tagline.json", 0), [], ["tagline.json", "damaged"]),
    "a manifest of tomorrow": (
        lambda m: (m / "tagline.json").write_text('{"format": 99}'), [], ["format 99", "pip install -U tagline"]
    ),
    "no weights of the graph": (lambda m: (m / "openvino_model.bin").unlink(), [], ["openvino_model.bin is missing"]),
    "no graph": (lambda m: (m / "openvino_model.xml").unlink(), [], ["openvino_model.xml is missing"]),
    "no weights for torch": (lambda m: (m / "model.safetensors").unlink(), TORCH, ["model.safetensors is missing"]),
    "no tokenizer": (lambda m: (m / "tokenizer.json").unlink(), [], ["tokenizer.json is missing"]),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_folders(workshop: Workshop, tmp_path: Path, name: str) -> None:
    damage, options, parts = DAMAGE[name]
    model = shutil.copytree(workshop.model, tmp_path / "m")
    damage(model)
    (tmp_path / "in.txt").write_text("Oslo\n")
    refused(call("predict", model, "--text", "Oslo", *options), str(model), *parts)
    refused(call("evaluate", model, workshop.test, "--json", *options), str(model), *parts)
    refused(call("predict", model, tmp_path / "in.txt", "-o", tmp_path / "out.jsonl", *options), str(model), *parts)
    assert not list(tmp_path.glob("out*"))


def test_a_model_for_another_task(workshop: Workshop, tmp_path: Path) -> None:
    model = shutil.copytree(workshop.model, tmp_path / "m")
    manifest = json.loads((model / "tagline.json").read_text())
    (model / "tagline.json").write_text(json.dumps({**manifest, "task": "text-classification"}))
    refused(call("predict", model, "--text", "Oslo"), "text-classification", "token-classification")
