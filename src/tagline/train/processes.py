"""Training on several processes: who this one is, and what all of them must agree on.

`torchrun --nproc-per-node 2 -m tagline train …` starts the processes and tells each of them its number.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

T = TypeVar("T")

_PATIENCE = timedelta(hours=2)  # the first process may read and judge while the others wait


@dataclass(frozen=True)
class Processes:
    """The processes of a training run, as torchrun numbers them.

    Attributes:
        rank: number of this one; 0 is the one that writes and prints.
        count: how many there are.
        local: how many of them are on this machine.
        place: number of this one on this machine.
    """

    rank: int = 0
    count: int = 1
    local: int = 1
    place: int = 0

    @classmethod
    def here(cls, environment: Mapping[str, str] = os.environ) -> Processes:
        """What torchrun says; one process where it was not used."""
        if "RANK" not in environment or "WORLD_SIZE" not in environment:
            return cls()
        count = int(environment["WORLD_SIZE"])
        local = int(environment.get("LOCAL_WORLD_SIZE", count))
        return cls(int(environment["RANK"]), count, local, int(environment.get("LOCAL_RANK", 0)))

    @property
    def main(self) -> bool:
        """Whether this is the one that writes and prints."""
        return self.rank == 0

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Connects the processes; at the end waits for all of them."""
        import torch
        from torch import distributed

        if self.count == 1 or distributed.is_initialized():
            yield
            return
        backend = "gloo"
        if torch.cuda.is_available():
            torch.cuda.set_device(self.place)
            backend = "cpu:gloo,cuda:nccl"
        distributed.init_process_group(backend, timeout=_PATIENCE)
        try:
            yield
            distributed.barrier()
        finally:
            distributed.destroy_process_group()

    def first(self, work: Callable[[], T]) -> T:
        """What the first process makes of the work, for all of them; only it does the work."""
        if self.count == 1:
            return work()
        from torch import distributed

        found: list[Any] = [work() if self.main else None]
        distributed.broadcast_object_list(found)
        result: T = found[0]
        return result

    def gather(self, value: T) -> list[T]:
        """Every process's value, in the order of the processes."""
        if self.count == 1:
            return [value]
        from torch import distributed

        found: list[Any] = [None] * self.count
        distributed.all_gather_object(found, value)
        return found

    def any(self, flag: bool) -> bool:
        """Whether one of the processes has the flag."""
        if self.count == 1:
            return flag
        import torch
        from torch import distributed

        raised = torch.tensor(int(flag))
        distributed.all_reduce(raised, distributed.ReduceOp.MAX)
        return bool(raised.item())
