"""Counts for Prometheus, in memory that all worker processes share, so that any of them can tell of all."""

from __future__ import annotations

import mmap
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, product

import numpy as np

STATUSES = (200, 307, 400, 401, 404, 405, 408, 413, 422, 499, 500, 503, 504)
ROUTES = ("token-classification", "text-classification", "models", "other")
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128)
CLASSES = ("short", "long")


@dataclass(frozen=True)
class _Series:
    """One metric: where its numbers lie and how they are called."""

    name: str
    kind: str
    text: str
    labels: tuple[tuple[str, tuple[str, ...]], ...]
    start: int
    bounds: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """Numbers of one combination of labels: buckets, the rest, the sum."""
        return len(self.bounds) + 2 if self.bounds else 1

    @property
    def combinations(self) -> list[tuple[str, ...]]:
        return list(product(*(values for _, values in self.labels)))

    @property
    def size(self) -> int:
        return self.width * len(self.combinations)


class Metrics:
    """The counts of one worker; `text` tells of all.

    Args:
        models: names of the models.
        slots: how many workers share the memory.
        slot: which of them this is.
        file: descriptor of the shared memory, -1 for memory of this process alone.
    """

    def __init__(self, models: Sequence[str], slots: int = 1, slot: int = 0, file: int = -1) -> None:
        self._series = {each.name: each for each in _layout(tuple(models))}
        self._places = {
            (name, labels): each.start + number * each.width
            for name, each in self._series.items()
            for number, labels in enumerate(each.combinations)
        }
        width = self.width(models)
        memory = mmap.mmap(file, slots * width * 8)
        self._all = np.frombuffer(memory, dtype=np.float64).reshape(slots, width)
        self._mine = self._all[slot]
        self._lock = threading.Lock()
        for each in self._series.values():  # what was left by one that died
            if each.kind == "gauge":
                self._mine[each.start : each.start + each.size] = 0

    @staticmethod
    def width(models: Sequence[str]) -> int:
        """Numbers (of 8 bytes) that each worker has."""
        return sum(each.size for each in _layout(tuple(models)))

    def add(self, name: str, *labels: str, by: float = 1.0) -> None:
        """Counts; of a gauge `by` may be negative."""
        with self._lock:
            self._mine[self._places[name, labels]] += by

    def put(self, name: str, *labels: str, value: float) -> None:
        """Sets a gauge."""
        self._mine[self._places[name, labels]] = value

    def observe(self, name: str, *labels: str, value: float) -> None:
        """Adds to a histogram."""
        bounds = self._series[name].bounds
        bucket = next((place for place, bound in enumerate(bounds) if value <= bound), len(bounds))
        start = self._places[name, labels]
        with self._lock:
            self._mine[start + bucket] += 1
            self._mine[start + len(bounds) + 1] += value

    def batch(self, model: str, windows: int, tokens: int, seconds: float) -> None:
        """Counts a batch that was computed."""
        self.add("tagline_batches_total", model)
        self.add("tagline_windows_total", model, by=windows)
        self.add("tagline_tokens_total", model, by=tokens)
        self.observe("tagline_batch_windows", model, value=windows)
        self.observe("tagline_batch_seconds", model, value=seconds)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Counts a request that was answered (499: its caller had gone)."""
        known = status if status in STATUSES else 500 if status >= 500 else 400
        self.add("tagline_requests_total", route, str(known))
        self.observe("tagline_request_seconds", route, value=seconds)

    def text(self) -> str:
        """All metrics in the text format of Prometheus."""
        numbers = self._all.sum(axis=0)
        lines: list[str] = []
        for each in self._series.values():
            lines += [f"# HELP {each.name} {each.text}", f"# TYPE {each.name} {each.kind}"]
            lines += _lines(each, numbers[each.start : each.start + each.size].tolist())
        return "\n".join(lines) + "\n"


def _lines(series: _Series, numbers: list[float]) -> Iterator[str]:
    names = [name for name, _ in series.labels]
    for place, values in enumerate(series.combinations):
        inside = [f'{name}="{value}"' for name, value in zip(names, values, strict=True)]
        own = numbers[place * series.width : (place + 1) * series.width]
        if not series.bounds:
            if own[0] or series.kind == "gauge" or not inside:
                yield f"{series.name}{_braced(inside)} {own[0]:.15g}"
            continue
        *buckets, total = own
        if not any(buckets):
            continue
        for bound, count in zip((*map("{:g}".format, series.bounds), "+Inf"), accumulate(buckets), strict=True):
            yield f"{series.name}_bucket{_braced([*inside, f'le={chr(34)}{bound}{chr(34)}'])} {count:.15g}"
        yield f"{series.name}_sum{_braced(inside)} {total:.15g}"
        yield f"{series.name}_count{_braced(inside)} {sum(buckets):.15g}"


def _braced(labels: list[str]) -> str:
    return "{" + ",".join(labels) + "}" if labels else ""


def _layout(models: tuple[str, ...]) -> list[_Series]:
    statuses, route, model = tuple(map(str, STATUSES)), ("route", ROUTES), ("model", models)
    kind = ("class", CLASSES)
    wanted: list[tuple[str, str, str, tuple[tuple[str, tuple[str, ...]], ...], tuple[float, ...]]] = [
        ("tagline_requests_total", "counter", "Requests by route and status.", (route, ("status", statuses)), ()),
        ("tagline_request_seconds", "histogram", "Time from request to answer.", (route,), SECONDS),
        ("tagline_requests_in_progress", "gauge", "Requests in the server.", (), ()),
        ("tagline_queue_requests", "gauge", "Requests that wait or are computed.", (kind,), ()),
        ("tagline_queue_tokens", "gauge", "Sub-tokens that wait, about.", (kind,), ()),
        ("tagline_queue_seconds", "histogram", "Time from acceptance to the first computing.", (kind,), SECONDS),
        ("tagline_refused_total", "counter", "Requests refused because too much waits.", (kind,), ()),
        ("tagline_dropped_total", "counter", "Requests given up before they were answered.", (), ()),
        ("tagline_failed_total", "counter", "Requests that failed in the computing.", (model,), ()),
        ("tagline_batches_total", "counter", "Batches computed.", (model,), ()),
        ("tagline_batch_windows", "histogram", "Windows of a batch.", (model,), tuple(map(float, ROWS))),
        ("tagline_batch_seconds", "histogram", "Time to compute a batch.", (model,), SECONDS),
        ("tagline_texts_total", "counter", "Texts computed.", (model,), ()),
        ("tagline_windows_total", "counter", "Windows computed.", (model,), ()),
        ("tagline_tokens_total", "counter", "Sub-tokens computed, padding left out.", (model,), ()),
        ("tagline_reloads_total", "counter", "Times that the models were loaded anew.", (), ()),
        ("tagline_workers", "gauge", "Processes that serve.", (), ()),
    ]
    found, start = [], 0
    for name, sort, text, labels, bounds in wanted:
        found.append(_Series(name, sort, text, labels, start, bounds))
        start += found[-1].size
    return found
