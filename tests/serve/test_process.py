"""The server as a process: stopping, reloading, dying, and starting when it cannot."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.cli.support import spawn
from tests.predict.tiny_texts import HEADS, write_classifier
from tests.serve.conftest import Models
from tests.serve.support import LINES, LONG, Server, alive, same

TOKENS, TEXTS = "/v1/token-classification", "/v1/text-classification"
CALM = ("--max-wait", 60)  # nobody is refused, however slow the machine


class Load:
    """Clients that ask again and again, each on a connection that it keeps as long as the server does."""

    def __init__(self, port: int, body: dict[str, Any], path: str, clients: int = 12) -> None:
        self.port, self.path, self.body = port, path, json.dumps(body).encode()
        self.answers: list[tuple[int, Any]] = []
        self.unanswered: list[str] = []
        self.refused = 0
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._client, daemon=True) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _client(self) -> None:
        link: http.client.HTTPConnection | None = None
        while not self.stopping.is_set():
            if link is None:
                link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                try:
                    link.connect()
                except OSError:  # nobody listens: not accepted
                    self.refused += 1
                    link.close()
                    link = None
                    time.sleep(0.01)
                    continue
            try:
                link.request("POST", self.path, self.body, {"content-type": "application/json"})
                found = link.getresponse()
                self.answers.append((found.status, json.loads(found.read())))
                if found.getheader("connection") == "close":
                    link.close()
                    link = None
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.unanswered.append(repr(error))
                if link is not None:
                    link.close()
                link = None
        if link is not None:
            link.close()

    def wait_for(self, condition: Callable[[], object]) -> None:
        until = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < until
            time.sleep(0.01)

    def more(self, count: int) -> None:
        """Waits for so many further answers."""
        goal = len(self.answers) + count
        self.wait_for(lambda: len(self.answers) >= goal)

    def end(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a client was left waiting"


@contextmanager
def load(server: Server, body: dict[str, Any], path: str = TOKENS, clients: int = 12) -> Iterator[Load]:
    made = Load(server.port, body, path, clients)
    try:
        made.more(30)
        yield made
    finally:
        made.end()


def test_sigterm_answers_what_was_accepted(models: Models) -> None:
    with Server(models.tokens, *CALM) as server, load(server, {"inputs": LINES[0]}) as asking:
        server.send(signal.SIGTERM)
        assert server.process.wait(60) == 0
        asking.wait_for(lambda: asking.refused > 0)
        asking.end()
        assert asking.unanswered == []
        assert {status for status, _ in asking.answers} == {200}
        wanted = models.local_tokens(LINES[0])
        assert all(same(answer, wanted) for _, answer in asking.answers)
        assert not alive(server.worker())
        assert [line["event"] for line in server.lines if line["event"] in ("stopping", "stopped")] == [
            "stopping",
            "stopped",
        ]


def test_sigterm_lets_a_long_text_finish(models: Models) -> None:
    with Server(models.tokens, *CALM) as server:
        texts = [LONG * 2] * 150
        asking = Load(server.port, {"inputs": texts}, TOKENS, clients=1)
        deadline = time.monotonic() + 60
        while not server.metric('tagline_queue_requests{class="long"}'):
            assert time.monotonic() < deadline
        asking.stopping.set()
        server.send(signal.SIGTERM)
        assert server.process.wait(60) == 0
        asking.end()
        assert asking.unanswered == []
        assert len(asking.answers) >= 1
        assert {(status, len(answer)) for status, answer in asking.answers} == {(200, 150)}


def test_sighup_changes_the_model_under_load(tmp_path: Path) -> None:
    place, other = tmp_path / "model", tmp_path / "other"
    write_classifier("bert-uncased", HEADS["two"], place)
    write_classifier("bert-uncased", HEADS["five"], other)
    with (
        Server(place, *CALM) as server,
        load(server, {"inputs": LINES[0], "parameters": {"top_k": None}}, TEXTS) as asking,
    ):
        worker = server.worker()
        assert {len(answer) for _, answer in asking.answers} == {2}
        place.rename(tmp_path / "old")
        server.send(signal.SIGHUP)  # there is no model now: the old one goes on
        server.wait_for("reload-failed")
        asking.more(30)
        other.rename(place)
        server.send(signal.SIGHUP)
        server.wait_for("reloaded")
        asking.more(60)
        assert len(asking.answers[-1][1]) == 5
        asking.end()
        assert asking.unanswered == []
        assert {(status, len(answer)) for status, answer in asking.answers} == {(200, 2), (200, 5)}
        assert server.worker() == worker
        assert server.metric("tagline_reloads_total") == 1
        assert asking.refused == 0


def test_a_killed_worker_is_replaced(models: Models) -> None:
    with Server(models.tokens, *CALM) as server, load(server, {"inputs": LINES[0]}) as asking:
        worker = server.worker()
        before = server.metric('tagline_requests_total{route="token-classification",status="200"}')
        os.kill(worker, signal.SIGKILL)
        server.wait_for("serving", 2)
        asking.more(60)
        asking.end()
        assert server.worker() != worker
        assert server.events("worker-died")[0]["status"] == -signal.SIGKILL
        assert {status for status, _ in asking.answers} == {200}
        assert len(asking.unanswered) <= 24  # those that it had at hand
        assert server.metric('tagline_requests_total{route="token-classification",status="200"}') > before > 0


def test_workers_end_when_their_supervisor_is_killed(models: Models) -> None:
    with Server(models.tokens, "--workers", 2) as server:
        server.wait_for("serving", 2)
        workers = [line["pid"] for line in server.events("serving")]
        assert server.metric("tagline_workers") == 2
        server.process.kill()
        server.process.wait(10)
        until = time.monotonic() + 30
        while any(map(alive, workers)) and time.monotonic() < until:
            time.sleep(0.05)
        assert not [pid for pid in workers if alive(pid)]


def test_a_server_that_cannot_start_says_why(models: Models, tmp_path: Path) -> None:
    done = spawn("serve", tmp_path, "--port", 0)
    assert done.code == 2
    assert json.loads(done.err.splitlines()[0])["event"] == "cannot-start"
    assert str(tmp_path) in json.loads(done.err.splitlines()[0])["message"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = spawn("serve", models.tokens, "--port", port)
    assert (done.code, done.out) == (2, "")
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["a/m", "b/m"], "two models are called 'm'; name one of them, as in: tagline serve NAME=b/m"),
        (["a b"], "'a b' cannot stand in an address"),
        (["m", "--port", "70000"], "--port is 70000; expected 0 (any free one) to 65535"),
        (["m", "--workers", "0"], "--workers is 0"),
        (["m", "--max-texts", "0"], "--max-texts is 0; expected at least 1"),
        (["m", "--timeout", "0"], "--timeout is 0; expected seconds, more than 0"),
        (["m", "--api-key-file", "/nowhere"], "--api-key-file /nowhere: cannot be read"),
        (["m", "--engine", "x"], "--engine is 'x'"),
    ],
)
def test_bad_options(options: list[str], said: str) -> None:
    from tests.cli.support import call

    done = call("serve", *options)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_settings_travel(tmp_path: Path) -> None:
    from tagline.serve.settings import Limits, ServeSettings, named

    settings = ServeSettings({"a": "x", "b": "y"}, port=0, limits=Limits(texts=3), api_key="k", cors=("http://a",))
    assert ServeSettings.from_json(settings.to_json()) == settings
    assert named([str(tmp_path / "a=b"), "n=m"]) == {"a=b": str(tmp_path / "a=b"), "n": "m"}
