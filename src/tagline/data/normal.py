"""When two texts are the same."""

from __future__ import annotations

import unicodedata


def normal(text: str) -> str:
    """A text without regard to case, white space and compatible forms of characters (NFKC)."""
    if text.isascii():
        return " ".join(text.casefold().split())
    # folding case can undo the normal form, so it is made again
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())
