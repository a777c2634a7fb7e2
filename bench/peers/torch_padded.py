"""PyTorch in the careful user's loop, in bf16 and compiled. Options: `threads`, `compile`, `precision`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TORCHINDUCTOR_FREEZING", "1")  # weights laid out once for the processor, as one would for speed
from peers.padded import Arrays, Padded
from peers.wire import serve


def opening(options: dict[str, Any]) -> Padded:
    """All threads on one batch; shapes are dynamic, since sorted batches have many."""
    import torch
    from transformers import AutoModelForTokenClassification
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    torch.set_num_threads(options["threads"])
    kind = torch.bfloat16 if options["precision"] == "bf16" else torch.float32
    model = AutoModelForTokenClassification.from_pretrained(options["folder"], dtype=kind).eval()
    forward: Any = torch.compile(model, dynamic=True) if options["compile"] else model

    def run(batches: Iterator[Arrays]) -> Iterator[Any]:
        with torch.no_grad():  # freezing does not take inference tensors
            for ids, mask, types in batches:
                arrays = map(torch.from_numpy, (ids, mask, types))
                given = dict(zip(("input_ids", "attention_mask", "token_type_ids"), arrays, strict=True))
                yield forward(**given).logits.float().numpy()

    return Padded(Path(options["folder"]), run)


if __name__ == "__main__":
    serve(opening)
