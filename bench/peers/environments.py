"""An environment for each kind of peer, made when first needed: build/bench/envs/NAME from bench/peers/NAME.txt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from common import OUT, ROOT

HERE = Path(__file__).parent
ENVS = OUT / "envs"
CORE = "tagline"
"""The environment that holds what `pip install .` brings, and nothing else."""
SHIPPED = "tagline/shipped"
"""Where its packages hold the models that come with Tagline."""


class Missing(Exception):
    """A peer that cannot be had here, with the reason."""


def environment(name: str) -> Path:
    """The Python of an environment, which is installed first where it is not there or its requirements have changed.

    Raises:
        Missing: pip cannot install it.
    """
    python = ENVS / name / "bin" / "python"
    stamp = ENVS / name / ".installed"
    if name == CORE:
        return _core(python, stamp)
    wanted = (HERE / f"{name}.txt").read_text(encoding="utf-8")
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        _create(name)
        _pip(python, "-r", str(HERE / f"{name}.txt"))
        stamp.write_text(wanted, encoding="utf-8")
    return python


def _core(python: Path, stamp: Path) -> Path:
    """Tagline as it is now; its dependencies are installed once."""
    wanted = (ROOT / "pyproject.toml").read_text() + (ROOT / "constraints.txt").read_text()
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        _create(CORE)
        _pip(python, str(ROOT), "-c", str(ROOT / "constraints.txt"))
        stamp.write_text(wanted, encoding="utf-8")
    else:
        _pip(python, "--no-deps", "--force-reinstall", str(ROOT))
    return python


def _create(name: str) -> None:
    print(f"bench: installing {ENVS / name}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVS / name)], check=True)


def _pip(python: Path, *arguments: str) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise Missing("pip: " + (said[-1].removeprefix("ERROR: ") if said else f"status {done.returncode}"))


def installed_bytes(python: Path) -> dict[str, int]:
    """Bytes on disk of each top folder or file of an environment's packages, pip and setuptools left out.

    The models that come with Tagline are a part of their own.
    """
    (site,) = python.parent.parent.glob("lib/python*/site-packages")
    left = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence")
    sizes: dict[str, int] = {}
    for each in site.iterdir():
        if not each.name.startswith(left):
            sizes[each.name] = _bytes(each)
    if (site / SHIPPED).is_dir():
        sizes[SHIPPED] = _bytes(site / SHIPPED)
        sizes[CORE] -= sizes[SHIPPED]
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def _bytes(place: Path) -> int:
    return sum(512 * each.lstat().st_blocks for each in (place, *place.rglob("*")))
