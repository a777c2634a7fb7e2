"""What all tests share. No test reaches the network."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from tests.chromium import ARGUMENTS, find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Set before any test imports a library that reads them.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["NO_COLOR"] = "1"
# A test process is not alone on its cores: threads that spin while they wait for each other take them from the others.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
# Every Spark that the tests start, in whatever process, runs its Java sparingly.
os.environ["SPARK_CONF_DIR"] = str(Path(__file__).resolve().parent / "spark_conf")

# A shell lets what it starts in the background ignore Ctrl-C, and commands that the tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no mistake of the code; no test is about time.
settings.register_profile("tagline", deadline=None)
settings.load_profile("tagline")

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that read real corpora, so that `-m "not data"` leaves them out."""
    for item in items:
        if "data_dir" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.data)


def pytest_collection_finish() -> None:
    """What collecting has loaded stays; the collector is not to look through it again in every test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real corpora: `TAGLINE_DATA`, or `shared/data` beside the repository."""
    folder = Path(os.environ.get("TAGLINE_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real corpora at {folder}; set TAGLINE_DATA to their folder")
    return folder


@pytest.fixture(scope="session", autouse=True)
def tagline_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Compiled graphs and converted models stay out of the user's cache; the one cache of this session of tests."""
    from tagline.machine import cache_folder

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAGLINE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield cache_folder()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium; install one (make browser), or name it in TAGLINE_CHROMIUM")
    return path


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A browser for the tests of one module: Playwright's event loop suffers no other in its thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield browser
        browser.close()
