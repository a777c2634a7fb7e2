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
    if "openvino" not in sys.modules:
        with unreported():
            import_module("openvino")
    return import_module("openvino")  # waits where another thread is in the midst of it


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
        sys.modules.pop(_REPORTER, None)  # another thread may have been here, too
