"""The cache of converted models, what is refused, and what is decided about a folder."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.cli.support import call, refused
from tests.foreign.conftest import Folders, edit

import tagline
from tagline.data.schemes import Scheme
from tagline.errors import FolderError, MissingExtraError, OutputError
from tagline.folder import GRAPH, TOKENIZER, WEIGHTS, ModelFolder
from tagline.foreign import convert as converting
from tagline.foreign import kept
from tagline.foreign.kept import ready
from tagline.records import Problem

TAGS = "O B-PER I-PER B-LOC I-LOC"
TEXT = "Maria Novak moved from Lisbon to Oslo in 1996."
HEAVY = ("torch", "transformers")


@pytest.fixture
def folder(plain: Folders, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(plain("bert-cased", TAGS), tmp_path / "bert-ner"))


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "foreign"


def converted(base: Path) -> list[Path]:
    return sorted(each for each in base.glob("[!.]*") if each.name != "known")


def test_later_runs_need_neither_torch_nor_transformers(plain: Folders, tmp_path: Path) -> None:
    first = ready(plain("bert-cased", TAGS))
    code = (
        "import sys\n"
        f"for name in {HEAVY!r}: sys.modules[name] = None\n"
        "import tagline\n"
        f"found = tagline.load(sys.argv[1], precision='f32')({TEXT!r})\n"
        "sys.stdout.write(str([(each.label, each.start, each.end) for each in found.entities]))\n"
    )
    # A copy has the same content, so it is known.
    place = shutil.copytree(plain("bert-cased", TAGS), tmp_path / "elsewhere")
    done = subprocess.run([sys.executable, "-c", code, str(place)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    entities = tagline.load(first.path, precision="f32")(TEXT).entities  # type: ignore[union-attr]
    assert done.stdout == str([(each.label, each.start, each.end) for each in entities])


def test_without_torch_one_sentence_says_what_to_type(
    folder: Path, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r'bert-ner.*converted.*Type: pip install "tagline\[train\]"'):
        tagline.load(folder)
    assert converted(alone) == []
    refused(call("predict", folder, "--text", TEXT), 'pip install "tagline[train]"')


def test_what_is_kept_follows_the_content(folder: Path, alone: Path) -> None:
    one = ready(folder)
    assert one.path.name.startswith("bert-ner-")
    (folder / "README.md").write_text("another card")
    assert ready(folder).path == one.path
    edit(folder / "config.json", id2label={"0": "O", "1": "B-A", "2": "I-A", "3": "B-B", "4": "I-B"})
    two = ready(folder)
    assert two.path != one.path
    assert two.labels == ("O", "B-A", "I-A", "B-B", "I-B")
    assert len(converted(alone)) == 2
    # A damaged one is made anew.
    (two.path / TOKENIZER).write_text("{}")
    again = ready(folder)
    assert again.path == two.path
    again.verify(again.manifest.files)


def test_two_at_once_convert_once(folder: Path, alone: Path, monkeypatch: pytest.MonkeyPatch, plain: Folders) -> None:
    made = ModelFolder.open(Path(os.fspath(converted_elsewhere(plain))))
    calls = []

    def slow(source: Path, target: Path) -> None:
        calls.append(source)
        time.sleep(0.3)
        shutil.copytree(made.path, target, dirs_exist_ok=True)

    monkeypatch.setattr(converting, "convert", slow)
    opened: list[ModelFolder] = []
    threads = [threading.Thread(target=lambda: opened.append(ready(folder))) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(calls) == 1
    assert len({each.path for each in opened}) == 1
    assert len(opened) == 4


def converted_elsewhere(plain: Folders) -> Path:
    """The session's own cache holds it; the tests with a cache of their own look there first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TAGLINE_CACHE")
        patch.setenv("XDG_CACHE_HOME", str(plain("bert-cased", TAGS).parent / "cache"))
        return ready(plain("bert-cased", TAGS)).path


def test_a_file_system_without_locks(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl", reason="only POSIX has such locks")

    def refuse(*given: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with kept._locked(alone, "key"):
        assert (alone / ".key.lock").is_file()


def test_a_cache_that_cannot_be_written(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="TAGLINE_CACHE"):
        ready(folder)


def test_an_old_folder_of_pickles_and_word_pieces(folder: Path, alone: Path) -> None:
    import torch
    from safetensors.torch import load_file

    expected = tagline.pipeline("ner", folder, precision="f32")(TEXT)
    torch.save(load_file(folder / WEIGHTS), folder / "pytorch_model.bin")
    vocab = json.loads((folder / TOKENIZER).read_text(encoding="utf-8"))["model"]["vocab"]
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in sorted(vocab, key=vocab.get)), "utf-8")
    (folder / WEIGHTS).unlink()
    (folder / TOKENIZER).unlink()
    assert tagline.pipeline("ner", folder, precision="f32")(TEXT) == expected
    kept = ready(folder)
    assert (kept.path / WEIGHTS).is_file()
    assert len(converted(alone)) == 2


