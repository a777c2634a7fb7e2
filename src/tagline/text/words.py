"""Words with offsets from raw text, split as the training corpus splits its own.

A corpus teaches six habits, counted by `WordRules.learn`: whether its examples are single sentences, whether "don't" is
one word or two, whether "Germany's" is, whether "#tag" is, whether "3." at the start of a line is, and which words end
with a full stop ("Inc.", "vs."). The rest is one pattern. Every character that is not whitespace belongs to exactly one
word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from tagline.text.sentences import holds_single_sentences

# Marks that belong to the letter before them, which `\w` does not count as letters: combining marks, the vowel signs of
# the Indic and South-East Asian scripts, joiners, soft hyphens and variation selectors.
_MARK = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0711\u0730-\u074a"
    "\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e\u0eb1-\u0ece\u0f18-\u0f39\u0f71-\u0f97\u102b-\u109d\u1712-\u1773\u17b4-\u17d3"
    "\u1ab0-\u1aff\u1b00-\u1b44\u1dc0-\u1dff\u20d0-\u20ff\u302a-\u302f\u3099\u309a\ufe00-\ufe0f\ufe20-\ufe2f"
    "\u00ad\u200b-\u200f\u2060-\u2064\ufeff\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\U000e0100-\U000e01ef"
)
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LETTER = rf"(?:(?![{_HAN}])[\w{_MARK}])"
_ALPHA = rf"(?:(?![{_HAN}])[^\W\d_])"
_QUOTE = "['\u2019]"

_PATTERN = rf"""
    (?:https?|ftp)://[^\s<>"]*[^\s<>"'.,;:!?)\]}}\u2019\u201d]        # URL, without the punctuation after it
  | www\.[^\s<>"]*[^\s<>"'.,;:!?)\]}}\u2019\u201d]
  | [\w.+-]{{1,64}}@[\w-]+(?:\.[\w-]+)+                                 # e-mail address; the bound keeps time linear
  | &(?:\w+|\#\d+);                                                   # &amp;
  | @\w+                                                              # @user
  | HASHTAG
  | (?:[:;=]|8(?=[-o*']))[-o*']?[)\](\[dDpP/|}}{{@](?!\w) | <3+(?!\w) | \^_+\^ | -_+-   # emoticons; "(aged 8)" is none
  | LISTED
  | (?:{_ALPHA}\.){{2,}}(?:-{_LETTER}+)*                                 # U.S., U.S.-led
  | (?<!\w)[a-z]{{1,2}}\$(?!{_ALPHA})                                  # C$, US$
  | ABBREVIATION
  | CONTRACTION
  | [+-]?(?<!\w)[.]?\d+(?:[.,:/-]\d+)*(?:{_LETTER}+(?:-{_LETTER}+)*|(?:-{_LETTER}+)+)?   # 10,000  6-4  1996-08-30  5th
  | {_LETTER}+(?:(?:[-_/.&]|{_QUOTE}INNER)(?=\w){_LETTER}+)*            # e-mail, AT&T, O'Brien
  | \.{{2,}} | -{{2,}} | \*{{2,}} | (?P<run>[!?])(?P=run)+                 # ellipses, dashes, !!!
  | [{_HAN}][{_MARK}]*
  | [\U0001f1e6-\U0001f1ff]{{2}}                                        # a flag is two letters
  | \S(?:[{_MARK}]|(?<=\u200d)\S)*                                    # anything else, an emoji sequence as one
"""
_CONTRACTED = re.compile(rf"\w{_QUOTE}(?:m|re|ve|ll|d)$|n{_QUOTE}t$", re.IGNORECASE)
_CONTRACTION = re.compile(rf"{_QUOTE}(?:m|re|ve|ll|d)$|n{_QUOTE}t$", re.IGNORECASE)
_POSSESSIVE = re.compile(rf"{_QUOTE}s$", re.IGNORECASE)
_LISTED = re.compile(r"\d{1,3}\.?")
_MAY_LIST = re.compile(r"(?<![^\n\r])\d{1,3}\.[^\S\n\r]")
_KEPT_PARTS = 100_000
_LONGEST_PART = 64  # characters; longer ones are rare and would fill the memory
_STRETCH = 100_000  # characters
Words = tuple[list[tuple[int, int]], list[str]]


@dataclass(frozen=True)
class WordRules:
    """How raw text is split into words; saved in the model folder.

    Attributes:
        split_contractions: "don't" → "do" "n't", "I'm" → "I" "'m".
        split_possessives: "Germany's" → "Germany" "'s".
        split_hashtags: "#tag" → "#" "tag".
        list_numbers: "3." is one word where a line begins with it.
        split_sentences: running text is cut into sentences, because the corpus is one of sentences.
        abbreviations: words that keep their full stop, lower-cased and sorted; single letters always do.
    """

    split_contractions: bool = False
    split_possessives: bool = True
    split_hashtags: bool = False
    list_numbers: bool = False
    split_sentences: bool = False
    abbreviations: tuple[str, ...] = field(default=())

    @classmethod
    def learn(cls, sentences: Iterable[Sequence[str]]) -> WordRules:
        """Counts the habits of pre-split sentences; where a corpus shows none, the defaults stay."""
        count: Counter[str] = Counter()
        votes = {"contractions": 0, "possessives": 0, "hashtags": 0, "lists": 0}
        examples = list(sentences)
        for words in examples:
            count.update(words)
            if len(words) > 1 and _LISTED.fullmatch(words[0]):
                votes["lists"] += 1 if words[0].endswith(".") else -(words[1] == ".")
        stopped: Counter[str] = Counter()
        for word, times in count.items():
            if len(word) <= 5 and _CONTRACTION.fullmatch(word):
                votes["contractions"] += times
            elif _CONTRACTED.search(word):
                votes["contractions"] -= times
            elif _POSSESSIVE.search(word):
                votes["possessives"] += times if len(word) == 2 else -times
            elif word.startswith("#"):
                votes["hashtags"] += times if len(word) == 1 else -times
            elif word.endswith(".") and word[:-1].isalpha() and len(word) > 2:
                stopped[word.lower()] += times
        # "end." of a badly split sentence must not become an abbreviation: the bare word must be the rarer one.
        bare = Counter({word.lower(): 0 for word in count})
        for word, times in count.items():
            bare[word.lower()] += times
        kept = sorted(word for word, times in stopped.items() if times >= 2 and times >= bare[word[:-1]])
        return cls(
            split_contractions=votes["contractions"] > 0,
            split_possessives=votes["possessives"] >= 0,
            split_hashtags=votes["hashtags"] > 0,
            list_numbers=votes["lists"] > 0,
            split_sentences=holds_single_sentences(examples),
            abbreviations=tuple(kept),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {**asdict(self), "abbreviations": list(self.abbreviations)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> WordRules:
        """The inverse of `to_dict`."""
        return cls(**{**values, "abbreviations": tuple(values.get("abbreviations", ()))})


@dataclass(frozen=True)
class WordSplitter:
    """Splits text into words by the rules of a model."""

    rules: WordRules = WordRules()

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return self._compiled(self.rules.list_numbers)

    @cached_property
    def _unlisted(self) -> re.Pattern[str]:
        return self._compiled(list_numbers=False)

    def _compiled(self, list_numbers: bool) -> re.Pattern[str]:
        rules = self.rules
        contraction, inner = r"(?!)", ""
        not_inner: list[str] = []
        if rules.split_contractions:
            # "n't" takes its n away from the word before it, so the word stops one letter early.
            tail = rf"(?:{_QUOTE}(?:m|re|ve|ll|d)|n{_QUOTE}t)(?!\w)"
            contraction = rf"(?<=[\w{_MARK}]){tail}|{_ALPHA}+?(?=n{_QUOTE}t(?!\w))"
            not_inner.append(r"(?:m|re|ve|ll|d|t)(?!\w)")
        if rules.split_possessives:
            contraction += rf"|(?<=[\w.{_MARK}]){_QUOTE}s(?!\w)"
            not_inner.append(r"s(?!\w)")
        if not_inner:
            inner = f"(?!{'|'.join(not_inner)})"
        short = "|".join(re.escape(word) for word in sorted(rules.abbreviations, key=len, reverse=True))
        # "d..." is a word cut short, no abbreviation.
        abbreviation = rf"(?<!\w)(?:{_ALPHA}\.(?![\w.])" + (rf"|(?:{short})(?!\w)" if short else "") + ")"
        listed = r"(?<![^\n\r])\d{1,3}\.(?=[^\S\n\r]+\S)" if list_numbers else r"(?!)"
        hashtag = r"\#(?=\w)" if rules.split_hashtags else r"\#\w+"
        pattern = _PATTERN.replace("HASHTAG", hashtag).replace("ABBREVIATION", abbreviation)
        pattern = pattern.replace("CONTRACTION", contraction).replace("INNER", inner).replace("LISTED", listed)
        return re.compile(pattern, re.VERBOSE | re.IGNORECASE)

    def __call__(self, text: str) -> list[tuple[int, int]]:
        """(start, end) of each word, in order; whitespace belongs to none."""
        return self.split(text)[0]

    def split(self, text: str) -> Words:
        """(start, end) of each word, and the words.

        No word reaches over a space, and but for numbers of a list none looks beyond one. So how a part between spaces
        is split can be remembered, which is quicker than to match it anew, and words that recur are one object.
        """
        if self.rules.list_numbers and _MAY_LIST.search(text):
            return _matched(self._pattern, text)
        known = self._parts
        offsets: list[tuple[int, int]] = []
        words: list[str] = []
        for at, stretch in _stretches(text):
            for part in stretch.split(" "):
                found = known.get(part)
                if found is None:
                    found = self._remembered(part)
                if isinstance(found, str):
                    offsets.append((at, at + len(part)))
                    words.append(found)
                else:
                    for start, end in found[0]:
                        offsets.append((at + start, at + end))
                    words += found[1]
                at += len(part) + 1
        return offsets, words

    def _remembered(self, part: str) -> str | Words:
        split = _matched(self._unlisted, part)
        found = part if split[1] == [part] else split
        if len(part) <= _LONGEST_PART:
            if len(self._parts) >= _KEPT_PARTS:
                self._parts.clear()
            self._parts[part] = found
        return found

    @cached_property
    def _parts(self) -> dict[str, str | Words]:
        """Parts between spaces and their words; most parts are one word, and stand for themselves."""
        return {}


def _matched(pattern: re.Pattern[str], text: str) -> Words:
    offsets = [match.span() for match in pattern.finditer(text)]
    return offsets, [text[start:end] for start, end in offsets]


def _stretches(text: str) -> Iterator[tuple[int, str]]:
    """A text in stretches that end before a space, with the places where they begin: a long text's parts are many."""
    at = 0
    while at < len(text):
        end = text.find(" ", at + _STRETCH)
        end = len(text) if end < 0 else end
        yield at, text[at:end]
        at = end + 1
