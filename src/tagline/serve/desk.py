"""Where requests come in and answers go out; runs on the event loop, and leaves all computing to the lanes."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope

from tagline.errors import TaglineError
from tagline.serve.callers import Callers, Gone
from tagline.serve.hosting import Hosted, Registry
from tagline.serve.inputs import Query, check, dumped, unfolded
from tagline.serve.jobs import Job, Outcome
from tagline.serve.lanes import Lanes
from tagline.serve.load import Refused
from tagline.serve.metrics import Metrics
from tagline.serve.schemas import BadRequest, HubTextRequest, HubTokenRequest, TextRequest, TokenRequest, parse
from tagline.serve.settings import Limits

TOKENS, TEXTS = "token-classification", "text-classification"
_LARGE = 65_536  # bytes of a body, beyond which it is parsed beside the event loop
_CHARACTERS = 3  # a sub-token, at least, in most languages


class Answer(NamedTuple):
    """What goes back."""

    body: bytes
    headers: Sequence[tuple[bytes, bytes]]
    status: int = 200


@dataclass(eq=False)
class Desk:
    """Answers requests.

    Attributes:
        registry: the models.
        lanes: compute.
        metrics: what is counted.
        limits: what a request may ask for.
        key: digest of the API key; None lets everyone in.
        draining: the server is about to stop.
        active: requests at hand.
        callers: those who wait for their answer.
    """

    registry: Registry
    lanes: Lanes
    metrics: Metrics
    limits: Limits
    key: bytes | None = None
    draining: bool = False
    active: int = 0
    callers: Callers = field(default_factory=Callers)

    @staticmethod
    def digest(key: str) -> bytes:
        """What is kept of a key."""
        return hashlib.sha256(key.encode()).digest()

    def authorize(self, scope: Scope) -> None:
        """Lets those in who have the key; takes the same time for any other."""
        if self.key is None:
            return
        scheme, _, token = _header(scope, b"authorization").partition(b" ")
        given = token.strip() if scheme.lower() == b"bearer" else _header(scope, b"x-api-key")
        if not hmac.compare_digest(hashlib.sha256(given).digest(), self.key):
            raise HTTPException(
                401,
                "this server wants its API key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`",
                {"WWW-Authenticate": "Bearer"},
            )

    async def answer(self, scope: Scope, receive: Receive, task: str) -> Answer:
        """`/v1/…`: the schema of the pipelines."""
        self.authorize(scope)
        kind: type[Query] = TokenRequest if task == TOKENS else TextRequest
        return await self._admitted(scope, receive, kind, lambda query: self._find(query, task))

    async def answer_hub(self, scope: Scope, receive: Receive, name: str) -> Answer:
        """`/models/NAME`: the inference schema of Hugging Face."""
        self.authorize(scope)
        hosted = self.registry.get(name)
        if hosted is None:
            raise HTTPException(404, f"no model {name[:80]!r} here; there are {', '.join(self.registry.names)}")
        kind: type[Query] = HubTokenRequest if hosted.model.task == TOKENS else HubTextRequest
        return await self._admitted(scope, receive, kind, lambda query: hosted)

    def _find(self, query: Query, task: str) -> Hosted:
        hosted = self.registry.default(task) if query.model is None else self.registry.get(query.model)
        if hosted is None or hosted.model.task != task:
            names = [each.name for each in self.registry.all() if each.model.task == task]
            asked = "" if query.model is None else f" {query.model[:80]!r}"
            there = f"there are {', '.join(names)}" if names else "this server has none"
            raise HTTPException(404, f"no model{asked} for {task} here; {there}")
        return hosted

    async def _admitted(
        self, scope: Scope, receive: Receive, kind: type[Query], find: Callable[[Query], Hosted]
    ) -> Answer:
        if self.active >= self.limits.requests:
            raise _busy(1.0, "too many requests are in the server")
        self._look(scope)
        self._count(1)
        try:
            async with asyncio.timeout(self.limits.timeout):
                body = await self._body(receive)
                query = await asyncio.to_thread(parse, kind, body) if len(body) > _LARGE else parse(kind, body)
                return await self._computed(scope, receive, query, find(query))
        except TimeoutError:
            message = f"no answer within {self.limits.timeout:g} s; send less text, or ask for a longer --timeout"
            raise HTTPException(504, message) from None
        except BadRequest as error:
            raise HTTPException(error.status, str(error)) from None
        except TaglineError as error:
            raise HTTPException(422, str(error)) from None
        except Refused as error:
            raise _busy(error.seconds, str(error)) from None
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self.active += change
        self.metrics.put("tagline_requests_in_progress", value=self.active)

    def _look(self, scope: Scope) -> None:
        """Refuses by the length that the caller tells, before anything was read: under load this must cost nothing."""
        told = _header(scope, b"content-length")
        length = int(told[:20]) if told.isdigit() else None
        if length is None:
            return
        if length > self.limits.body_bytes:
            raise _too_large(self.limits.body_bytes)
        load = self.lanes.load
        if not load.is_long(length // _CHARACTERS):
            try:
                load.admit(long=False)
            except Refused as error:
                raise _busy(error.seconds, str(error)) from None

    async def _body(self, receive: Receive) -> bytes:
        """The body, read no further than is allowed."""
        chunks, total, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Gone
            chunk, more = message.get("body", b""), message.get("more_body", False)
            total += len(chunk)
            if total > self.limits.body_bytes:
                raise _too_large(self.limits.body_bytes)
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _computed(self, scope: Scope, receive: Receive, query: Query, hosted: Hosted) -> Answer:
        changes = query.parameters.model_dump(exclude_unset=True)
        hub = isinstance(query, HubTokenRequest | HubTextRequest)
        if hub:  # what is usual there
            changes = (
                {"aggregation_strategy": "simple", **changes}
                if hosted.model.task == TOKENS
                else {"top_k": None, **changes}
            )
        inputs, shape = unfolded(query, changes, hub)
        characters = check(inputs, changes, self.limits)
        job = Job(
            name=hosted.name,
            model=hosted.model,
            inputs=inputs,
            settings=hosted.model.settings(changes),
            finish=lambda answers: dumped(shape(answers)),
            estimate=characters // _CHARACTERS + 2 * len(inputs),
            waiter=asyncio.get_running_loop().create_future(),
        )
        details: dict[str, Any] = scope.setdefault("tagline", {})
        details.update(model=hosted.name, texts=len(inputs), characters=characters)
        self.lanes.submit(job)
        try:
            outcome: Outcome = await self.callers.wait(receive, job.waiter)
        finally:
            self.lanes.cancel(job)  # of one that has its outcome nothing is left
        details.update(tokens=job.tokens, windows=job.windows)
        if outcome.error is not None:
            if isinstance(outcome.error, TaglineError):
                raise outcome.error
            raise HTTPException(500, "this request failed in the server; its log says why")
        headers = [(b"x-tagline-model", hosted.name.encode()), (b"x-tagline-tokens", b"%d" % job.tokens)]
        if shortened := hosted.model.shortened(job.texts):
            headers.append((b"x-tagline-shortened", b"%d" % shortened))
        return Answer(outcome.body, headers)


def deliver(outcomes: Sequence[tuple[Job, Outcome]]) -> None:
    """Tells those who wait; on the event loop."""
    for job, outcome in outcomes:
        if not job.waiter.done():
            job.waiter.set_result(outcome)


def _header(scope: Scope, name: bytes) -> bytes:
    for each, value in scope["headers"]:
        if each == name:
            found: bytes = value
            return found
    return b""


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"the body is larger than {limit:,} bytes, which is the most that is read. Send less")


def _busy(seconds: float, why: str) -> HTTPException:
    after = max(1, math.ceil(seconds))
    return HTTPException(503, f"{why}; try again in {after} s", {"Retry-After": str(after)})
