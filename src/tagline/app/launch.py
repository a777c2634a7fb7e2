"""Starts Streamlit on the app's script."""

from __future__ import annotations

import socket
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tagline.app.setup import Setup
from tagline.errors import MissingExtraError, UsageError

HERE = Path(__file__).resolve().parent
SCRIPT, CONFIG = HERE / "script.py", HERE / "config.toml"


@dataclass(frozen=True)
class Address:
    """Where the app listens.

    Attributes:
        host: name or number of the interface.
        port: 1 to 65535; 0 takes a free one.
        max_upload: most megabytes of an uploaded file.
    """

    host: str = "127.0.0.1"
    port: int = 8501
    max_upload: int = 200

    def taken(self) -> Address:
        """The address with a port that is free.

        Raises:
            UsageError: the port is out of range or in use, or the host is none of this machine.
        """
        if not 0 <= self.port <= 65535:
            raise UsageError(f"--port is {self.port}; expected 1 to 65535, or 0 for any free one")
        if self.max_upload < 1:
            raise UsageError(f"--max-upload is {self.max_upload}; expected at least 1 (megabyte)")
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise UsageError(
                    f"cannot listen on {self.host}, port {self.port} ({error.strerror or error}); "
                    "give another --port (0 takes a free one) or --host"
                ) from error
            return Address(self.host, probe.getsockname()[1], self.max_upload)

    @property
    def url(self) -> str:
        """What to type into a browser."""
        host = "localhost" if self.host in ("0.0.0.0", "::") else f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def check_extra() -> None:
    """Raises `MissingExtraError` unless the extra `app` is installed."""
    if any(_absent(name) for name in ("streamlit", "annotated_text")):
        raise MissingExtraError("tagline app", "app")


def _absent(name: str) -> bool:
    try:
        return find_spec(name) is None
    except ValueError:  # taken out of sys.modules
        return True


def options(address: Address) -> dict[str, Any]:
    """Streamlit's options by their names in `config.toml`, with dots."""
    found: dict[str, Any] = {}

    def gather(values: dict[str, Any], before: str) -> None:
        for name, value in values.items():
            if isinstance(value, dict):
                gather(value, f"{before}{name}.")
            else:
                found[before + name] = value

    gather(tomllib.loads(CONFIG.read_text(encoding="utf-8")), "")
    return found | {
        "server.address": address.host,
        "server.port": address.port,
        "server.maxUploadSize": address.max_upload,
    }


def launch(setup: Setup, address: Address) -> None:
    """Serves the app until it is stopped (Ctrl-C, SIGTERM).

    Args:
        setup: its models and examples.
        address: where it listens; see `Address.taken`.

    Raises:
        MissingExtraError: the extra `app` is not installed.
    """
    check_extra()
    from streamlit.web import bootstrap

    flags = {name.replace(".", "_"): value for name, value in options(address).items()}
    bootstrap.load_config_options(flags)
    bootstrap.run(str(SCRIPT), False, [setup.to_json()], flags)
