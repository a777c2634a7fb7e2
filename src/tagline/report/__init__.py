"""Reports for people: one page of HTML that needs nothing else, or Markdown, from the same blocks."""

from __future__ import annotations

from tagline.report.blocks import Report
from tagline.report.html import render_html
from tagline.report.markdown import render_markdown

__all__ = ["Report", "render_html", "render_markdown"]
