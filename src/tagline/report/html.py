"""A report as one page of HTML: style, script and data inside, nothing fetched."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from tagline.report.blocks import (
    Block,
    Browser,
    Cell,
    Figure,
    Heat,
    Key,
    Note,
    Report,
    Section,
    Signed,
    Stack,
    Table,
    bounds,
    plain,
    shown,
)

_SURROGATES = re.compile("[\ud800-\udfff]")
# The page may run its own script and style, and nothing else: no request leaves it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def render_html(report: Report) -> str:
    """The report as a page.

    Texts of the data stand in a JSON element in which `<`, `>` and `&` are escaped, so that no text can end it.
    """
    sections = "".join(map(_section, report.sections))
    links = "".join(f'<a href="#{each.id}">{escape(each.title)}</a>' for each in report.sections)
    warnings = "".join(f'<p class="warning" role="note">{escape(each)}</p>' for each in report.warnings)
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(report.title)}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><style>{_asset("page.css")}</style></head><body>'
        f'<a class="skip" href="#main">Skip to the report</a>{_header(report)}<nav aria-label="Chapters">{links}</nav>'
        f'<main id="main">{warnings}{sections}</main>'
        "<footer>Made by <strong>Tagline</strong>. One file of @SIZE@; it needs no network.</footer>"
        f'<script type="application/json" id="data">{embed(report.data)}</script>'
        f'<script>"use strict";(() => {{{_asset("items.js")}\n{_asset("page.js")}}})();</script></body></html>\n'
    )
    return page.replace("@SIZE@", file_size(len(page.encode("utf-8"))), 1)


def embed(data: Mapping[str, Any]) -> str:
    """JSON that may stand in a script element, whatever the texts in it hold.

    Raises:
        ValueError: a number is not finite.
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return _SURROGATES.sub(lambda found: f"\\u{ord(found.group()):04x}", text)  # half a character is no UTF-8


def escape(text: str) -> str:
    """Text that may stand in an element or an attribute."""
    return html.escape(_SURROGATES.sub("\ufffd", text).replace("@SIZE@", "@SIZE\u2060@"))


