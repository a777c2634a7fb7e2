"""Who takes part, and what each needs beforehand."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peers.driver import WORK, Running, settings
from peers.environments import CORE, Missing, environment

DEFAULTS = "transformers pipeline, defaults"
BEST = "transformers pipeline, sorted, best batch"
BATCHES = (1, 4, 8, 16, 32, 64, 128)
BUDGETS = (512, 1024, 2048, 4096)
_COPIED = ("config.json", "tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True)
class Entry:
    """One peer.

    Attributes:
        name: as the tables show it.
        environment: where it runs.
        module: its script in `bench/peers`.
        kind: `ours`, `pipeline`, `padded` (a bare engine in a careful user's loop) or `other` (another pipeline).
        options: for the script.
        slow: whether it reads fewer of the texts, since else a round takes minutes.
        sweep: values of its setting to choose the quickest from.
    """

    name: str
    environment: str
    module: str
    kind: str
    options: dict[str, Any] = field(default_factory=dict)
    slow: bool = False
    sweep: tuple[int, ...] = ()


def lineup(model: Path, int8: Path | None, bf16: bool) -> list[Entry]:
    """All peers for a model folder.

    Args:
        model: the folder.
        int8: a copy of it that holds Tagline's int8 graph; None without one.
        bf16: whether the processor has bf16.
    """
    folder, graphs = {"folder": str(model)}, WORK / "graphs" / model.name
    ours = [("f32", model), *([("bf16", model)] if bf16 else []), *([("int8", int8)] if int8 else [])]
    low = "bf16" if bf16 else "f32"
    f32, quantised = ({**folder, "graph": str(graphs / name)} for name in ("model.onnx", "model_int8.onnx"))
    return [
        *(Entry(f"Tagline {kind}", CORE, "tagline_peer", "ours", {"folder": str(path), "precision": kind})
          for kind, path in reversed(ours)),
        Entry(DEFAULTS, "transformers", "hf_pipeline", "pipeline", folder, True),
        Entry(BEST, "transformers", "hf_pipeline", "pipeline", folder, True, BATCHES),
        Entry("ONNX Runtime f32", "onnxruntime", "onnx_padded", "padded", f32, False, BUDGETS),
        Entry("ONNX Runtime int8, dynamic", "onnxruntime", "onnx_padded", "padded", quantised, False, BUDGETS),
        Entry(f"OpenVINO {low}", "openvino", "openvino_padded", "padded",
              {**f32, "precision": low, "hint": "LATENCY"}, False, BUDGETS),
        Entry(f"OpenVINO {low}, throughput hint", "openvino", "openvino_padded", "padded",
              {**f32, "precision": low, "hint": "THROUGHPUT"}, False, BUDGETS),
        Entry(f"PyTorch {low}, compiled", "transformers", "torch_padded", "padded",
              {**folder, "precision": low, "compile": True}, False, BUDGETS[1:]),
        Entry("Optimum, ONNX Runtime f32, sorted, best batch", "optimum", "optimum_pipeline", "other",
              {**folder, "graphs": str(graphs)}, True, BATCHES[2:6]),
        Entry("spaCy, the same encoder", "spacy-curated", "spacy_trf", "other", folder, True),
        Entry("Flair, the same encoder", "flair", "flair_tagger", "other", folder, True),
    ]  # fmt: skip


def make_graphs(model: Path) -> None:
    """The ONNX graphs that peers read, in f32 and in ONNX Runtime's dynamic int8.

    Raises:
        Missing: one cannot be made.
    """
    target = WORK / "graphs" / model.name
    weights = model / "model.safetensors"
    stamp, wanted = target / "made.json", json.dumps([weights.stat().st_size, weights.stat().st_mtime])
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in _COPIED:
        shutil.copy(model / name, target / name)
    print(f"bench: ONNX graphs of {model.name}", flush=True)
    plain, quantised = str(target / "model.onnx"), str(target / "model_int8.onnx")
    _module("transformers", "peers.export_onnx", str(model), plain)
    _module("onnxruntime", "peers.quantise_onnx", plain, quantised)
    stamp.write_text(wanted)


def _module(name: str, module: str, *arguments: str) -> None:
    command = [str(environment(name)), "-P", "-m", module, *arguments]
    done = subprocess.run(command, env=settings(2), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{module}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")


@contextmanager
def opened(
    entries: Sequence[Entry], threads: int, said: Callable[[str, str], None]
) -> Iterator[dict[str, tuple[Entry, Running]]]:
    """Peers that came up, by name; one after the other. `said` is told the name of each that did not, and why."""
    running: dict[str, tuple[Entry, Running]] = {}
    try:
        for entry in entries:
            print(f"bench: opening {entry.name}", flush=True)
            try:
                python = environment(entry.environment)
                running[entry.name] = entry, Running(entry.name, python, entry.module, entry.options, threads)
            except Missing as reason:
                said(entry.name, str(reason))
        yield running
    finally:
        for _, each in running.values():
            each.close()
