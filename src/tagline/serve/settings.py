"""What a server is told, and how it travels to the processes that serve."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tagline.errors import MissingExtraError, UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")


@dataclass(frozen=True)
class Limits:
    """What one request may ask for, and how much may wait.

    Attributes:
        body_bytes: most bytes of a body.
        texts: most texts of a request.
        characters: most characters of a text (of a pair: together).
        timeout: seconds after which a request is given up, its sending included.
        max_wait: seconds of computing that may wait before further requests are refused with 503.
        requests: most requests in the server at once.
    """

    body_bytes: int = 2_000_000
    texts: int = 256
    characters: int = 100_000
    timeout: float = 30.0
    max_wait: float = 0.1
    requests: int = 1024

    def __post_init__(self) -> None:
        for name in ("body_bytes", "texts", "characters", "requests"):
            if getattr(self, name) < 1:
                raise UsageError(f"{_option(name)} is {getattr(self, name)}; expected at least 1")
        for name in ("timeout", "max_wait"):
            if not 0 < getattr(self, name) < 86_400:
                raise UsageError(f"{_option(name)} is {getattr(self, name):g}; expected seconds, more than 0")


def _option(name: str) -> str:
    return {"max_wait": "--max-wait", "timeout": "--timeout"}.get(name, f"--max-{name.replace('_', '-')}")


@dataclass(frozen=True)
class ServeSettings:
    """A server.

    Attributes:
        models: folder of each model by its name, in the order in which they were given.
        host: address to listen on.
        port: port; 0 takes a free one.
        workers: processes that serve, each with all models.
        engine: fields of `EngineSettings`.
        limits: what requests may ask for.
        api_key: key that requests must carry; None lets everyone in.
        cors: origins whose pages may ask from a browser; none unless asked.
        access_log: whether each request is logged.
    """

    models: Mapping[str, str]
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    engine: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    api_key: str | None = None
    cors: tuple[str, ...] = ()
    access_log: bool = True

    def __post_init__(self) -> None:
        if not self.models:
            raise UsageError("got no model; give at least one folder")
        for name in self.models:
            if not _NAME.match(name):
                raise UsageError(
                    f"{name!r} cannot stand in an address; give the model a name of letters, digits, '.', '_', '-', "
                    "as in: tagline serve NAME=FOLDER"
                )
        if not 0 <= self.port <= 65_535:
            raise UsageError(f"--port is {self.port}; expected 0 (any free one) to 65535")
        if not 1 <= self.workers <= 64:
            raise UsageError(f"--workers is {self.workers}; expected 1 to 64")
        if self.api_key is not None and not (self.api_key and self.api_key.isascii() and self.api_key.isprintable()):
            raise UsageError("the API key must be one or more printable ASCII characters")

    def to_json(self) -> str:
        """One line, for the process that serves; it holds the key."""
        return json.dumps({**asdict(self), "models": list(self.models.items())})

    @classmethod
    def from_json(cls, line: str) -> ServeSettings:
        """What `to_json` wrote."""
        values = json.loads(line)
        values["models"], values["limits"] = dict(values["models"]), Limits(**values["limits"])
        return cls(**{**values, "cors": tuple(values["cors"])})


def named(models: list[str]) -> dict[str, str]:
    """Folders by name out of `FOLDER` or `NAME=FOLDER`; a bare folder is called by its own name.

    Raises:
        UsageError: two models of one name.
    """
    found: dict[str, str] = {}
    for given in models:
        name, equals, folder = given.partition("=")
        if not equals or "/" in name:  # a folder may have "=" in its own name
            name, folder = Path(given).resolve().name, given
        if name in found:
            raise UsageError(f"two models are called {name!r}; name one of them, as in: tagline serve NAME={folder}")
        found[name] = folder
    return found


def check_extra() -> None:
    """Raises `MissingExtraError` unless what serving needs is installed."""
    if any(importlib.util.find_spec(name) is None for name in ("fastapi", "uvicorn")):
        raise MissingExtraError("tagline serve", "serve")
