"""Answers as HTML: coloured spans and bars, alike in Jupyter and in the web app.

Colour is never all there is: the label stands beside every span, a chosen label has a tick. Each colour is a pair of a
pale ground and a deep ink, one pair for light pages and one for dark ones; text on its ground has a contrast of 7 and
more (held by a test). The page's `color-scheme` says which pair is taken.
"""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tagline.records import Classification, Document, Entity, Label

_SURROGATES = re.compile("[\ud800-\udfff]")


class Hue(NamedTuple):
    """A colour: ground and ink on a light page, ground and ink on a dark one, each `#rrggbb`."""

    ground: str
    ink: str
    dark_ground: str
    dark_ink: str

    @property
    def background(self) -> str:
        """The ground as CSS."""
        return f"light-dark({self.ground}, {self.dark_ground})"

    @property
    def color(self) -> str:
        """The ink as CSS."""
        return f"light-dark({self.ink}, {self.dark_ink})"


# Twelve hues of one lightness (OKLCH): none shouts louder than another.
PALETTE = (
    Hue("#cfe6ff", "#014174", "#1a3f63", "#c6e1ff"),  # 0 blue
    Hue("#ffdbc0", "#603301", "#59320c", "#ffd5b4"),  # 1 orange
    Hue("#c7efce", "#004e20", "#1b4827", "#beecc6"),  # 2 green
    Hue("#e7dcff", "#4b2c74", "#43335e", "#e3d6fe"),  # 3 violet
    Hue("#fed9d6", "#721b21", "#5e2b2b", "#fed2cf"),  # 4 red
    Hue("#b3f1f0", "#034a4a", "#014747", "#a7edec"),  # 5 teal
    Hue("#f2e2b4", "#4e3e03", "#4b3b01", "#efdda9"),  # 6 gold
    Hue("#fed6e8", "#6b1d48", "#5a2b43", "#fecee4"),  # 7 pink
    Hue("#dbe2fe", "#2f367e", "#323964", "#d4dcff"),  # 8 indigo
    Hue("#dceabd", "#384602", "#374310", "#d6e6b3"),  # 9 lime
    Hue("#bdebfe", "#00475b", "#024457", "#b1e8fe"),  # 10 sky
    Hue("#fbd5f8", "#60225f", "#522e51", "#f8cef6"),  # 11 plum
)
_KNOWN = {
    "PER": 1, "PERSON": 1, "LOC": 5, "LOCATION": 5, "GEO-LOC": 5, "GPE": 10, "ORG": 3, "ORGANIZATION": 3, "COMPANY": 3,
    "CORPORATION": 3, "MISC": 6, "OTHER": 6, "DATE": 2, "TIME": 9, "MONEY": 0, "EVENT": 4, "NORP": 9, "FAC": 8,
    "FACILITY": 8, "PRODUCT": 7, "WORK_OF_ART": 11, "CREATIVE-WORK": 11, "MOVIE": 11, "GROUP": 4, "SPORTSTEAM": 4,
    "MUSICARTIST": 0, "TVSHOW": 9, "LAW": 4, "LANGUAGE": 0, "PERCENT": 10, "QUANTITY": 8, "ORDINAL": 7, "CARDINAL": 11,
}  # fmt: skip

STYLE = """
.tagline { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 2.05; max-width: 62rem; }
[data-jp-theme-light="false"] .tagline, .vscode-dark .tagline { color-scheme: dark; }
.tagline-span { display: inline !important; padding: .16em .42em .2em !important; border-radius: .42em !important;
  line-height: 1.5 !important; font-weight: 560; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
.tagline-span > span { font-size: .72em !important; font-weight: 700; letter-spacing: .03em; white-space: nowrap;
  margin-left: .15em !important; opacity: 1 !important; }
.tagline-bars { display: grid; gap: .3rem .8rem; grid-template-columns: minmax(0, max-content) minmax(4rem, 1fr) auto;
  align-items: center; max-width: 44rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
.tagline-bars > b, .tagline-bars > i { font-style: normal; font-weight: 450; overflow-wrap: anywhere; }
.tagline-bars > .yes { font-weight: 680; }
.tagline-bars > em { position: relative; height: .7rem; border-radius: .35rem;
  background: light-dark(#e9e6de, #2a343d); }
.tagline-bars > em > u { position: absolute; inset: 0 auto 0 0; min-width: 3px; border-radius: inherit;
  background: light-dark(#8b9aa5, #6d7d89); }
.tagline-bars > em.yes > u { background: light-dark(#0b6477, #66c6dc); }
.tagline-bars > em > s { position: absolute; top: -.22rem; bottom: -.22rem; width: 2px;
  background: light-dark(#1a242e, #e7eaed); }
.tagline-number { font-size: 2.6rem; font-weight: 700; letter-spacing: -.03em; line-height: 1.2; }
"""
"""The style sheet of everything that is drawn here."""


