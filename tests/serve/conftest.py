"""What the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.predict.tiny_texts import HEADS, write_classifier
from tests.serve.support import Server, write_tagger

pytest.importorskip("fastapi")


@dataclass(frozen=True)
class Models:
    """Folders of tiny models, and pipelines of our own over them."""

    tokens: Path
    texts: Path
    local_tokens: Any
    local_texts: Any


@pytest.fixture(scope="session", autouse=True)
def without_key() -> Iterator[None]:
    """The key of whoever runs the tests is not asked for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TAGLINE_API_KEY", raising=False)
        yield


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, without_key: None) -> Models:
    """Made once a session."""
    from tagline.predict.pipeline import pipeline

    tokens = write_tagger(tmp_path_factory.mktemp("tokens"))
    texts = write_classifier("bert-uncased", HEADS["five"], tmp_path_factory.mktemp("texts"))
    return Models(
        tokens,
        texts,
        pipeline("ner", tokens, precision="f32", threads=1),
        pipeline("text-classification", texts, precision="f32", threads=1),
    )


@pytest.fixture(scope="session")
def server(models: Models) -> Iterator[Server]:
    """One server for all tests that leave it as it was."""
    with Server(f"tokens={models.tokens}", f"texts={models.texts}", "--max-wait", 30) as running:
        yield running
        assert running.stop() == 0
