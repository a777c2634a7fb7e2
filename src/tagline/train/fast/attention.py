"""Self-attention over a flat batch, forwards and backwards.

Letters: N rows of the flat batch, B windows, T sub-tokens of the longest, A heads, D width of a head.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Layout:
    """Where the rows of a flat batch stand in the padded one.

    Attributes:
        windows: B.
        width: T.
        heads: A.
        rows: (N,) place of each row among B * T, all sub-tokens and some of the padding; None where it is all of them.
        bias: (B, 1, 1, T) zero, or minus infinity on padding; None where nothing is padded.
    """

    windows: int
    width: int
    heads: int
    rows: torch.Tensor | None
    bias: torch.Tensor | None

    @classmethod
    def of(cls, real: torch.Tensor | None, windows: int, width: int, heads: int, step: int = 1) -> Layout:
        """The layout of a batch.

        Libraries compile a kernel for each shape of a matrix product that they have not seen, so rows come in few
        numbers: padding fills them up to a multiple of `step`, as far as there is any.

        Args:
            real: (B, T) true where a sub-token is no padding; None where none is padding.
            windows: B.
            width: T.
            heads: A.
            step: N is a multiple of it, or B * T.
        """
        if real is None or bool(real.all()):
            return cls(windows, width, heads, None, None)
        bias = torch.zeros(real.shape, dtype=torch.float32).masked_fill_(~real, -torch.inf)[:, None, None]
        shown = real.reshape(-1)
        if spare := -int(shown.sum()) % step:
            shown = shown.clone()
            shown[(~shown).nonzero()[:spare, 0]] = True
        return cls(windows, width, heads, None if bool(shown.all()) else shown.nonzero()[:, 0], bias)

    def flat(self, padded: torch.Tensor) -> torch.Tensor:
        """(B * T, …) to (N, …)."""
        return padded if self.rows is None else padded.index_select(0, self.rows)

    def padded(self, flat: torch.Tensor) -> torch.Tensor:
        """(N, …) to (B * T, …), with zeros where no row stands."""
        if self.rows is None:
            return flat
        whole = flat.new_zeros((self.windows * self.width, *flat.shape[1:]))
        return whole.index_copy_(0, self.rows, flat)


Saved = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def attend(qkv: torch.Tensor, mask: torch.Tensor | None, layout: Layout) -> tuple[torch.Tensor, Saved]:
    """softmax(Q Kᵀ / √D) V, the softmax in float32.

    Args:
        qkv: (N, 3 A D) queries, keys and values side by side.
        mask: (B, A, T, T) dropout of the probabilities, or None.
        layout: of the batch.

    Returns:
        (N, A D), and what `attend_backward` needs.
    """
    heads = _by_head(layout.padded(qkv), 3, layout)  # (3, B A, T, D)
    query, key, value = heads.unbind(0)
    scale = heads.shape[-1] ** -0.5
    scores = torch.bmm(query, key.transpose(1, 2)).view(layout.windows, layout.heads, layout.width, layout.width)
    if layout.bias is None:
        scores = torch.mul(scores.float(), scale)
    else:
        scores = torch.add(layout.bias.to(torch.promote_types(scores.dtype, torch.float32)), scores, alpha=scale)
    chances = torch.softmax(scores, -1)
    dropped = (chances if mask is None else chances * mask).to(qkv.dtype).flatten(0, 1)
    context = _by_row(torch.bmm(dropped, value)[None], layout)
    return layout.flat(context), (heads, chances, dropped)


def attend_backward(gradient: torch.Tensor, saved: Saved, mask: torch.Tensor | None, layout: Layout) -> torch.Tensor:
    """The gradient of `qkv`, (N, 3 A D), from that of the result, (N, A D)."""
    heads, chances, dropped = saved
    query, key, value = heads.unbind(0)
    outer = _by_head(layout.padded(gradient), 1, layout)[0]
    result = torch.empty_like(heads)
    torch.bmm(dropped.transpose(1, 2), outer, out=result[2])
    inner = torch.bmm(outer, value.transpose(1, 2)).view(chances.shape)
    of_chances = inner.to(chances.dtype) if mask is None else inner * mask
    of_scores = torch._softmax_backward_data(of_chances, chances, -1, chances.dtype)
    of_scores = of_scores.mul_(heads.shape[-1] ** -0.5).to(heads.dtype).flatten(0, 1)
    torch.bmm(of_scores, key, out=result[0])
    torch.bmm(of_scores.transpose(1, 2), query, out=result[1])
    return layout.flat(_by_row(result, layout))


def _by_head(rows: torch.Tensor, parts: int, layout: Layout) -> torch.Tensor:
    """(B T, parts A D) to (parts, B A, T, D)."""
    split = rows.view(layout.windows, layout.width, parts, layout.heads, -1)
    return split.permute(2, 0, 3, 1, 4).contiguous().flatten(1, 2)


def _by_row(heads: torch.Tensor, layout: Layout) -> torch.Tensor:
    """(parts, B A, T, D) to (B T, parts A D)."""
    split = heads.view(len(heads), layout.windows, layout.heads, layout.width, -1)
    return split.permute(1, 3, 0, 2, 4).reshape(layout.windows * layout.width, -1)
