"""Windows against a search over every window for every word."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.text.windows import Window, plan_windows

FAR = 10**9


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[int], int, int]:
    """Sub-tokens of words, room, overlap."""
    room = draw(st.integers(1, 30))
    counts = draw(st.lists(st.integers(1, draw(st.integers(1, room))), max_size=60))
    return counts, room, draw(st.integers(0, room - 1))


def context(window: Window, word: int, counts: list[int]) -> int:
    """The smaller of what a window shows left and right of a word; the text's own ends hide nothing."""
    left = FAR if window.start == 0 else sum(counts[window.start : word])
    right = FAR if window.end == len(counts) else sum(counts[word + 1 : window.end])
    return min(left, right)


@settings(max_examples=400, deadline=None)
@given(plans())
def test_every_word_is_owned_once_by_the_window_that_shows_most_around_it(plan: tuple[list[int], int, int]) -> None:
    counts, room, overlap = plan
    windows = plan_windows(np.asarray(counts, dtype=np.int64), room, overlap)
    owned = [word for window in windows for word in range(window.first, window.last)]
    assert owned == list(range(len(counts)))
    for window in windows:
        assert window.start <= window.first <= window.last <= window.end
        for word in range(window.first, window.last):
            shows = [context(each, word, counts) for each in windows if each.start <= word < each.end]
            assert context(window, word, counts) == max(shows)


@settings(max_examples=400, deadline=None)
@given(plans())
def test_windows_are_full_overlap_no_more_than_asked_and_are_few(plan: tuple[list[int], int, int]) -> None:
    counts, room, overlap = plan
    windows = plan_windows(np.asarray(counts, dtype=np.int64), room, overlap)
    for window in windows:
        assert sum(counts[window.start : window.end]) <= room
        assert window.end == len(counts) or sum(counts[window.start : window.end + 1]) > room
    for left, right in pairwise(windows):
        assert left.start < right.start <= left.end < right.end
        shared = sum(counts[right.start : left.end])
        assert shared <= overlap
        earlier = shared + counts[right.start - 1]  # in common if it began a word before
        assert earlier > overlap or earlier + counts[left.end] > room
    step = room - overlap - max(counts, default=0) + 1  # least progress of a window, in sub-tokens
    if counts and step > 0:
        assert len(windows) <= 1 + sum(counts) / step
    assert len(windows) <= len(counts)


def test_a_short_text_is_one_window_and_no_text_none() -> None:
    assert plan_windows(np.asarray([], dtype=np.int64), 8, 2) == []
    assert plan_windows(np.asarray([3, 5]), 8, 2) == [Window(0, 2, 0, 2)]
    assert plan_windows(np.asarray([3, 5, 1]), 8, 0) == [Window(0, 2, 0, 2), Window(2, 3, 2, 3)]


def test_the_overlap_is_parted_in_its_middle() -> None:
    assert plan_windows(np.ones(14, dtype=np.int64), 10, 4) == [Window(0, 10, 0, 8), Window(6, 14, 8, 14)]


@pytest.mark.parametrize(("room", "overlap"), [(8, 8), (8, 9), (8, -1), (0, 0)])
def test_an_overlap_out_of_range_is_refused(room: int, overlap: int) -> None:
    with pytest.raises(ValueError, match=f"overlap is {overlap}; expected 0 to {room - 1}"):
        plan_windows(np.ones(3, dtype=np.int64), room, overlap)


def test_a_word_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="a word has 9 sub-tokens; a window has room for 8"):
        plan_windows(np.asarray([1, 9, 1]), 8, 2)


def test_a_long_text() -> None:
    windows = plan_windows(np.full(1_000_000, 2, dtype=np.int64), 254, 63)
    assert 2_000_000 / 254 < len(windows) < 2_000_000 / 190
