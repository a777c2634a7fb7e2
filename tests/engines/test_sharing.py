"""Two processes that run one model hold its weights once: mapped, clean, shared."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tagline.folder import GRAPH_WEIGHTS

ROOT = Path(__file__).resolve().parent.parent.parent
HOLD = """
import sys
import numpy as np
from tagline.engines import EngineSettings, open_engine
from tagline.folder import ModelFolder
from tagline.records import Batch
engine = open_engine(ModelFolder.open(sys.argv[1]), EngineSettings("openvino", "f32", threads=1))
ids = np.arange(15_000).reshape(-1, 15)[:200]
list(engine.run([Batch(ids, np.ones_like(ids), np.zeros_like(ids))]))
sys.stdout.write("ready\\n"); sys.stdout.flush()
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose weights take a few megabytes, most of them word embeddings, as in real ones."""
    import torch
    import transformers
    from tests.families import LABELS, tokenizer_of

    from tagline.folder import Manifest, seal
    from tagline.publish.graph import write_graph

    folder = tmp_path_factory.mktemp("large")
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=20_000, hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=256,
        max_position_embeddings=64, id2label=dict(enumerate(LABELS)),
    )  # fmt: skip
    model = transformers.BertForTokenClassification(config).eval()  # type: ignore[no-untyped-call]
    model.save_pretrained(folder)
    tokenizer_of("bert-uncased").save_pretrained(folder)
    write_graph(model, folder)
    seal(folder, Manifest(window=64, overlap=15, version="test"))
    with (folder / GRAPH_WEIGHTS).open("rb") as file:
        os.fsync(file.fileno())  # until it is on the disk, its pages count as dirty whoever maps them
    return folder


def mapped(process: int, name: str) -> dict[str, int]:
    """Bytes of a process's mappings of a file, by kind."""
    found: dict[str, int] = {}
    inside = False
    for line in Path(f"/proc/{process}/smaps").read_text(encoding="utf-8").splitlines():
        head, *rest = line.split()
        if not head.endswith(":"):
            inside = line.endswith(name)
        elif inside and rest[-1] == "kB":
            found[head[:-1]] = found.get(head[:-1], 0) + 1024 * int(rest[0])
    return found


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="the system does not tell what a process maps")
def test_two_processes_share_the_weights(large: Path, tmp_path: Path) -> None:
    size = (large / GRAPH_WEIGHTS).stat().st_size
    assert size > 10_000_000
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TAGLINE_CACHE": str(tmp_path)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", HOLD, str(large)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        for process in processes:
            found = mapped(process.pid, GRAPH_WEIGHTS)
            assert {found[kind] for kind in ("Private_Dirty", "Shared_Dirty", "Anonymous")} == {0}, found
            assert found["Shared_Clean"] > 0.8 * size, found
            assert found["Pss"] < 0.7 * found["Rss"], found  # each bears its half
    finally:
        for process in processes:
            process.communicate(b"\n", timeout=60)
    assert [process.returncode for process in processes] == [0, 0]
