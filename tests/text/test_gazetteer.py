"""Names in text: the longest from the left, as looking at every span finds them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.families import Encoders, sentences

from tagline.errors import FolderError
from tagline.text.features import WindowEncoder
from tagline.text.gazetteer import Gazetteer, Match
from tagline.text.shapes import TYPES
from tagline.text.subtokens import SubTokenizer

WORDS = ["New", "york", "YORK", "new", "City", "of", "1996", "北京", "Straße", "STRASSE", "'s"]
PAIRS = st.lists(
    st.tuples(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4), st.sampled_from(["A", "B", "C"])), max_size=12
)


def by_looking(words: list[str], names: dict[tuple[str, ...], int]) -> list[Match]:
    """The rule in its plainest form."""
    found, at = [], 0
    while at < len(words):
        for end in range(len(words), at, -1):
            kind = names.get(tuple(word.casefold() for word in words[at:end]))
            if kind and not words[at][0].islower():
                found.append(Match(at, end, kind))
                break
        at = found[-1].end if found and found[-1].end > at else at + 1
    return found


@given(PAIRS, st.lists(st.sampled_from(WORDS), max_size=30))
def test_matches_are_those_of_looking_at_every_span(pairs: list[tuple[list[str], str]], words: list[str]) -> None:
    gazetteer = Gazetteer.count(pairs, ["A", "B", "C"])
    counts: dict[tuple[str, ...], list[int]] = {}
    for name, kind in pairs:
        counts.setdefault(tuple(word.casefold() for word in name), []).append(1 + "ABC".index(kind))
    names = {name: max(kinds, key=kinds.count) for name, kinds in counts.items()}
    assert gazetteer(words) == by_looking(words, names)
    assert gazetteer(words) == by_looking(words, names)  # what was remembered says the same


@given(PAIRS, PAIRS)
def test_of_two_lists_the_first_knows_the_kind(
    pairs: list[tuple[list[str], str]], others: list[tuple[list[str], str]]
) -> None:
    first, second = Gazetteer.count(pairs, ["A", "B", "C"]), Gazetteer.count(others, ["A", "B", "C"])
    both = first | second
    assert both.numbers == {**{name: 3 + kind for name, kind in second.numbers.items()}, **first.numbers}


def test_kinds_of_one_name_stay_apart(tmp_path: Path) -> None:
    both = Gazetteer.count([(["Rome"], "list: A")], ["list: A"]) | Gazetteer.count([(["Oslo"], "list: A")], ["list: A"])
    (tmp_path / "gazetteer.json").write_text(both.to_json(), encoding="utf-8")
    for each in (both, Gazetteer.load(tmp_path / "gazetteer.json")):
        assert [match.kind for match in each(["Rome", "Oslo"])] == [1, 2]


@given(PAIRS)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[list[str], str]]) -> None:
    gazetteer = Gazetteer.count(pairs, ["B", "C", "A"])
    file = tmp_path_factory.mktemp("names") / "gazetteer.json"
    file.write_text(gazetteer.to_json(), encoding="utf-8")
    again = Gazetteer.load(file)
    assert (again.kinds, again.numbers, again.sizes) == (gazetteer.kinds, gazetteer.numbers, gazetteer.sizes)
    assert not any(word in file.read_text(encoding="utf-8") for word in ("york", "straße", "北京"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        '{"A": 3}',
        '{"names": [["x"]]}',
        '{"kinds": ["A"], "names": [3], "sizes": {}}',
        '{"kinds": ["A"], "names": [], "sizes": {}}',
    ],
)
def test_a_damaged_file_is_said(tmp_path: Path, text: str) -> None:
    file = tmp_path / "gazetteer.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FolderError, match="no lists of names"):
        Gazetteer.load(file)


def test_neighbours_are_shown_with_their_names(encoders: Encoders) -> None:
    before, words, after = sentences()[0][:4], sentences()[1][:4], ["to", "Port", "Maribel", "."]
    gazetteer = Gazetteer.count([(before[:2], "A"), (after[1:3], "B")], ["A", "B"])
    subtokens = SubTokenizer.from_file(encoders("bert-uncased") / "tokenizer.json", True)
    (window,) = WindowEncoder(subtokens, 64, None, 60, gazetteer)(words, before, after).windows
    kinds = [1, 1, 0, 0, *[0] * len(words), 0, 2, 2, 0]
    pieces = subtokens([*before, *words, *after])
    shown = [kind for kind, piece in zip(kinds, pieces, strict=True) for _ in piece.ids]
    assert [each // TYPES for each in window.types[1:-1]] == shown


@pytest.mark.parametrize("shapes", [False, True])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.integers(0, 8), second=st.integers(0, 8), length=st.sampled_from([12, 20, 64]), context=st.booleans())
def test_windows_show_the_kind_at_every_sub_token_of_a_name(
    encoders: Encoders, shapes: bool, first: int, second: int, length: int, context: bool
) -> None:
    words = [word for sentence in (sentences()[first], sentences()[second]) for word in sentence]
    gazetteer = Gazetteer.count([(sentences()[first][:3], "A"), (sentences()[second][4:6], "B")], ["A", "B"])
    subtokens = SubTokenizer.from_file(encoders("bert-uncased") / "tokenizer.json", shapes)
    around = 1 if context else 0
    plain = WindowEncoder(subtokens, length, None, around)(words)
    named = WindowEncoder(subtokens, length, None, around, gazetteer)(words)
    kinds = np.zeros(len(words), dtype=int)
    for match in gazetteer(words):
        kinds[match.start : match.end] = match.kind
    assert len(plain.windows) == len(named.windows)
    for one, other in zip(plain.windows, named.windows, strict=True):
        assert (one.ids.tolist(), one.first, one.places.tolist()) == (
            other.ids.tolist(),
            other.first,
            other.places.tolist(),
        )
        added = other.types - one.types
        for number, (place, count) in enumerate(zip(one.places.tolist(), one.counts.tolist(), strict=True)):
            expected = kinds[one.first + number] * (TYPES if shapes else 1)
            assert added[place : place + count].tolist() == [expected] * count
    assert all(max(each.types) < TYPES for each in subtokens(words))  # the cache stays clean
