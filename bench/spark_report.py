"""The Spark part of bench/RESULTS.md, from what `spark.py` has measured."""

from __future__ import annotations

import statistics
from typing import Any

from common import place

LOCAL, UDF, SCALE, GROWTH = 0.85, 8.0, 1.75, 0.10
"""What was asked for."""
CALLED = {"predict": "`predict`", "stages": "four stages", "int8": "`predict`, int8"}


def write(found: dict[str, Any]) -> None:
    """Puts the part into its place."""
    place("spark", page(found))


def page(found: dict[str, Any]) -> str:
    """The part, as Markdown."""
    lines = ["## Spark", ""]
    if found:
        about = next(iter(found.values()))
        took = sum(each["took"] for each in found.values())
        lines += [
            f"`python bench/spark.py`, model {about['model']}, {about['rounds']} rounds in which all take turns; "
            "medians (smallest to largest), sentences of CoNLL-2003 test a second, start-up and the opening of models "
            f"not counted; {took / 60:.0f} minutes; {about['machine']['processor']}, "
            f"{about['machine']['cores']} cores.",
            "",
        ]
    for name, make in _MAKERS.items():
        if name in found:
            lines += [*make(found[name]["figures"]), ""]
    return "\n".join(lines).rstrip() + "\n"


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


def _ratio(above: list[float], below: list[float]) -> float:
    """The median of the rounds' ratios: neighbours in time see the same machine."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def _local(figures: dict[str, Any]) -> list[str]:
    rates = figures["rates"]
    lines = [
        f"### `local[2]` against Tagline's own process, {figures['sentences']:,} sentences",
        "", f"| what | sentences a second | × single process (asked: {LOCAL}) |", "|---|---|---|",
    ]  # fmt: skip
    names = {
        "single": "Tagline's own process, two cores",
        "predict": "`local[2]`, `tagline.spark.predict`",
        "stages": "`local[2]`, four stages",
        "two processes": "two processes of one thread without Spark, each its half of few sentences",
    }
    for name, called in names.items():
        lines.append(f"| {called} | {_spread(rates[name])} | {_ratio(rates[name], rates['single']):.2f} |")
    return lines


def _executors(figures: dict[str, Any]) -> list[str]:
    return [
        *_against(figures), "",
        "An executor of one core has its JVM, the Python worker and the model's thread. Unbound, a single executor on "
        "a machine of two cores lets its JVM and its Python work on the core that nobody else has; bound, it has what "
        "it was given.",
    ]  # fmt: skip


def _against(figures: dict[str, Any]) -> list[str]:
    lines = [
        f"### Two executors against one, {figures['sentences']:,} sentences", "",
        f"| what | one | two | two against one (asked: {SCALE}) |", "|---|---|---|---|",
    ]  # fmt: skip
    free, pinned = figures["free"], figures["pinned"]
    rows = [(f"{CALLED[job]}, {how}", rates, job) for job in ("predict", "stages") for how, rates in (
        ("executors as Spark starts them", free), ("each executor bound to one core", pinned),
    )]  # fmt: skip
    for called, rates, job in [*rows, ("processes of one thread without Spark", free, "process")]:
        if f"{job} one" in rates:
            one, two = rates[f"{job} one"], rates[f"{job} two"]
            lines.append(f"| {called} | {_spread(one)} | {_spread(two)} | {_ratio(two, one):.2f} |")
    return lines


def _udf(figures: dict[str, Any]) -> list[str]:
    rates = figures["rates"]
    lines = [
        "### `local[2]` against a pandas function around `transformers.pipeline`", "",
        f"| what | sentences a second | × transformers (asked: {UDF:.0f}) |", "|---|---|---|",
        f"| pandas function, one thread a worker | {_spread(rates['transformers'])} | 1.0 |",
    ]  # fmt: skip
    lines += [
        f"| {CALLED[name]} | {_spread(rates[name])} | {_ratio(rates[name], rates['transformers']):.1f} |"
        for name in ("predict", "stages", "int8")
        if name in rates
    ]
    return [*lines, "", f"{figures['sentences']:,} sentences; of transformers {figures['sentences_transformers']:,}."]


def _killed(figures: dict[str, Any]) -> list[str]:
    after = figures["after"]
    how = f"after {after[0]:,} counted rows" if after else "not: the job was over before"
    return [
        f"### A killed executor\n\n{figures['rows']:,} rows on two executors; one was killed {how}. Lost: "
        f"{figures['lost']}. Doubled: {figures['doubled']}. Without an answer: {figures['unread']}."
    ]


def _memory(figures: dict[str, Any]) -> list[str]:
    small, large = figures["peaks"]
    count = figures["sentences"]
    return [
        f"### Memory of a Python worker\n\nMost memory (VmHWM) over a partition of {count:,} sentences: {small:,.0f} "
        f"MiB; of {10 * count:,}: {large:,.0f} MiB, {large / small - 1:+.1%} (asked: within {GROWTH:.0%})."
    ]


def _loads(figures: dict[str, Any]) -> list[str]:
    found = figures["loads"]
    return [
        f"### Loads\n\n{len(found)} Python workers opened the model {', '.join(map(str, found))} times over four jobs "
        "of eight partitions each (asked: once)."
    ]


_MAKERS = {
    "local": _local,
    "executors": _executors,
    "scale": _against,
    "udf": _udf,
    "killed": _killed,
    "memory": _memory,
    "loads": _loads,
}
