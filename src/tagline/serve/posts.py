"""The routes that read texts, straight on ASGI: a framework's layers would cost more than all else that they do.

The framework has everything else, and describes these (see `app`).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tagline.serve.desk import TEXTS, TOKENS, Answer, Desk

HUB = "/models/"
_TASKS = {f"/v1/{TOKENS}": TOKENS, f"/v1/{TEXTS}": TEXTS}
_JSON = (b"content-type", b"application/json")


class Posts:
    """Answers requests that bring texts, and passes on all others.

    Args:
        app: answers the others.
        desk: answers these.
    """

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app, self._desk = app, desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or passes it on."""
        answering = self._find(scope, receive) if scope["type"] == "http" and scope["method"] == "POST" else None
        if answering is None:
            await self._app(scope, receive, send)
            return
        try:
            answer = await answering()
        except HTTPException as error:
            answer = refusal(error)
        start: Message = {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [_JSON, (b"content-length", b"%d" % len(answer.body)), *answer.headers],
        }
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})

    def _find(self, scope: Scope, receive: Receive) -> Callable[[], Awaitable[Answer]] | None:
        path: str = scope["path"]
        if (task := _TASKS.get(path)) is not None:
            scope["tagline"] = {"path": path}
            return lambda: self._desk.answer(scope, receive, task)
        name = path.removeprefix(HUB)
        if path.startswith(HUB) and name and "/" not in name:
            scope["tagline"] = {"path": "/models/{name}"}
            return lambda: self._desk.answer_hub(scope, receive, name)
        return None


def refusal(error: HTTPException) -> Answer:
    """What is answered to a request that was refused."""
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (error.headers or {}).items()
    ]
    return Answer(
        json.dumps({"error": error.detail}, ensure_ascii=False).encode("utf-8", "replace"), headers, error.status_code
    )
