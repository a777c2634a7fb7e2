"""What the measurements share: places, the machine, raw text made from words, medians."""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import re
import statistics
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("TAGLINE_DATA", ROOT.parent / "shared" / "data"))
BUILD = Path(os.environ.get("TAGLINE_BENCH_BUILD", ROOT / "build"))
"""Where models, the peers' environments and figures lie: another checkout can use those of this one."""
OUT = BUILD / "bench"
RESULTS = Path(__file__).parent / "RESULTS.md"
PACKAGES = ("torch", "transformers", "tokenizers", "openvino", "numpy")

_GLUED = re.compile(r" (?=(?:[.,;:!?%)\]}]|'s\b|'S\b|n't\b|'(?:m|re|ve|ll|d)\b))")
_OPENING = re.compile(r"(?<=[(\[{$]) ")


def machine() -> dict[str, Any]:
    """Processor, cores, and versions of all that takes part."""
    flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    name = re.search(r"model name\s*:\s*(.+)", flags)
    return {
        "processor": name.group(1).strip() if name else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "bf16": [flag for flag in ("amx_bf16", "avx512_bf16") if flag in flags],
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def as_written(words: Sequence[str]) -> str:
    """Words joined as a person would write them: no space before punctuation, none inside brackets and quotes."""
    text = _OPENING.sub("", _GLUED.sub("", " ".join(words)))
    parts = text.split(' " ')
    if text.startswith('" '):
        return text  # a quotation that began before the sentence: who opens and who closes cannot be told
    joined = parts[0]
    for place, part in enumerate(parts[1:]):
        joined += (' "' if place % 2 == 0 else '" ') + part
    return joined


def places(words: Sequence[str], text: str) -> list[tuple[int, int]]:
    """Where each word stands in the text that `as_written` made."""
    found, at = [], 0
    for word in words:
        start = text.index(word, at)
        at = start + len(word)
        found.append((start, at))
    return found


def place(name: str, made: str) -> None:
    """Puts what was made into bench/RESULTS.md between the marks of its name, at the end where there are none yet."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = RESULTS.read_text(encoding="utf-8") if RESULTS.is_file() else "# What was measured\n"
    if begin in page and end in page:
        head, _, rest = page.partition(begin)
        page = f"{head}{begin}\n{made}\n{end}{rest.partition(end)[2]}"
    else:
        page = f"{page.rstrip()}\n\n{begin}\n{made}\n{end}\n"
    RESULTS.write_text(page, encoding="utf-8")


def trainings(description: str | None, corpora: Iterable[str]) -> argparse.ArgumentParser:
    """Options of a script that trains on corpora with seeds and logs what it sees."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", choices=sorted(corpora))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=0)
    return parser


def records(file: Path) -> list[dict[str, Any]]:
    """The runs that a file keeps, a JSON line each; none where it is not there."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.is_file() else []


def keep(file: Path, record: dict[str, Any]) -> None:
    """Puts a run at the end of such a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(record) + "\n")
