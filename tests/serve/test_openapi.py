"""The description of the server is true, and nothing that is sent to it breaks it."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.serve.conftest import Models
from tests.serve.support import Server

schemathesis = pytest.importorskip("schemathesis")


def test_every_answer_is_as_it_is_described(server: Server) -> None:
    """Requests that fit the description, and others; answers have a status and a form that it tells of, never 5xx."""
    from schemathesis.checks import not_a_server_error
    from schemathesis.generation import GenerationMode
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
    statuses: dict[str, set[int]] = {}
    for result in schemathesis.openapi.from_url(server.url + "/openapi.json").get_all_operations():
        operation = result.ok()
        modes = [mode for mode in GenerationMode if mode == GenerationMode.POSITIVE or operation.body]
        cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))

        @settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(cases)
        def ask(case: Any) -> None:
            found = case.call_and_validate(checks=checks)
            statuses.setdefault(case.operation.path, set()).add(found.status_code)

        ask()
    assert {"/v1/token-classification", "/v1/text-classification", "/models/{name}", "/metrics"} <= set(statuses)
    assert {200, 422} <= statuses["/v1/token-classification"] & statuses["/v1/text-classification"]


def test_examples_are_answered(server: Server) -> None:
    document = server.get("/openapi.json").json()
    asked = 0
    for path, operations in document["paths"].items():
        body = operations.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        for name, example in body.get("examples", {}).items():
            place = path.replace("{name}", "texts" if name == "labels" else "tokens")
            found = server.post(place, example["value"])
            assert found.status_code == 200, (path, name, found.text)
            asked += 1
    assert asked >= 8
    assert "swagger" in server.get("/docs").text.lower()


def test_a_key_is_part_of_the_description(models: Models) -> None:
    with Server(f"tokens={models.tokens}", TAGLINE_API_KEY="k") as server:
        document = server.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert document["paths"]["/models/{name}"]["post"]["security"] == [{"key": []}]
    assert "security" not in document["paths"]["/healthz"]["get"]


def _bodies() -> Iterator[bytes]:
    draw = random.Random(1)
    good = json.dumps({"inputs": ["a b", "c"], "parameters": {"stride": 1, "delimiter": " "}}).encode()
    for _ in range(150):
        yield draw.randbytes(draw.randrange(60))
        broken = bytearray(good)
        for _ in range(draw.randrange(1, 4)):
            broken[draw.randrange(len(broken))] = draw.randrange(256)
        yield bytes(broken)
    inside = ['"inputs": %s'] + [
        '"inputs": "a", "parameters": ' + each
        for each in ("%s", '{"stride": %s}', '{"top_k": %s}', '{"max_length": %s}')
    ]
    values = ("1e999", "NaN", "-0", '"\\u0000"', "[[[[]]]]", "{}", "null", "9" * 5000, "true", '"\u2028\ufeff\ud7ff"')
    yield from (("{" + form % value + "}").encode() for value in values for form in inside)


def test_random_bodies_break_nothing(server: Server) -> None:
    import httpx

    statuses = set()
    with httpx.Client(base_url=server.url, timeout=60) as http:
        for body in _bodies():
            for path in ("/v1/token-classification", "/v1/text-classification", "/models/tokens", "/models/texts"):
                found = http.post(path, content=body)
                statuses.add(found.status_code)
                assert found.status_code in (200, 400, 422), (path, body, found.text)
                if found.status_code != 200:
                    assert list(found.json()) == ["error"]
    assert statuses == {200, 400, 422}
    assert not server.events("request-failed") + server.events("job-failed")


def test_random_bytes_break_nothing(server: Server) -> None:
    draw, answers = random.Random(2), []
    for _ in range(150):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as link:
            start = b"" if draw.random() < 0.5 else b"POST /v1/token-classification HTTP/1.1\r\n"
            link.sendall(start + draw.randbytes(draw.randrange(1, 300)) + b"\r\n\r\n")
            link.shutdown(socket.SHUT_WR)
            try:
                answers.append(link.recv(64)[:12])
            except ConnectionError:
                answers.append(b"")
    assert {answer[:10] for answer in answers} <= {b"", b"HTTP/1.1 4"}
    assert server.get("/healthz").status_code == 200
