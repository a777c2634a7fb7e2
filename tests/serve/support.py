"""Tiny models, and the server as a user starts it: a process of its own on a free port."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from tests.cli.support import command, environment
from tests.families import LABELS, POSITIONS, TEXT, config_of, tokenizer_of

LINES = [line for line in TEXT.splitlines() if line]
LONG = " ".join(LINES[:8]) * 4
TIMEOUT = 60.0


def write_tagger(folder: Path, seed: int = 5) -> Path:
    """Saves a random model of entities whose answers change from word to word, with its graph."""
    import torch

    from tagline.publish.graph import write_graph

    hf = importlib.import_module("transformers")
    tokenizer = tokenizer_of("bert-cased")
    tokenizer.model_max_length = POSITIONS
    config = config_of("bert-cased", tokenizer)
    config.id2label = dict(enumerate(LABELS))
    config.label2id = {label: number for number, label in enumerate(LABELS)}
    torch.manual_seed(seed)
    model = hf.AutoModelForTokenClassification.from_config(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.mul_(8 if "classifier" in name else 4)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_graph(model, folder)
    return folder


class Server:
    """`tagline serve` in a process of its own.

    Args:
        arguments: models and options; port and precision are given by us.
        more: environment.
    """

    def __init__(self, *arguments: object, **more: str) -> None:
        words = command("serve", *arguments, "--port", 0, "--precision", "f32", "--threads", 2)
        self.lines: list[dict[str, Any]] = []
        self.plain: list[str] = []
        self.process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(**more)
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.url: str = self.wait_for("serving")["address"]
        except BaseException:
            self.close()
            raise
        self.port = int(self.url.rpartition(":")[2])

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.plain.append(line.decode())

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in list(self.lines) if line["event"] == name]

    def wait_for(self, name: str, count: int = 1) -> dict[str, Any]:
        """The last of so many events of a name."""
        until = time.monotonic() + TIMEOUT
        while len(found := self.events(name)) < count:
            assert self.process.poll() is None, f"the server ended: {self.lines} {self.plain}"
            assert time.monotonic() < until, f"no {name!r} among {self.lines[-20:]}"
            time.sleep(0.02)
        return found[-1]

    def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        if body is not None:
            options["json"] = body
        return httpx.post(self.url + path, timeout=TIMEOUT, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(self.url + path, timeout=TIMEOUT, **options)

    def metric(self, name: str) -> float:
        """The number that stands behind a metric with its labels; 0 where it is not there yet."""
        for line in self.get("/metrics").text.splitlines():
            if line.startswith(name + " "):
                return float(line.rpartition(" ")[2])
        return 0.0

    def worker(self) -> int:
        """Process number of the worker that began to serve last."""
        return int(self.events("serving")[-1]["pid"])

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """Stops as systemd does; gives the exit status."""
        workers = [line["pid"] for line in self.events("serving")]
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(TIMEOUT)
        finally:
            self.close()
        assert not [pid for pid in workers if alive(pid)]
        return code

    def close(self) -> None:
        """Leaves nothing behind."""
        self.process.kill()
        self.process.wait(TIMEOUT)
        self._reader.join(10)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        else:
            self.close()


def alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


def same(found: Any, wanted: Any) -> bool:
    """Whether answers are the same, but for the last digits of scores, which depend on what shared their batch."""
    if isinstance(wanted, float):
        return isinstance(found, float) and abs(found - wanted) < 2e-4
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict) and list(found) == list(wanted) and all(same(found[k], wanted[k]) for k in wanted)
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(same, found, wanted))
    return bool(found == wanted)


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Results of `work` for 0 to `count` - 1, all at the same time."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))
