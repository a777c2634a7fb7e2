"""How a peer talks with the driver: one JSON object a line, orders on standard input, answers on standard output.

A peer runs in an environment of its own, so this file needs nothing but the standard library. Orders:

    {"do": "run", "texts": FILE, "answers": FILE or null}   reads all texts at once; the seconds that it took
    {"do": "each", "texts": FILE, "answers": FILE or null}  reads them one after another; the seconds of each
    {"do": "set", "value": N}                               the peer's own setting (batch size, sub-tokens of a batch)
    {"do": NAME, ...}                                       a method `do_NAME` that the peer has beside these

The files are JSON: a list of texts; a list of lists of [label, start, end].
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

Entity = tuple[str, int, int]
"""Label, first character, character after the last."""
_PACKAGES = ("tagline", "torch", "transformers", "tokenizers", "onnxruntime", "openvino", "spacy", "flair", "numpy",
             "optimum-onnx", "spacy-curated-transformers", "spacy-transformers")  # fmt: skip


class Peer(Protocol):
    """What reads texts."""

    def read(self, texts: Sequence[str]) -> list[list[Entity]]:
        """Entities of each text, in order."""
        ...


def serve(opening: Callable[[dict[str, Any]], Any]) -> None:
    """Opens a peer by the options of the command line (JSON) and obeys orders until there are no more.

    Args:
        opening: makes the peer (see `Peer`); its options hold at least `folder`.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not stand between the answers

    def tell(**facts: Any) -> None:
        answers.write(json.dumps(facts) + "\n")
        answers.flush()

    try:
        started = time.perf_counter()
        peer = opening(json.loads(sys.argv[1]))
        tell(ready=True, seconds=time.perf_counter() - started, versions=_versions())
        texts: dict[str, list[str]] = {}
        for line in sys.stdin:
            tell(**_obey(peer, json.loads(line), texts))
    except Exception as error:
        tell(error=f"{type(error).__name__}: {error}")
        raise


def _obey(peer: Any, order: dict[str, Any], texts: dict[str, list[str]]) -> dict[str, Any]:
    what = order.pop("do")
    if what in ("run", "each"):
        name = order["texts"]
        if name not in texts:
            texts[name] = json.loads(Path(name).read_text(encoding="utf-8"))
        found, seconds = (_run if what == "run" else _each)(peer, texts[name])
        if order.get("answers"):
            Path(order["answers"]).write_text(json.dumps(found), encoding="utf-8")
        return {"seconds": seconds, "entities": sum(map(len, found))}
    if what == "set":
        peer.setting = order["value"]
        return {"setting": order["value"]}
    done: dict[str, Any] = getattr(peer, f"do_{what}")(**order)
    return done


def _run(peer: Peer, texts: list[str]) -> tuple[list[list[Entity]], float]:
    started = time.perf_counter()
    found = peer.read(texts)
    return found, time.perf_counter() - started


def _each(peer: Peer, texts: list[str]) -> tuple[list[list[Entity]], list[float]]:
    found, seconds = [], []
    for text in texts:
        started = time.perf_counter()
        found += peer.read([text])
        seconds.append(time.perf_counter() - started)
    return found, seconds


def _versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
