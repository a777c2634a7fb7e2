"""Those who wait for an answer: whether they are still there is looked after only where they wait long."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Receive

_PATIENCE = 0.1  # seconds before anyone looks whether the caller is still there


class Gone(Exception):
    """The caller hung up."""


class Callers:
    """Waits with callers for their answers; runs on the event loop.

    One look at all of them now and then costs less than a timer for each.
    """

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[Any], tuple[float, Receive]] = {}  # in the order in which they came
        self._watchers: dict[asyncio.Future[Any], asyncio.Task[None]] = {}
        self._look: asyncio.TimerHandle | None = None

    async def wait(self, receive: Receive, waiter: asyncio.Future[Any]) -> Any:
        """What the waiter is given.

        Raises:
            Gone: the caller hung up before.
        """
        loop = asyncio.get_running_loop()
        self._waiting[waiter] = (loop.time(), receive)
        if self._look is None:
            self._look = loop.call_later(_PATIENCE, self._watch, loop)
        try:
            return await waiter
        finally:
            self._waiting.pop(waiter, None)
            if (watcher := self._watchers.pop(waiter, None)) is not None:
                watcher.cancel()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begins to listen to those who have waited for some time."""
        before = loop.time() - _PATIENCE / 2
        for waiter, (since, receive) in list(self._waiting.items()):
            if since > before:
                break
            del self._waiting[waiter]
            self._watchers[waiter] = loop.create_task(_listen(receive, waiter))
        self._look = loop.call_later(_PATIENCE, self._watch, loop) if self._waiting else None


async def _listen(receive: Receive, waiter: asyncio.Future[Any]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    if not waiter.done():
        waiter.set_exception(Gone())
