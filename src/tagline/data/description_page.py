"""A page that shows what is in annotated files: one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from tagline.data.atomic import atomic_write
from tagline.data.description import Description
from tagline.data.description_pictures import COLOURS, draw_labels, draw_lengths, draw_words

_LIGHT = {
    "ink": "#1b2733", "soft": "#5d6b79", "rule": "#dfe4e9", "outside": "#e3e8ec", "warn": "#b63d16", "page": "#ffffff",
    "c2": "#0d5f7a", "c3": "#b8631b", "c4": "#4b7a2f", "c5": "#7a4b9c", "c6": "#b23a5e", "c7": "#3f6fb5",
    "c8": "#7d6a12", "c9": "#56616b",
}  # fmt: skip
_DARK = {
    "ink": "#e8edf1", "soft": "#9aa8b5", "rule": "#33404c", "outside": "#2c3843", "warn": "#ff9d73", "page": "#161d24",
    "c2": "#5cbcd6", "c3": "#f0a860", "c4": "#97c877", "c5": "#c39ae0", "c6": "#ee8aa8", "c7": "#8fb5ee",
    "c8": "#d8c35c", "c9": "#aeb9c3",
}  # fmt: skip
_STYLE = """
:root { --font: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; LIGHT }
@media (prefers-color-scheme: dark) { :root { DARK } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 var(--font) }
main { max-width: 62rem; margin: 0 auto; padding: 3rem 1.5rem 5rem }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .3rem; letter-spacing: -.02em }
h2 { font-size: 1.25rem; margin: 3.2rem 0 .2rem; letter-spacing: -.01em }
p { margin: .2rem 0 1rem; color: var(--soft); max-width: 44rem }
svg { display: block; width: 100%; height: auto; overflow: visible }
.scroll { overflow-x: auto }
.scroll svg { min-width: 38rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .42rem .8rem .42rem 0; border-bottom: 1px solid var(--rule); text-align: right; vertical-align: top }
th { font-weight: 600 } thead th { border-bottom: 2px solid var(--ink) }
th:first-child, td:first-child { text-align: left; color: var(--soft); font-weight: 400 }
.key { display: inline-block; width: .8em; height: .8em; border-radius: .2em; margin-right: .45em }
.names { display: grid; grid-template-columns: repeat(auto-fill, minmax(13.5rem, 1fr)); gap: 1.6rem 2.2rem }
.names h3 { font-size: 1rem; margin: 0 0 .4rem } .names h3 small { color: var(--soft); font-weight: 400 }
.names ol { list-style: none; margin: 0; padding: 0 }
.names li { position: relative; display: flex; justify-content: space-between; gap: 1rem; padding: .12rem .4rem }
.names li span { position: relative; overflow-wrap: anywhere } .names li b { position: relative; font-weight: 400 }
.names li b { color: var(--soft); font-variant-numeric: tabular-nums }
.names li i { position: absolute; inset: .1rem auto .1rem 0; border-radius: .2rem; opacity: .2; background: var(--c2) }
footer { margin-top: 4rem; color: var(--soft); font-size: .85rem }
"""


def write_page(found: Sequence[Description], path: Path) -> None:
    """Writes the page: figures, words with and without O, types or classes by file, lengths, most frequent names.

    Args:
        found: the files, at least one, all of one task.
        path: the HTML file; an earlier one is replaced.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    body = "\n".join(_sections(found))
    names = escape(", ".join(Path(each.path).name for each in found))
    style = _STYLE.replace("LIGHT", _variables(_LIGHT)).replace("DARK", _variables(_DARK))
    with atomic_write(path) as file:
        file.write(
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{names}</title>\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta name="color-scheme" content="light dark"><style>{style}</style></head>\n'
            f"<body><main>\n{body}\n<footer>Counted by tagline describe.</footer>\n</main></body></html>\n"
        )


