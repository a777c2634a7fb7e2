"""Logs: one JSON object a line, on standard error, never with a text of a caller in it."""

from __future__ import annotations

import json
import logging
import queue
import sys
import threading
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

_MOST = 10_000


class JsonLog:
    """Writes lines from a thread of its own, so that a slow reader of the log holds nobody up.

    When more than 10,000 lines wait, further ones are left out and counted; the count is logged.

    Args:
        stream: where lines go.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._lines: queue.Queue[str | None] = queue.Queue(_MOST)
        self._lost = 0
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def __call__(self, event: str, level: str = "info", **values: Any) -> None:
        """Logs an event."""
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, "event": event, **values}
        try:
            self._lines.put_nowait(json.dumps(line))
        except queue.Full:
            self._lost += 1

    def failure(self, event: str, error: BaseException, **values: Any) -> None:
        """Logs an unexpected error: its kind and where it rose, but not its message, which might quote a text."""
        frames = traceback.extract_tb(error.__traceback__)
        where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
        self(event, "error", error=type(error).__name__, where=where, **values)

    def close(self) -> None:
        """Writes what waits."""
        self._lines.put(None)
        self._thread.join(timeout=5)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._stream.write(line + "\n")
                if self._lines.empty():
                    self._stream.flush()
                    if self._lost:
                        lost, self._lost = self._lost, 0
                        self("log-lines-lost", "warning", lines=lost)
            except (OSError, ValueError):  # nobody reads; the work goes on
                continue


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
