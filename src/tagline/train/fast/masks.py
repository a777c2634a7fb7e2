"""Random masks for dropout. torch draws them on a processor at 6 ns a number, which was a tenth of a training step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

_CHANCES = 1 << 16  # a mask is drawn from 16 bits a number: a rate is met to within 1 / 131,072


class Masks:
    """Draws masks from a seed that torch's own generator gives, so that a resumed run draws the same ones.

    Args:
        seed: None draws it from torch's generator of the processor.
    """

    def __init__(self, seed: int | None = None) -> None:
        drawn = int(torch.randint(2**62, ()).item()) if seed is None else seed
        self._random = np.random.Generator(np.random.SFC64(drawn))

    def draw(self, shape: tuple[int, ...], rate: float, dtype: torch.dtype = torch.float32) -> torch.Tensor | None:
        """A tensor of 0 with chance `rate`, else 1 / (1 - rate); None where the rate is 0.

        Args:
            shape: of the mask.
            rate: chance that a number is dropped, in [0, 1).
            dtype: of the mask.
        """
        threshold = round(rate * _CHANCES)
        if threshold <= 0:
            return None
        count = int(np.prod(shape))
        bits = self._random.integers(0, 2**64, -(-count // 4), dtype=np.uint64).view(np.uint16)[:count]
        kept = np.multiply(bits >= threshold, np.float32(_CHANCES / (_CHANCES - threshold)), dtype=np.float32)
        return torch.from_numpy(kept).view(shape).to(dtype)


class MaskedDropout(nn.Dropout):
    """Dropout with masks of `Masks`, on the processor."""

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """The input with some numbers dropped, in training."""
        if not self.training or not 0 < self.p < 1 or hidden.device.type != "cpu":
            return super().forward(hidden)
        mask = Masks().draw(tuple(hidden.shape), self.p, hidden.dtype)
        return hidden if mask is None else hidden * mask


@contextmanager
def masked_dropout(model: nn.Module) -> Iterator[None]:
    """Has every dropout module of the model draw its masks with `Masks`, while the context lasts."""
    changed = [module for module in model.modules() if type(module) is nn.Dropout]
    for module in changed:
        module.__class__ = MaskedDropout
    try:
        yield
    finally:
        for module in changed:
            module.__class__ = nn.Dropout
