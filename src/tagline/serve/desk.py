"""Where requests come in and answers go out; runs on the event loop, and leaves all computing to the lanes."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from tagline.errors import TaglineError
from tagline.serve.hosting import Hosted, Registry
from tagline.serve.jobs import Job, Outcome
from tagline.serve.lanes import Lanes, Refused
from tagline.serve.metrics import Metrics
from tagline.serve.schemas import (
    BadRequest,
    HubTextRequest,
    HubTokenRequest,
    Pair,
    TextRequest,
    TokenRequest,
    parse,
)
from tagline.serve.settings import Limits

TOKENS, TEXTS = "token-classification", "text-classification"
_LARGE = 65_536  # bytes of a body, beyond which it is parsed beside the event loop
_CHARACTERS = 3  # a sub-token, at least, in most languages
_PATIENCE = 0.05  # seconds before anyone looks whether the caller is still there
Query = TokenRequest | TextRequest


class Gone(Exception):
    """The caller hung up."""


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
    """

    registry: Registry
    lanes: Lanes
    metrics: Metrics
    limits: Limits
    key: bytes | None = None
    draining: bool = False
    active: int = 0

    @staticmethod
    def digest(key: str) -> bytes:
        """What is kept of a key."""
        return hashlib.sha256(key.encode()).digest()

    def authorize(self, request: Request) -> None:
        """Lets those in who have the key; takes the same time for any other."""
        if self.key is None:
            return
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        if not hmac.compare_digest(hashlib.sha256(given.encode("utf-8", "replace")).digest(), self.key):
            raise HTTPException(
                401,
                "this server wants its API key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`",
                {"WWW-Authenticate": "Bearer"},
            )

    async def answer(self, request: Request, task: str) -> Response:
        """`/v1/…`: the schema of the pipelines."""
        self.authorize(request)
        kind: type[Query] = TokenRequest if task == TOKENS else TextRequest
        return await self._admitted(request, lambda: self._named(kind, task), hub=False)

    async def answer_hub(self, request: Request, name: str) -> Response:
        """`/models/NAME`: the inference schema of Hugging Face."""
        self.authorize(request)
        hosted = self.registry.get(name)
        if hosted is None:
            raise HTTPException(404, f"no model {name[:80]!r} here; there are {', '.join(self.registry.names)}")
        kind: type[Query] = HubTokenRequest if hosted.model.task == TOKENS else HubTextRequest
        return await self._admitted(request, lambda: (kind, lambda query: hosted), hub=True)

    def _named(self, kind: type[Query], task: str) -> tuple[type[Query], Callable[[Query], Hosted]]:
        def find(query: Query) -> Hosted:
            hosted = self.registry.default(task) if query.model is None else self.registry.get(query.model)
            if hosted is None or hosted.model.task != task:
                names = [each.name for each in self.registry.all() if each.model.task == task]
                asked = "" if query.model is None else f" {query.model[:80]!r}"
                there = f"there are {', '.join(names)}" if names else "this server has none"
                raise HTTPException(404, f"no model{asked} for {task} here; {there}")
            return hosted

        return kind, find

    async def _admitted(
        self, request: Request, plan: Callable[[], tuple[type[Query], Callable[[Query], Hosted]]], hub: bool
    ) -> Response:
        if self.active >= self.limits.requests:
            raise _busy(1.0, "too many requests are in the server")
        self.active += 1
        self.metrics.add("tagline_requests_in_progress")
        try:
            kind, find = plan()
            async with asyncio.timeout(self.limits.timeout) as deadline:
                body = await self._body(request)
                query = await asyncio.to_thread(parse, kind, body) if len(body) > _LARGE else parse(kind, body)
                return await self._computed(request, query, find(query), hub, deadline.when() or 0.0)
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
            self.active -= 1
            self.metrics.add("tagline_requests_in_progress", by=-1)

    async def _body(self, request: Request) -> bytes:
        """The body, read no further than is allowed."""
        limit = self.limits.body_bytes
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > limit:
            raise _too_large(limit)
        chunks, total = [], 0
        try:
            async for chunk in request.stream():
                total += len(chunk)
                if total > limit:
                    raise _too_large(limit)
                chunks.append(chunk)
        except ClientDisconnect:
            raise Gone from None
        return b"".join(chunks)

    async def _computed(self, request: Request, query: Query, hosted: Hosted, hub: bool, deadline: float) -> Response:
        changes = query.parameters.model_dump(exclude_unset=True)
        if hub and hosted.model.task == TOKENS:
            changes.setdefault("aggregation_strategy", "simple")
        if hub and hosted.model.task == TEXTS:
            changes.setdefault("top_k", None)
        inputs, shape = _unfolded(query, changes, hub)
        characters = _check(inputs, changes, self.limits)
        loop = asyncio.get_running_loop()
        job = Job(
            name=hosted.name,
            model=hosted.model,
            inputs=inputs,
            settings=hosted.model.settings(changes),
            finish=lambda answers: _dumped(shape(answers)),
            estimate=characters // _CHARACTERS + 2 * len(inputs),
            waiter=loop.create_future(),
        )
        details = request.scope.setdefault("tagline", {})
        details.update(model=hosted.name, texts=len(inputs), characters=characters)
        self.lanes.submit(job)
        outcome: Outcome = await self._wait(request, job)
        details.update(tokens=job.tokens, windows=job.windows)
        if outcome.error is not None:
            if isinstance(outcome.error, TaglineError):
                raise outcome.error
            raise HTTPException(500, "this request failed in the server; its log says why")
        headers = {"x-tagline-model": hosted.name, "x-tagline-tokens": str(job.tokens)}
        if shortened := hosted.model.shortened(job.texts):
            headers["x-tagline-shortened"] = str(shortened)
        return Response(outcome.body, 200, headers, "application/json")

    async def _wait(self, request: Request, job: Job) -> Outcome:
        """The outcome; a job whose caller goes, or for which there is no more time, is dropped."""
        waiter: asyncio.Future[Outcome] = job.waiter
        try:
            await asyncio.wait([waiter], timeout=_PATIENCE)
            if not waiter.done():
                await self._watch(request, waiter)
            return await waiter
        finally:
            self.lanes.cancel(job)  # of one that has its outcome nothing is left

    @staticmethod
    async def _watch(request: Request, waiter: asyncio.Future[Outcome]) -> None:
        async def hung_up() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass

        watcher = asyncio.create_task(hung_up())
        try:
            both: list[asyncio.Future[Any]] = [waiter, watcher]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not waiter.done():
                raise Gone
        finally:
            watcher.cancel()


