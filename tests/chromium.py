"""Where a Chromium is; run as a script it exits with 1 if there is none."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
"""As root in a container there is no sandbox; nothing is to reach for the network."""


def find_chromium() -> str | None:
    """The program's path: `TAGLINE_CHROMIUM`, one on the path, or the one that Playwright installed."""
    named = os.environ.get("TAGLINE_CHROMIUM")
    if named:
        return named
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).is_file() else None


if __name__ == "__main__":
    sys.exit(find_chromium() is None)
