"""What this machine offers: cores that the process may use, and bf16."""

from __future__ import annotations

import math
import os
from pathlib import Path


def cores() -> int:
    """Processor cores that this process may use: its affinity, and a container's quota where there is one."""
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        usable = os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        if quota != "max":
            usable = min(usable, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        return usable
    return max(1, usable)


def processor_has_bf16() -> bool:
    """Whether the processor has instructions for bf16 matrix products."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def cache_folder() -> Path:
    """Where compiled graphs are kept: TAGLINE_CACHE, else `tagline` in the user's cache folder."""
    if chosen := os.environ.get("TAGLINE_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tagline"