def test_every_command_reads_it(plain: Folders, tmp_path: Path) -> None:
    folder = plain("bert-cased", TAGS)
    result = call("predict", folder, "--text", TEXT, "--json", "--precision", "f32")
    assert result.code == 0, result
    assert json.loads(result.out)["text"] == TEXT
    (tmp_path / "dev.conll").write_text("Maria B-PER\nNovak I-PER\nmoved O\n\nOslo B-LOC\n\n", encoding="utf-8")
    result = call("evaluate", folder, tmp_path / "dev.conll", "--json", "--precision", "f32")
    assert result.code == 0, result
    assert 0 <= json.loads(result.out)["strict"]["f1"] <= 1


def test_a_graph_that_says_something_else_is_not_taken(
    folder: Path, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tagline.publish import graph

    right = graph.LogitsOf.forward
    monkeypatch.setattr(graph.LogitsOf, "forward", lambda self, *inputs: right(self, *inputs).flip(-1))
    with pytest.warns(UserWarning, match=r"bert-ner: its graph differs from PyTorch by .*; PyTorch runs it"):
        tagger = tagline.load(folder, precision="f32", threads=1)
    assert tagger.engine.name == "torch"
    assert not (tagger.folder.path / GRAPH).exists()
    assert tagline.load(folder, precision="f32", threads=1).engine.name == "torch"  # said once, then known


def test_what_labels_tell(folder: Path) -> None:
    def reading(*labels: str) -> tuple[Scheme, bool]:
        edit(folder / "config.json", id2label={str(number): label for number, label in enumerate(labels)})
        manifest = ModelFolder.plain(folder).manifest
        return manifest.scheme, manifest.bare

    assert reading("O", "B-PER", "I-PER", "B-LOC", "I-LOC") == (Scheme.IOB2, False)
    assert reading("O", "I-PER", "I-LOC", "I-ORG", "I-MISC") == (Scheme.IO, False)
    assert reading("O", "B-PER", "I-PER", "L-PER", "U-PER") == (Scheme.BILOU, False)
    assert reading("O", "B-PER", "I-PER", "E-PER", "S-PER") == (Scheme.IOBES, False)
    assert reading("O", "product", "work-of-art", "person", "place") == (Scheme.IO, True)
    assert reading("LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3", "LABEL_4") == (Scheme.IO, True)
    assert reading("O", "B-PER", "I-PER", "other", "more") == (Scheme.IO, True)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, Problem.SINGLE),
        ({"problem_type": "multi_label_classification"}, Problem.MULTI),
        ({"problem_type": "regression"}, Problem.REGRESSION),
        ({"id2label": {"0": "toxic"}}, Problem.MULTI),  # a probability, as the pipeline has it
    ],
)
def test_what_a_model_of_texts_is_asked(folder: Path, changes: dict[str, object], problem: Problem) -> None:
    edit(folder / "config.json", architectures=["BertForSequenceClassification"], **changes)
    assert ModelFolder.plain(folder).manifest.problem is problem


@pytest.mark.parametrize(
    ("config", "tokenizer", "window"),
    [
        ({}, {}, 64),
        ({}, {"model_max_length": 48}, 48),
        ({"max_position_embeddings": 514, "model_type": "roberta"}, {"model_max_length": int(1e30)}, 512),
        ({"max_position_embeddings": 8192, "model_type": "modernbert"}, {"model_max_length": None}, 8192),
        ({"max_position_embeddings": None, "n_positions": 256, "model_type": "gpt2"}, {"model_max_length": None}, 256),
        ({"max_position_embeddings": -1}, {"model_max_length": None}, 512),
    ],
)
def test_windows(folder: Path, config: dict[str, object], tokenizer: dict[str, object], window: int) -> None:
    edit(folder / "config.json", **config)
    edit(folder / "tokenizer_config.json", **tokenizer)
    assert ModelFolder.plain(folder).manifest.window == window


def test_what_is_no_such_model(folder: Path, alone: Path) -> None:
    from safetensors.torch import load_file, save_file

    edit(folder / "config.json", architectures=["BertForMaskedLM"])
    with pytest.raises(FolderError, match=r"for something else \(BertForMaskedLM\).*tagline train FILE --encoder"):
        tagline.load(folder)
    edit(folder / "config.json", architectures=["BertForTokenClassification"])
    weights = load_file(folder / WEIGHTS)
    save_file({key: value for key, value in weights.items() if "classifier" not in key}, folder / WEIGHTS)
    with pytest.raises(FolderError, match=r"2 weights are missing from its file, the first is classifier\.bias"):
        tagline.load(folder)
    edit(folder / "config.json", model_type="unheard-of", auto_map={"AutoConfig": "code.Config"})
    with pytest.raises(FolderError, match="cannot be loaded"):
        tagline.load(folder)
    assert converted(alone) == []
    refused(call("predict", folder, "--text", TEXT), "cannot be loaded")
