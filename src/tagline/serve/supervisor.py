"""The process that holds the address and keeps those alive that serve."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from tagline.errors import TaglineError, UsageError
from tagline.serve.logs import JsonLog
from tagline.serve.metrics import Metrics
from tagline.serve.settings import ServeSettings, check_extra

_LOOK = 0.1  # seconds between two looks at the workers
_PAUSE, _LONGEST_PAUSE = 0.2, 10.0  # seconds before a worker is started again that died before it was ready
_FORWARDED = ("SIGHUP",)


class StartError(TaglineError):
    """A worker could not start; its own message stands in the log."""


class _Process:
    """One worker."""

    def __init__(self, settings: ServeSettings, listening: socket.socket, metrics: int, slot: int) -> None:
        self.slot, self.started, self.ready = slot, time.monotonic(), False
        self._reading, writing = os.pipe()
        handles = (listening.fileno(), writing, metrics)
        package = Path(__file__).resolve().parents[2]
        paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tagline.serve.worker", *map(str, handles), str(slot)],
                stdin=subprocess.PIPE,
                pass_fds=handles,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )
        finally:
            os.close(writing)
        assert self._process.stdin is not None
        self._stdin: IO[bytes] = self._process.stdin  # stays open: its end would tell the worker to stop
        with contextlib.suppress(OSError):  # it died at once; seen below
            self._stdin.write(settings.to_json().encode() + b"\n")
            self._stdin.flush()

    @property
    def pid(self) -> int:
        return self._process.pid

    def became_ready(self) -> bool:
        """Whether it has begun to serve since this was last asked."""
        if self.ready or not select.select([self._reading], [], [], 0)[0]:
            return False
        self.ready = bool(os.read(self._reading, 16))
        return self.ready

    def ended(self) -> int | None:
        """Its exit status, None while it lives."""
        return self._process.poll()

    def send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def close(self) -> None:
        os.close(self._reading)
        with contextlib.suppress(OSError):
            self._stdin.close()


class Supervisor:
    """Starts workers, and again those that die.

    SIGTERM and SIGINT stop: what was accepted is answered. SIGHUP loads the models anew.

    Args:
        settings: the server.
        log: where events go.
        told: is called with the address once the first worker serves.
    """

    def __init__(self, settings: ServeSettings, log: JsonLog, told: Callable[[str], None] | None = None) -> None:
        self.settings, self._log, self._told = settings, log, told
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._workers: dict[int, _Process] = {}
        self._again: dict[int, float] = {}
        self._pauses: dict[int, float] = {}
        self._served = False

    def run(self) -> None:
        """Serves until a signal says to stop.

        Raises:
            UsageError: the address cannot be had.
            StartError: no worker could start.
        """
        listening = _listen(self.settings)
        address = _address(listening)
        names = ("SIGTERM", "SIGINT", *_FORWARDED)
        numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
        before = {number: signal.signal(number, lambda got, _: self._signals.put(got)) for number in numbers}
        try:
            with tempfile.TemporaryFile() as shared:
                shared.truncate(8 * Metrics.width(list(self.settings.models)) * self.settings.workers)
                self._work(listening, shared.fileno(), address)
        finally:
            listening.close()
            self._end()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _work(self, listening: socket.socket, metrics: int, address: str) -> None:
        for slot in range(self.settings.workers):
            self._workers[slot] = _Process(self.settings, listening, metrics, slot)
        while True:
            with contextlib.suppress(queue.Empty):
                number = self._signals.get(timeout=_LOOK)
                if number in (signal.SIGTERM, signal.SIGINT):
                    self._log("stopping", signal=signal.Signals(number).name)
                    return
                self._log("reloading", signal=signal.Signals(number).name)
                for worker in self._workers.values():
                    if worker.ready:  # one that is just starting loads the new models anyway
                        worker.send(number)
            for worker in list(self._workers.values()):
                self._look(worker, address)
            for slot, when in list(self._again.items()):
                if time.monotonic() >= when:
                    del self._again[slot]
                    self._workers[slot] = _Process(self.settings, listening, metrics, slot)

    def _look(self, worker: _Process, address: str) -> None:
        if worker.became_ready():
            took = round(time.monotonic() - worker.started, 2)
            self._log("serving", address=address, slot=worker.slot, pid=worker.pid, seconds=took)
            self._pauses.pop(worker.slot, None)
            if not self._served and self._told is not None:
                self._told(address)
            self._served = True
        status = worker.ended()
        if status is None:
            return
        del self._workers[worker.slot]
        worker.close()
        if not self._served:
            error = StartError("the server could not start; the line above says why")
            error.exit_code = status if status in (1, 2) else 1
            raise error
        pause = 0.0 if worker.ready else self._pauses.get(worker.slot, _PAUSE)
        self._pauses[worker.slot] = min(_LONGEST_PAUSE, 2 * max(pause, _PAUSE))
        self._again[worker.slot] = time.monotonic() + pause
        self._log("worker-died", "error", slot=worker.slot, pid=worker.pid, status=status, again_in=pause)

    def _end(self) -> None:
        """Stops all workers; those that do not stop in time are killed."""
        for worker in self._workers.values():
            worker.send(signal.SIGTERM)
        until = time.monotonic() + self.settings.limits.timeout + 15
        for worker in self._workers.values():
            while worker.ended() is None and time.monotonic() < until:
                time.sleep(0.02)
                with contextlib.suppress(queue.Empty):  # a second Ctrl-C: at once
                    until = 0.0 if self._signals.get_nowait() == signal.SIGINT else until
            if worker.ended() is None:
                self._log("killed", "error", slot=worker.slot, pid=worker.pid)
                worker.send(signal.SIGKILL)
                while worker.ended() is None:
                    time.sleep(0.02)
            worker.close()
        self._workers.clear()


def _listen(settings: ServeSettings) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        listening = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {settings.host}, port {settings.port}: {error.strerror or error}; choose another with "
            "--host and --port (0 takes a free port)"
        ) from error
    listening.setblocking(False)
    return listening


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def serve(settings: ServeSettings, told: Callable[[str], None] | None = None) -> None:
    """Serves models until SIGTERM or SIGINT.

    Args:
        settings: the server.
        told: is called with the address once it serves.

    Raises:
        MissingExtraError: what serving needs is not installed.
        UsageError: the address cannot be had.
        StartError: no worker could start, for the reason that stands in the log.
    """
    check_extra()
    log = JsonLog()
    try:
        Supervisor(settings, log, told).run()
    finally:
        log.close()
