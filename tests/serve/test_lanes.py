"""What waits and what is taken next; and that every job has its outcome, whatever fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.errors import UsageError
from tagline.serve.jobs import Job, Outcome, Piece, pieces_of
from tagline.serve.lanes import Lanes
from tagline.serve.load import LoadSettings, Refused
from tagline.serve.metrics import Metrics
from tagline.serve.queue import WindowQueue

BUDGET = 64


class Window:
    def __init__(self, length: int, text: str) -> None:
        self.ids, self.types, self.text = [0] * length, [0] * length, text


class Text:
    def __init__(self, text: str) -> None:
        self.text = text
        self.windows = [Window(min(10, len(text) - at), text) for at in range(0, len(text), 10)]


class Model:
    """Stands in for a model: one sub-token a character, windows of ten; certain texts break it at certain places."""

    engine = "openvino"

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()

    def encode(self, inputs: Sequence[str], settings: str) -> list[Text]:
        if "strange" in inputs:
            raise UsageError("strange")
        return [Text(each) for each in inputs]

    def run(self, windows: Sequence[Window]) -> list[Any]:
        self.gate.wait(20)
        self.batches.append([window.text for window in windows])
        if any(window.text == "poison" for window in windows):
            raise RuntimeError("poison")
        if any(window.text == "deadly" for window in windows):
            raise SystemExit
        return [np.full(1, len(window.ids), dtype=np.float32) for window in windows]

    def answers(self, texts: Sequence[Text], logits: Sequence[list[Any]], settings: str) -> list[int]:
        if any(text.text == "late" for text in texts):
            raise ValueError("late")
        return [int(sum(each.sum() for each in values)) for values in logits]


def job(model: Model, *texts: str, long: bool = False, name: str = "m") -> Job:
    made: Any = Job(name, model, list(texts), "", lambda found: str(found).encode(), sum(map(len, texts)))  # type: ignore[arg-type]
    made.long = long
    made.texts = model.encode(texts, "")
    made.windows = made.missing = sum(len(text.windows) for text in made.texts)
    return made  # type: ignore[no-any-return]


class Rig:
    """Lanes over a stand-in, and the outcomes that they gave."""

    def __init__(self, **changes: Any) -> None:
        self.model, self.metrics = Model(), Metrics(["m"])
        self.outcomes: dict[Job, Outcome] = {}
        self.errors: list[BaseException] = []
        self.noted: list[Exception] = []
        self._told = threading.Condition()
        chosen = LoadSettings(**{"slots": 2, "budget": BUDGET, "max_wait": 30.0, "max_wait_long": 30.0, **changes})
        self.lanes = Lanes(chosen, self.metrics, self._deliver, self.errors.append, self.noted.append)

    def _deliver(self, outcomes: Sequence[tuple[Job, Outcome]]) -> None:
        with self._told:
            for each, outcome in outcomes:
                assert each not in self.outcomes, "a job had two outcomes"
                self.outcomes[each] = outcome
            self._told.notify_all()

    def submit(self, *texts: str) -> Job:
        made = Job("m", self.model, list(texts), "", lambda found: str(found).encode(), sum(map(len, texts)))  # type: ignore[arg-type]
        self.lanes.submit(made)
        return made

    def outcome(self, wanted: Job) -> Outcome:
        with self._told:
            assert self._told.wait_for(lambda: wanted in self.outcomes, 20), "a caller was left waiting"
        return self.outcomes[wanted]

    def __enter__(self) -> Rig:
        self.lanes.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.model.gate.set()
        self.lanes.stop()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.lists(st.integers(1, 130), max_size=6), st.booleans()), max_size=25), st.integers(10, 90))
def test_every_window_is_taken_once_and_within_the_budget(jobs: list[tuple[list[int], bool]], budget: int) -> None:
    queue, models, wanted = WindowQueue(), [Model(), Model()], []
    for number, (lengths, long) in enumerate(jobs):
        pieces = pieces_of(job(models[number % 2], *("x" * length for length in lengths), long=long))
        queue.add(pieces)
        wanted += pieces
    taken: list[Piece] = []
    while batch := queue.take(budget):
        assert len({id(piece.job.model) for piece in batch}) == 1
        assert len(batch) == 1 or len(batch) * max(piece.length for piece in batch) <= budget
        if not batch[0].job.long:  # the oldest and its like
            bound = max(8, batch[0].length // 4)
            assert all(abs(piece.length - batch[0].length) <= bound for piece in batch)
        taken += batch
        assert queue.tokens == sum(piece.length for piece in wanted) - sum(piece.length for piece in taken)
    assert not queue
    assert sorted(map(id, taken)) == sorted(map(id, wanted))


def test_the_oldest_short_window_always_goes_with_those_of_like_length() -> None:
    queue, model = WindowQueue(), Model()
    lengths = [5, 9, 2, 5, 9, 2, 5, 9, 2, 6]
    for length in lengths:
        queue.add(pieces_of(job(model, "x" * length)))
    batches = []
    while batch := queue.take(20):
        batches.append([piece.length for piece in batch])
    assert batches[0] == [5, 5, 5]  # the oldest and its like, not whoever came next
    assert sorted(length for batch in batches for length in batch) == sorted(lengths)


def test_neither_class_starves_the_other() -> None:
    queue, model = WindowQueue(), Model()
    many = [job(model, "l" * 2000, long=True) for _ in range(3)]
    for each in many:
        queue.add(pieces_of(each))
    done = {"short": 0, "long": 0}
    for _ in range(60):  # short ones keep coming faster than they can be computed
        for _ in range(20):
            queue.add(pieces_of(job(model, "s" * 10)))
        batch = queue.take(BUDGET)
        done["long" if batch[0].job.long else "short"] += sum(piece.length for piece in batch)
    assert 1.5 < done["short"] / done["long"] < 2.5


def test_long_jobs_take_turns_and_short_ones_do_not_wait_for_them() -> None:
    queue, model = WindowQueue(), Model()
    first, second = (job(model, letter * 400, long=True) for letter in "ab")
    queue.add(pieces_of(first))
    queue.add(pieces_of(second))
    owners = [queue.take(BUDGET)[0].job for _ in range(4)]
    assert owners == [first, second, first, second]
    late = job(model, "s")
    queue.add(pieces_of(late))
    assert late in [queue.take(BUDGET)[0].job for _ in range(2)]


def test_a_flow_that_was_away_has_saved_nothing_up() -> None:
    queue, one, other = WindowQueue(), Model(), Model()
    queue.add(pieces_of(job(one, "l" * 5000, long=True)))
    for _ in range(30):
        queue.take(BUDGET)
    queue.add(pieces_of(job(other, "l" * 5000, long=True)))
    owners: list[Any] = [queue.take(BUDGET)[0].job.model for _ in range(20)]
    assert 8 <= owners.count(one) <= 12


def test_windows_of_a_job_that_was_given_up_are_dropped() -> None:
    queue, model = WindowQueue(), Model()
    gone, stays, gone_long = job(model, "xxx"), job(model, "yy"), job(model, "z" * 300, long=True)
    for each in (gone, stays, gone_long):
        queue.add(pieces_of(each))
    gone.done = gone_long.done = True
    assert [piece.job for piece in queue.take(BUDGET)] == [stays]
    assert queue.take(BUDGET) == []
    assert not queue
    assert queue.tokens == 0


def test_jobs_are_answered_long_short_and_empty() -> None:
    with Rig() as rig:
        jobs = {rig.submit("abc", "de"): b"[3, 2]", rig.submit("x" * 1000): b"[1000]", rig.submit(): b"[]"}
        jobs[rig.submit("", "a")] = b"[0, 1]"
        assert {each: rig.outcome(each).body for each in jobs} == jobs
        assert max(len(batch) for batch in rig.model.batches) <= BUDGET // 10 + 1


def test_a_failure_in_a_batch_is_that_of_one_job_alone() -> None:
    with Rig(slots=1) as rig:
        rig.model.gate.clear()
        first = rig.submit("first")  # keeps the lane busy while the others gather
        jobs = [rig.submit(text) for text in ("a", "strange", "bb", "poison", "ccc", "late", "dddd")]
        rig.model.gate.set()
        outcomes = [rig.outcome(each) for each in jobs]
        assert [outcome.body for outcome in outcomes] == [b"[1]", b"", b"[2]", b"", b"[3]", b"", b"[4]"]
        assert [str(outcomes[place].error) for place in (1, 3, 5)] == ["strange", "poison", "late"]
        assert rig.outcome(first).body == b"[5]"
        assert any(len(batch) > 1 and "poison" in batch for batch in rig.model.batches)  # they did share a batch
        assert sorted(map(str, rig.noted)) == ["late", "poison"]  # what the caller did wrong is no failure of ours
        assert rig.outcome(rig.submit("ok")).body == b"[2]"
    assert not rig.errors


def test_a_dead_lane_leaves_nobody_waiting() -> None:
    with Rig(slots=2) as rig:
        rig.model.gate.clear()
        jobs = [rig.submit(text) for text in ("deadly", "a", "x" * 500, "b")]
        rig.model.gate.set()
        assert all(rig.outcome(each).error or rig.outcome(each).body for each in jobs)
        assert rig.outcome(jobs[0]).error is not None
        until = time.monotonic() + 10
        while not rig.errors and time.monotonic() < until:
            time.sleep(0.01)
        assert [type(error) for error in rig.errors] == [SystemExit]
        with pytest.raises(Refused):
            rig.submit("later")


def test_a_job_that_was_given_up_is_not_computed() -> None:
    with Rig(slots=1) as rig:
        rig.model.gate.clear()
        first = rig.submit("first")
        while not rig.lanes.busy_for():
            time.sleep(0.001)
        gone, stays = rig.submit("gone"), rig.submit("stays")
        gone_long = rig.submit("g" * 900)
        rig.lanes.cancel(gone)
        rig.lanes.cancel(gone_long)
        rig.model.gate.set()
        assert rig.outcome(stays).body == b"[5]"
        assert rig.outcome(first).body == b"[5]"
    computed = {text for batch in rig.model.batches for text in batch}
    assert computed == {"first", "stays"}
    assert gone not in rig.outcomes
    text = rig.metrics.text()
    assert "tagline_dropped_total 2" in text
    assert 'tagline_queue_tokens{class="short"} 0' in text
    assert 'tagline_queue_tokens{class="long"} 0' in text


def test_beyond_a_bound_jobs_are_refused_short_and_long_apart() -> None:
    with Rig(slots=1, max_wait=0.01, max_wait_long=0.5) as rig:
        rig.model.gate.clear()
        taken = [rig.submit("x" * 40) for _ in range(2)]
        waits = []
        for _ in range(40):
            try:
                taken.append(rig.submit("x" * 40))
            except Refused as error:
                waits.append(error.seconds)
        refused = len(waits)
        assert refused > 20
        assert min(waits) > 0.01
        taken.append(rig.submit("y" * 1000))  # what short ones wait for says nothing of long ones
        rig.model.gate.set()
        assert all(rig.outcome(each).body for each in taken)
        assert f'tagline_refused_total{{class="short"}} {refused}' in rig.metrics.text()


def test_what_was_submitted_is_answered_before_the_end() -> None:
    with Rig(slots=2) as rig:
        jobs = [rig.submit("x" * (1 + number * 37 % 700)) for number in range(60)]
    assert all(rig.outcomes[each].body for each in jobs)
    with pytest.raises(Refused):
        rig.submit("too late")


def test_workers_share_their_counts(tmp_path: Any) -> None:
    with (tmp_path / "shared").open("w+b") as file:
        file.truncate(8 * Metrics.width(["m"]) * 2)
        first, second = (Metrics(["m"], 2, slot, file.fileno()) for slot in range(2))
        first.add("tagline_tokens_total", "m", by=5)
        second.add("tagline_tokens_total", "m", by=7)
        second.put("tagline_queue_tokens", "short", value=3)
        assert 'tagline_tokens_total{model="m"} 12' in first.text()
        assert 'tagline_queue_tokens{class="short"} 3' in first.text()
        again = Metrics(["m"], 2, 1, file.fileno())  # the second died and was started again
        assert 'tagline_tokens_total{model="m"} 12' in again.text()
        assert 'tagline_queue_tokens{class="short"} 0' in again.text()


def test_histograms_add_up() -> None:
    metrics = Metrics(["m"])
    for value in (1, 2, 3, 500):
        metrics.observe("tagline_batch_windows", "m", value=value)
    lines = metrics.text().splitlines()
    for line in ('bucket{model="m",le="1"} 1', 'bucket{model="m",le="4"} 3', 'bucket{model="m",le="+Inf"} 4'):
        assert f"tagline_batch_windows_{line}" in lines
    assert 'tagline_batch_windows_sum{model="m"} 506' in lines
    assert 'tagline_batch_windows_count{model="m"} 4' in lines
