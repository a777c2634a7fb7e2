"""Runs the blocks of a page: commands of a shell in this process, Python with one namespace a page."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from tests.cli.support import LEARN, ROOT, call
from tests.docs.blocks import Block

ADDRESS = re.compile(r"(?:http://)?(?:127\.0\.0\.1|localhost):8000")
"""Where pages say that a server listens."""
ENDLESS = ("serve", "app")
OUTPUT = ("json", "text", "html", "")
"""Languages of what is shown, not typed."""


@dataclass
class Runner:
    """Runs blocks in the current folder.

    Attributes:
        encoder: a tiny encoder, in the place of the default one.
        server: gives the address of a running server, started when first asked for.
        names: names of the page's Python.
    """

    encoder: Path
    server: Callable[[], str]
    names: dict[str, Any] = field(default_factory=dict)

    def run(self, block: Block) -> None:
        """Runs a block, or checks one that is not run."""
        if block.language in ("bash", "sh"):
            for words in commands(block):
                self.command(words, block)
        elif block.language == "python":
            text = block.text
            if block.reason:
                compile(text, block.place, "exec")
                return
            if ADDRESS.search(text):
                text = ADDRESS.sub(self.server(), text)
            exec(compile("\n" * block.line + text, str(block.path), "exec"), self.names)
        else:
            check(block)

    def command(self, words: list[str], block: Block) -> None:
        """Runs a command, or checks one that is not run."""
        name, *rest = words
        if name in CHECKS:
            CHECKS[name](rest, block)
        elif name == "curl" and not block.reason:
            ask(rest, self.server(), block)
        elif arguments := tagline_of(words):
            parsed = parse(arguments, block)
            if not block.reason and arguments[0] not in ENDLESS:
                done = call(*arguments, *self.more(arguments, parsed))
                assert done.code == 0, f"{block.place}: {shlex.join(words)}\n{done.out}{done.err}"
        else:
            assert block.reason, f"{block.place}: {name!r}: such a command is not run; say why above the block"

    def more(self, arguments: list[str], parsed: dict[str, Any]) -> Iterator[str]:
        """Options that make a command quick and may be given again and again."""
        if arguments[0] == "train":
            if parsed["encoder"] is None:
                yield from ("--encoder", str(self.encoder), *LEARN)  # an export asks for a model that finds something
            else:
                yield from ("--epochs", "1", "--threads", "1")
        if arguments[0] in ("predict", "evaluate", "export", "compare") and not parsed.get("spark"):
            yield from ("--threads", "1")
        if arguments[0] == "export" and parsed["to"] != "space":  # what a model of seconds says lies close together
            yield from ("--min-agreement", "0", "--max-loss", "100")
        if arguments[0] == "compare":
            yield from ("--rounds", "100")
        if "overwrite" in parsed and not parsed.get("resume") and (arguments[0] != "export" or parsed["to"] == "space"):
            yield "--overwrite"


def commands(block: Block) -> Iterator[list[str]]:
    """The commands of a block, without comments, each as its words."""
    for line in block.text.replace("\\\n", " ").splitlines():
        for part in line.split(" && "):
            words = shlex.split(part, comments=True)
            if words:
                yield words


def tagline_of(words: list[str]) -> list[str]:
    """What `tagline` is given by a command, or nothing where it is another one."""
    if words[0] in ("tagline", ".venv/bin/tagline"):
        return words[1:]
    if words[0] in ("python", "torchrun") and "-m" in words and words[words.index("-m") + 1] == "tagline":
        return words[words.index("-m") + 2 :]
    return []


def parse(arguments: list[str], block: Block) -> dict[str, Any]:
    """The options of a command, read by the command line itself."""
    import typer

    from tagline.cli.app import app

    root: Any = typer.main.get_command(app)
    command: Any = root
    path = list(arguments)
    context = command.make_context("tagline", [], resilient_parsing=True)
    while hasattr(command, "commands"):
        assert path, f"{block.place}: tagline without a command"
        assert path[0] in command.commands, f"{block.place}: tagline has no command {path[0]!r}"
        command = command.commands[path.pop(0)]
    if "--help" in path or "-h" in path:
        return {}
    try:
        with command.make_context(command.name, path, parent=context) as parsed:
            return dict(parsed.params)
    except Exception as error:
        raise AssertionError(f"{block.place}: tagline {shlex.join(arguments)}: {error}") from error


@cache
def options() -> set[str]:
    """The long options of all commands."""
    import typer

    from tagline.cli.app import app

    waiting: list[Any] = [typer.main.get_command(app)]
    found = set()
    while waiting:
        command = waiting.pop()
        found |= {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        waiting.extend(getattr(command, "commands", {}).values())
    return {*found, "--help"}


def ask(words: list[str], address: str, block: Block) -> None:
    """What `curl` would ask, asked."""
    url, data, headers = "", None, {}
    rest = iter(words)
    for word in rest:
        if word in ("-d", "--data"):
            data = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        else:
            url = ADDRESS.sub(address, word)
    assert url.startswith(address), f"{block.place}: {url}: not the address of a server that is said to run"
    answer = httpx.get(url, headers=headers) if data is None else httpx.post(url, content=data, headers=headers)
    assert answer.status_code == 200, f"{block.place}: {answer.status_code} {answer.text}"


def pip(words: list[str], block: Block) -> None:
    """`pip install`: the extras that it names are there."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert words[:1] == ["install"], block.place
    for each in words[1:]:
        asked = re.fullmatch(r"(?:\.|tagline)\[(.+)\]", each)
        for extra in asked[1].split(",") if asked else ():
            assert extra in extras, f"{block.place}: there is no extra {extra!r}"


def make(words: list[str], block: Block) -> None:
    """`make`: the target is there."""
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert len(words) == 1, block.place
    assert words[0] in targets, f"{block.place}: the Makefile has no target {words[0]!r}"


CHECKS = {"pip": pip, "make": make}


def check(block: Block) -> None:
    """What is shown and not typed is at least what it is called."""
    if block.language == "json" and not block.reason:
        json.loads(block.text)
    assert block.language in OUTPUT, f"{block.place}: {block.language!r}: such a block is neither run nor checked"
    for line in block.text.splitlines():
        typed = not block.reason and re.match(r"(\$ )?(tagline|pip install|make) ", line)
        assert not typed, f"{block.place}: {line!r} looks like a command; call the block bash"
