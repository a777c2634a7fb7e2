"""What this machine offers: cores that the process may use, and instructions for small numbers."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from tagline.errors import UsageError

_FLAGS = (
    "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8", "amx_bf16", "asimddp", "i8mm", "bf16",
)  # fmt: skip


def cores(root: Path = Path("/")) -> int:
    """Processor cores that this process may use: its affinity, and a container's quota where there is one.

    Args:
        root: where `proc` and `sys` lie.
    """
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        usable = os.cpu_count() or 1
    return max(1, min([usable, *(math.ceil(quota) for quota in _quotas(root))]))


def _quotas(root: Path) -> Iterator[float]:
    """Cores' worth of time that each control group around this process is given; of both versions of the kernel's."""
    base = root / "sys/fs/cgroup"
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    groups = [line.split(":", 2)[1:] for line in lines if line.count(":") > 1]
    for controllers, path in [*groups, ["", "/"]]:
        mount = base / "cpu" if "cpu" in controllers.split(",") else base
        if controllers and mount == base:
            continue
        place = mount / path.lstrip("/")  # seldom there inside a container, whose own group is then the mount itself
        for each in (place, *place.parents):
            if each.is_relative_to(mount):
                yield from _quota(each)


def _quota(group: Path) -> Iterator[float]:
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            quota, period = " ".join((group / name).read_text(encoding="ascii") for name in names).split()
            if int(quota) > 0 and int(period) > 0:
                yield int(quota) / int(period)
        except (OSError, ValueError):  # no such file, or no limit: "max"
            continue


def processor_flags() -> tuple[str, ...]:
    """The instruction sets at hand that matter to the speed or the roundings of an engine; empty where unknown."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return ()
    found = {word for line in text.splitlines() if line.startswith(("flags", "Features")) for word in line.split()}
    return tuple(flag for flag in _FLAGS if flag in found)


def processor_has_bf16() -> bool:
    """Whether the processor has instructions for bf16 matrix products."""
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(processor_flags())


def processor_has_int8() -> bool:
    """Whether the processor has instructions for int8 products; True where its flags cannot be read."""
    flags = processor_flags()
    return not flags or not {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"}.isdisjoint(flags)


class NoHomeError(UsageError, OSError):
    """There is no folder for what is kept between starts; who can do without it may take it as any other OSError."""


def cache_folder() -> Path:
    """Where compiled graphs are kept: TAGLINE_CACHE, else `tagline` in the user's cache folder.

    Raises:
        NoHomeError: neither is named, and the user has no home, as in containers that run under any number.
    """
    if chosen := os.environ.get("TAGLINE_CACHE"):
        return Path(chosen)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tagline"
    except RuntimeError as error:
        raise NoHomeError(
            "this user has no home folder, so there is no place to keep anything in; name a folder in the environment "
            "variable TAGLINE_CACHE"
        ) from error
