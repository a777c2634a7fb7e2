"""What is imported: nothing heavy for inference, and a sentence where an extra is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Workshop
from tests.cli.support import call, refused, spawn

HEAVY = ("torch", "transformers", "accelerate", "safetensors", "pyarrow", "datasets", "pandas", "matplotlib")


@pytest.fixture
def without(tmp_path: Path) -> str:
    """A folder for PYTHONPATH that takes packages away from a process: those in WITHOUT."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import os, sys\nfor name in os.environ['WITHOUT'].split():\n    sys.modules[name] = None\n"
    )
    return str(tmp_path / "site")


def test_inference_needs_the_core_alone(
    workshop: Workshop, tmp_path: Path, without: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", without)
    (tmp_path / "in.jsonl").write_text('{"text": "John Parker moved from Oslo to New York."}\n')
    expected = call("predict", workshop.model, tmp_path / "in.jsonl").out
    result = spawn("predict", workshop.model, tmp_path / "in.jsonl", WITHOUT=" ".join(HEAVY))
    assert (result.code, result.out) == (0, expected)
    assert json.loads(expected)["entities"]


def test_inference_imports_nothing_heavy(workshop: Workshop, tmp_path: Path) -> None:
    import subprocess
    import sys

    from tests.cli.support import environment

    (tmp_path / "in.txt").write_text("John Parker moved from Oslo to New York.\n")
    script = (
        "import atexit, sys\n"
        f"heavy = {(*HEAVY, 'tensorboard', 'sklearn', 'scipy')!r}\n"
        "loaded = lambda: ' '.join(name for name in heavy if name in sys.modules)\n"
        "atexit.register(lambda: sys.stderr.write(f'loaded: {loaded()}\\n'))\n"
        "from tagline.cli import main\n"
        "main()\n"
    )
    for arguments in (
        ("predict", workshop.model, tmp_path / "in.txt", "-o", tmp_path / "out.jsonl"),
        ("evaluate", workshop.model, workshop.test),
    ):
        done = subprocess.run(
            [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, env=environment(), check=False
        )
        assert done.returncode == 0, done
        assert done.stderr.decode().splitlines()[-1] == "loaded: "


@pytest.mark.parametrize("missing", ["torch", "transformers", "accelerate", "tensorboard"])
def test_training_without_its_extra(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, missing, None)
    result = call("train", workshop.train, "-o", tmp_path / "m", "--encoder", workshop.encoder)
    refused(result, "training", 'pip install "tagline[train]"')
    assert list(tmp_path.iterdir()) == []


def test_other_extras(workshop: Workshop, tmp_path: Path, without: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", without)
    monkeypatch.setenv("WITHOUT", " ".join(HEAVY))
    refused(spawn("train", workshop.train, "-o", tmp_path / "m"), 'pip install "tagline[train]"')
    (tmp_path / "in.txt").write_text("Oslo\n")
    (tmp_path / "in.parquet").write_bytes(b"PAR1" + b"\0" * 20)
    predict = ("predict", workshop.model)
    refused(spawn(*predict, tmp_path / "in.txt", "--engine", "torch"), 'pip install "tagline[train]"')
    refused(spawn(*predict, tmp_path / "in.parquet"), 'pip install "tagline[parquet]"')
    refused(spawn(*predict, tmp_path / "in.txt", "-o", tmp_path / "o.parquet"), '"tagline[parquet]"')
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "in.txt", "site"]
