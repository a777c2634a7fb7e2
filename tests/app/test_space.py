"""The Space folder: whole, pinned, and at work with nothing but itself."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.app.conftest import Models, Visitor
from tests.app.serving import serving
from tests.cli.support import ROOT, call, refused, tree

import tagline
from tagline.publish.space import NEEDED

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TEXT = "Maria Novak moved from Lisbon to Oslo."


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_space_runs_by_itself(models: Models, browser: Browser, visit: Visitor, tmp_path: Path) -> None:
    space = tmp_path / "space"
    (tmp_path / "own.txt").write_text(f"{TEXT}\nJohn Parker stayed.\n", encoding="utf-8")
    done = call("export", models.tagger, "--to", "space", space, "--examples", tmp_path / "own.txt")
    assert done.code == 0, done
    where = subprocess.run(
        [sys.executable, "-c", "import tagline.app.home, tagline; print(tagline.__file__)"],
        cwd=space, capture_output=True, text=True, check=True, env=_plain(space),
    )  # fmt: skip
    assert Path(where.stdout.strip()) == space / "tagline" / "__init__.py"
    port = free_port()
    command = [
        sys.executable, "-m", "streamlit", "run", "app.py", "--server.address=127.0.0.1", f"--server.port={port}",
    ]  # fmt: skip
    with serving(command, _plain(space), space, f"http://127.0.0.1:{port}") as url:
        there = visit(url=url)
        page = there.open()
        page.locator(".st-key-sample_0 button").click()
        page.locator(".st-key-marked").wait_for()
        there.rest()
        answer = tagline.load(models.tagger)(TEXT)
        assert [chip.rpartition(" ")[0] for chip in there.chips()] == [
            f"{each['text']} {each['label']}" for each in answer.fields()["entities"]
        ]
        assert page.get_by_role("link", name="Compare").count() == 0
        page.context.close()  # before its server goes, which the page would complain of


def _plain(space: Path) -> dict[str, str]:
    """The environment of somebody who has not installed Tagline."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(space),
    }  # fmt: skip


def test_what_is_in_it(models: Models, tmp_path: Path) -> None:
    space = tmp_path / "space"
    done = call("export", models.stars, "--to", "space", space, "--json")
    assert done.code == 0, done
    made = json.loads(done.out)["files"]
    assert {"README.md", "Dockerfile", "app.py", "requirements.txt", ".github/workflows/sync.yml"} <= set(made)
    files = tree(space)
    assert files["model/openvino_model.bin"] == (models.stars / "openvino_model.bin").read_bytes()
    assert "model/model.safetensors" not in files  # the Space runs the graph
    assert not [name for name in files if name.startswith(("tagline/cli", "tagline/train")) or "__pycache__" in name]
    written = {name: text for name, text in files.items() if not name.endswith(".bin")}  # weights may hold any bytes
    assert not [name for name, text in written.items() if re.search(rb"@[A-Z]+@", text)]
    front = dict(re.findall(r"^(\w+): (.*)$", files["README.md"].decode().split("---")[1], re.MULTILINE))
    assert (front["sdk"], front["app_port"], front["title"]) == ("docker", "8501", '"stars"')
    assert len(front["short_description"]) <= 60  # the hub's bound
    assert all(line.partition("==")[2] for line in files["requirements.txt"].decode().splitlines())
    assert b"model/*.bin filter=lfs" in files[".gitattributes"]
    assert tomllib.loads(files[".streamlit/config.toml"].decode())["browser"]["gatherUsageStats"] is False
    workflow = files[".github/workflows/sync.yml"].decode()
    assert "secrets.HF_TOKEN" in workflow
    assert "lfs: true" in workflow


def test_the_workflow_pushes_the_space(models: Models, tmp_path: Path) -> None:
    """Its own script, as GitHub would run it, with a repository on this machine in place of the hub."""
    yaml = pytest.importorskip("yaml")
    space, hub = tmp_path / "space", tmp_path / "hub" / "me" / "mine"
    assert call("export", models.stars, "--to", "space", space).code == 0
    workflow = yaml.safe_load((space / ".github/workflows/sync.yml").read_text(encoding="utf-8"))
    assert workflow[True]["push"]["branches"] == ["main"]  # "on", which YAML takes for a truth value
    checkout, push = workflow["jobs"]["sync"]["steps"]
    assert checkout["with"] == {"fetch-depth": 0, "lfs": True, "persist-credentials": False}
    assert push["env"] == {"HF_SPACE": "${{ vars.HF_SPACE }}", "HF_TOKEN": "${{ secrets.HF_TOKEN }}"}
    settings = tmp_path / "gitconfig"
    address = "https://user:secret@huggingface.co/spaces/"
    settings.write_text(f'[url "{hub.parent.parent}/"]\n\tinsteadOf = {address}\n', encoding="utf-8")
    plain = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": str(settings),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
    }  # fmt: skip

    def git(*words: object, where: Path = space) -> str:
        done = subprocess.run(
            ["git", *map(str, words)], cwd=where, env=plain, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        words = ["bash", "-e", "-c", push["run"]]
        return subprocess.run(words, cwd=space, env=plain | environment, capture_output=True, text=True, check=False)

    hub.mkdir(parents=True)
    git("init", "-q", "--bare", "-b", "main", where=hub)
    for line in ("one", "two"):
        (space / "note.txt").write_text(line, encoding="utf-8")
        if line == "one":
            git("init", "-q", "-b", "main")
        git("add", "-A")
        git("commit", "-q", "-m", line)
        done = run(HF_SPACE="me/mine", HF_TOKEN="secret")
        assert done.returncode == 0, done.stderr
        assert git("rev-parse", "main", where=hub) == git("rev-parse", "HEAD")
    assert set(git("ls-tree", "-r", "--name-only", "main", where=hub).splitlines()) == set(tree(space)) - {
        name for name in tree(space) if name.startswith(".git/")
    }
    for missing, given in (("HF_SPACE", {"HF_TOKEN": "secret"}), ("HF_TOKEN", {"HF_SPACE": "me/mine"})):
        done = run(**given)
        assert done.returncode == 1
        assert missing in done.stdout


def test_requirements_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = dict(each.split(">=") for each in (*project["dependencies"], *project["optional-dependencies"]["app"]))
    assert {name: declared[name] for name in NEEDED} == NEEDED


def test_what_is_refused_and_what_is_kept(models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = tmp_path / "space"
    refused(call("export", models.stars, "--to", "space"), "needs a folder", "--to space DIR")
    refused(call("export", models.stars, "--to", "onnx", space, "--sample", "x"), "DIR", "--to space")
    refused(call("export", tmp_path / "none", "--to", "space", space), "does not exist")
    (space / ".git").mkdir(parents=True)
    (space / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (space / "old.txt").write_text("old")
    refused(call("export", models.stars, "--to", "space", space), "not empty", "--overwrite")
    assert call("export", models.stars, "--to", "space", space, "--overwrite").code == 0
    assert (space / ".git" / "HEAD").read_text() == "ref: refs/heads/main\n"
    assert not (space / "old.txt").exists()
    plain = tmp_path / "plain"
    plain.mkdir()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (plain / name).write_bytes((models.stars / name).read_bytes())
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path / "cache"))
    assert call("export", plain, "--to", "space", tmp_path / "other").code == 0  # a folder of transformers is converted
    assert list((tmp_path / "other").rglob("openvino_model.xml"))
