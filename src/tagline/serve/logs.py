"""Logs: one JSON object a line, on standard error, never with a text of a caller in it."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import traceback
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TextIO

_MOST = 10_000  # lines that may wait
_GATHER = 0.02  # seconds
_AT_ONCE = 3_000  # bytes; a pipe keeps 4,096 together when several processes write to it


class JsonLog:
    """Writes lines from a thread of its own, so that neither a slow reader of the log nor its forming holds anybody up.

    Lines are gathered for some milliseconds: waking that thread for each would cost more than all else. When more than
    10,000 wait, further ones are left out and counted; the count is logged.

    Args:
        stream: where lines go.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._lines: deque[tuple[float, str, str, dict[str, Any]]] = deque()
        self._some, self._end = threading.Event(), threading.Event()
        self._lost = 0
        self._thread = threading.Thread(target=self._work, name="log", daemon=True)
        self._thread.start()

    def __call__(self, event: str, level: str = "info", **values: Any) -> None:
        """Logs an event."""
        if len(self._lines) >= _MOST:
            self._lost += 1
            return
        self._lines.append((time.time(), level, event, values))
        if not self._some.is_set():
            self._some.set()

    def failure(self, event: str, error: BaseException, **values: Any) -> None:
        """Logs an unexpected error: its kind and where it rose, but not its message, which might quote a text."""
        frames = traceback.extract_tb(error.__traceback__)
        where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
        self(event, "error", error=type(error).__name__, where=where, **values)

    def close(self) -> None:
        """Writes what waits."""
        self._end.set()
        self._some.set()
        self._thread.join(timeout=5)

    def _work(self) -> None:
        while not (self._end.is_set() and not self._lines):
            self._some.wait()
            self._end.wait(_GATHER)
            self._some.clear()
            self._write()

    def _write(self) -> None:
        while self._lines or self._lost:
            some = ""
            while self._lines and len(some) < _AT_ONCE:
                some += _line(*self._lines.popleft())
            if self._lost:
                lost, self._lost = self._lost, 0
                some += _line(time.time(), "warning", "log-lines-lost", {"lines": lost})
            with suppress(OSError, ValueError):  # nobody reads; the work goes on
                self._stream.write(some)
                self._stream.flush()


def _line(when: float, level: str, event: str, values: dict[str, Any]) -> str:
    time_of_day = datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": time_of_day, "level": level, "event": event, **values}) + "\n"


class Handler(logging.Handler):
    """Brings what the web server logs into the same form.

    Args:
        log: writes it.
    """

    def __init__(self, log: JsonLog) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Logs a record; of an error only what and where."""
        if record.exc_info and record.exc_info[1] is not None:
            self._log.failure("web-server", record.exc_info[1], logger=record.name)
        else:
            self._log("web-server", record.levelname.lower(), logger=record.name, message=record.getMessage())
