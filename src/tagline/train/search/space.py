"""Ranges of settings: how they are written, and how a trial draws from them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

from tagline.errors import UsageError
from tagline.train.settings import FitSettings
from tagline.train.texts.settings import TextSettings
from tagline.train.tokens.settings import BiLstmSettings

_FIXED = ("encoder", "threads", "unknown_tags", "checkpoint_steps", "calibrate", "scheme", "vectors", "gazetteer")
_KINDS: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}
_EXPECTED = "expected NAME=LOW:HIGH, NAME=LOW:HIGH:log, or NAME=CHOICE,CHOICE,…"


class Drawing(Protocol):
    """The part of an Optuna trial that ranges need."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """A number between the ends."""
        ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """A whole number between the ends, both included."""
        ...

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """One of the choices."""
        ...


@dataclass(frozen=True)
class Range:
    """Values that a setting may take.

    Attributes:
        name: of the setting.
        low: lower end, where it is a range of numbers.
        high: upper end.
        log: whether the logarithm is drawn evenly, instead of the number.
        whole: whether the numbers are whole.
        choices: the values, where they are listed; then there are no ends.
    """

    name: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False
    choices: tuple[Any, ...] = ()

    def draw(self, trial: Drawing) -> Any:
        """A value for a trial."""
        if self.choices:
            return trial.suggest_categorical(self.name, self.choices)
        if self.whole:
            return trial.suggest_int(self.name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)

    @property
    def ends(self) -> tuple[Any, ...]:
        """The outermost values, or all choices."""
        if self.choices:
            return self.choices
        return (int(self.low), int(self.high)) if self.whole else (self.low, self.high)

    def __str__(self) -> str:
        if self.choices:
            return f"{self.name}={','.join(map(_shown, self.choices))}"
        low, high = self.ends
        return f"{self.name}={_shown(low)}:{_shown(high)}{':log' if self.log else ''}"


def parse_ranges(texts: Iterable[str], base: FitSettings) -> tuple[Range, ...]:
    """Ranges as they are typed; without any, those that usually matter for the task and encoder.

    Args:
        texts: `learning_rate=1e-5:3e-4:log`, `epochs=3:8`, `head=linear,crf`, …
        base: the settings that they change; every end and choice is tried on them.

    Raises:
        UsageError: a text is no range, names no setting that may be searched, or leads to settings that do not fit.
    """
    found = tuple(_parse(text, base) for text in texts) or default_space(base)
    names = [each.name for each in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"--range {twice} stands twice; give one range a setting")
    for each in found:
        for value in each.ends:
            replace(base, **{each.name: value})
    return found


def default_space(base: FitSettings) -> tuple[Range, ...]:
    """What is searched unasked."""
    epochs = Range("epochs", 3, 8, whole=True)
    if isinstance(base, BiLstmSettings):
        return (
            Range("learning_rate", 1e-3, 1e-2, log=True), Range("dropout", 0.1, 0.6),
            Range("hidden", 50, 256, log=True, whole=True), Range("word_dropout", 0.0, 0.5),
        )  # fmt: skip
    if isinstance(base, TextSettings):
        batches = Range("batch_tokens", choices=(512, 1024, 2048))
        return Range("learning_rate", 1e-5, 3e-4, log=True), Range("epochs", 2, 6, whole=True), batches
    head = Range("head_learning_rate", 2e-4, 5e-3, log=True)
    batches = Range("batch_tokens", choices=(256, 640, 1280))
    return Range("learning_rate", 5e-5, 5e-4, log=True), head, epochs, batches


def _parse(text: str, base: FitSettings) -> Range:
    name, equals, values = text.partition("=")
    name = name.strip().replace("-", "_")
    known = {each.name: each for each in fields(base)}
    if not equals or name not in known or name in _FIXED:
        names = ", ".join(sorted(set(known) - set(_FIXED)))
        raise UsageError(f"--range got {text!r}; {_EXPECTED} with one of {names}")
    kinds = tuple(kind for part in str(known[name].type).split(" | ") for kind in _KINDS.get(part, ()))
    if ":" in values:
        return _numbers(text, name, values, kinds)
    choices = tuple(_value(each.strip()) for each in values.split(","))
    for each in choices:
        if not isinstance(each, kinds) or (isinstance(each, bool) and bool not in kinds):
            raise UsageError(f"--range {text}: {_shown(each)} is no value of {name}; expected {known[name].type}")
    if len(set(choices)) < max(2, len(choices)):
        raise UsageError(f"--range {text}: expected two choices or more, each once; else type --set {text}")
    return Range(name, choices=choices)


def _numbers(text: str, name: str, values: str, kinds: tuple[type, ...]) -> Range:
    low, high, *rest = values.split(":")
    log = rest == ["log"]
    try:
        ends = float(low), float(high)
    except ValueError:
        raise UsageError(f"--range {text}: {_EXPECTED}, with numbers for LOW and HIGH") from None
    whole = int in kinds and float not in kinds
    if (rest and not log) or not (int in kinds or float in kinds):
        raise UsageError(f"--range {text}: {_EXPECTED}")
    if not -float("inf") < ends[0] < ends[1] < float("inf") or (log and ends[0] <= 0):
        least = " and above 0" if log else ""
        raise UsageError(f"--range {text}: expected LOW below HIGH{least}")
    if whole and not all(each.is_integer() for each in ends):
        raise UsageError(f"--range {text}: {name} is a whole number; expected whole numbers")
    return Range(name, *ends, log=log, whole=whole)


def _value(text: str) -> Any:
    try:
        return json.loads(text.lower() if text in ("True", "False") else text)
    except ValueError:
        return text


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
