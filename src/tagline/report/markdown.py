"""A report as Markdown: the same figures as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tagline.report.blocks import Block, Browser, Chart, Heat, Note, Report, Stack, Table, plain


def render_markdown(report: Report) -> str:
    """The report as Markdown; browsers of texts are left out."""
    lines = [f"# {_text(report.title)}", "", " · ".join(map(_text, report.facts)), ""]
    for warning in report.warnings:
        lines += [f"> {_text(warning)}", ""]
    name, figure = report.hero
    rows = [(f"**{_text(name)}**", f"**{plain(figure)}**", "" if figure.interval is None else "95 % interval")]
    rows += [(_text(key.name), _text(key.value), _text(key.detail)) for key in report.keys]
    lines += [*_table(("figure", "value", ""), rows, {1}), ""]
    for section in report.sections:
        blocks = [line for block in section.blocks for line in _block(block)]
        if blocks:
            lead = [_text(section.lead), ""] if section.lead else []
            lines += [f"## {_text(section.title)}", "", *lead, *blocks]
    return "\n".join(lines).rstrip() + "\n"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Browser):
        return
    if isinstance(block, Note):
        yield from (_text(block.text), "")
        return
    if block.title:
        yield from (f"### {_text(block.title)}", "")
    if isinstance(block, Heat):
        heads = ("gold ╲ predicted", *block.columns)
        rows = [
            (_text(name), *(f"{n:,}" if n else "·" for n in row))
            for name, row in zip(block.rows, block.counts, strict=True)
        ]
        yield from _table(heads, rows, set(range(1, len(heads))))
    elif isinstance(block, Stack):
        total = max(sum(part.size for part in block.parts), 1)
        stack = [(_text(part.name), f"{part.size:,}", f"{part.size / total:.1%}") for part in block.parts]
        yield from _table(("", "count", "share"), stack, {1, 2})
    else:
        yield from _cells(block.table if isinstance(block, Chart) else block)
    yield ""
    if block.note:
        yield from (_text(block.note), "")


def _cells(table: Table) -> Iterator[str]:
    right = {at for at in range(len(table.heads)) if any(not isinstance(row[at], str) for row in table.rows)}
    yield from _table(table.heads, [tuple(_text(plain(cell)) for cell in row) for row in table.rows], right)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: set[int]) -> Iterator[str]:
    yield "| " + " | ".join(map(_text, heads)) + " |"
    yield "|" + "|".join("---:" if at in right else "---" for at in range(len(heads))) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _text(text: str) -> str:
    """Text in which nothing is markup and no line ends."""
    for sign in "\\|`*_[]<>#":
        text = text.replace(sign, "\\" + sign)
    return " ".join(text.split())
