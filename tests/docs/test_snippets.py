"""Every command and every snippet of README.md and docs/ runs, or says why not and is at least well formed."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.support import ROOT
from tests.docs.blocks import Block, blocks, pages
from tests.docs.running import Runner, options

FOREIGN = {"--archives", "--conf", "--no-deps", "--nproc-per-node", "--train_file"}
"""Options of other programs of which pages speak."""


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_page(path: Path, place: Path, address: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # it takes this machine for the network
    found = list(blocks(path))
    if any("tagline.spark" in block.text or "--spark" in block.text for block in found) and not shutil.which("java"):
        pytest.skip("no Java; install default-jre-headless to run the snippets of Spark")
    runner = Runner(place / "encoder", address)
    with contextlib.redirect_stdout(io.StringIO()):
        for block in found:
            try:
                runner.run(block)
            except Exception as error:
                raise AssertionError(f"{block.place}: {type(error).__name__}: {error}") from error


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_escapes(path: Path) -> None:
    """No indented block, which names no language; no option within a sentence that no command has."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parse(path.read_text("utf-8"))
    assert [token.map for token in tokens if token.type == "code_block"] == [], "indented code: fence it"
    inline = [child for token in tokens for child in token.children or () if child.type == "code_inline"]
    asked = {option for child in inline for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", child.content)}
    if path.parent.name != "decisions":  # they may speak of what was given up
        assert asked <= options() | FOREIGN, asked - options() - FOREIGN


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_files(path: Path) -> None:
    """As a reader of the repository follows them; the site's own links are checked by `test_site`."""
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text("utf-8")):
        assert "://" in target or (path.parent / target).exists(), target


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("bash", "tagline train train.conll --epoch 3 -o x"),
        ("bash", "tagline tain train.conll"),
        ("bash", 'pip install "tagline[tarin]"'),
        ("bash", "make everything"),
        ("bash", "rm -r my-model"),
        ("bash", "tagline evaluate my-model gone.conll"),
        ("bash", "curl http://127.0.0.1:8000/v1/gone"),
        ("python", "import tagline\ntagline.load('gone')"),
        ("text", "tagline predict my-model"),
        ("json", "{"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_seen(language: str, text: str, place: Path, address: Callable[[], str]) -> None:
    runner = Runner(place / "encoder", address)
    with pytest.raises(Exception):  # noqa: B017, PT011 - each fails in its own way
        runner.run(Block(ROOT / "README.md", 1, language, text, ""))


def test_what_is_not_run_is_parsed(place: Path, address: Callable[[], str]) -> None:
    runner = Runner(place / "encoder", address)
    runner.run(Block(ROOT / "README.md", 1, "bash", "tagline train gone.conll -o x", "no such file"))
    with pytest.raises(AssertionError, match="--epoch"):
        runner.run(Block(ROOT / "README.md", 1, "bash", "tagline train gone.conll --epoch 3 -o x", "no such file"))
    with pytest.raises(SyntaxError):
        runner.run(Block(ROOT / "README.md", 1, "python", "import", "no such module"))