def _sections(found: Sequence[Description]) -> list[str]:
    tokens = found[0].task == "token-classification"
    parts = [_head(found), _table(found)]
    if found[0].labels:
        what = "Entities by type" if tokens else "Texts by class"
        why = "Shares within each file. Where the bars of one type differ much, the files come from different worlds."
        parts.append(_figure(what, why, _legend(found) + draw_labels(found)))
    if tokens:
        why = "Nearly all words are O: accuracy over all words is high even for a model that finds nothing."
        parts.append(_figure("Words, with and without O", why, draw_words(found)))
    lengths = [each.lengths for each in found]
    why = f"How many words the {found[0].noun} have; the last bar holds all that is longer."
    parts.append(_figure("Lengths in words", why, draw_lengths(found, lengths, "words")))
    pieces = [each.subtokens for each in found if each.subtokens is not None]
    if pieces:
        over = ", ".join(f"{100 * each.over:.2f}\u00a0%" for each in pieces)
        why = (
            f"As {escape(pieces[0].encoder)} reads them, special tokens included. Longer than one window of "
            f"{pieces[0].window}: {over}. What does not fit is read in several windows."
        )
        drawn = draw_lengths(found, [each.lengths for each in pieces], "sub-tokens", pieces[0].window)
        parts.append(_figure("Lengths in sub-tokens", why, drawn))
    return [*parts, *(_names(each) for each in found if tokens)]


def _head(found: Sequence[Description]) -> str:
    total = sum(each.units for each in found)
    words = sum(each.words for each in found)
    names = ", ".join(Path(each.path).name for each in found)
    what = f"{total:,} {found[0].noun} with {words:,} words"
    if found[0].task == "token-classification":
        what += f" and {sum(each.entities for each in found):,} entities"
    return f"<h1>{escape(names)}</h1><p>{what}.</p>"


def _table(found: Sequence[Description]) -> str:
    rows: dict[str, list[str]] = {}
    for place, each in enumerate(found):
        for name, value in _figures(each):
            rows.setdefault(name, [""] * len(found))[place] = value
    head = "".join(f"<th>{_key(place)}{escape(Path(each.path).name)}</th>" for place, each in enumerate(found))
    body = "".join(
        f"<tr><td>{escape(name)}</td>{''.join(f'<td>{escape(value)}</td>' for value in values)}</tr>"
        for name, values in rows.items()
    )
    table = f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def _figures(each: Description) -> list[tuple[str, str]]:
    tokens = each.task == "token-classification"
    rows = [("scheme" if tokens else "problem", each.kind), (each.noun, f"{each.units:,}")]
    if each.documents:
        rows.append(("documents", f"{each.documents:,}"))
    rows += [("words", f"{each.words:,}"), ("different words", f"{each.vocabulary:,}")]
    if tokens:
        rows += [
            ("entities", f"{each.entities:,}"),
            ("words outside entities (O)", f"{100 * each.outside / each.words:.1f} %"),
            ("moves that break the scheme", f"{each.illegal:,}"),
        ]
    if each.scores is not None:
        rows.append(("least, mean and greatest score", "{:.3g}, {:.3g}, {:.3g}".format(*each.scores)))
    if each.subtokens is not None:
        rows += [
            ("sub-tokens of a word", f"{each.subtokens.per_word:.2f}"),
            ("words the vocabulary does not know", f"{100 * each.subtokens.unknown:.2f} %"),
            ("words that become no sub-token", f"{each.subtokens.vanished:,}"),
        ]
    return rows


def _figure(title: str, why: str, picture: str) -> str:
    return f'<h2>{escape(title)}</h2><p>{why}</p><div class="scroll">{picture}</div>'


def _legend(found: Sequence[Description]) -> str:
    keys = (f"{_key(place)}{escape(Path(each.path).name)}" for place, each in enumerate(found))
    return f"<p>{' &emsp; '.join(keys)}</p>" if len(found) > 1 else ""


def _key(place: int) -> str:
    return f'<span class="key" style="background: var(--c{2 + place % 8})"></span>'


def _names(each: Description) -> str:
    """The most frequent names of each type."""
    columns = []
    for label in each.labels:
        most = label.top[0][1] if label.top else 1
        rows = "".join(
            f'<li><i style="width: {100 * times / most:.1f}%"></i><span>{escape(name)}</span><b>{times:,}</b></li>'
            for name, times in label.top
        )
        facts = f"{label.count:,}, {label.distinct:,} different"
        columns.append(f"<div><h3>{escape(label.label)} <small>{facts}</small></h3><ol>{rows}</ol></div>")
    title = escape(Path(each.path).name)
    return f'<h2>Most frequent names in {title}</h2><p></p><div class="names">{"".join(columns)}</div>'


def _variables(colours: dict[str, str]) -> str:
    assert colours.keys() == COLOURS.keys()
    return "; ".join(f"--{role}: {colour}" for role, colour in colours.items())
