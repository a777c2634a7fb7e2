"""The outermost layer: every request gets a number, is counted and logged, and has an answer whatever happens."""

from __future__ import annotations

import os
import re
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tagline.serve.callers import Gone
from tagline.serve.desk import Desk
from tagline.serve.logs import JsonLog

_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")
_FAILED = b'{"error":"this request failed in the server; its log says why"}'


class Front:
    """Wraps the application.

    Args:
        app: answers.
        desk: knows whether the server is about to stop.
        log: where requests are logged.
        access: whether each request is logged, or only failures.
    """

    def __init__(self, app: ASGIApp, desk: Desk, log: JsonLog, access: bool = True) -> None:
        self._app, self._desk, self._log, self._access = app, desk, log, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or passes on what is none."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, number, status = time.perf_counter(), _number(scope), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), (b"x-request-id", number)]
                if self._desk.draining:  # the caller is to come back on another connection
                    headers.append((b"connection", b"close"))
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Gone:
            status = 499
        except Exception as error:  # noqa: BLE001 (the caller is to have an answer)
            self._log.failure("request-failed", error, request=number.decode())
            if not status:
                headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_FAILED))]
                await sending({"type": "http.response.start", "status": 500, "headers": headers})
                await sending({"type": "http.response.body", "body": _FAILED})
            status = 500
        finally:
            self._note(scope, number, status or 499, time.perf_counter() - started)

    def _note(self, scope: Scope, number: bytes, status: int, seconds: float) -> None:
        path = scope.get("path", "")
        self._desk.metrics.request(_route(path), status, seconds)
        if self._access:
            # The path as it was asked for might hold anything; only what the server knows is logged.
            details: dict[str, Any] = {"path": getattr(scope.get("route"), "path", "?"), **scope.get("tagline", {})}
            took = round(1000 * seconds, 2)
            self._log(
                "request", request=number.decode(), method=scope["method"][:16], status=status, ms=took, **details
            )  # fmt: skip


def _number(scope: Scope) -> bytes:
    """The request's number: the caller's, where it is fit to be logged."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given if _ID.match(given) else os.urandom(8).hex().encode()


def _route(path: str) -> str:
    if path.startswith("/models/"):
        return "models"
    name = path.removeprefix("/v1/")
    return name if name in ("token-classification", "text-classification") else "other"
