"""The models that are served, by name, and their change for newer ones while requests go on."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tagline.errors import TaglineError
from tagline.predict.apart import OpenModel
from tagline.serve.logs import JsonLog


@dataclass(frozen=True)
class Hosted:
    """A model that is served.

    Attributes:
        name: what requests call it.
        model: computes it.
        loaded: when, in ISO format.
    """

    name: str
    model: OpenModel
    loaded: str

    def to_dict(self, default: bool) -> dict[str, Any]:
        """As `/v1/models` shows it."""
        model = self.model
        return {
            "name": self.name,
            "task": model.task,
            "labels": list(model.labels),
            "engine": model.engine,
            "precision": model.precision,
            "window": model.window,
            "pairs": model.paired,
            "default": default,
            "loaded": self.loaded,
        }


class Registry:
    """All models of a server.

    Args:
        folders: folder of each by its name.
        engine: fields of `EngineSettings`.
        budget: most sub-tokens of a batch, which they are warmed up with.
    """

    def __init__(self, folders: Mapping[str, str], engine: Mapping[str, Any], budget: int) -> None:
        self._folders, self._engine, self._budget = folders, engine, budget
        self._hosted: dict[str, Hosted] = {}
        self._reloading = threading.Lock()

    def open(self) -> None:
        """Opens all models.

        Raises:
            TaglineError: one cannot be opened.
        """
        self._hosted = {name: self._open(name) for name in self._folders}

    def reload(self, log: JsonLog) -> bool:
        """Opens all models anew; from then on new requests go to them. If one fails, everything stays as it was.

        Returns:
            Whether they were changed.
        """
        with self._reloading:
            try:
                fresh = {name: self._open(name) for name in self._folders}
            except TaglineError as error:
                log("reload-failed", "error", message=str(error))
                return False
            except Exception as error:  # noqa: BLE001 (the old models go on)
                log.failure("reload-failed", error)
                return False
            self._hosted = fresh
            log("reloaded", models=list(fresh))
            return True

    def get(self, name: str) -> Hosted | None:
        """The model of a name."""
        return self._hosted.get(name)

    def default(self, task: str) -> Hosted | None:
        """The first model for a task."""
        return next((each for each in self._hosted.values() if each.model.task == task), None)

    @property
    def names(self) -> list[str]:
        """The names, in the order in which they were given."""
        return list(self._folders)

    def all(self) -> list[Hosted]:
        """Every model, in that order."""
        return list(self._hosted.values())

    def describe(self) -> list[dict[str, Any]]:
        """All models as `/v1/models` shows them."""
        return [each.to_dict(self.default(each.model.task) is each) for each in self._hosted.values()]

    def _open(self, name: str) -> Hosted:
        model = OpenModel(self._folders[name], **self._engine)
        model.warm(self._budget)
        return Hosted(name, model, datetime.now(UTC).isoformat(timespec="seconds"))
