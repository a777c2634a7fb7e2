"""Options that several commands share, as one parameter: a record whose fields the command line shows one by one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import is_dataclass
from typing import Any


def ungrouped(command: Callable[..., None]) -> Callable[..., None]:
    """The command as typer is to see it: every parameter that is a record of options gives way to the record's fields.

    Args:
        command: its record parameters have a record as default, whose values are the options' defaults.
    """
    signature = inspect.signature(command, eval_str=True)
    shown = [option for each in signature.parameters.values() for option in _options(each)]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        command(**{each.name: _taken(each, given) for each in signature.parameters.values()})

    run.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in shown}
    return run


def _options(parameter: inspect.Parameter) -> Iterator[inspect.Parameter]:
    """What the command line shows of a parameter."""
    if not is_dataclass(parameter.annotation):
        yield parameter
        return
    for field in _fields(parameter):
        yield from _options(field.replace(default=getattr(parameter.default, field.name)))


def _taken(parameter: inspect.Parameter, given: dict[str, Any]) -> Any:
    """A parameter's value out of what the command line gave."""
    if not is_dataclass(parameter.annotation):
        return given[parameter.name]
    record: Any = parameter.annotation
    return record(**{field.name: _taken(field, given) for field in _fields(parameter)})


def _fields(parameter: inspect.Parameter) -> Iterable[inspect.Parameter]:
    return inspect.signature(parameter.annotation, eval_str=True).parameters.values()