def file_size(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"


@cache
def _asset(name: str) -> str:
    return files("tagline.report").joinpath("assets", name).read_text(encoding="utf-8")


def _header(report: Report) -> str:
    name, figure = report.hero
    facts = "".join(f"<li>{escape(each)}</li>" for each in report.facts)
    keys = "".join(map(_key, report.keys))
    interval = (
        f'<p class="detail">95 % interval {bounds(figure.interval, 4)}</p>{_range(figure)}' if figure.interval else ""
    )
    return (
        f'<header><div class="head"><p class="kind">{escape(report.kind)}</p><h1>{escape(report.title)}</h1>'
        f'<ul class="facts">{facts}</ul></div><div class="figures"><div class="hero"><p class="name">{escape(name)}</p>'
        f'<p class="value">{shown(figure.value)}</p>{interval}</div><dl class="keys">{keys}</dl></div></header>'
    )


def _key(key: Key) -> str:
    detail = f'<dd class="detail">{escape(key.detail)}</dd>' if key.detail else ""
    return f'<div><dt>{escape(key.name)}</dt><dd class="value">{escape(key.value)}</dd>{detail}</div>'


def _section(section: Section) -> str:
    lead = f'<p class="lead">{escape(section.lead)}</p>' if section.lead else ""
    blocks = "".join(map(_block, section.blocks))
    wide = " wide" if section.wide else ""
    return (
        f'<section id="{section.id}" aria-labelledby="{section.id}-title"><h2 id="{section.id}-title">'
        f'{escape(section.title)}</h2>{lead}<div class="blocks{wide}">{blocks}</div></section>'
    )


def _block(block: Block) -> str:
    if isinstance(block, Note):
        return f'<p class="note">{escape(block.text)}</p>'
    if isinstance(block, Browser):
        return (
            f'<div class="browser" data-items="{escape(block.name)}" data-noun="{escape(block.noun)}">'
            "<noscript>The texts are shown by the page's own script, which this browser does not run.</noscript></div>"
        )
    note = f'<p class="below">{escape(block.note)}</p>' if block.note else ""
    title = f"<h3>{escape(block.title)}</h3>" if block.title else ""
    if isinstance(block, Table):
        body, style = _table(block), "plain"
    elif isinstance(block, Heat):
        body, style = _heat(block), "plain full"
    elif isinstance(block, Stack):
        body, style = _stack(block), "plain full"
    else:
        figures = f"<details open><summary>The figures</summary>{_table(block.table)}</details>"
        return f'<figure class="block">{title}{block.svg}{note}{figures}</figure>'
    return f'<div class="block {style}">{title}{body}{note}</div>'


def _table(table: Table) -> str:
    numbers = [any(not isinstance(row[at], str) for row in table.rows) for at in range(len(table.heads))]
    heads = "".join(
        f'<th scope="col"{" class=number" if number else ""}>{escape(head)}</th>'
        for head, number in zip(table.heads, numbers, strict=True)
    )
    rows = []
    for place, row in enumerate(table.rows, 1):
        first, *others = row
        total = " class=total" if place > len(table.rows) - table.totals else ""
        rows.append(f'<tr{total}><th scope="row">{escape(plain(first))}</th>{"".join(map(_cell, others))}</tr>')
    return _scrolled(
        f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>", table.title or "Table"
    )


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return f"<td>{escape(cell)}</td>"
    if isinstance(cell, Figure) and cell.interval is not None:
        interval = f'<span class="interval">{bounds(cell.interval)}</span>'
        return f'<td class="number with-range"><span>{shown(cell.value)}</span>{interval}{_range(cell)}</td>'
    return f'<td class="number">{escape(plain(cell))}</td>'


def _range(figure: Figure | Signed) -> str:
    """A line from 0 to 1 with the interval and the value on it; nothing for a number of another size."""
    if isinstance(figure, Signed) or figure.interval is None:
        return ""
    low, high = (min(max(each, 0.0), 1.0) * 100 for each in figure.interval)
    style = f"--low:{low:.2f}%;--width:{high - low:.2f}%;--at:{min(max(figure.value, 0.0), 1.0) * 100:.2f}%"
    return f'<span class="range" aria-hidden="true" style="{style}"></span>'


def _heat(heat: Heat) -> str:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in heat.columns)
    rows = []
    for name, counts in zip(heat.rows, heat.counts, strict=True):
        total, cells = max(sum(counts), 1), []
        for column, count in zip(heat.columns, counts, strict=True):
            style = "right" if name == column else "wrong"
            shade = f'class="{style}" style="--share:{count / total:.3f}"' if count else 'class="zero"'
            said = f"{count:,} of {total:,} {name} in gold, predicted {column} ({count / total:.1%})"
            value = f"{count:,}" if count else "·"
            if count and name != column and heat.linked:
                value = (
                    f'<button type="button" data-gold="{escape(name)}" data-predicted="{escape(column)}" '
                    f'title="{escape(said)}: show them">{value}</button>'
                )
            cells.append(f'<td {shade} title="{escape(said)}">{value}</td>')
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>')
    corner = '<th class="corner"><span>gold ↓</span> <span>predicted →</span></th>'
    table = f'<table class="heat"><thead><tr>{corner}{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    return _scrolled(table, heat.title or "Confusion")


def _stack(stack: Stack) -> str:
    total = max(sum(part.size for part in stack.parts), 1)
    bars, legend = [], []
    for part in stack.parts:
        share = f"{part.size:,} ({part.size / total:.1%})"
        bars.append(
            f'<span class="{part.style}" style="flex-grow:{part.size}" title="{escape(part.name)}: {share}"></span>'
            if part.size
            else ""
        )
        body = f'<i class="{part.style}"></i><b>{escape(part.name)}</b> <span>{share}</span>'
        tag = f'<button type="button" data-kind="{part.filter}">{body}</button>' if part.filter and part.size else body
        legend.append(f"<li>{tag}</li>")
    return f'<div class="stack" aria-hidden="true">{"".join(bars)}</div><ul class="legend">{"".join(legend)}</ul>'


def _scrolled(table: str, name: str) -> str:
    """Wide tables scroll for themselves, by keyboard too."""
    return f'<div class="scroll" role="region" aria-label="{escape(name)}" tabindex="0">{table}</div>'
