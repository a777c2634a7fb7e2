"""Models by name: the order of the places, packages, the hub's cache, a hub on loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.support import call
from tests.hub.server import COMMIT, Hub

from tagline import hub, names
from tagline.errors import FolderError, UsageError
from tagline.folder import ModelFolder, seal
from tagline.publish.package import write_package

CONFIG = {"architectures": ["BertForTokenClassification"], "model_type": "bert", "id2label": {"0": "O", "1": "B-X"}}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder as far as it matters before an engine opens it."""
    folder = tmp_path / "made" / "names-of-x"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    for name in ("openvino_int8.xml", "openvino_int8.bin"):
        (folder / name).write_bytes(name.encode() * 20_000)
    seal(folder, ModelFolder.open(folder).manifest)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "hub-cache"
    monkeypatch.setenv("HF_HUB_CACHE", str(place))
    monkeypatch.delenv("TAGLINE_MODELS", raising=False)
    return place


def test_places_in_their_order(model: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert names.resolve(model) == model
    monkeypatch.setattr(names, "shipped", lambda: {"ner-news": model})
    assert names.resolve("ner-news") == model
    for name in ("ner-news", "ner-news_en", "ner-news-en"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        monkeypatch.setenv("TAGLINE_MODELS", str(tmp_path / "mine"))
        expected = "ner-news_en" if name != "ner-news" else name
        assert names.resolve("ner-news").name == expected
    assert names.resolve("ner-news", "es").name == "ner-news"
    (tmp_path / "ner-news").mkdir()
    assert names.resolve("ner-news") == Path("ner-news")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nope", ("does not exist", "TAGLINE_MODELS names no folder", "hub's cache", "tagline models pull")),
        ("./nope", ("does not exist", "expected a model folder")),
        ("a/b/c", ("does not exist", "expected a model folder")),
        ("owner/nope", ("HF_HUB_OFFLINE forbids",)),
    ],
)
def test_what_is_nowhere_is_said_with_the_places(name: str, said: tuple[str, ...], cache: Path) -> None:
    with pytest.raises(FolderError) as caught:
        names.resolve(name)
    for part in said:
        assert part in str(caught.value)


def test_cache_is_read_without_the_library_and_only_if_complete(model: Path, cache: Path) -> None:
    place = cache / "models--owner--x"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(COMMIT, encoding="utf-8")
    (place / "snapshots").mkdir()
    snapshot = place / "snapshots" / COMMIT
    model.rename(snapshot)
    for name in ("owner/x", "owner/x@main", f"owner/x@{COMMIT}"):
        assert names.resolve(name) == snapshot
    assert [each.repo for each in hub.all_cached()] == ["owner/x"]
    (snapshot / "openvino_int8.bin").unlink()
    assert hub.cached(hub.HubName("owner/x")) is None
    assert hub.all_cached() == []


