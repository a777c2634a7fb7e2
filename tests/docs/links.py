"""Links of a built site: those within it must lead somewhere, those out of it must be well formed.

python tests/docs/links.py build/docs
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit


@dataclass
class Page(HTMLParser):
    """What a page has: names that can be led to, and what it leads to."""

    names: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.names.add(value or "")
            elif name in ("href", "src") and not (tag == "link" and ("rel", "preconnect") in attrs):
                self.links.add(value or "")


def read(folder: Path) -> dict[Path, Page]:
    """Every page of the site, by its path."""
    pages = {}
    for path in sorted(folder.rglob("*.html")):
        page = pages[path.resolve()] = Page()
        page.feed(path.read_text("utf-8"))
    return pages


def dead(pages: dict[Path, Page]) -> Iterator[str]:
    """Links within the site that lead nowhere, each with its page."""
    for path, page in pages.items():
        for link in sorted(page.links):
            address, anchor = urldefrag(link)
            if urlsplit(link).scheme or link.startswith("//"):
                continue
            target = (path.parent / unquote(urlsplit(address).path)).resolve() if address else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                yield f"{path.name}: {link}: no such file"
            elif anchor and target in pages and unquote(anchor) not in pages[target].names | {"top"}:
                yield f"{path.name}: {link}: no such anchor"


def external(pages: dict[Path, Page]) -> list[str]:
    """Links out of the site, sorted."""
    return sorted({link for page in pages.values() for link in page.links if urlsplit(link).scheme not in ("", "data")})


def malformed(link: str) -> bool:
    """Whether a link out of the site cannot be an address of the web or of mail."""
    parts = urlsplit(link)
    if parts.scheme == "mailto":
        return "@" not in parts.path
    return parts.scheme not in ("http", "https") or "." not in parts.netloc or any(sign in link for sign in ' \t\n<>"')


def main(folder: Path) -> int:
    """Says what is wrong; lists the links out of the site beside it."""
    pages = read(folder)
    links = external(pages)
    wrong = [*dead(pages), *(f"{link}: no address" for link in links if malformed(link))]
    listed = folder.with_name(f"{folder.name}-external-links.txt")
    listed.write_text("".join(f"{link}\n" for link in links), "utf-8")
    sys.stdout.write("".join(f"{each}\n" for each in wrong))
    sys.stdout.write(f"{len(pages)} pages, {len(wrong)} dead links; {len(links)} links out of the site in {listed}\n")
    return int(bool(wrong) or not pages)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
