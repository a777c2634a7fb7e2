"""A client for servers: as little Python as can be, for it shares the cores with what it measures.

No task, future or timer for a request: a connection calls back when its answer is whole, one timer sends what is due.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

PATIENCE = 60.0  # seconds without any answer, after which the server is taken to hang
Checked = Callable[[int, int, bytes], None]


@dataclass
class Tally:
    """What came back.

    Attributes:
        seconds: time of each answer with status 200, from when it was due to be asked.
        refusals: time of each answer with status 503.
        statuses: how often each status came; -1 is no answer at all.
        elapsed: seconds from the first request to the last answer.
        client: processor time that the client itself took.
    """

    seconds: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    elapsed: float = 0.0
    client: float = 0.0

    @property
    def rate(self) -> float:
        """Answers with status 200 a second."""
        return len(self.seconds) / self.elapsed if self.elapsed else 0.0

    def percentile(self, share: float) -> float:
        """Milliseconds within which a share of the answers came."""
        return _percentile(self.seconds, share)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        asked = max(1, sum(self.statuses.values()))
        return {
            "per_second": round(self.rate, 1),
            "p50_ms": round(self.percentile(0.5), 2),
            "p99_ms": round(self.percentile(0.99), 2),
            "refused_p99_ms": round(_percentile(self.refusals, 0.99), 2) if self.refusals else None,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "client_us": round(1e6 * self.client / asked, 1),
        }


def _percentile(values: list[float], share: float) -> float:
    ranked = sorted(values)
    return 1000 * ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else float("nan")


class Link(asyncio.Protocol):
    """One connection, for one request at a time.

    Args:
        told: is called with the link, the status (-1 where there is none) and the body of each answer.
    """

    def __init__(self, told: Callable[[Link, int, bytes], None]) -> None:
        self.number, self.due, self.busy = 0, 0.0, False
        self._told, self._buffer = told, b""
        self._transport: Any = None  # uvloop's is no asyncio.Transport

    @property
    def open(self) -> bool:
        """Whether it can be used again."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport."""
        self._transport = transport

    def send(self, request: bytes, number: int, due: float) -> None:
        """Asks."""
        self.number, self.due, self.busy = number, due, True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Takes what comes; tells once the answer is whole."""
        self._buffer = whole = self._buffer + data if self._buffer else data
        if (end := whole.find(b"\r\n\r\n")) < 0:
            return
        head = whole[:end].lower()
        place = head.find(b"content-length: ") + 16
        stop = head.find(b"\r\n", place)
        length = int(head[place : stop if stop >= 0 else end])
        if len(whole) < end + 4 + length:
            return
        self._buffer, self.busy = b"", False
        if b"connection: close" in head:
            self.close()
        self._told(self, int(whole[9:12]), whole[end + 4 :])

    def connection_lost(self, error: Exception | None) -> None:
        """Whoever waits gets no answer."""
        self._transport = None
        if self.busy:
            self.busy = False
            self._told(self, -1, b"")

    def close(self) -> None:
        """Hangs up."""
        if self._transport is not None:
            self._transport.close()


class Client:
    """Asks one server.

    Args:
        port: where it listens.
        path: of all requests.
        bodies: asked for in turn.
        checked: is given number, status and body of each answer.
    """

    def __init__(self, port: int, path: str, bodies: Sequence[bytes], checked: Checked | None = None) -> None:
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self._requests = [(head % len(body)).encode() + body for body in bodies]
        self._port, self._checked = port, checked
        self._tally, self._links, self._last = Tally(), 0, 0.0
        self._again: Callable[[Link], None] = lambda link: None
        self._idle: list[Link] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def closed(self, clients: int, seconds: float = 0.0, requests: int = 0) -> Tally:
        """So many connections, each asking again once it has its answer, for a time or a number of requests in all."""
        return self._run(self._closed(clients, seconds, requests))

    def opened(self, rate: float, seconds: float) -> Tally:
        """Requests at random times, so many a second whatever comes back; time counts from when each was due."""
        return self._run(self._opened(rate, seconds))

    async def _closed(self, clients: int, seconds: float, requests: int) -> None:
        numbers, finished = iter(range(requests or 10**12)), asyncio.Event()
        until = time.perf_counter() + seconds if seconds else float("inf")

        def again(link: Link) -> None:
            number = next(numbers, None) if time.perf_counter() < until else None
            if number is None:
                link.close()
                self._links -= 1
            elif link.open:
                link.send(self._requests[number % len(self._requests)], number, time.perf_counter())
                return
            else:
                self._links -= 1
                tasks.append(asyncio.create_task(begin(number)))
            if not self._links:
                finished.set()

        async def begin(number: int) -> None:
            self._links += 1
            while time.perf_counter() < until:
                try:
                    link = await self._connect()
                    link.send(self._requests[number % len(self._requests)], number, time.perf_counter())
                    return
                except OSError:  # nobody listens: not accepted
                    await asyncio.sleep(0.01)
            self._links -= 1
            if not self._links:
                finished.set()

        self._again = again
        tasks = [asyncio.create_task(begin(next(numbers))) for _ in range(clients)]
        await self._until(finished)

    async def _opened(self, rate: float, seconds: float) -> None:
        loop, draw, finished = asyncio.get_running_loop(), random.Random(1), asyncio.Event()
        self._idle = [await self._connect() for _ in range(64)]
        asked, due = 0, 0.0
        answered = 0

        def again(link: Link) -> None:
            nonlocal answered
            answered += 1
            if link.open:
                self._idle.append(link)
            if due >= until and answered == asked:
                finished.set()

        def send() -> None:
            nonlocal due, asked
            while due <= (now := time.perf_counter()) and due < until:
                self._ask(asked, due)
                due, asked = due + draw.expovariate(rate), asked + 1
            if due < until:
                loop.call_later(max(0.0, due - now), send)

        self._again = again
        started = time.perf_counter()
        due, until = started + draw.expovariate(rate), started + seconds
        send()
        await self._until(finished)
        for link in self._idle:
            link.close()

    def _ask(self, number: int, due: float) -> None:
        """Asks on a connection that is idle, or a new one."""
        request = self._requests[number % len(self._requests)]
        while self._idle:
            link = self._idle.pop()
            if link.open:
                link.send(request, number, due)
                return

        async def further() -> None:
            try:
                link = await self._connect()
                link.send(request, number, due)
            except OSError:
                nobody = Link(self._came)
                nobody.number, nobody.due = number, due
                self._came(nobody, -1, b"")

        task = asyncio.create_task(further())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self) -> Link:
        _, link = await asyncio.get_running_loop().create_connection(lambda: Link(self._came), "127.0.0.1", self._port)
        return link

    def _came(self, link: Link, status: int, body: bytes) -> None:
        now = self._last = time.perf_counter()
        if status == 200:
            self._tally.seconds.append(now - link.due)
        elif status == 503:
            self._tally.refusals.append(now - link.due)
        self._tally.statuses[status] = self._tally.statuses.get(status, 0) + 1
        if self._checked is not None:
            self._checked(link.number, status, body)
        self._again(link)

    async def _until(self, finished: asyncio.Event) -> None:
        while True:
            try:
                async with asyncio.timeout(1):
                    await finished.wait()
                return
            except TimeoutError:
                if time.perf_counter() - self._last > PATIENCE:
                    raise RuntimeError(f"no answer for {PATIENCE:g} s: the server hangs") from None

    def _run(self, work: Any) -> Tally:
        import uvloop

        self._tally, self._links, self._last = Tally(), 0, time.perf_counter()
        started, used = time.perf_counter(), time.process_time()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)
        self._tally.elapsed = self._last - started
        self._tally.client = time.process_time() - used
        return self._tally


def comparing(wanted: Sequence[Any], same: Callable[[Any, Any], bool], wrong: list[int]) -> Checked:
    """Notes the numbers of requests whose answer is not the one that was wanted."""

    def check(number: int, status: int, body: bytes) -> None:
        if status == 200 and not same(json.loads(body), wanted[number % len(wanted)]):
            wrong.append(number)

    return check
