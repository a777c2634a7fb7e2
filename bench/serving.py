"""A client for servers: keeps connections, counts seconds; as little Python as can be, for it shares the cores."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Tally:
    """What came back.

    Attributes:
        seconds: time of each answer with status 200, from when it was due to be asked.
        statuses: how often each status came; -1 is no answer at all.
        elapsed: seconds from the first request to the last answer.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    elapsed: float = 0.0

    def percentile(self, share: float) -> float:
        """Milliseconds within which a share of the answers came."""
        ranked = sorted(self.seconds)
        return 1000 * ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "per_second": round(len(self.seconds) / self.elapsed, 1) if self.elapsed else 0.0,
            "p50_ms": round(self.percentile(0.5), 2),
            "p99_ms": round(self.percentile(0.99), 2),
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
        }


class Link:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        assert self._reader is not None
        head = (
            f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        found = await self._reader.readexactly(length)
        if b"\r\nconnection: close" in answer:
            self.close()
        return int(answer[9:12]), found

    def close(self) -> None:
        """Hangs up."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


Ask = Callable[[Link, int], Awaitable[int]]


async def _one(tally: Tally, link: Link, ask: Ask, number: int, due: float) -> None:
    try:
        status = await ask(link, number)
    except (OSError, asyncio.IncompleteReadError, ValueError, IndexError):
        link.close()
        status = -1
    if status == 200:
        tally.seconds.append(time.perf_counter() - due)
    tally.statuses[status] = tally.statuses.get(status, 0) + 1


def closed(port: int, ask: Ask, clients: int, seconds: float = 0.0, requests: int = 0) -> Tally:
    """So many clients, each asking again once it has its answer, for a time or a number of requests in all."""

    async def run() -> Tally:
        tally, numbers = Tally(), iter(range(requests or 10**12))
        started = time.perf_counter()

        async def client() -> None:
            link = Link(port)
            for number in numbers:
                if seconds and time.perf_counter() - started > seconds:
                    break
                await _one(tally, link, ask, number, time.perf_counter())
            link.close()

        await asyncio.gather(*(client() for _ in range(clients)))
        tally.elapsed = time.perf_counter() - started
        return tally

    return _run(run)


def opened(port: int, ask: Ask, rate: float, seconds: float) -> Tally:
    """Requests at random times, so many a second whatever comes back; time counts from when each was due."""

    async def run() -> Tally:
        tally, idle, tasks = Tally(), [Link(port) for _ in range(8)], set()
        draw, started = random.Random(1), time.perf_counter()
        due, number = started, 0

        async def send(number: int, due: float) -> None:
            link = idle.pop() if idle else Link(port)
            await _one(tally, link, ask, number, due)
            idle.append(link)

        while (due := due + draw.expovariate(rate)) < started + seconds:
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            task = asyncio.create_task(send(number, due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            number += 1
        await asyncio.wait_for(asyncio.gather(*tasks), 120)  # longer is a hang
        tally.elapsed = time.perf_counter() - started
        for link in idle:
            link.close()
        return tally

    return _run(run)


def _run(work: Callable[[], Any]) -> Tally:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found: Tally = runner.run(work())
        return found


def asking(path: str, bodies: Sequence[bytes]) -> Ask:
    """Asks for one body after the other."""

    async def ask(link: Link, number: int) -> int:
        return (await link.post(path, bodies[number % len(bodies)]))[0]

    return ask


def comparing(path: str, asked: Sequence[tuple[bytes, Any]], same: Callable[[Any, Any], bool], wrong: list[int]) -> Ask:
    """The same, and notes the numbers of requests whose answer is not the one that was wanted."""

    async def ask(link: Link, number: int) -> int:
        body, wanted = asked[number % len(asked)]
        status, found = await link.post(path, body)
        if status == 200 and not same(json.loads(found), wanted):
            wrong.append(number)
        return status

    return ask
