"""Hugging Face's token-classification pipeline. Options: `sorted`, whether texts go in sorted by length."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from peers.wire import Entity, serve

warnings.filterwarnings("ignore")


class Pipeline:
    """Reads texts; `setting` is the batch size, None leaves the pipeline's default."""

    def __init__(self, options: dict[str, Any]) -> None:
        from transformers import pipeline
        from transformers.utils import logging

        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        self.pipe: Any = pipeline(
            "token-classification", model=options["folder"], aggregation_strategy="simple", device="cpu"
        )
        self.setting: int | None = None
        self.stride = options.get("stride")

    def read(self, texts: Sequence[str]) -> list[list[Entity]]:
        """Entities of each text; by default text for text as people call it, else as one list sorted by length."""
        options = {"stride": self.stride} if self.stride else {}
        if self.setting is None:
            return [_spans(self.pipe(text, **options)) for text in texts]
        order = sorted(range(len(texts)), key=lambda number: -len(texts[number]))
        found: list[list[Entity]] = [[] for _ in texts]
        answers = self.pipe([texts[number] for number in order], batch_size=self.setting, **options)
        for number, answer in zip(order, answers, strict=True):
            found[number] = _spans(answer)
        return found


def _spans(answer: Any) -> list[Entity]:
    return [(each["entity_group"], int(each["start"]), int(each["end"])) for each in answer]


if __name__ == "__main__":
    serve(Pipeline)
