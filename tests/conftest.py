"""What all tests share. No test reaches the network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Set before any test imports a library that reads them.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["NO_COLOR"] = "1"

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that read real corpora, so that `-m "not data"` leaves them out."""
    for item in items:
        if "data_dir" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.data)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real corpora: `TAGLINE_DATA`, or `shared/data` beside the repository."""
    folder = Path(os.environ.get("TAGLINE_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real corpora at {folder}; set TAGLINE_DATA to their folder")
    return folder
