"""The log: nothing waits for it, nothing in it is half a line."""

from __future__ import annotations

import io
import json
import threading

from tests.serve.support import in_threads

from tagline.serve.logs import JsonLog


class Slow(io.StringIO):
    """A reader that takes nothing until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def write(self, text: str) -> int:
        self.gate.wait(60)
        return super().write(text)


def test_lines_of_many_threads_are_whole_and_in_the_order_of_each() -> None:
    stream = io.StringIO()
    log = JsonLog(stream)

    def tell(mine: int) -> None:
        for number in range(200):
            log("it", number=number, thread=mine, text="x" * 50)

    in_threads(8, tell)
    log.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 1600
    for mine in range(8):
        assert [line["number"] for line in lines if line["thread"] == mine] == list(range(200))
    assert set(lines[0]) == {"time", "level", "event", "number", "thread", "text"}


def test_who_logs_does_not_wait_for_who_reads_and_what_is_lost_is_told() -> None:
    stream = Slow()
    log = JsonLog(stream)
    for number in range(30_000):
        log("it", number=number)
    stream.gate.set()
    log.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    lost = sum(line["lines"] for line in lines if line["event"] == "log-lines-lost")
    assert lost >= 30_000 - 2 * 10_000
    assert lost + sum(line["event"] == "it" for line in lines) == 30_000


def test_a_reader_that_is_gone_harms_nobody() -> None:
    stream = io.StringIO()
    stream.close()
    log = JsonLog(stream)
    log("it")
    log.close()


def test_a_failure_is_told_without_its_message() -> None:
    stream = io.StringIO()
    log = JsonLog(stream)
    try:
        raise ValueError("the text of a caller")
    except ValueError as error:
        log.failure("failed", error, request="1")
    log.close()
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["error"], line["request"]) == ("failed", "error", "ValueError", "1")
    assert "test_a_failure" in line["where"][0]
    assert "text of" not in stream.getvalue()
