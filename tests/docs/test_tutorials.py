"""The cells of the tutorials run, in their small mode, one after the other as a notebook runs them."""

from __future__ import annotations

import ast
import io
import shlex
import shutil
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from tests.cli.support import ROOT
from tests.docs.blocks import Block
from tests.docs.running import parse

import tutorial

SOURCES = [path for path in sorted((ROOT / "docs" / "tutorials").glob("*.md")) if path.stem != "index"]


def cells(path: Path) -> Iterator[str]:
    """The code of a tutorial, cell by cell, from the very notebook that readers download."""
    import jupytext

    for cell in jupytext.reads(path.read_text("utf-8"), fmt="md:myst").cells:
        if cell.cell_type == "code":
            yield cell.source


def run(source: str, place: str, names: dict[str, Any]) -> str:
    """Runs a cell; gives what its last line draws, as a notebook would show it."""
    tree = ast.parse(source, place)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, place, "exec"), names)
    if not isinstance(last, ast.Expr):
        return ""
    value = eval(compile(ast.Expression(last.value), place, "eval"), names)
    return str(value._repr_html_()) if hasattr(value, "_repr_html_") else ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_commands_are_well_formed(path: Path) -> None:
    """Every cell compiles, and every command in it has only options that the command line knows."""
    for number, source in enumerate(cells(path), start=1):
        block = Block(path, number, "python", source, "the tests marked slow run it")
        for node in ast.walk(ast.parse(source, path.name)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("tagline", "asked"):
                line = eval(compile(ast.Expression(_named(node.args[0])), path.name, "eval"))
                parse(shlex.split(line), block)


def _named(line: ast.expr) -> ast.expr:
    """The text of a command with a name in the place of each value, and nothing in that of further options."""
    if isinstance(line, ast.JoinedStr):
        line.values = [
            each if isinstance(each, ast.Constant) else ast.Constant("" if "steps" in ast.unparse(each) else "x")
            for each in line.values
        ]
    return ast.fix_missing_locations(line)


@pytest.mark.slow
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_tutorial(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if path.stem == "spark" and not shutil.which("java"):
        pytest.skip("no Java; install default-jre-headless to run the tutorial of Spark")
    import matplotlib as mpl
    from matplotlib import pyplot

    mpl.use("Agg")
    monkeypatch.setattr(tutorial, "WORK", tmp_path)
    monkeypatch.setattr(tutorial, "LONG", False)
    monkeypatch.chdir(path.parent)
    names: dict[str, Any] = {}
    drawn = []
    with redirect_stdout(io.StringIO()):
        for number, source in enumerate(cells(path), start=1):
            drawn.append(run(source, f"{path.name}, cell {number}", names))
    figures = [pyplot.figure(number) for number in pyplot.get_fignums()]
    assert figures, "no picture"
    assert any(axes.has_data() for figure in figures for axes in figure.axes)
    assert any("<" in each for each in drawn), "no coloured text"
    pyplot.close("all")
