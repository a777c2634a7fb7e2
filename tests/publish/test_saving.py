"""A graph that cannot be saved: the disk is full, or a file may not grow so large."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
import torch
from transformers import BertConfig, BertForTokenClassification

from tagline.data.atomic import atomic_folder
from tagline.errors import OutputError
from tagline.folder import GRAPH, INT8_GRAPH
from tagline.publish.graph import save, write_graph
from tagline.publish.int8 import write_int8
from tagline.publish.int8_dynamic import write_dynamic_int8
from tagline.records import Batch


@contextmanager
def full(place: Path) -> Iterator[None]:
    """A disk of 4 MB at a place."""
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here (needs root)")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture(scope="module")
def model() -> Any:
    """Of 10 MB in float32, so that neither graph has room."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=20000, hidden_size=128, num_hidden_layers=1, num_attention_heads=2, intermediate_size=128
    )  # fmt: skip
    config.num_labels = 3
    made: Any = BertForTokenClassification(config)
    return made.eval()


def refusal() -> Any:
    return pytest.raises(OutputError, match="m cannot be written: the disk is full; free some space")


def window() -> Batch:
    ids = np.full((1, 9), 5, dtype=np.int64)
    return Batch(ids, np.ones_like(ids), np.zeros_like(ids))


def calibrated(folder: Path) -> None:
    write_int8(folder, [window()], lambda: 1.0, 1.0)


def dynamic(folder: Path) -> None:
    write_dynamic_int8(folder, lambda: 1.0, 1.0)


@pytest.mark.parametrize("write", [calibrated, dynamic])
def test_int8_on_a_full_disk(tmp_path: Path, model: Any, write: Callable[[Path], None]) -> None:
    pytest.importorskip("nncf", reason="int8 needs the extra int8")
    (tmp_path / "disk").mkdir()
    (tmp_path / "graph").mkdir()
    write_graph(model, tmp_path / "graph")
    with full(tmp_path / "disk"):
        (tmp_path / "disk" / "filler").write_bytes(bytes(3 << 20))
        with refusal(), atomic_folder(tmp_path / "disk" / "m") as folder:
            for each in (tmp_path / "graph").iterdir():
                (folder / each.name).symlink_to(each)
            write(folder)
        assert [each.name for each in (tmp_path / "disk").iterdir()] == ["filler"]


def test_a_graph_on_a_full_disk(tmp_path: Path, model: Any) -> None:
    """OpenVINO leaves nothing of what it wrote, so that there is room again when the reason is looked for."""
    (tmp_path / "disk").mkdir()
    with full(tmp_path / "disk"):
        with refusal(), atomic_folder(tmp_path / "disk" / "m") as folder:
            write_graph(model, folder)
        assert list((tmp_path / "disk").iterdir()) == []


def test_a_file_that_may_not_grow_so_large(tmp_path: Path, model: Any) -> None:
    write_graph(model, tmp_path)
    graph = openvino.Core().read_model(tmp_path / GRAPH)
    before, action = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as found:
            save(graph, tmp_path / INT8_GRAPH)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, action)
    assert found.value.errno == errno.EFBIG
    assert not (tmp_path / INT8_GRAPH).with_suffix(".bin").exists()
