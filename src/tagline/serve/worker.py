"""One process that serves. Started by the supervisor: `python -m tagline.serve.worker` with its settings on stdin."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import uvicorn

from tagline.errors import TaglineError
from tagline.machine import cores
from tagline.predict.apart import OpenModel
from tagline.serve.app import build_app
from tagline.serve.desk import Desk, deliver
from tagline.serve.front import Front
from tagline.serve.hosting import Registry
from tagline.serve.jobs import Job, Outcome
from tagline.serve.lanes import Lanes
from tagline.serve.load import LoadSettings
from tagline.serve.logs import Handler, JsonLog
from tagline.serve.metrics import Metrics
from tagline.serve.settings import ServeSettings

BROKEN = 70
"""Exit status of a worker that must be replaced."""
_QUIET = 1.0  # seconds that connections have to send a last request when the server stops
_HANGS = 120.0  # seconds of one step of a thread, after which the process is given up


class Handles(NamedTuple):
    """What a worker has of the supervisor, as numbers on its command line."""

    listening: int
    ready: int
    metrics: int
    slot: int


class Server(uvicorn.Server):
    """uvicorn's server; it stops without cutting anybody short, and says when it is ready.

    Args:
        config: uvicorn's own settings.
        desk: is told that the server stops.
        ready: descriptor to which a line is written once the server serves.
    """

    def __init__(self, config: uvicorn.Config, desk: Desk, ready: int) -> None:
        super().__init__(config)
        self._desk, self._ready = desk, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to listen."""
        await super().startup(sockets)
        os.write(self._ready, b"ready\n")
        os.close(self._ready)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops listening, answers what was accepted, and only then closes connections.

        A connection that is kept alive may just have been sent a request. So for a second each may bring one more; its
        answer tells the caller to leave.
        """
        spare = [each.dup() for each in sockets or []]
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        await asyncio.sleep(0)
        await self._accept_last(spare)
        self._desk.draining = True
        until = time.monotonic() + _QUIET
        while self.server_state.connections and time.monotonic() < until and not self.force_exit:
            await asyncio.sleep(0.02)
        await super().shutdown([])

    async def _accept_last(self, listening: list[socket.socket]) -> None:
        """Takes the connections that the system has established and nobody has taken; closing would cut them off."""
        loop, last = asyncio.get_running_loop(), []
        for each in listening:
            with contextlib.suppress(OSError):  # there are no more
                while True:
                    last.append(each.accept()[0])
            each.close()  # at once: what comes in between is lost
        for link in last:
            link.setblocking(False)
            await loop.connect_accepted_socket(self._protocol, link)

    def _protocol(self) -> asyncio.Protocol:
        kind: Any = self.config.http_protocol_class
        made: asyncio.Protocol = kind(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state, _loop=None
        )
        return made


class Worker:
    """Models, threads and web server of one process.

    Args:
        settings: the server.
        handles: what the supervisor gave.
        log: where events go.
    """

    def __init__(self, settings: ServeSettings, handles: Handles, log: JsonLog) -> None:
        self.settings, self.handles, self.log = settings, handles, log
        engine = dict(settings.engine)
        threads = engine["threads"] = int(engine.get("threads") or max(1, cores() // settings.workers))
        budget = int(engine.get("batch_tokens") or 512)
        self.registry = Registry(settings.models, engine, budget)
        self.metrics = Metrics(list(settings.models), settings.workers, handles.slot, handles.metrics)
        self.registry.open()
        limits = settings.limits
        load = LoadSettings(
            slots=most_slots([each.model for each in self.registry.all()], threads),
            budget=budget,
            max_wait=limits.max_wait,
            max_wait_long=max(limits.max_wait, limits.timeout / 3),
        )
        self.lanes = Lanes(load, self.metrics, self._deliver, self._failed, partial(log.failure, "job-failed"))
        key = None if settings.api_key is None else Desk.digest(settings.api_key)
        self.desk = Desk(self.registry, self.lanes, self.metrics, limits, key)
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self) -> int:
        """Serves until it is told to stop; gives the exit status."""
        app = Front(build_app(self.desk, self.settings.cors), self.desk, self.log, self.settings.access_log)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, lifespan="off", backlog=2048,
            timeout_keep_alive=75, timeout_graceful_shutdown=int(self.settings.limits.timeout) + 5,
            h11_max_incomplete_event_size=65_536,
        )  # fmt: skip
        server = Server(config, self.desk, self.handles.ready)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(self._serve(server))
        return BROKEN if self.lanes.error is not None else 0

    async def _serve(self, server: Server) -> None:
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):  # until uvicorn takes them over, and after that
            signal.signal(number, lambda *_: setattr(server, "should_exit", True))
        with contextlib.suppress(AttributeError, NotImplementedError):  # there is none on Windows
            self._loop.add_signal_handler(signal.SIGHUP, self._reload)
        threading.Thread(target=self._follow, args=(server,), name="lifeline", daemon=True).start()
        self.lanes.start()
        self.metrics.put("tagline_workers", value=1)
        watch = asyncio.create_task(self._watch(server))
        listening = socket.socket(fileno=self.handles.listening)
        try:
            await server.serve([listening])
        finally:
            watch.cancel()
            self.metrics.put("tagline_workers", value=0)
            await asyncio.to_thread(self.lanes.stop)
            self.log("stopped", slot=self.handles.slot, pid=os.getpid())

    def _reload(self) -> None:
        def work() -> None:
            if self.registry.reload(self.log):
                self.metrics.add("tagline_reloads_total")
            gc.unfreeze()
            _settle()  # models are large; what is left of the old ones goes now

        threading.Thread(target=work, name="reload", daemon=True).start()

    def _follow(self, server: Server) -> None:
        """Stops when the supervisor is gone: it holds the other end of stdin."""
        with contextlib.suppress(OSError):
            while os.read(sys.stdin.fileno(), 1024):
                continue
        server.should_exit = True

    async def _watch(self, server: Server) -> None:
        """Gives the process up when its computing threads are dead or hang; the supervisor starts another."""
        while True:
            await asyncio.sleep(1)
            if self.lanes.error is not None:
                server.should_exit = True
            if (seconds := self.lanes.busy_for()) > max(_HANGS, 4 * self.settings.limits.timeout):
                self.log("hangs", "critical", seconds=round(seconds))
                self.log.close()
                os._exit(BROKEN)

    def _deliver(self, outcomes: Sequence[tuple[Job, Outcome]]) -> None:
        if outcomes and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and so have all who waited
                self._loop.call_soon_threadsafe(deliver, outcomes)

    def _failed(self, error: BaseException) -> None:
        self.log.failure("lanes-failed", error)


def main() -> None:
    """Entry point of the process."""
    for each in (signal.SIGTERM, signal.SIGINT):  # until the server takes them over
        signal.signal(each, lambda *_: os._exit(0))
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the models are being loaded at this moment
    log = JsonLog()
    code = BROKEN
    try:
        handles = Handles(*map(int, sys.argv[1:]))
        settings = ServeSettings.from_json(_line(sys.stdin.fileno()))
        sys.setswitchinterval(0.001)  # the event loop is not to wait long for threads that compute
        for name in ("uvicorn.error", "asyncio"):
            logging.getLogger(name).handlers = [Handler(log)]
        worker = Worker(settings, handles, log)
        _settle()
        code = worker.run()
    except TaglineError as error:
        log("cannot-start", "error", message=str(error))
        code = error.exit_code
    except Exception as error:  # noqa: BLE001 (told in the form of the log)
        log.failure("cannot-start", error)
    log.close()
    # Not by the usual way: threads of engines have been seen to fail while the interpreter is taken down.
    sys.stderr.flush()
    os._exit(code)


def most_slots(models: Iterable[OpenModel], threads: int) -> int:
    """How many batches are run at once: one a processor thread, but engines that use all for one batch run one."""
    return 1 if any(model.engine == "torch" for model in models) else max(1, threads)


def _settle() -> None:
    """What lives as long as the process is not looked through again and again by the collector, while all wait."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _line(file: int) -> str:
    """The first line, and no more: what comes later tells of the supervisor's end."""
    read = bytearray()
    while (byte := os.read(file, 1)) not in (b"", b"\n"):
        read += byte
    return read.decode("utf-8")


if __name__ == "__main__":
    main()