@pytest.mark.parametrize("vocabulary", ["tokenizer.json", "sentencepiece.bpe.model", "spm.model"])
def test_cache_knows_the_vocabularies_of_other_families(vocabulary: str, cache: Path) -> None:
    place = cache / "models--owner--x"
    snapshot = place / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(COMMIT, encoding="utf-8")
    (snapshot / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    (snapshot / "model.safetensors").write_bytes(b"x")
    assert hub.cached(hub.HubName("owner/x")) is None
    (snapshot / vocabulary).write_bytes(b"x")
    assert hub.cached(hub.HubName("owner/x")) == snapshot


def test_a_package_is_found_once_it_is_installed(
    model: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = write_package(ModelFolder.open(model), "names-of-x", tmp_path)
    assert wheel.name == "tagline_model_names_of_x-1.0.0-py3-none-any.whl"
    first = wheel.read_bytes()
    assert write_package(ModelFolder.open(model), "names-of-x", tmp_path).read_bytes() == first
    with pytest.raises(FolderError):
        names.resolve("names-of-x")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", tmp_path / "site", wheel],
        check=True, capture_output=True,
    )  # fmt: skip
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    found = names.resolve("names-of-x")
    assert found == tmp_path / "site" / "tagline_model_names_of_x" / "names-of-x"
    assert names.all_packaged() == {"names-of-x": found}
    ModelFolder.open(found).verify(["openvino_int8.bin"])
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
    with pytest.raises(UsageError, match="cannot be a package's name"):
        write_package(ModelFolder.open(model), "a b", tmp_path)


class Site:
    """A hub with one model, and the command line beside it."""

    def __init__(self, server: Hub, model: Path, home: Path) -> None:
        self.server, self.model, self.home = server, model, home

    def call(self, *words: object, **more: str) -> tuple[int, Any, str]:
        environment = {
            **os.environ, "HF_ENDPOINT": self.server.address, "HF_HOME": str(self.home), "HF_TOKEN": "hf_x",
            "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_XET": "1", **more,
        }  # fmt: skip
        environment.pop("HF_HUB_CACHE", None)
        command = [sys.executable, "-m", "tagline", "models", *map(str, words), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


@pytest.fixture
def site(model: Path, tmp_path: Path) -> Iterator[Site]:
    files = {each.name: each.read_bytes() for each in model.iterdir()}
    server = Hub({"owner/x": files}, {"openvino_int8.bin"})
    yield Site(server, model, tmp_path / "home")
    server.close()


def test_pull_goes_on_where_it_broke_off_and_pins_the_commit(site: Site) -> None:
    pytest.importorskip("huggingface_hub", reason="the hub needs the extra hub")
    files = site.server.files["owner/x"]
    files["openvino_int8.bin"] = os.urandom(24_000_000)  # the library writes 10 MiB at once
    code, found, said = site.call("pull", "owner/x")
    assert code == 0, said
    assert (found["commit"], found["revision"]) == (COMMIT, "main")
    folder = Path(found["path"])
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == files
    ranges = [each for _, path, each in site.server.asked if path.endswith("openvino_int8.bin") and each]
    assert f"bytes={10 * 2**20}-" in ranges
    asked = len(site.server.asked)
    code, found, said = site.call("list", HF_HUB_OFFLINE="1")
    assert (code, [(each["name"], each["commit"]) for each in found if each["from"] == "cache"]) == (
        0, [("owner/x", COMMIT)],
    )  # fmt: skip
    code, found, said = site.call("show", "owner/x", HF_HUB_OFFLINE="1")
    assert (code, found["labels"], len(site.server.asked)) == (0, ["O", "B-X"], asked), said
    code, _, said = site.call("pull", "owner/none")
    assert code == 2
    assert "it has no such model" in said
    assert "Traceback" not in said


def test_a_package_is_called_as_its_folder_is(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model)
    done = call("models", "package", ".", "-o", tmp_path, "--json")
    assert json.loads(done.out)["name"] == "names-of-x"
    place = tmp_path / "hub" / "models--owner--x"
    snapshot = place / "snapshots" / COMMIT
    shutil.copytree(model, snapshot)
    monkeypatch.setenv("HF_HUB_CACHE", str(place.parent))
    done = call("models", "package", f"owner/x@{COMMIT}", "-o", tmp_path, "--json")
    assert json.loads(done.out)["name"] == "x"
    assert (names.called(snapshot), names.called(model)) == ("owner/x", "names-of-x")


def test_export_leaves_the_hubs_cache_as_it_was_fetched(model: Path, cache: Path, tmp_path: Path) -> None:
    snapshot = cache / "models--someone--names-of-x" / "snapshots" / COMMIT
    shutil.copytree(model, snapshot)
    before = {path.name: path.read_bytes() for path in snapshot.iterdir()}
    sample = tmp_path / "sample.txt"
    sample.write_text("Ada met Charles.\n", encoding="utf-8")
    done = call("export", snapshot, "--to", "onnx", "--sample", sample)
    assert done.code == 2
    assert "someone/names-of-x lies in the cache" in done.err
    assert f"cp -rL {snapshot} my-model" in done.err.replace("\n", " ")
    assert {path.name: path.read_bytes() for path in snapshot.iterdir()} == before


def test_push_sends_the_folder_with_the_token(site: Site) -> None:
    pytest.importorskip("huggingface_hub", reason="the hub needs the extra hub")
    code, found, said = site.call("push", site.model, "owner/y", "--private")
    assert code == 0, said
    assert found["commit"] == COMMIT
    sent = site.server.commits["owner/y"]
    assert sent == {each.name: each.read_bytes() for each in site.model.iterdir()}
    assert ("POST", "/api/repos/create", "Bearer hf_x") in site.server.asked
