"""What the tests of this folder share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.predict.tiny_texts import HEADS, write_classifier

TextFolders = Callable[[str, str, bool], Path]


@pytest.fixture(scope="session")
def text_folders(tmp_path_factory: pytest.TempPathFactory) -> TextFolders:
    """The folder of a tiny text classifier by family and head, with its graph or plain; made once a session."""
    made: dict[tuple[str, str, bool], Path] = {}

    def get(family: str, head: str, graph: bool) -> Path:
        key = (family, head, graph)
        if key not in made:
            made[key] = write_classifier(family, HEADS[head], tmp_path_factory.mktemp(f"{family}-{head}"), graph)
        return made[key]

    return get
