"""Tagline itself, as `pip install .` makes it. Options: `precision`, `threads`, `batch_tokens` (0: its default)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from peers.wire import Entity, serve


class Ours:
    """Reads texts as a user does, with `tagline.load`; `setting` is not used, its defaults are what is measured."""

    def __init__(self, options: dict[str, Any]) -> None:
        import tagline

        chosen = {"precision": options["precision"], "threads": options["threads"]}
        if options.get("batch_tokens"):
            chosen["batch_tokens"] = options["batch_tokens"]
        self.tagger: Any = tagline.load(options["folder"], **chosen)
        self.setting: int | None = None

    def read(self, texts: Sequence[str]) -> list[list[Entity]]:
        """Entities of each text."""
        if len(texts) == 1:
            return [_spans(self.tagger(texts[0]))]
        return [_spans(document) for document in self.tagger(texts)]

    def do_engine(self) -> dict[str, Any]:
        """What it computes with."""
        return {"engine": self.tagger.engine.name, "precision": self.tagger.engine.precision}


def _spans(document: Any) -> list[Entity]:
    return [(each.label, each.start, each.end) for each in document.entities]


if __name__ == "__main__":
    serve(Ours)
