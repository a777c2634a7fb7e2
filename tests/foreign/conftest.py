"""Plain folders of transformers, made once a session, and a cache of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.predict.test_pipeline import tiny
from tests.predict.tiny_texts import HEADS, write_classifier

Folders = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A folder by family and by its tags ("B-PER I-PER") or head ("five"); to be read, not changed."""
    made: dict[tuple[str, str], Path] = {}

    def get(family: str, what: str) -> Path:
        if (family, what) not in made:
            place = tmp_path_factory.mktemp("plain") / f"{family}-{len(made)}"
            if what in HEADS:
                write_classifier(family, HEADS[what], place, graph=False)
            else:
                tiny(family, what.split(), place, graph=False)
            made[family, what] = place
        return made[family, what]

    return get


def edit(path: Path, **values: object) -> None:
    """Sets keys of a JSON file; None takes them away."""
    content = {**json.loads(path.read_text(encoding="utf-8")), **values}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}), encoding="utf-8")
