"""OpenVINO, imported without its reports to its makers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

_REPORTER = "openvino_telemetry"


def import_openvino() -> Any:
    """The module `openvino`.

    Its import looks for a server of Google Analytics, forks a process to report to it, and leaves an identity in the
    user's home; without the package that does so it does none of this.
    """
    found = sys.modules.get("openvino")
    if found is None:
        with unreported():
            found = import_module("openvino")
    return found


@contextmanager
def unreported() -> Iterator[None]:
    """What is imported inside finds the reporting package absent; one that was imported before stays."""
    if _REPORTER in sys.modules:
        yield
        return
    sys.modules[_REPORTER] = None  # type: ignore[assignment]  # how Python is told that there is none
    try:
        yield
    finally:
        del sys.modules[_REPORTER]
