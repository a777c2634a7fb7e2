"""The protocol that every engine follows, and how an engine is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tagline.errors import UsageError
from tagline.records import Batch

ENGINES = ("auto", "openvino", "onnx", "torch")
PRECISIONS = ("auto", "bf16", "f32", "int8")
DEVICES = ("auto", "cpu", "cuda")
ON_PROCESSOR, ON_GPU = 1024, 16_384
"""Sub-tokens of a batch that suit the device; see docs/decisions/0009-inference-speed.md."""
_MOST_THREADS = 4096  # beyond that it is a slip, and libraries fail in ways of their own


@dataclass(frozen=True)
class EngineSettings:
    """How a model is run.

    Attributes:
        engine: `auto` (OpenVINO where the folder holds its graph and no GPU is asked for), `openvino`, `onnx`
            or `torch`.
        precision: `auto` (bf16 where engine and machine have it, else f32), `bf16`, `f32`, or `int8` (a graph of its
            own that `tagline export` makes; taken unasked only where a folder has no other, see
            `ModelFolder.only_reads`: there `bf16` and `f32` compute with the same rounded weights).
        device: `auto` (the processor, or with the torch engine a GPU where there is one), `cpu` or `cuda`.
        threads: processor threads; 0 takes the cores that the process may use.
        batch_tokens: most sub-tokens of a batch, padding included; None takes what suits the device.
        cache: whether compiled graphs are kept in the user's cache folder for the next start.
    """

    engine: str = "auto"
    precision: str = "auto"
    device: str = "auto"
    threads: int = 0
    batch_tokens: int | None = None
    cache: bool = True

    def __post_init__(self) -> None:
        for name, accepted in (("engine", ENGINES), ("precision", PRECISIONS), ("device", DEVICES)):
            if getattr(self, name) not in accepted:
                raise UsageError(f"--{name} is {getattr(self, name)!r}; accepted are {', '.join(accepted)}")
        if not 0 <= self.threads <= _MOST_THREADS:
            raise UsageError(f"--threads is {self.threads}; expected 0 (all cores) to {_MOST_THREADS}")
        if self.batch_tokens is not None and self.batch_tokens < 1:
            raise UsageError(f"--batch-tokens is {self.batch_tokens}; expected at least 1")


class Engine(Protocol):
    """Runs batches.

    Attributes:
        name: `openvino`, `onnx` or `torch`.
        precision: what it really computes in, `bf16`, `f32` or `int8`.
        batch_tokens: most sub-tokens of a batch, padding included.
    """

    name: str
    precision: str
    batch_tokens: int

    def run(self, batches: Iterable[Batch]) -> Iterator[NDArray[np.float32]]:
        """Logits of each batch, in order: (B, T, L) for tokens, (B, L) for sequences.

        Batches are taken one or more ahead of what is given out, so that their making overlaps with computing.
        """
        ...


def refuse_in_fork(born: int) -> None:
    """Refuses to run in a process that was forked from the one that opened the engine: its threads stayed there, and
    whoever waits for them waits for ever.

    Args:
        born: number of the process that opened the engine.

    Raises:
        UsageError: this is another process.
    """
    if os.getpid() != born:
        raise UsageError(
            f"the model was loaded by process {born}, and this is process {os.getpid()}, forked from it: an engine's "
            "threads do not come along. Load the model in each process (tagline.load), or start processes by spawn, as "
            'multiprocessing.get_context("spawn") does'
        )
