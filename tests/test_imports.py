"""The import rule of docs/decisions/0001: imports only go up the list of folders."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "tagline"

BASE = {"records", "errors", "machine", "drawing", "hub", "names"}
READING = BASE | {"data", "text"}
JUDGING = READING | {"folder", "evaluate"}
ALLOWED = {
    "records": BASE,
    "errors": BASE,
    "machine": BASE,
    "drawing": BASE,
    "hub": BASE,
    "names": BASE,
    "data": BASE,
    "text": BASE | {"data"},
    "folder": JUDGING,
    "evaluate": JUDGING,
    "models": READING | {"folder"},
    "train": JUDGING | {"models"},
    "engines": BASE | {"folder"},
    "foreign": JUDGING | {"engines", "publish"},
    "predict": JUDGING | {"engines", "foreign"},
    "report": BASE | {"evaluate"},
    "publish": JUDGING | {"engines", "models"},
    "spark": BASE | {"predict"},
    "serve": BASE | {"predict"},
    "app": BASE | {"predict"},
    "spacy_components": BASE | {"predict"},
    "scikit": READING | {"folder", "engines", "predict", "publish", "train"},
}
DEFERRED = {"cli", "__init__", "__main__"}  # anything, inside functions or for type checkers
HEAVY = ("torch", "transformers", "pyarrow", "datasets", "matplotlib", "rich", "typer")


def unit_of(parts: tuple[str, ...]) -> str:
    return parts[0] if parts else "__init__"


def walk(node: ast.AST, depth: int = 0) -> Iterator[tuple[ast.AST, int]]:
    """Every node below `node`, with the number of functions and `if TYPE_CHECKING` around it."""
    for child in ast.iter_child_nodes(node):
        yield child, depth
        typing = isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"
        inner = depth + (typing or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))
        yield from walk(child, inner)


def targets(node: ast.AST, folder: tuple[str, ...]) -> Iterator[str]:
    """Units of the package that an import statement in `folder` reaches; `__version__` lies in no unit."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            top, *rest = alias.name.split(".")
            if top == "tagline":
                yield unit_of(tuple(rest))
    elif isinstance(node, ast.ImportFrom):
        parts = tuple(node.module.split(".")) if node.module else ()
        if node.level:
            parts = ("tagline", *folder[: len(folder) - node.level + 1], *parts)
        if parts[0] != "tagline":
            return
        if len(parts) > 1:
            yield parts[1]
            return
        for alias in node.names:
            if alias.name != "__version__":
                yield alias.name if alias.name in {*ALLOWED, "cli"} else "__init__"


def complaints(package: Path) -> list[str]:
    """One sentence for each import that breaks the rule and each call of print."""
    found = []
    for file in sorted(package.rglob("*.py")):
        *folder, name = file.relative_to(package).parts
        unit = folder[0] if folder else name.removesuffix(".py")
        if unit not in ALLOWED and unit not in DEFERRED:
            found.append(f"{file}: {unit!r} has no rank; give it one in docs/decisions and in tests/test_imports.py")
            continue
        allowed = ALLOWED.get(unit, BASE) | {unit}
        if unit == "engines" and "torch" in name:
            allowed |= {"models"}
        for node, depth in walk(ast.parse(file.read_text(encoding="utf-8"))):
            line = getattr(node, "lineno", 0)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                found.append(f"{file}, line {line}: calls print; return the value or use the command line's console")
            if unit in DEFERRED and depth:
                continue
            for target in targets(node, tuple(folder)):
                if target not in allowed:
                    where = "outside a function" if unit in DEFERRED else "anywhere"
                    found.append(
                        f"{file}, line {line}: {unit} imports {target}, but may import only "
                        f"{', '.join(sorted(allowed))} {where} (docs/decisions/0001)"
                    )
    return found


def test_imports_only_go_up_the_list() -> None:
    assert len(list(PACKAGE.rglob("*.py"))) > 5
    assert not (found := complaints(PACKAGE)), "\n".join(found)


@pytest.mark.parametrize(
    ("file", "code", "broken"),
    [
        ("data/a.py", "from tagline.text import words", "line 1: data imports text"),
        ("data/a.py", "from ..text.words import split", "line 1: data imports text"),
        ("data/deep/a.py", "from ...text import words", "line 1: data imports text"),
        ("data/a.py", "from .. import text", "line 1: data imports text"),
        ("data/a.py", "import tagline.text.words as w", "line 1: data imports text"),
        ("data/a.py", "def f():\n    import tagline.predict", "line 2: data imports predict"),
        ("data/a.py", "if TYPE_CHECKING:\n    from tagline.models import crf", "line 2: data imports models"),
        ("data/a.py", "from tagline import load", "line 1: data imports __init__"),
        ("serve/a.py", "import tagline.text", "line 1: serve imports text"),
        ("engines/openvino.py", "import tagline.models", "line 1: engines imports models"),
        ("cli/a.py", "import tagline.predict", "line 1: cli imports predict"),
        ("__init__.py", "from tagline.predict import load", "line 1: __init__ imports predict"),
        ("other/a.py", "", "'other' has no rank"),
        ("text/a.py", "def f():\n    print(1)", "line 2: calls print"),
        ("data/a.py", "from tagline import __version__\nfrom .b import c\nfrom tagline.errors import DataError", ""),
        ("text/a.py", "from . import words\nfrom ..data import schemes\nimport numpy, json", ""),
        ("engines/pytorch.py", "def f():\n    import tagline.models", ""),
        ("cli/a.py", "from tagline.cli import b\ndef f():\n    from tagline.predict import load", ""),
        ("cli/a.py", "if TYPE_CHECKING:\n    from tagline.predict import load", ""),
        ("__init__.py", "def __getattr__(name):\n    from tagline.predict import load", ""),
    ],
)
def test_walker_sees_what_breaks_the_rule_and_nothing_else(tmp_path: Path, file: str, code: str, broken: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code, encoding="utf-8")
    found = complaints(tmp_path)
    assert len(found) == bool(broken)
    assert all(broken in each and str(path) in each for each in found)


@pytest.mark.parametrize(
    ("module", "absent"), [("tagline", (*HEAVY, "openvino", "tokenizers", "numpy")), ("tagline.predict", HEAVY)]
)
def test_importing_loads_nothing_heavy(module: str, absent: tuple[str, ...]) -> None:
    code = f"import sys, {module}; sys.stdout.write(' '.join(sorted(set({absent!r}) & set(sys.modules))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "", f"import {module} loads {done.stdout}"
