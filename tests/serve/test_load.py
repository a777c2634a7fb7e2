"""How much waits, how fast it goes, and whom that lets in; and that who is refused costs nothing."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.serve.callers import Callers, Gone
from tagline.serve.desk import Desk
from tagline.serve.lanes import Lanes
from tagline.serve.load import Load, LoadSettings, Refused
from tagline.serve.metrics import Metrics
from tagline.serve.posts import Posts
from tagline.serve.settings import Limits


def load(**changes: Any) -> Load:
    return Load(LoadSettings(**{"slots": 2, "budget": 100, "max_wait": 1.0, "max_wait_long": 5.0, **changes}), METRICS)


METRICS = Metrics(["m"])


def test_one_is_refused_when_what_waits_takes_too_long() -> None:
    waiting = load()
    waiting.measured(1.0, 1000)  # a slot computes 1,000 sub-tokens a second, two of them 2,000
    waiting.add(long=False, tokens=1999)
    waiting.admit(long=False)
    waiting.add(long=False, tokens=2)
    with pytest.raises(Refused) as error:
        waiting.admit(long=False)
    assert error.value.seconds == pytest.approx(2001 / 2000)
    waiting.admit(long=True)  # what short ones wait for says nothing of long ones
    waiting.add(long=False, tokens=-500)
    waiting.admit(long=False)


def test_what_goes_with_the_next_batches_is_never_refused() -> None:
    waiting = load(max_wait=0.001)
    waiting.measured(100.0, 1)
    waiting.add(long=False, tokens=200)
    waiting.admit(long=False)
    waiting.add(long=False, tokens=1)
    with pytest.raises(Refused):
        waiting.admit(long=False)


def test_where_both_kinds_wait_each_has_its_share() -> None:
    waiting = load()
    waiting.measured(1.0, 1000)
    waiting.add(long=False, tokens=1000)
    waiting.add(long=True, tokens=1000)
    assert waiting.wait(long=False) == pytest.approx(0.75)  # two thirds of 2,000 a second
    assert waiting.wait(long=True) == pytest.approx(1.5)


@given(st.lists(st.integers(1, 2000), min_size=1, max_size=60), st.floats(1e-6, 1e-1))
def test_a_steady_speed_is_measured_whatever_the_batches(batches: list[int], each: float) -> None:
    waiting = load(budget=512)
    for tokens in batches:
        waiting.measured(tokens * each, tokens)
    assert waiting.speed == pytest.approx(1 / each)
    assert waiting.batch == max(64, min(512, int(waiting.speed * 0.01)))


def test_a_new_speed_is_learned() -> None:
    waiting = load()
    waiting.measured(1.0, 1000)
    for _ in range(200):
        waiting.measured(1.0, 200)
    assert waiting.speed == pytest.approx(200, rel=0.02)


def rig(requests: int = 8) -> tuple[Desk, Posts, Lanes]:
    """A desk whose lanes were never started: whoever is let in waits."""
    metrics = Metrics(["m"])
    lanes = Lanes(LoadSettings(max_wait=0.01), metrics, lambda _: None, lambda _: None, lambda _: None)
    settings = SimpleNamespace()
    model = SimpleNamespace(task="token-classification", settings=lambda changes: settings)
    hosted = SimpleNamespace(name="m", model=model)
    registry: Any = SimpleNamespace(
        get={"m": hosted}.get, default=lambda task: hosted, names=["m"], all=lambda: [hosted]
    )

    async def elsewhere(*_: Any) -> None:
        raise AssertionError("a text was brought, and the framework was asked")

    desk = Desk(registry, lanes, metrics, Limits(requests=requests))
    return desk, Posts(elsewhere, desk), lanes


async def ask(posts: Posts, receive: Any, length: int, path: str = "/v1/token-classification") -> tuple[int, Any, Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-length", str(length).encode())]
    await posts({"type": "http", "method": "POST", "path": path, "headers": headers}, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), json.loads(sent[1]["body"])


@pytest.mark.parametrize("path", ["/v1/token-classification", "/models/m"])
def test_under_load_a_body_is_not_even_read(path: str) -> None:
    _, posts, lanes = rig()
    lanes.load.measured(1.0, 100)
    lanes.load.add(long=False, tokens=1000)

    async def receive() -> Any:
        raise AssertionError("it was read")

    status, headers, body = asyncio.run(ask(posts, receive, 50, path))
    assert (status, headers[b"retry-after"]) == (503, b"10")
    assert body["error"] == "about 10.0 s of work are waiting already; try again in 10 s"


def test_more_requests_than_are_allowed_at_once_are_refused() -> None:
    desk, posts, _ = rig(requests=1)
    desk.active = 1
    status, headers, _ = asyncio.run(ask(posts, None, 50))
    assert (status, headers[b"retry-after"]) == (503, b"1")


def test_who_hangs_up_while_waiting_is_dropped() -> None:
    desk, posts, lanes = rig()
    messages = [{"type": "http.request", "body": b'{"inputs": "a"}'}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return messages.pop(0)

    with pytest.raises(Gone):
        asyncio.run(ask(posts, receive, 15))
    assert desk.active == 0
    assert "tagline_dropped_total 1" in desk.metrics.text()
    assert lanes.load.wait(long=False) == 0.0
    assert 'tagline_queue_requests{class="short"} 0' in desk.metrics.text()


def test_callers_who_get_their_answer_soon_are_not_looked_after() -> None:
    async def work() -> int:
        asked = 0

        async def receive() -> Any:
            nonlocal asked
            asked += 1
            await asyncio.sleep(60)

        callers, loop = Callers(), asyncio.get_running_loop()
        soon, late = loop.create_future(), loop.create_future()
        waits = [loop.create_task(callers.wait(receive, each)) for each in (soon, late)]
        await asyncio.sleep(0)
        soon.set_result("soon")
        assert await waits[0] == "soon"
        while not asked:  # the one that waits is listened to after some time, once
            await asyncio.sleep(0.01)
        late.set_result("late")
        assert await waits[1] == "late"
        return asked

    assert asyncio.run(work()) == 1
