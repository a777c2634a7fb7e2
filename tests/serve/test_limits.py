"""What is refused, and how; callers who leave; what the log holds."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.serve.conftest import Models
from tests.serve.support import LINES, LONG, Server, in_threads

TOKENS, TEXTS = "/v1/token-classification", "/v1/text-classification"
KEY = "open-sesame"
ORIGIN = "https://example.org"


@pytest.fixture(scope="module")
def small(models: Models) -> Iterator[Server]:
    """A server with a key and narrow limits."""
    options = (
        "--max-texts", 4, "--max-characters", 5000, "--max-body-bytes", 40_000, "--max-wait", "0.003",
        "--cors", ORIGIN,
    )  # fmt: skip
    with Server(f"tokens={models.tokens}", *options, TAGLINE_API_KEY=KEY) as running:
        yield running


def ask(server: Server, body: Any, **headers: str) -> httpx.Response:
    return server.post(TOKENS, body, headers={"authorization": f"Bearer {KEY}", **headers})


def test_the_key(small: Server) -> None:
    body = {"inputs": "a"}
    for headers in ({}, {"authorization": "Bearer wrong"}, {"x-api-key": KEY + "x"}, {"authorization": f"Basic {KEY}"}):
        for path in (TOKENS, TEXTS, "/models/tokens"):
            found = small.post(path, body, headers=headers)
            assert found.status_code == 401
            assert "Authorization: Bearer KEY" in found.json()["error"]
            assert found.headers["www-authenticate"] == "Bearer"
        assert small.get("/v1/models", headers=headers).status_code == 401
        assert small.get("/metrics", headers=headers).status_code == 401
    assert ask(small, body).status_code == 200
    assert small.post(TOKENS, body, headers={"x-api-key": KEY}).status_code == 200
    assert small.get("/healthz").status_code == small.get("/readyz").status_code == 200
    assert KEY not in json.dumps(small.lines) + "".join(small.plain)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"inputs": ["a"] * 5}, 422, "got 5 texts; at most 4 are read at once"),
        ({"inputs": ["a", "b" * 5001]}, 422, "text 1 has 5,001 characters; at most 5,000 are read"),
        (
            {"inputs": [["a"] * 30], "parameters": {"is_split_into_words": True, "delimiter": "x" * 1000}},
            422,
            "the text has 30,030 characters",
        ),
        ({"inputs": "a" * 40_000}, 413, "the body is larger than 40,000 bytes"),
        ({}, 422, "inputs: Field required"),
        ([], 422, "the body is not a JSON object"),
        ({"inputs": 5}, 422, "inputs is not what is read here; expected a text, a list of texts"),
        ({"inputs": [["a"]]}, 422, "for lists of words give is_split_into_words: true"),
        ({"inputs": "a", "parameters": {"is_split_into_words": True}}, 422, "a list of words is expected"),
        ({"inputs": "a", "parameters": {"agregation": "none"}}, 422, "parameters.agregation is not known; accepted"),
        ({"inputs": "a", "parameters": {"aggregation_strategy": "all"}}, 422, "'none', 'simple', 'first'"),
        ({"inputs": "a", "parameters": {"stride": -1}}, 422, "parameters.stride: Input should be greater"),
        ({"inputs": "a", "parameters": {"stride": "1"}}, 422, "parameters.stride: Input should be a valid integer"),
        ({"inputs": "a", "parameters": {"stride": 62}}, 422, "stride is 62; expected 0 to 61"),
        ({"inputs": "a", "text": "b"}, 422, "text is not known; accepted are inputs, parameters, model"),
        ({"inputs": "a", "model": "x"}, 404, "no model 'x' for token-classification here; there are tokens"),
    ],
)
def test_requests_that_are_refused(small: Server, body: Any, status: int, said: str) -> None:
    found = ask(small, body)
    assert (found.status_code, said in found.json()["error"]) == (status, True), found.text


def test_bodies_that_are_no_json(small: Server) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    for content in (b"", b"{", b"\xff\xfe", b"[" * 30_000, b'{"inputs": "\\ud800"}', b'{"inputs": "a"', b"null" * 9):
        found = small.post(TOKENS, content=content, headers=headers)
        assert (found.status_code, found.json()["error"][:22]) == (400, "the body is not JSON: ")
    parts = small.post(TOKENS, content=(b"x" * 9000 for _ in range(9)), headers=headers)  # its length is not told
    assert parts.status_code == 413


def test_addresses_that_are_not_there(small: Server) -> None:
    found = small.get("/nope")
    assert (found.status_code, found.json()["error"]) == (
        404,
        "there is nothing at this address; /docs shows what there is",
    )
    assert small.get(TOKENS).status_code == 405
    found = small.post(TEXTS, {"inputs": "a"}, headers={"x-api-key": KEY})
    assert "no model for text-classification here; this server has none" in found.json()["error"]


def test_pages_may_ask_only_from_where_it_was_allowed(small: Server, server: Server) -> None:
    asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
    found = httpx.options(small.url + TOKENS, headers=asked)
    assert (found.status_code, found.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert ask(small, {"inputs": "a"}, origin=ORIGIN).headers["access-control-allow-origin"] == ORIGIN
    strange = ask(small, {"inputs": "a"}, origin="https://other.org")
    assert "access-control-allow-origin" not in strange.headers
    plain = server.post(TOKENS, {"inputs": "a"}, headers={"origin": ORIGIN})
    assert not [name for name in plain.headers if name.startswith("access-control")]


def test_too_much_at_once_is_refused_at_once(small: Server) -> None:
    text = " ".join(LINES)[:1200]

    def client(number: int) -> list[tuple[int, str, float]]:
        found = []
        with httpx.Client(base_url=small.url, timeout=60, headers={"x-api-key": KEY}) as http:
            for _ in range(12):
                started = time.monotonic()
                answer = http.post(TOKENS, json={"inputs": text})
                after = answer.headers.get("retry-after", "")
                found.append((answer.status_code, after, time.monotonic() - started))
        return found

    answers = [each for client_answers in in_threads(40, client) for each in client_answers]
    statuses = [status for status, _, _ in answers]
    assert set(statuses) == {200, 503}
    assert all(after.isdigit() and int(after) >= 1 for status, after, _ in answers if status == 503)
    headers = {"x-api-key": KEY}
    lines = small.get("/metrics", headers=headers).text.splitlines()
    refused = sum(float(line.split()[-1]) for line in lines if line.startswith("tagline_refused_total{"))
    assert refused == statuses.count(503)
    assert ask(small, {"inputs": "a"}).status_code == 200


def test_a_caller_who_leaves_is_dropped(models: Models) -> None:
    with Server(f"tokens={models.tokens}", "--max-wait", 30) as server:
        body = json.dumps({"inputs": [LONG * 2] * 200}).encode()
        head = f"POST {TOKENS} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", server.port)) as link:
                link.sendall(head + body)
                time.sleep(0.3)
        until = time.monotonic() + 30
        while server.metric("tagline_dropped_total") < 2 and time.monotonic() < until:
            time.sleep(0.05)
        assert server.metric("tagline_dropped_total") >= 2
        while server.metric("tagline_requests_in_progress") and time.monotonic() < until:
            time.sleep(0.05)
        assert server.metric('tagline_queue_tokens{class="long"}') == 0
        assert server.metric('tagline_windows_total{model="tokens"}') < 3 * 200 * len(LONG * 2) / 100
        assert server.post(TOKENS, {"inputs": "a"}).status_code == 200


def test_no_answer_in_time(models: Models) -> None:
    with Server(f"tokens={models.tokens}", "--max-wait", 30, "--timeout", "0.2") as server:
        found = server.post(TOKENS, {"inputs": [LONG * 2] * 200})
        assert (found.status_code, found.json()["error"][:24]) == (504, "no answer within 0.2 s; ")
        with socket.create_connection(("127.0.0.1", server.port)) as link:  # a body that never comes
            link.sendall(f"POST {TOKENS} HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{{".encode())
            link.settimeout(30)
            assert link.recv(200).startswith(b"HTTP/1.1 504")


def test_the_log_tells_all_but_the_texts(server: Server) -> None:
    secret = "Xyzzyplugh"
    known = f"test-{random.random()}"
    found = server.post(TOKENS, {"inputs": [secret, LONG]}, headers={"x-request-id": known})
    assert found.headers["x-request-id"] == known
    server.post(TOKENS, {"inputs": {"a": secret}})
    server.post(f"/models/{secret}", {"inputs": "a"}, headers={"x-request-id": f"{secret} {secret}"})
    server.get(f"/{secret}?{secret}")
    until = time.monotonic() + 10
    while not (lines := [line for line in server.events("request") if line["request"] == known]):
        assert time.monotonic() < until
    time.sleep(0.2)
    assert lines[0] | {"ms": 0, "time": ""} == {
        "time": "", "level": "info", "event": "request", "request": known, "method": "POST", "path": TOKENS,
        "status": 200, "ms": 0, "model": "tokens", "texts": 2, "characters": len(secret) + len(LONG),
        "tokens": int(found.headers["x-tagline-tokens"]), "windows": lines[0]["windows"],
    }  # fmt: skip
    assert lines[0]["windows"] > 5
    assert secret not in json.dumps(server.lines) + "".join(server.plain)
