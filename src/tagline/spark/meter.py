"""Counters that the executors send home."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from pyspark.accumulators import AccumulatorParam
from pyspark.sql import SparkSession


class _Sums(AccumulatorParam[dict[str, int]]):
    def zero(self, value: dict[str, int]) -> dict[str, int]:
        return {}

    def addInPlace(self, value1: dict[str, int], value2: dict[str, int]) -> dict[str, int]:
        for name, count in value2.items():
            value1[name] = value1.get(name, 0) + count
        return value1


class Meter:
    """Counts by name; travels with the pass.

    Args:
        accumulator: of the Spark context, None where there is none (Spark Connect).
    """

    def __init__(self, accumulator: Any) -> None:
        self.accumulator = accumulator

    def add(self, **counts: int) -> None:
        """Adds to counters."""
        if self.accumulator is not None:
            self.accumulator.add(counts)


@dataclass(frozen=True)
class Counts:
    """What the passes of a Spark session have done so far.

    A task that Spark does again counts again, and one that failed does not count.

    Attributes:
        rows: rows read.
        windows: windows that their texts took.
        shortened: words (of pairs: sub-tokens) that were not shown to the encoder whole.
        errors: rows with an error.
        loads: how often each Python worker has opened each model, by "host process fingerprint".
    """

    rows: int = 0
    windows: int = 0
    shortened: int = 0
    errors: int = 0
    loads: dict[str, int] = field(default_factory=dict)


_METERS: WeakKeyDictionary[Any, Meter] = WeakKeyDictionary()


def meter_of(session: SparkSession) -> Meter:
    """The session's counters."""
    try:
        context = session.sparkContext
    except Exception as error:
        if "connect" not in type(session).__module__:
            raise error
        return Meter(None)
    if context not in _METERS:
        _METERS[context] = Meter(context.accumulator({}, _Sums()))
    return _METERS[context]


def counts(session: SparkSession) -> Counts:
    """What Tagline's passes have done in this session; on Spark Connect all zero."""
    accumulator = meter_of(session).accumulator
    values: dict[str, int] = {} if accumulator is None else dict(accumulator.value)
    loads = {name.removeprefix("load "): count for name, count in values.items() if name.startswith("load ")}
    return Counts(**{name: values.get(name, 0) for name in ("rows", "windows", "shortened", "errors")}, loads=loads)