def deliver(outcomes: Sequence[tuple[Job, Outcome]]) -> None:
    """Tells those who wait; on the event loop."""
    for job, outcome in outcomes:
        if not job.waiter.done():
            job.waiter.set_result(outcome)


def _unfolded(query: Query, changes: dict[str, Any], hub: bool) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The inputs as a list, and how answers to them are put together: as the pipeline does, or the hub."""
    inputs: Any = query.inputs
    if isinstance(query, TokenRequest):
        split = bool(changes.get("is_split_into_words"))
        if split and isinstance(inputs, str):
            raise BadRequest("inputs is a text; with is_split_into_words a list of words is expected, or several")
        if not split and isinstance(inputs, list) and any(not isinstance(each, str) for each in inputs):
            raise BadRequest("inputs holds lists; for lists of words give is_split_into_words: true")
        if split and inputs and all(isinstance(each, str) for each in inputs):
            return [inputs], list
        return (inputs, list) if isinstance(inputs, list) else ([inputs], lambda answers: answers[0])
    if isinstance(inputs, list):
        return [_plain(each) for each in inputs], list
    bare = isinstance(inputs, Pair) or "top_k" in changes
    if hub or not bare:
        return [_plain(inputs)], list
    return [_plain(inputs)], lambda answers: answers[0]


def _plain(item: str | Pair) -> str | dict[str, str]:
    return item if isinstance(item, str) else item.model_dump(exclude_none=True)


def _check(inputs: list[Any], changes: dict[str, Any], limits: Limits) -> int:
    """How many characters there are.

    Raises:
        BadRequest: there is more than is allowed.
    """
    if len(inputs) > limits.texts:
        raise BadRequest(f"got {len(inputs):,} texts; at most {limits.texts:,} are read at once. Send them in parts")
    delimiter, total = len(changes.get("delimiter", " ")), 0
    for number, each in enumerate(inputs):
        if isinstance(each, str):
            length = len(each)
        elif isinstance(each, dict):
            length = sum(map(len, each.values()))
        else:
            length = sum(map(len, each)) + len(each) * max(1, delimiter)
        if length > limits.characters:
            place = f"text {number}" if len(inputs) > 1 else "the text"
            raise BadRequest(f"{place} has {length:,} characters; at most {limits.characters:,} are read. Cut it")
        total += length
    return total


def _dumped(answers: Any) -> bytes:
    return json.dumps(answers, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"the body is larger than {limit:,} bytes, which is the most that is read. Send less")


def _busy(seconds: float, why: str) -> HTTPException:
    after = max(1, math.ceil(seconds))
    return HTTPException(503, f"{why}; try again in {after} s", {"Retry-After": str(after)})
