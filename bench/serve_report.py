"""The figures of `serve.py` as a part of RESULTS.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def page(found: dict[str, Any]) -> str:
    """Markdown of all parts that have figures."""
    lines = ["## Serving", "", "`python bench/serve.py MODEL`: client and server on the same two cores."]
    parts = {"ramp": _ramp, "saturation": _saturation, "overload": _overload, "mixed": _mixed, "restart": _restart}
    for name, write in parts.items():
        if name in found:
            part = found[name]
            where = f"{part['machine']['processor']}, {part['machine']['cores']} cores"
            note = f"(model {part['model']}, precision {part['precision']}, {where}; {part['seconds']} s)"
            lines += ["", *write(part["figures"]), "", note]
    return "\n".join(lines)


def _ramp(part: dict[str, Any]) -> Iterator[str]:
    yield "### Requests a second"
    yield ""
    yield "One sentence of CoNLL-2003 test a request; so many clients, each asking again once it has its answer."
    yield ""
    yield "| clients | FastAPI and pipeline, requests/s | p99, ms | tagline serve, requests/s | p50, ms | p99, ms |"
    yield "|---|---|---|---|---|---|"
    for count, mine in part["tagline_serve"].items():
        peer = part["fastapi_pipeline"].get(count)
        theirs = f"{peer['per_second']:,.0f} | {peer['p99_ms']:,.1f}" if peer else " | "
        yield f"| {count} | {theirs} | {mine['per_second']:,.0f} | {mine['p50_ms']:,.1f} | {mine['p99_ms']:,.1f} |"
    both = part["at_equal_p99"]
    yield ""
    yield (
        f"At equal p99 ({part['p99_ms']:g} ms, the peer's at its best): {both['tagline_serve']:,.0f} against "
        f"{both['fastapi_pipeline']:,.0f} requests a second, {part['times']:g} × (asked: 5 ×)."
    )


def _saturation(part: dict[str, Any]) -> Iterator[str]:
    yield "### Delays"
    yield ""
    yield "Requests at random times (Poisson), so many a second whatever comes back, with the default `--max-wait`."
    yield ""
    yield "| offered a second | answered a second | p50, ms | p99, ms | refused (503) |"
    yield "|---|---|---|---|---|"
    rows = {**part["offered"], "70 % of saturation": part["at_70"]}
    for offered, each in rows.items():
        refused = each["statuses"].get("503", 0)
        named = f"{float(offered):,.0f}" if offered[0].isdigit() and "%" not in offered else offered
        yield f"| {named} | {each['per_second']:,.0f} | {each['p50_ms']:,.1f} | {each['p99_ms']:,.1f} | {refused:,} |"
    alone, cores = part["alone"], part["cores_at_70"]
    yield ""
    yield (
        f"A single request at a time: median {alone['p50_ms']:g} ms, p99 {alone['p99_ms']:g} ms. Saturation, "
        f"the most that was answered: {part['saturation']:,.0f} a second. "
        f"p99 at 70 % of it: {part['at_70']['p99_ms']:g} ms, "
        f"{part['times_median_alone']:g} × the median of a single request (asked: 5 ×), "
        f"{part['times_p99_alone']:g} × its p99. Cores in use then: {cores['loop']:g} by the event loop, "
        f"{cores['others']:g} by all other threads; the client takes {part['at_70']['client_us']:g} µs a request."
    )


def _overload(part: dict[str, Any]) -> Iterator[str]:
    once, thrice = part["at_1"], part["at_3"]
    refused, asked = thrice["statuses"].get("503", 0), sum(thrice["statuses"].values())
    yield "### Too much"
    yield ""
    yield (
        f"Offered {part['rate']:,.0f} a second, which is saturation: accepted requests' p99 {once['p99_ms']:g} ms. "
        f"At three times as much: {thrice['p99_ms']:g} ms, {part['times']:g} × (asked: 2 ×). Then {refused:,} of "
        f"{asked:,} are refused with 503, within {thrice['refused_p99_ms'] or 0:g} ms (p99), "
        f"{thrice['per_second']:,.0f} a second answered, unanswered {part['unanswered']}."
    )


def _mixed(part: dict[str, Any]) -> Iterator[str]:
    further = part["further"]["requests"]
    yield "### Mixed requests"
    yield ""
    yield (
        f"{part['requests']:,} requests of one to four sentences and of long texts, with all options mixed, from 64 "
        f"clients, in f32, each compared with the local pipeline's answer: wrong or swapped {part['wrong']}, lost "
        f"{part['lost']} (asked: 0). Memory after them {part['memory_mb']:,.0f} MB, after {further:,} more "
        f"{part['memory_after_mb']:,.0f} MB: {part['growth_percent']:+g} % (asked: at most +5 %)."
    )


def _restart(part: dict[str, Any]) -> Iterator[str]:
    yield "### Signals under load"
    yield ""
    yield "16 clients, 8 seconds."
    yield ""
    yield "| what | seconds | answered | without an answer |"
    yield "|---|---|---|---|"
    told = {
        "SIGHUP": "SIGHUP, until the models are new",
        "kill": "worker killed, until it serves again",
        "SIGTERM": "SIGTERM, until the end",
    }
    for name, what in told.items():
        each = part[name]
        yield f"| {what} | {each['seconds']:g} | {each['statuses'].get('200', 0):,} | {each['unanswered']} |"