def hue(label: str) -> Hue:
    """The colour of a label: the same in every text, model and page.

    Usual names have colours of their own; others take one by their letters, so that two may share one.
    """
    name = label.upper()
    return PALETTE[_KNOWN.get(name, zlib.crc32(name.encode("utf-8", "replace")) % len(PALETTE))]


def escape(text: str) -> str:
    """Text that may stand in an element or an attribute; half characters become U+FFFD."""
    return html.escape(_SURROGATES.sub("\ufffd", text))


def parts(text: str, entities: Sequence[Entity]) -> list[str | Entity]:
    """A text cut at its entities: strings and entities in turn, which together are the whole text."""
    found: list[str | Entity] = []
    at = 0
    for entity in entities:
        found += [text[at : entity.start], entity]
        at = entity.end
    return [each for each in (*found, text[at:]) if each != ""]


def caption(entity: Entity) -> str:
    """What stands beside a span: its label and score."""
    return f"{entity.label} {entity.score:.2f}"


def document_html(document: Document) -> str:
    """A text with its entities, as one element with its style."""
    drawn = [each if isinstance(each, str) else _span(each) for each in _escaped(document)]
    return f'<style>{STYLE}</style><div class="tagline" dir="auto">{"".join(drawn)}</div>'


def _escaped(document: Document) -> list[str | Entity]:
    return [escape(each) if isinstance(each, str) else each for each in parts(document.text, document.entities)]


def _span(entity: Entity) -> str:
    colour = hue(entity.label)
    return (
        f'<mark class="tagline-span" style="background:{colour.background};color:{colour.color}">{escape(entity.text)}'
        f"<span> {escape(caption(entity))}</span></mark>"
    )


def bars_html(scores: Sequence[Label], chosen: Sequence[str], thresholds: Mapping[str, float] | None = None) -> str:
    """Labels with bars, without the style.

    Args:
        scores: labels with their probabilities, in the order in which they are shown.
        chosen: the labels that the model decided for; they have a tick.
        thresholds: from which probability a label is chosen, drawn as a line across its bar.
    """
    rows = []
    for label, score in scores:
        yes = ' class="yes"' if label in chosen else ""
        mark = "✓ " if label in chosen else ""
        bound = (thresholds or {}).get(label)
        line = "" if bound is None else f'<s style="left:calc({100 * bound:.1f}% - 1px)"></s>'
        said = "" if bound is None else f", chosen from {bound:.2f} on"
        rows.append(
            f'<b{yes}>{mark}{escape(label)}</b><em{yes} role="img" aria-label="{score:.3f}{said}" '
            f'title="{score:.3f}{said}"><u style="width:{100 * min(max(score, 0.0), 1.0):.1f}%"></u>{line}</em>'
            f"<i{yes}>{score:.3f}</i>"
        )
    return f'<div class="tagline-bars">{"".join(rows)}</div>'


def number_html(answer: Classification) -> str:
    """The number of a regression, without the style."""
    return f'<div class="tagline-number">{answer.score:.3f}</div>'


def classification_html(answer: Classification) -> str:
    """A text with its labels and bars, or its number, as one element with its style."""
    texts = "".join(
        f'<div class="tagline" dir="auto">{escape(each)}</div>'
        for each in (answer.text, answer.pair)
        if each is not None
    )
    if answer.problem.value == "regression":
        drawn = number_html(answer)
    else:
        shown = [each.label for each in answer.scores]
        unseen = [label for label in answer.labels if label not in shown]  # fewer scores than labels were asked for
        drawn = bars_html(answer.scores, answer.labels)
        drawn += "".join(f"<div><b>✓ {escape(label)}</b></div>" for label in unseen)
        drawn += "" if answer.labels else "<div>no label reaches its threshold</div>"
    return f"<style>{STYLE}</style>{texts}{drawn}"
